"""Which situation is this person in? A classifier first, then the language model over the best few.

The classifier is logistic regression on the encoder's vectors, trained on every
situation's examples when the index is built. The language model then reads, for each of
the best few, eight examples and says how likely the message is after them (see
coach.model.likelihood). Both are weighed; the sum is calibrated to a probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from coach.classifier import Encode, LinearClassifier, Maker
from coach.errors import ModelError
from coach.library.cards import Card, Situation
from coach.voice.stated import contradicts, stated

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RECOGNISER_FILE = "situations.npz"
INVERSE_PENALTY = 20.0
RERANKED = 8
EXAMPLES_READ = 8
# Weight of the model's score against the classifier's log-probability, and the
# temperature that makes the sum a probability: chosen on the dev messages, eval/LOG.md.
MODEL_WEIGHT = 4.0
TEMPERATURE = 0.7
# A classifier as sure as this was never set right by the language model, only slower.
SURE = 0.9
CONTRADICTED = -6.0


class Ranker(Protocol):
    """The language model's opinion: nats per token gained by a candidate's examples."""

    def scores(self, message: str, candidates: Sequence[str]) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Recognised:
    """Situations with probabilities, best first, and the same summed by card."""

    situations: tuple[tuple[str, float], ...]
    cards: Mapping[str, float]

    @property
    def best(self) -> str:
        return self.situations[0][0]

    @property
    def confidence(self) -> float:
        return self.situations[0][1]


class Recogniser:
    """Names the situation of a message. Without a ranker the classifier decides alone."""

    def __init__(
        self,
        cards: Sequence[Card],
        classifier: LinearClassifier,
        ranker: Ranker | None = None,
    ) -> None:
        self.situations: dict[str, Situation] = {s.id: s for card in cards for s in card.situations}
        self.card_of = {s.id: card.id for card in cards for s in card.situations}
        self._classifier = classifier
        self.ranker = ranker

    def recognise(
        self,
        message: str,
        vector: NDArray[np.float32],
        exclude: frozenset[str] = frozenset(),
    ) -> Recognised:
        """Rank the situations for `message`, whose vector has shape (width,).

        `exclude` names situations that the person has turned down.
        """
        scores = self._classifier.log_probabilities(vector[None, :])[0].astype(np.float64)
        labels = self._classifier.labels
        facts = stated(message)
        for i, name in enumerate(labels):
            if name in exclude:
                scores[i] = -1e9
            elif contradicts(self.situations[name].presumes, facts):
                scores[i] += CONTRADICTED
        order = np.argsort(-scores)
        if self.ranker is not None and _softmax(scores).max() < SURE:
            few = [int(i) for i in order[:RERANKED]]
            scores[few] += MODEL_WEIGHT * self._gained(message, [labels[i] for i in few])
            order = np.argsort(-scores)
        chances = _softmax(scores)
        cards: dict[str, float] = {}
        for i, name in enumerate(labels):
            cards[self.card_of[name]] = cards.get(self.card_of[name], 0.0) + float(chances[i])
        ranked = tuple((labels[int(i)], float(chances[i])) for i in order)
        return Recognised(ranked, dict(sorted(cards.items(), key=lambda item: -item[1])))

    def is_sure(self, situation: str, vector: NDArray[np.float32]) -> bool:
        """Whether the classifier alone is sure that `vector`, shape (width,), is this situation."""
        scores = self._classifier.log_probabilities(vector[None, :])[0].astype(np.float64)
        best = int(scores.argmax())
        return bool(self._classifier.labels[best] == situation and _softmax(scores)[best] >= SURE)

    def _gained(self, message: str, candidates: Sequence[str]) -> NDArray[np.float64]:
        """The model's scores, the best at 0; all alike where the model fails."""
        assert self.ranker is not None  # noqa: S101
        try:
            gained = self.ranker.scores(message, candidates)
        except ModelError:
            return np.zeros(len(candidates))
        behind: NDArray[np.float64] = gained - gained.max()
        return behind


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    odds = np.exp((scores - scores.max()) / TEMPERATURE)
    chances: NDArray[np.float64] = odds / odds.sum()
    return chances


def examples_to_read(cards: Sequence[Card]) -> dict[str, str]:
    """What the language model reads for each situation before it is shown a message."""
    from coach.prompts import render

    return {
        situation.id: render("situation", examples=situation.examples[:EXAMPLES_READ]) + "\n"
        for card in cards
        for situation in card.situations
    }


def make_recogniser(cards: Sequence[Card]) -> Maker:
    """A maker of the classifier over all situations' examples."""

    def make(folder: Path, encode: Encode) -> None:
        pairs = [(e, s.id) for card in cards for s in card.situations for e in (*s.examples, s.choice)]
        fitted = LinearClassifier.fit(
            encode([text for text, _ in pairs]),
            [name for _, name in pairs],
            inverse_penalty=INVERSE_PENALTY,
        )
        fitted.save(folder / RECOGNISER_FILE)

    return make
