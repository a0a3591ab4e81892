"""The gate: what a message is, before anybody coaches. No language model.

Rules (crisis, injection) see the plain forms, a classifier on the encoder's vector the
others; a rule may only make the gate more careful. It does not decide how the library
covers a question; that is the search's part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from coach.care import crisis, injection
from coach.care.words import CareWords
from coach.classifier import Encode, LinearClassifier, Maker
from coach.events import Signal

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

GATE_FILE = "gate.npz"
COACH = "coach"
# Kinds whose examples are ordinary coaching in frightening or commanding words.
ORDINARY = frozenset({"harmless", "innocent_commands"})
# From how much probability on a kind closes the gate. Danger closes early, the rest
# late: refusing an ordinary message is a fault too. Chosen by cross-validation over the
# gate's examples (eval/LOG.md); a kind not named here needs the last figure.
CLOSES_AT: Mapping[str, float] = {
    "urgent": 0.35,
    "concern": 0.45,
    "threat": 0.45,
    "grief": 0.5,
}
CLOSES_AT_ELSE = 0.6
# In the middle of a conversation a short answer ("last tuesday, in the canteen") looks like
# nothing the coach knows, so what is merely off the subject must be surer.
FOLLOW_UP_AT = 0.85
OFF_SUBJECT = frozenset({"unrelated", "not_covered", "one_word", "greeting", "about_the_coach", "legal"})

Crisis = Literal["none", "concern", "urgent"]


@dataclass(frozen=True)
class Sighting:
    """What the gate sees: `kind` is `coach` when the way is free.

    `chances` holds the classifier's probability of each kind.
    """

    kind: str
    crisis: Crisis
    injection: bool
    signals: tuple[Signal, ...]
    chances: Mapping[str, float]

    @property
    def scope(self) -> Literal["in", "out"]:
        return "out" if self.kind in {"medical", "legal", "unrelated"} else "in"


class Gate:
    """Examines messages. `words` are the fixed words of each kind."""

    def __init__(self, classifier: LinearClassifier, words: CareWords) -> None:
        self._classifier = classifier
        self.words = words

    def examine(self, text: str, vector: NDArray[np.float32], *, follow_up: bool = False) -> Sighting:
        """Say what `text` is; `vector` is its encoding, shape (width,)."""
        chances = _merged(self._classifier.probabilities(vector))
        signals = (*crisis.signals(text), *injection.signals(text))
        ruled = {signal.kind for signal in signals}
        kind = self._kind(chances, follow_up=follow_up)
        if "injection" in ruled and kind not in ("urgent", "concern"):
            kind = "injection"
        for level in ("concern", "urgent"):
            if level in ruled and kind != "urgent":
                kind = level
        danger: Crisis = kind if kind in ("urgent", "concern") else "none"  # type: ignore[assignment]
        return Sighting(kind, danger, kind == "injection", signals, chances)

    def _kind(self, chances: Mapping[str, float], *, follow_up: bool) -> str:
        # Danger first, in either of its forms: what is too little for one may be enough for both.
        danger = chances.get("urgent", 0.0) + chances.get("concern", 0.0)
        if danger >= CLOSES_AT["concern"]:
            return "urgent" if chances.get("urgent", 0.0) >= CLOSES_AT["urgent"] else "concern"
        for kind in sorted((k for k in chances if k != COACH), key=lambda k: -chances[k]):
            family = kind.split(".")[0]
            needed = CLOSES_AT.get(family, CLOSES_AT_ELSE)
            if follow_up and family in OFF_SUBJECT:
                needed = FOLLOW_UP_AT
            if chances[kind] >= needed:
                return kind
        families: dict[str, float] = {}
        for kind, chance in chances.items():
            families[kind.split(".")[0]] = families.get(kind.split(".")[0], 0.0) + chance
        best = max((k for k in families if k != COACH), key=lambda k: families[k])
        if families[best] >= CLOSES_AT.get(best, CLOSES_AT_ELSE) and not follow_up:
            return max(
                (k for k in chances if k.split(".")[0] == best),
                key=lambda k: chances[k],
            )
        return COACH


def _merged(chances: Mapping[str, float]) -> dict[str, float]:
    merged = {kind: chance for kind, chance in chances.items() if kind not in ORDINARY}
    merged[COACH] = sum(chance for kind, chance in chances.items() if kind in {*ORDINARY, COACH})
    return merged


def make_gate(words: CareWords, ordinary: Sequence[str]) -> Maker:
    """A maker of the gate's classifier: the kinds' examples against `ordinary` messages."""

    def make(folder: Path, encode: Encode) -> None:
        pairs = [(text, kind) for kind, known in words.kinds.items() for text in known.examples]
        pairs += [(text, COACH) for text in ordinary]
        # Follow-ups are ordinary too, and short.
        pairs += [(text, COACH) for known in words.follow.values() for text in known.examples]
        fitted = LinearClassifier.fit(
            encode([text for text, _ in pairs]),
            [kind for _, kind in pairs],
            inverse_penalty=10.0,
            balanced=False,
        )
        fitted.save(folder / GATE_FILE)

    return make
