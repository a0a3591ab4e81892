"""What people say next in a situation: which of the written exchanges is this?

Each exchange has a few examples and a turn that meets it. A message is compared with the
mean of every exchange's examples, in vectors of an encoder whose upper layers were tuned
to tell exchanges of one situation apart (tuning/exchanges.py); the nearest counts when it
is near enough. Other situations' exchanges are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coach.classifier import Encode, Encoder, Maker
from coach.library.cards import Card, Exchange

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EXCHANGES_FILE = "exchanges.npz"
# Sharpness of the softmax over a situation's exchanges, and from when one is said: chosen
# on the dev conversations, see eval/LOG.md.
SHARPNESS, MET_AT = 14.0, 0.4


@dataclass(frozen=True)
class Met:
    """An exchange, and how likely it is the one among those of its situation."""

    exchange: Exchange
    chance: float


class Exchanges:
    """Finds the exchange; `means` has shape (exchanges, width), `names` is situation/exchange."""

    def __init__(
        self, cards: Sequence[Card], encoder: Encoder, names: Sequence[str], means: NDArray[np.float32]
    ) -> None:
        self._encoder = encoder
        rows = {name: number for number, name in enumerate(names)}
        self._of: dict[str, list[tuple[Exchange, int]]] = {
            situation.id: [
                (exchange, rows[_name(situation.id, exchange)]) for exchange in situation.exchanges
            ]
            for card in cards
            for situation in card.situations
        }
        self._means = means.astype(np.float32)

    @classmethod
    def load(cls, cards: Sequence[Card], encoder: Encoder, folder: Path) -> Exchanges:
        with np.load(folder / EXCHANGES_FILE, allow_pickle=False) as held:
            return cls(cards, encoder, [str(name) for name in held["names"]], held["means"])

    def ranked(self, situation: str, message: str) -> Iterator[Met]:
        """The exchanges of `situation`, likeliest first."""
        here = self._of[situation]
        if not here:
            return
        cosines = self._means[[row for _, row in here]] @ self._encoder.encode([message])[0]
        odds = np.exp(SHARPNESS * (cosines - cosines.max()))
        chances = odds / odds.sum()
        for number in np.argsort(-chances):
            yield Met(here[int(number)][0], float(chances[number]))


def make_exchanges(cards: Sequence[Card]) -> Maker:
    """A maker of the means of all exchanges' examples."""

    def make(folder: Path, encode: Encode) -> None:
        found = [(_name(s.id, e), e.examples) for card in cards for s in card.situations for e in s.exchanges]
        vectors = encode([text for _, texts in found for text in texts])
        ends = np.cumsum([len(texts) for _, texts in found])
        means = [part.mean(axis=0) for part in np.split(vectors, ends[:-1])]
        np.savez(
            folder / EXCHANGES_FILE,
            names=np.asarray([name for name, _ in found]),
            means=np.asarray(means, dtype=np.float16),
        )

    return make


def _name(situation: str, exchange: Exchange) -> str:
    return f"{situation}/{exchange.id}"
