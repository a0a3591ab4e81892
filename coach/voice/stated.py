"""What a message states outright, so that no answer presumes the contrary.

Rules over plain phrases, pure and deterministic. They are meant to be silent when in
doubt: a fact is only named when the words say it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from coach.library.cards import Presumption

_PHRASES: dict[Presumption, Sequence[str]] = {
    "unsent": (
        r"\b(?:haven'?t|havent|have not|not) (?:yet )?(?:posted|sent|shared|published|pressed|hit)\b",
        r"\b(?:should|can|could|shall|may|dare) i (?:post|share|send|publish|tell|put)\b",
        r"\b(?:about|going|want(?:ing)?|tempted|thinking of|thinking about) (?:to )?(?:post|send|share|reply|publish)(?:ing)?\b",
        r"\b(?:in|on) (?:my )?drafts?\b|\bdraft(?:ed|s)?\b|\bunsent\b|\bhovering over\b",
    ),
    "sent": (
        r"\bi(?:'ve| have)? (?:just )?(?:posted|tweeted|published|shared|replied|uploaded)\b",
        r"\bmy (?:last |latest |first |own )?(?:post|tweet|thread|reel|video|reply|blog|skeet)s? (?:got|has|have|had|went|was|is|were)\b",
        r"\bi(?:'ve)? (?:hit|pressed) (?:send|post)\b|\bput (?:it|this|a post|a thread|one) (?:up|out)\b",
    ),
    "no-account": (
        r"\b(?:never|don'?t|dont|not) (?:had|have|having|been) (?:an? |any )?(?:account|social media|twitter|insta(?:gram)?|profile)\b",
        r"\bi(?:'m| am)? not on (?:social|twitter|x\b|linkedin|instagram|facebook|anything|any)\b",
        r"\b(?:should|shall) i (?:join|sign up|get on)\b",
    ),
    "account": (
        r"\bmy (?:followers?|feed|timeline|account|profile|notifications|dms|bio|handle)\b",
        r"\bi (?:post|tweet|scroll|follow|unfollowed|muted|blocked)\b",
        r"\b\d[\d,.]*k? followers\b",
    ),
    "other": (
        r"\b(?:my |a |the |our )?(?:colleague|consultant|registrar|boss|friend|nurse|junior|trainee|student|sister|"
        r"supervisor|professor|mate|physio|midwife)s?(?:'s)? (?:has |just )?(?:posted|tweeted|shared|put up|put|wrote)\b",
        r"\b(?:she|he|they)(?:'s| has|'ve| have)? (?:just )?(?:posted|tweeted|put (?:up|it))\b",
    ),
    "bereaved": (r"\b(?:died|funeral|passed away|lost my (?:mum|mom|dad|father|mother|wife|husband|son|daughter|baby))\b",),
    "proud": (r"\b(?:proud|chuffed|over the moon|delighted|can'?t stop smiling|so happy)\b",),
}  # fmt: skip
_COMPILED = {fact: [re.compile(p, re.IGNORECASE) for p in patterns] for fact, patterns in _PHRASES.items()}
# A situation that presumes the left is ruled out where the message states the right.
_EXCLUDES: dict[Presumption, frozenset[Presumption]] = {
    "sent": frozenset({"unsent"}),
    "unsent": frozenset({"sent"}),
    "account": frozenset({"no-account"}),
    "no-account": frozenset({"account"}),
}


def stated(message: str) -> frozenset[Presumption]:
    """The facts that `message` states; `sent` and `unsent` together mean neither is sure."""
    plain = message.replace("’", "'")
    facts = {fact for fact, patterns in _COMPILED.items() if any(p.search(plain) for p in patterns)}
    for one, other in (("sent", "unsent"), ("account", "no-account")):
        if one in facts and other in facts:
            facts -= {one, other}
    return frozenset(facts)


def contradicts(presumes: Sequence[Presumption], facts: frozenset[Presumption]) -> bool:
    """Whether an answer that presumes so much says the contrary of what was stated."""
    return any(facts & _EXCLUDES.get(presumption, frozenset()) for presumption in presumes)


_TURNS_AWAY = re.compile(
    r"\b(?:anyway|something else|(?:an)?other (?:thing|question|topic|matter)|(?:a )?different (?:note|question|topic|thing|matter)|"
    r"never ?mind|leave .{0,20}(?:for now|a minute|aside|be)|new (?:topic|question|subject)|change of (?:subject|topic)|"
    r"by the way|btw|separate(?:ly)?|while i'?m here|one more thing|forget (?:that|all that|it)|on another|"
    r"not about that|switch(?:ing)? (?:topic|subject)s?)\b",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"^(?:why|how|and|but|yes|yeah|no|nah|fine|ok|okay|alright|all right|true|well|did|tried|because|maybe|probably|sure|so)\b|"
    r"\b(?:it|that|this|those|these|they|them|she|he|her|him|one|ones|there)\b",
    re.IGNORECASE,
)


def turns_away(message: str) -> bool:
    """Whether the words themselves announce another subject ("anyway, something else…")."""
    return bool(_TURNS_AWAY.search(message))


def leans_back(message: str) -> bool:
    """Whether the beginning of a message leans on what was said before ("they…", "and how…")."""
    return bool(_LEANS.search(" ".join(message.split()[:8])))
