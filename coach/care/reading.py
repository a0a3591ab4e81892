"""What a draft says by the encoder: each word's kind, and the axes, for the whole. No language model.

Vectors are passed in; the heads on them were trained with the encoder's upper layers
(tuning/review.py). What has a form of its own (numbers, addresses, dates) is found by
coach.care.identifiers instead, and rules there may only make a judgement more careful.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coach.events import Axis, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES: tuple[Axis, ...] = ("privacy", "anger", "kindness", "claims", "purpose")
VERDICTS = ("post", "edit", "wait", "keep")
ABOUT = ("patient", "family", "colleague", "trainee", "self", "public", "none")
# Kinds of words that may identify somebody.
KINDS = (
    "name", "initials", "handle", "address", "place", "facility", "employer", "date", "time", "age",
    "sex", "kin", "role", "condition", "event", "record", "room", "quote", "image",
)  # fmt: skip
# Kinds that may stand alone are marked sooner than those that count in company.
POINTING = frozenset({"name", "initials", "handle", "address", "record", "room", "date", "age"})
# A word is marked from such a chance of being of some kind, whichever; a name in small letters where the
# rest has capitals from the last.
SURE_AT, SOME_AT, SURE_AT_LOWER = 0.5, 0.35, 0.9
_SMALL = frozenset(
    ("", "a", "an", "the", "on", "of", "at", "in", "to", "and", "or", "is", "it", "this", "that", "one", "day", "got")
)  # fmt: skip
# What a word marked as a date must look like, and one marked as a room.
_DATED = re.compile(
    r"\b(?:19|20)\d\d\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}(?:st|nd|rd|th)\b|\d\d \d\d \d\d|day\b|\b(?:jan|feb|mar|apr|may|jun|jul|"
    r"aug|sep|oct|nov|dec)|easter|christmas|xmas|eid|diwali|ramadan|hogmanay|new year|spring|summer|autumn|winter|advent|"
    r"lent|hallowe|week|month|year|born|died"
)
_ROOMED = re.compile(
    r"\d|\w+\W+(?:room|bed|bay|cubicle|cube|cot|chair|pod|theatre|resus|trolley|rm)\b|\b(?:room|bed|bay|cubicle|cube|cot|chair|pod|"
    r"theatre|resus|trolley|rm)\W+\w+"
)
_ADDRESSED = re.compile(
    r"\d|\b(?:street|st|road|rd|avenue|ave|lane|drive|close|way|terrace|place|court|square|flat|house|villas?)\b"
)
CASES = 7
READING_LAYERS = Path(__file__).with_name("reading.safetensors")
READING_HEADS = Path(__file__).with_name("reading.npz")


@dataclass(frozen=True)
class Read:
    """One draft as read: probabilities by axis, verdict and whose story, that it lifts somebody else up,
    the words marked, and each token's log odds (start, end, odds) of being said about the draft."""

    axes: Mapping[str, float]
    verdicts: Mapping[str, float]
    about: Mapping[str, float]
    spans: tuple[Span, ...]
    lifts: float = 0.0
    asides: tuple[tuple[int, int, float], ...] = ()


class Reading:
    """The heads; `weights` holds `<head>.weight` (outputs, width) and `<head>.bias` for each."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        self._weights = weights

    @classmethod
    def load(cls, path: Path = READING_HEADS) -> Reading:
        with np.load(path, allow_pickle=False) as held:
            return cls({name: held[name] for name in held.files})

    def read(self, text: str, offsets: NDArray[np.int64], states: NDArray[np.float32]) -> Read:
        """Read one text: `offsets` (tokens, 2) into it, (0, 0) for the marks at both ends; `states`
        (tokens, width)."""
        whole = states.mean(axis=0)
        words = offsets[:, 1] > offsets[:, 0]
        offsets, tokens = offsets[words], states[words]
        tokens = np.concatenate([tokens, case_of(text, offsets)], axis=1)
        odds = self._head("aside", tokens)[:, 0]
        return Read(
            axes=dict(zip(AXES, _sigmoid(self._head("axes", whole)), strict=True)),
            verdicts=dict(zip(VERDICTS, _softmax(self._head("verdicts", whole)), strict=True)),
            about=dict(zip(ABOUT, _softmax(self._head("about", whole)), strict=True)),
            spans=self._spans(text, offsets, tokens),
            lifts=_sigmoid(self._head("lifts", whole))[0],
            asides=tuple((int(a), int(b), float(x)) for (a, b), x in zip(offsets, odds, strict=True)),
        )

    def _head(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = (
            x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        ).astype(np.float64)
        return out

    def _spans(self, text: str, offsets: NDArray[np.int64], tokens: NDArray[np.float32]) -> tuple[Span, ...]:
        if not len(offsets):
            return ()
        logits = self._head("kinds", tokens)
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        some = 1 - chances[:, -1]  # that it is of some kind, whichever
        best = chances[:, :-1].argmax(axis=1)
        found: list[Span] = []
        for number, (start, end) in enumerate(offsets):
            kind, chance = KINDS[best[number]], float(chances[number, best[number]])
            if some[number] < (SOME_AT if kind in POINTING else SURE_AT):
                continue
            last = found[-1] if found else None
            # Pieces of one word, and words of one kind with a space or hyphen between, are one span.
            if last and last.kind == kind and len(text[last.end : start].strip(" -'’.,")) == 0:
                found[-1] = Span(kind, last.start, int(end), max(last.score, chance))
            elif last and last.end == start:  # the rest of a word goes with its beginning
                found[-1] = Span(last.kind, last.start, int(end), last.score)
            else:
                found.append(Span(kind, int(start), int(end), chance))
        return tuple(span for span in _joined(text, found) if _says_something(text, span))


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans grown to whole words; those of one kind that then touch become one."""
    out: list[Span] = []
    for span in (_whole_words(text, span) for span in spans):
        last = out[-1] if out else None
        if last and last.kind == span.kind and not text[last.end : span.start].strip(" -'’.,@"):
            out[-1] = Span(span.kind, last.start, max(last.end, span.end), max(last.score, span.score))
        elif last is None or span.start >= last.end:
            out.append(span)
    return out


def _says_something(text: str, span: Span) -> bool:
    """Whether a span is sure enough and more than a stray small word."""
    piece = text[span.start : span.end].strip(" .,:;!?\"'“”’()-").lower()
    if piece in _SMALL:
        return False
    if span.kind == "date" and not _DATED.search(piece):
        return False
    if span.kind == "room" and not _ROOMED.search(piece):
        return False
    if span.kind == "address" and not _ADDRESSED.search(piece):
        return False
    if span.kind == "name" and piece == text[span.start : span.end].strip() and _has_capitals(text):
        return span.score >= SURE_AT_LOWER  # who writes capitals gives names one
    return any(c.isalnum() for c in piece)


def _has_capitals(text: str) -> bool:
    return sum(c.isupper() for c in text) >= 0.015 * len(text)


def _whole_words(text: str, span: Span) -> Span:
    start, end = span.start, span.end
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    if span.kind == "handle" and text[start - 1 : start] == "@":
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return Span(span.kind, start, end, span.score)


def case_of(text: str, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the letters' case and the neighbours tell of each token, shape (tokens, CASES).

    The encoder reads lower case only, and a name is often nothing but a capital.
    """
    rows = np.zeros((len(offsets), CASES), dtype=np.float32)
    shouting = sum(c.isupper() for c in text) > 0.6 * max(1, sum(c.isalpha() for c in text))
    for row, (start, end) in zip(rows, offsets, strict=True):
        piece, before = text[start:end], text[:start].rstrip(" \t\"“'(")
        row[0] = piece[:1].isupper() and not shouting
        row[1] = len(piece) > 1 and piece.isupper() and not shouting
        row[2] = any(c.isdigit() for c in piece)
        row[3] = not before or before[-1] in ".?!\n:"
        row[4] = text[start - 1 : start] in ("@", "#")
        row[5] = bool(start) and text[start - 1].isalnum()  # inside a word
        row[6] = shouting
    return rows


def _sigmoid(x: NDArray[np.float64]) -> list[float]:
    return [float(v) for v in 1.0 / (1.0 + np.exp(-x))]


def _softmax(x: NDArray[np.float64]) -> list[float]:
    odds = np.exp(x - x.max())
    return [float(v) for v in odds / odds.sum()]
