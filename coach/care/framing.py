"""Which part of what was pasted is the draft, and which is said about it ("be honest, is it bad?").

A verdict depends on the draft alone, so words around it are left out before it is judged.
Only whole sentences at the beginning and the end are looked at, and never all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# How surely a sentence is about the draft before it is left out, from dev (eval/LOG.md).
ASIDE_AT = 0.6
AT_MOST = 3  # sentences a side
MOST_OF_ALL = 0.7  # a draft keeps at least the rest of the characters
_CUT = re.compile(r"(?<=[.?!:…])[\"”')]*\s+|\s*\n+\s*|\s+(?:-{1,3}>?|–|—)\s+")


class Framing:
    """Finds the draft. `chance` says how surely one sentence is about a draft and not in it."""

    def __init__(self, chance: Callable[[str], float]) -> None:
        self._chance = chance

    def draft_in(self, text: str) -> tuple[int, int]:
        """Where the draft begins and ends in `text`."""
        parts = segments(text)
        first, last = 0, len(parts)
        while first < min(AT_MOST, last - 1) and self._aside(text, parts[first]):
            first += 1
        while last > first + 1 and len(parts) - last < AT_MOST and self._aside(text, parts[last - 1]):
            last -= 1
        start, end = parts[first][0], parts[last - 1][1]
        if end - start < (1 - MOST_OF_ALL) * len(text.strip()) and end - start < 30:
            return parts[0][0], parts[-1][1]
        return start, end

    def _aside(self, text: str, part: tuple[int, int]) -> bool:
        return self._chance(text[part[0] : part[1]]) >= ASIDE_AT


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
