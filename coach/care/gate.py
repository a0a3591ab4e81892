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
# From how much probability a kind closes the gate. Danger closes early, the rest later:
# refusing an ordinary message is a fault too. For each kind about the highest figure that
# loses little on the dev messages (eval/LOG.md).
DANGER_AT = 0.06
CLOSES_AT: Mapping[str, float] = {
    "threat": 0.4,
    "grief": 0.45,
    "injection": 0.3,
    "patient_details": 0.3,
    "not_covered": 0.25,
    "thanks": 0.3,
}
CLOSES_AT_ELSE = 0.4
# In the middle of a conversation much sounds grave that is only sad or cross: surer, too.
# The rules for plain words of danger are the same everywhere.
GRAVE = frozenset({"threat", "grief", "injection", "patient_details", "insult"})
DANGER_FOLLOW_UP_AT, GRAVE_FOLLOW_UP_AT = 0.3, 0.45
# And a short answer ("last tuesday, in the canteen") looks like nothing the coach knows, so
# what is merely off the subject must be surer still.
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
        """Say what `text` is; `vector` is its joined encoding, shape (width,)."""
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
        families: dict[str, float] = {}
        for kind, chance in chances.items():
            families[kind.split(".")[0]] = families.get(kind.split(".")[0], 0.0) + chance
        # Danger first, in either of its forms: what is too little for one may be enough for both.
        danger_at = DANGER_FOLLOW_UP_AT if follow_up else DANGER_AT
        if families.get("urgent", 0.0) + families.get("concern", 0.0) >= danger_at:
            return "urgent" if families.get("urgent", 0.0) >= families.get("concern", 0.0) else "concern"
        best = max((k for k in families if k != COACH), key=lambda k: families[k])
        needed = CLOSES_AT.get(best, CLOSES_AT_ELSE)
        if follow_up and best in GRAVE | OFF_SUBJECT:
            needed = FOLLOW_UP_AT if best in OFF_SUBJECT else GRAVE_FOLLOW_UP_AT
        if families[best] < needed:
            return COACH
        return max((k for k in chances if k.split(".")[0] == best), key=lambda k: chances[k])


def _merged(chances: Mapping[str, float]) -> dict[str, float]:
    """The gate's kinds, with everything that is ordinary coaching summed under `coach`."""
    merged: dict[str, float] = {}
    for kind, chance in chances.items():
        name = COACH if kind in ORDINARY or kind.split(".")[0] == COACH else kind
        merged[name] = merged.get(name, 0.0) + chance
    return merged


def make_gate(words: CareWords, ordinary: Mapping[str, Sequence[str]]) -> Maker:
    """A maker of the gate's classifier: the kinds' examples against `ordinary` messages by situation.

    Ordinary messages are many clusters and not one, so each situation is a class of its
    own; their probabilities are summed when a message is examined.
    """

    def make(folder: Path, encode: Encode) -> None:
        pairs = [(text, kind) for kind, known in words.kinds.items() for text in known.examples]
        pairs += [(text, f"{COACH}.{name}") for name, texts in ordinary.items() for text in texts]
        # Follow-ups are ordinary too, and short.
        pairs += [(text, f"{COACH}.{name}") for name, kind in words.follow.items() for text in kind.examples]
        fitted = LinearClassifier.fit(
            encode([text for text, _ in pairs]), [kind for _, kind in pairs], inverse_penalty=10.0
        )
        fitted.save(folder / GATE_FILE)

    return make
