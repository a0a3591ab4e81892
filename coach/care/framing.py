"""Which part of what was pasted is the draft, and which is said about it ("be honest, is it bad?").

A verdict depends on the draft alone, so words around it are left out before it is judged.
The reading says of each token how likely it is said about a draft (coach.care.reading);
here the two cuts are chosen at which the whole becomes likeliest. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# A token's log odds count up to this much, so that no single word decides.
MOST = 4.0
LEAN = 0.5  # words at the ends are somewhat likelier to be about the draft than the reading says
# What leaving words out must earn, and what a cut costs that lies within a sentence; from dev (eval/LOG.md).
EARNS, WITHIN = 1.0, 4.5
STOPS = 4.5  # this far below its best, the draft has surely begun
_GAP = re.compile(r"[.?!:…)>\-–—]+[\"”’')]*\s+$|\n\s*$|[\"“‘']$")
_QUOTES = {'"': '"', "“": "”", "‘": "’", "'": "'"}


def draft_in(text: str, asides: Sequence[tuple[int, int, float]]) -> tuple[int, int]:
    """Where the draft begins and ends in `text`; `asides` are the log odds of its tokens, in order
    (start, end, odds), of being said about the draft."""
    if not asides:
        return 0, len(text)
    odds = [max(-MOST, min(MOST, x + LEAN)) for _, _, x in asides]
    first = _left_out(odds, [_cost(text, start) for start, _, _ in asides[1:]])
    rest = asides[first:]
    last = len(asides) - _left_out(odds[first:][::-1], [_cost(text, start) for start, _, _ in rest[:0:-1]])
    start = asides[first][0] if first else 0
    return _bare(text, start, asides[last - 1][1] if last < len(asides) else len(text))


def _left_out(odds: Sequence[float], costs: Sequence[float]) -> int:
    """How many tokens are best left out, from the first on; `costs` of cutting after each but the last."""
    best, best_net, earned, highest = 0, EARNS, 0.0, 0.0
    for taken, (gain, cost) in enumerate(zip(odds, costs, strict=False), 1):
        earned += gain
        highest = max(highest, earned)
        if earned <= highest - STOPS:
            break
        if earned - cost > best_net:
            best, best_net = taken, earned - cost
    return best


def _cost(text: str, at: int) -> float:
    """What it costs to cut before `at`: nothing between sentences or lines, much within them."""
    if _GAP.search(text[:at]):
        return 0.0
    return WITHIN if text[at - 1].isspace() else float("inf")


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """The draft without space around it, dashes towards what was left out, or the quotation marks it was
    given in."""
    while start < end and text[start].isspace():
        start += 1
    if end < len(text):
        end = start + len(text[start:end].rstrip(" \t\n-–—>|<"))
    while end > start and text[end - 1].isspace():
        end -= 1
    inner = text[start + 1 : end - 1]
    if start and end - start > 2 and _QUOTES.get(text[start]) == text[end - 1] and text[start] not in inner:
        return start + 1, end - 1
    if (
        start
        and _QUOTES.get(text[start - 1]) == text[end - 1 : end]
        and text[end - 1] not in text[start : end - 1]
    ):
        return start, end - 1
    return start, end
