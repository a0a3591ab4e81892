"""Which written words have been said in a conversation, and from which situation they came.

A conversation's state is read from its text: written sentences are unique, so the last
reply tells the situation and nothing hidden has to be carried along. Retry, edit and
history imported from a file all work the same way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coach.events import Turn
from coach.library.cards import CITATION, Card, sentences

NUMBERED = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True)
class Place:
    """Where a written sentence stands; `situation` is None in a card's neutral answer."""

    card: str
    situation: str | None


class Ledger:
    """Looks written sentences up."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._places: dict[str, Place] = {}
        for card in cards:
            for answer in card.neutral:
                self._enter(answer.text, Place(card.id, None))
            for situation in card.situations:
                place = Place(card.id, situation.id)
                follow = situation.follow
                for text in (
                    *(a.text for a in situation.answers),
                    *situation.spare.steps, *situation.spare.asks,
                    follow.why, follow.how, follow.tried, *follow.answer,
                    *(e.say for e in situation.exchanges),
                ):  # fmt: skip
                    self._enter(text, place)

    def _enter(self, text: str, place: Place) -> None:
        for sentence in sentences(text):
            self._places[plain(sentence)] = place

    def said(self, history: Iterable[Turn]) -> frozenset[str]:
        """The plain form of every sentence the coach has said so far."""
        return frozenset(
            plain(sentence)
            for turn in history
            if turn.role == "assistant"
            for sentence in sentences(turn.content)
        )

    def place(self, history: Sequence[Turn]) -> Place | None:
        """Where the coach's last written words came from; None before any."""
        for turn in reversed(history):
            if turn.role != "assistant":
                continue
            # A short sentence may stand in two places; most of a reply stands in one.
            parts = sentences(turn.content)
            found = Counter(self._places.get(plain(sentence)) for sentence in parts)
            del found[None]
            place, count = found.most_common(1)[0] if found else (None, 0)
            if count * 2 > len(parts):
                return place
        return None


def plain(sentence: str) -> str:
    """A sentence without citations, case and punctuation, to compare by."""
    bare = NUMBERED.sub("", CITATION.sub("", sentence))
    return re.sub(r"\W+", " ", bare).strip().lower()


def is_new(text: str, said: frozenset[str]) -> bool:
    """Whether no sentence of `text` has been said."""
    return not any(plain(sentence) in said for sentence in sentences(text))
