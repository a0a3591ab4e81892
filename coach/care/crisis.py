"""Words of danger: rules that see what must never be missed, whatever a classifier thinks.

Pure and deterministic, no model. It does *not* cover indirect ways of saying it; those
are the gate's classifier's part. A rule here says `urgent` or `concern` and where.
"""

from __future__ import annotations

import re
from typing import Literal

from coach.events import Signal

Level = Literal["none", "concern", "urgent"]

_SELF = r"(?:my ?self|me)"
_URGENT = [
    rf"\bkill(?:ing)? {_SELF}\b(?! (?:laughing|with))",
    r"\b(?:commit(?:ting)? suicide|suicide note|suicidal (?:right now|tonight|again))\b",
    r"\bi(?:'m| am|m)? (?:feel(?:ing)? )?suicidal\b",
    r"\b(?:end(?:ing)?|tak(?:e|ing)) (?:my|his|her|their)(?: own)? life\b",
    r"\bend it all\b|\bending it (?:all|tonight|now)\b",
    rf"\b(?:hang(?:ing)?|shoot(?:ing)?|overdos(?:e|ing) on purpose|drown(?:ing)?) {_SELF}\b",
    r"\b(?:want|wanted|wanting|going|plan(?:ning)?|ready|decided) to (?:die|be dead|end it)\b",
    r"\b(?:don'?t|dont|do not) want to (?:be alive|live|wake up|be here (?:any ?more|anymore))\b",
    r"\b(?:took|taken|swallowed|taking) (?:all|the whole|a whole|too many|\d{2,})\b.{0,40}"
    r"\b(?:pills|tablets|paracetamol|propranolol|insulin|tramadol|morphine|meds)\b",
    r"\b(?:cut|cutting|harm(?:ing|ed)?|hurt(?:ing)?) my ?self\b",
    r"\b(?:say(?:ing)?|write|written|wrote) (?:my )?goodbyes?\b.{0,30}\b(?:kids|children|everyone|family|letters?)\b",
    r"\b(?:i(?:'m| am|m) going to|gonna|i want to|i will|i'll) (?:kill|stab|shoot|hurt) (?:him|her|them|someone|somebody)\b",
    r"\b(?:he|she|my (?:husband|wife|partner|boyfriend|girlfriend)) (?:hit|hits|beats?|chok(?:es|ed)|strangl(?:es|ed)|punche[sd]) me\b",
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
    r"\b(?:i )?(?:hate|despise) (?:myself|being alive)\b",
    r"\bself[- ]?harm(?:ed|ing)?\b",
]
# Said of work or of others, these are the ordinary words of the trade.
_CLINICAL = re.compile(
    r"\b(?:patients?|teaching|lecture|module|risk assessment|ligature|audit|course|exam|paper|"
    r"prevention|awareness|guideline|thread on|post about|talk on|research|ward round)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|im|me|my|myself|i've|ive|i'll)\b", re.IGNORECASE)

_COMPILED: list[tuple[Level, re.Pattern[str]]] = [
    *(("urgent", re.compile(p, re.IGNORECASE)) for p in _URGENT),
    *(("concern", re.compile(p, re.IGNORECASE)) for p in _CONCERN),
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


def level(text: str) -> Level:
    """The gravest level any rule sees in `text`."""
    kinds = {signal.kind for signal in signals(text)}
    return "urgent" if "urgent" in kinds else "concern" if "concern" in kinds else "none"
