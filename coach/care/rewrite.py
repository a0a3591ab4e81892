"""A safer version of a draft as a careful editor would make it: whole phrases taken out, few words put in.

Which words go and what stands in their place was learnt from drafts edited by hand
(coach.care.reading). Pure and deterministic: it proposes, and whoever asked judges again
what comes out. It does not reword: what no small change mends is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from coach.care.reading import Edit
from coach.events import Span

# What beginning and ending an edit costs (log odds), so that phrases go rather than single words.
TURNS = 1.5
CERTAIN = 12.0  # log odds of what must go
REWORDED = "?"  # what an editor put that is no phrase: such a sentence can only be left out
_WITHIN_WORD = re.compile(r"[^\W_]|['’@-]")
_ARTICLE = re.compile(r"\b([Aa])(n?) $")


def edited(text: str, edits: Sequence[Edit], *, lean: float = 0.0, out: Iterable[Span] = ()) -> str:
    """`text` after the likeliest edits; a greater `lean` (log odds) takes more out. `out` must go."""
    gone = [(span.start, span.end) for span in out]
    words = _words(text, edits)
    odds = [
        CERTAIN if any(start < b and end > a for a, b in gone) else max(e.odds for e in word) + lean
        for word in words
        for start, end in [(word[0].start, word[-1].end)]
    ]
    runs = [(words[a][0].start, words[b][-1].end, words[a][0].put) for a, b in _runs(_path(odds))]
    lost = [
        (a, b) for a, b in sentence_places(text) for x, y, put in runs if put == REWORDED and x < b and y > a
    ]
    cuts = [run for run in runs if not any(run[0] < b and run[1] > a for a, b in lost)]
    mended = text
    for start, end, put in sorted({*cuts, *((a, b, "") for a, b in lost)}, reverse=True):
        mended = replaced(mended, start, end, put)
    return tidied(mended, capitals=_capitals(text))


def replaced(text: str, start: int, end: int, put: str) -> str:
    """`text` with `put` from `start` to `end`, its capital and the article before it made to fit."""
    before, after = text[:start], text[end:]
    if put and _begins_sentence(text, start):
        put = put[0].upper() + put[1:]
    following = (put or after.lstrip())[:1].lower()
    if (article := _ARTICLE.search(before)) and following.isalpha():
        before = before[: article.start()] + article[1] + ("n " if following in "aeio" else " ")
    if put and before[-1:].isalnum():
        before += " "
    if put and after[:1].isalnum():
        put += " "
    return before + put + after


def _words(text: str, edits: Sequence[Edit]) -> list[list[Edit]]:
    """Tokens by word: an editor takes out whole ones."""
    words: list[list[Edit]] = []
    for edit in edits:
        joined = (
            words
            and words[-1][-1].end == edit.start
            and _WITHIN_WORD.match(text[edit.start])
            and _WITHIN_WORD.match(text[edit.start - 1])
        )
        if joined:
            words[-1].append(edit)
        else:
            words.append([edit])
    return words


def _path(odds: Sequence[float]) -> list[bool]:
    """What goes, word by word, so that the whole is likeliest and turns are few (Viterbi)."""
    keep, cut, back = 0.0, -TURNS, []
    for x in odds:
        back.append((keep < cut - TURNS, cut < keep - TURNS))
        keep, cut = max(keep, cut - TURNS), max(cut, keep - TURNS) + x
    path = []
    state = cut - TURNS > keep
    for to_keep, to_cut in reversed(back):
        path.append(state)
        state = not to_cut if state else to_keep
    return path[::-1]


def _runs(path: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and last of each run of true ones."""
    start = None
    for at, gone in enumerate([*path, False]):
        if gone and start is None:
            start = at
        elif not gone and start is not None:
            yield start, at - 1
            start = None


def tidied(text: str, *, capitals: bool | None = None) -> str:
    """Mend the gaps that leaving words out makes; sentences begin with capitals if they did."""
    capitals = _capitals(text) if capitals is None else capitals
    text = re.sub(r"\(\s*[,;]?\s*\)|\[\s*\]", "", text).strip()
    text = re.sub(r"[ \t]{2,}", " ", text)
    text = re.sub(r"[ \t]+([,.;:?!)])", r"\1", text)
    text = re.sub(r"([,;])(?:\s*[,;])+", r"\1", text)
    text = re.sub(r"[,;:]\s*([.?!])", r"\1", text)
    text = re.sub(r"(^|[.?!\n])\s*[,;:.]\s*", lambda m: m[1] + (" " if m[1] in ".?!" and m[1] else ""), text)
    text = re.sub(r"(\.)\s*\.(?!\.)", r"\1", text)
    text = re.sub(r"(^|[.?!]\s+)([a-z])(?=[a-z ])", lambda m: m[1] + m[2].upper(), text) if capitals else text
    return text.strip(" \t,;")


def _capitals(text: str) -> bool:
    """Whether the text begins its sentences with capitals at all."""
    starts = re.findall(r"(?:^|[.?!]\s+)([A-Za-z])", text)
    return bool(sum(c.isupper() for c in starts) * 2 >= len(starts))


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\"“'(")
    return (not before or before[-1] in ".?!\n") and text[start : start + 1].isupper()


# A full stop ends a sentence only before a gap: not in 3.12, not in "how?", she said.
_SENTENCE = re.compile(
    r"(?:[^.?!\n]|[.?!]+(?![.?!])(?![\"”')\]]*(?:\s|$)))+(?:[.?!]+[\"”')\]]*|\n|$)|[.?!]+[\"”')\]]*"
)


def sentence_places(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a post lie, lines counting as such; offsets without outer space."""
    found = []
    for match in _SENTENCE.finditer(text):
        start, end = match.start(), match.end()
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if end > start:
            found.append((start, end))
    return found or [(0, len(text))]


def sentences_of(text: str) -> list[str]:
    """The sentences of a post, each with the line break that followed it."""
    places = sentence_places(text)
    ends = [start for start, _ in places[1:]] + [len(text)]
    return [text[start:end] for (start, _), end in zip(places, ends, strict=True)]


def joined(parts: Sequence[str], without: int | None = None) -> str:
    return "".join(part for i, part in enumerate(parts) if i != without).strip()
