"""Words of danger: rules that see what must never be missed, whatever a classifier thinks.

Pure and deterministic, no model. It does *not* cover indirect ways of saying it; those
are the gate's classifier's part. A rule here says `urgent` or `concern` and where.
"""

from __future__ import annotations

import re
from typing import Literal

from coach.events import Signal

Level = Literal["none", "concern", "urgent"]

_URGENT = [
    r"\bi(?:'ve| have)? (?:worked out|looked up|counted) (?:how (?:much|many)|the (?:pills|tablets|dose)).{0,40}\b(?:it would take|to (?:die|be enough)|would be enough)\b",
    r"\b(?:said|saying|say) (?:my )?goodbye to everyone\b",
    r"\bkill(?:ing)? my ?self\b(?! (?:laughing|with))",
    r"\b(?:commit(?:ting)? suicide|suicide note|suicidal (?:right now|tonight|again))\b",
    r"\bi(?:'m| am|m)? (?:feel(?:ing)? )?suicidal\b",
    r"\b(?:end(?:ing)?|tak(?:e|ing)) (?:my|his|her|their)(?: own)? life\b",
    r"\bend it all\b|\bending it (?:all|tonight|now)\b",
    r"\b(?:hang(?:ing)?|shoot(?:ing)?|overdos(?:e|ing) on purpose|drown(?:ing)?) my ?self\b",
    r"\b(?:want|wanted|wanting|going|plan(?:ning)?|ready|decided) to (?:die|be dead|end it)\b(?! (?:with|on|there))",
    r"\b(?:don'?t|dont|do not) want to (?:be alive|live|wake up|be here (?:any ?more|anymore))\b",
    r"\b(?:took|taken|swallowed|taking) (?:all|the whole|a whole|too many|\d{2,})\b(?!.{0,20}\b(?:photos?|pics?|pictures|posts|shots|minutes|years)\b).{0,40}"
    r"\b(?:pills|tablets|paracetamol|propranolol|insulin|tramadol|morphine|meds)\b",
    r"\b(?:cutting|harming|harmed|hurting) my ?self\b(?! (?:at|off)\b)",
    r"\b(?:want|wanted|going|might|urge|need) to (?:hurt|harm|cut) my ?self\b",
    r"\b(?:thinking|thought|thoughts|think) (?:about|of) (?:suicide|killing my ?self|ending (?:it|my life)|dying)\b",
    r"\b(?:say(?:ing)?|write|written|wrote) (?:my )?goodbyes?\b.{0,30}\b(?:kids|children|everyone|family|letters?)\b",
    r"\b(?:i(?:'m| am|m) going to|gonna|i want to|i will|i'll) (?:kill|stab|shoot|hurt) (?:him|her|them|someone|somebody)\b(?! (?:an?|the|some|my)\b)",
    r"\b(?:he|she|my (?:husband|wife|partner|boyfriend|girlfriend)) (?:hit|hits|beats?|chok(?:es|ed)|strangl(?:es|ed)|punche[sd]) me\b(?! up\b)",
]
_CONCERN = [
    r"\bbetter off without me\b|\bbetter off (?:dead|if i)\b",
    r"\b(?:no|any) (?:point|reason) (?:in |to )?(?:living|going on|being here|carry(?:ing)? on)\b",
    r"\bwish i (?:was|were) dead\b|\bwish i (?:hadn'?t|had not|didn'?t) (?:woken|wake|been born|exist)\b",
    r"\b(?:i(?:'m| am|m) |feel like )(?:just )?a burden\b",
    r"\bcan'?t (?:go on|cope|do (?:this|it)) (?:any ?more|anymore|much longer)\b(?!.{0,25}\b(?:twitter|instagram|linkedin|tiktok|posting|app)\b)",
    r"\bnot (?:wanting|want) to (?:be here|exist)\b|\bdisappear(?:ed)? for good\b",
    r"\bdrink(?:ing)? (?:myself )?to (?:sleep|cope|get through|forget)\b",
    r"\bnobody would (?:notice|care|miss me)\b.{0,30}\b(?:gone|dead|died|didn'?t come)\b",
    r"\bi (?:really |just |so )?(?:hate|despise) (?:being alive|myself)\b(?! (?:for|when|after|every|in the|because))",
    r"\bself[- ]?harm(?:ed|ing)?\b",
]
# Said of work or of others, these are the ordinary words of the trade.
_CLINICAL = re.compile(
    r"\b(?:patients?|teaching|lecture|module|risk assessment|ligature|audit|course|exam|paper|"
    r"prevention|awareness|guideline|thread on|post about|talk on|research|ward round)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|im|me|my|myself|i've|ive|i'll)\b", re.IGNORECASE)

_OTHER = re.compile(
    r"\b(?:he|she|they|him|her|(?:my|a|our|the|one of (?:my|our|the)) \w{0,12} ?(?:friend|colleague|flatmate|housemate|"
    r"sister|brother|wife|husband|partner|mother|mum|mom|father|dad|registrar|sho|trainee|student|junior|nurse|"
    r"boyfriend|girlfriend|daughter|son|mate|doctor|midwife|boss|neighbour)s?)\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\b(?:myself|(?:hit|hits|beats?|choked|strangled|hurt|hurts|punched|kill|kills) me|"
    r"in front of me|i(?:'m| am|m|'ve| have)?(?: got)? (?:the|written|worked out|a plan|want|wanted|going|gonna|can'?t|cannot|feel|have taken|took|don'?t|plan|will|wish|hate|suicidal))\b",
    re.IGNORECASE,
)


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which any gap between words counts as a space: line break, tab, two spaces."""
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


_COMPILED: list[tuple[Level, re.Pattern[str]]] = [
    *(("urgent", _compiled(p)) for p in _URGENT),
    *(("concern", _compiled(p)) for p in _CONCERN),
]


def signals(text: str) -> list[Signal]:
    """Every place where a rule of danger matches, `kind` being `urgent` or `concern`."""
    plain = text.replace("’", "'")
    found = [
        Signal(level, match.start(), match.end())
        for level, pattern in _COMPILED
        for match in pattern.finditer(plain)
    ]
    if found and _CLINICAL.search(plain) and not _FIRST_PERSON.search(plain):
        return []
    return found


def about_other(text: str) -> bool:
    """Whether the danger in `text` is somebody else's: another is named and the writer says nothing
    of their own death, wish or hurt."""
    return bool(_OTHER.search(text)) and not _OWN.search(text.replace("’", "'"))


def is_of_work(text: str) -> bool:
    """Whether `text` speaks of patients, teaching or papers, in which plain words of danger are at home."""
    return bool(_CLINICAL.search(text))


def level(text: str) -> Level:
    """The gravest level any rule sees in `text`."""
    kinds = {signal.kind for signal in signals(text)}
    return "urgent" if "urgent" in kinds else "concern" if "concern" in kinds else "none"
