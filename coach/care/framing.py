"""Which part of what was pasted is the draft, and which is said about it ("be honest, is it bad?").

A verdict depends on the draft alone, so words around it are left out before it is judged.
Only whole sentences at the beginning and the end are looked at, and never all of them. Plain
forms of words are known by rules, others by a classifier, which is unsure of many: a single
sentence often could be either.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_THIS = (
    r"(?:this|it|that|these|the (?:post|draft|tweet|caption|thread)|my (?:post|draft|tweet|caption|thread))"
)
_PLAIN = re.compile(
    rf"\b(?:should|shall|can|could|may|do|dare|would it be ok(?:ay)? (?:if|to)) (?:i )?(?:just )?(?:post|share|send|publish|tweet|"
    rf"put|upload) {_THIS}\b"
    rf"|\b(?:ok|okay|fine|safe|alright|all right|good) to (?:post|share|send|publish|tweet|go|put up)\b"
    rf"|\bi(?:'m| am|m) (?:\w+ ){{0,2}}(?:proud|nervous|anxious|worried|ashamed|unsure|embarrassed|scared|excited|pleased|"
    rf"not sure|happy|afraid) (?:of|about|with|to post|to share) {_THIS}\b"
    rf"|\b(?:what|how) do you (?:think|feel|like)(?: (?:of|about) {_THIS})?\s*\??$|\bbe (?:honest|brutal|kind|nice|gentle|frank)\b"
    rf"|\bis {_THIS} (?:\w+ ){{0,2}}(?:ok|okay|bad|good|fine|too \w+|alright|all right|safe|any good|stupid|terrible|awful|offensive)\b"
    rf"|\b(?:here(?:'s| is)|below is|this is|heres) (?:my|the|a) (?:\w+ )?(?:draft|post|tweet|caption|thread|text)\b|^(?:my )?draft\s*:"
    rf"|\b(?:please|just|pls) (?:say|tell me|approve|confirm)\b|\bgo easy\b|\bdon'?t judge\b|\bwould you post\b"
    rf"|\b(?:worked|spent) .{{0,30}}\bon {_THIS}\b|\bi (?:really |just )?(?:love|like|hate) {_THIS}\b"
    rf"|\b(?:think|thinks|says|said|told me) (?:it|this)(?:'s| is| was) (?:\w+ )?(?:too|fine|ok|great|brilliant|bad|funny|good|risky)\b",
    re.IGNORECASE,
)
# How surely a sentence is about the draft before it is left out, from dev (eval/LOG.md).
# A line that may be either is left out from the lower figure where nothing in it would count.
ASIDE_AT, MAYBE_AT, RISKY_AT = 0.5, 0.25, 0.5
AT_MOST = 3  # sentences a side
MOST_OF_ALL = 0.7  # a draft keeps at least the rest of the characters
_CUT = re.compile(r"(?<=[.?!:…])[\"”')]*\s+|\s*\n+\s*|\s+(?:-{1,3}>?|–|—)\s+")


class Framing:
    """Finds the draft. `chance` says how surely one sentence is about a draft and not in it, `risk` how
    much speaks against posting it."""

    def __init__(self, chance: Callable[[str], float], risk: Callable[[str], float]) -> None:
        self._chance, self._risk = chance, risk

    def draft_in(self, text: str) -> tuple[int, int]:
        """Where the draft begins and ends in `text`."""
        parts = segments(text)
        first, last = 0, len(parts)
        while first < min(AT_MOST, last - 1) and self._aside(text, parts[first], parts[first + 1][0]):
            first += 1
        while last > first + 1 and len(parts) - last < AT_MOST:
            if not self._aside(text, parts[last - 1], parts[last - 2][1]):
                break
            last -= 1
        start, end = parts[first][0], parts[last - 1][1]
        if end - start < (1 - MOST_OF_ALL) * len(text.strip()) and end - start < 30:
            return parts[0][0], parts[-1][1]
        return start, end

    def _aside(self, text: str, part: tuple[int, int], beside: int) -> bool:
        """Whether a part is said about the draft; `beside` is where the next part towards it lies."""
        sentence = text[part[0] : part[1]]
        if _PLAIN.search(sentence.replace("’", "'")):
            return True
        # On a line of its own it may well be; within a paragraph it belongs to the post.
        between = text[part[1] : beside] if beside > part[0] else text[beside : part[0]]
        if "\n" not in between:
            return False
        chance = self._chance(sentence)
        return chance >= ASIDE_AT or (chance >= MAYBE_AT and self._risk(sentence) < RISKY_AT)


def segments(text: str) -> list[tuple[int, int]]:
    """Sentences and lines of `text` as offsets; at least one."""
    found, start = [], 0
    for cut in _CUT.finditer(text):
        if text[start : cut.start()].strip():
            found.append((start, cut.start()))
        start = cut.end()
    if text[start:].strip():
        found.append((start, len(text.rstrip())))
    begin = len(text) - len(text.lstrip())
    return [(max(a, begin), b) for a, b in found] or [(0, len(text))]
