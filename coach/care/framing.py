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
# What leaving words out must earn, and what a cut costs within a sentence; from dev (eval/LOG.md).
EARNS, WITHIN = 3.0, 3.0
STOPS = 6.0  # this far below its best, the draft has surely begun
_BOUNDARY = re.compile(r"(?:[.?!:…)]|[-–—>])[\"”’')\]]*\s*$|\n\s*$|[\"“‘']$")
_QUOTES = {'"': '"', "“": "”", "‘": "’", "'": "'"}


def draft_in(text: str, asides: Sequence[tuple[int, int, float]]) -> tuple[int, int]:
    """Where the draft begins and ends in `text`; `asides` are the log odds of its tokens, in order
    (start, end, odds), of being said about the draft."""
    if not asides:
        return 0, len(text)
    odds = [max(-MOST, min(MOST, x)) for _, _, x in asides]
    first, last = _cut(text, asides, odds, ends=False), len(asides)
    if first < last - 1:
        last -= _cut(text, asides[first:], odds[first:], ends=True)
    return _unquoted(
        text, asides[first][0] if first else 0, asides[last - 1][1] if last < len(asides) else len(text)
    )


def _cut(text: str, asides: Sequence[tuple[int, int, float]], odds: Sequence[float], *, ends: bool) -> int:
    """How many tokens at the beginning, or the end, are best left out; never all of them."""
    order = range(len(odds) - 1, 0, -1) if ends else range(len(odds) - 1)
    best, best_earned, earned, highest = 0, EARNS, 0.0, 0.0
    for taken, i in enumerate(order, 1):
        earned += odds[i]
        highest = max(highest, earned)
        if earned <= highest - STOPS:
            break
        at = asides[i - 1][1] if ends else asides[i + 1][0]
        until = asides[i][0] if ends else at  # what stands between the two belongs to the border
        fits = _BOUNDARY.search(text[:at]) or _BOUNDARY.search(text[:until])
        if earned - (0.0 if fits else WITHIN) > best_earned and _whole_word(text, at):
            best, best_earned = taken, earned - (0.0 if fits else WITHIN)
    return best


def _whole_word(text: str, at: int) -> bool:
    return not (text[at - 1 : at].isalnum() and text[at : at + 1].isalnum())


def _unquoted(text: str, start: int, end: int) -> tuple[int, int]:
    """The draft without space around it, nor the quotation marks it was given in."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    inner = text[start + 1 : end - 1]
    if start and end - start > 2 and _QUOTES.get(text[start]) == text[end - 1] and text[start] not in inner:
        return start + 1, end - 1
    return start, end
