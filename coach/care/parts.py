"""What somebody typed, in parts: sentences by their places, and pieces short enough to be read at once. Pure."""

from __future__ import annotations

import re

PIECE = 700  # characters: about what the readings were trained on

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


def pieces(text: str) -> list[tuple[int, str]]:
    """`text` in pieces of at most about PIECE characters, cut between sentences, with their offsets."""
    out: list[tuple[int, str]] = []
    start = end = 0
    for _, stop in sentence_places(text):
        if stop - start > PIECE and end > start:
            out.append((start, text[start:end]))
            start = end
        end = stop
    out.append((start, text[start:]))
    return [(at, part) for at, part in out if part.strip()] or [(0, text)]
