"""The gate: what a message is, before anybody coaches. No language model.

Danger is crisis's to see. Rules (injection) see plain forms, a classifier on the encoder's
vector the other kinds; a rule may only make the gate more careful. It does not decide how the library
covers a question; that is the search's part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from coach.care import crisis, injection
from coach.care.sensing import Sensed, Sensor
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
# From how much probability a kind closes the gate: refusing an ordinary message is a fault too. For each
# kind about the highest figure that loses little on the dev messages (eval/LOG.md).
CLOSES_AT: Mapping[str, float] = {
    "threat": 0.4,
    "grief": 0.45,
    "injection": 0.6,
    "patient_details": 0.3,
    "not_covered": 0.25,
    "thanks": 0.3,
}
CLOSES_AT_ELSE = 0.4
# In the middle of a conversation much sounds grave that is only sad or cross: surer, too.
# The rules for plain words of danger are the same everywhere.
GRAVE = frozenset({"threat", "grief", "injection", "patient_details", "insult"})
GRAVE_FOLLOW_UP_AT = 0.45
# And a short answer ("last tuesday, in the canteen") looks like nothing the coach knows, so
# what is merely off the subject must be surer still.
FOLLOW_UP_AT = 0.85
OFF_SUBJECT = frozenset({"unrelated", "not_covered", "one_word", "greeting", "about_the_coach", "legal"})

DANGER = ("concern", "urgent")
Room = Literal["review", "rehearse"]
# From which chance of danger a text is met as such, by where it was typed; drafts and answers to a mentor
# are fuller of grave words than messages. From which share of it as urgent; from which chance it commands;
# under which chance plain words are those of work (patients, teaching). From dev, eval/LOG.md.
DANGER_AT: Mapping[Room, float] = {"review": 0.4, "rehearse": 0.6}
URGENT_SHARE, COMMANDS_AT, AT_WORK = 0.5, 0.9, 0.1
# In Talk the classifier, which knows its ordinary messages best, is asked too: the sensor's log-odds and
# this weight of its own, against this threshold. Later turns are shorter and need more.
FIRST, LATER = (0.7, -3.2), (0.5, -1.4)


@dataclass(frozen=True)
class Sighting:
    """What the gate sees: `kind` is `coach` when the way is free.

    `chances` holds the classifier's probability of each kind.
    """

    kind: str
    crisis: crisis.Level
    injection: bool
    signals: tuple[Signal, ...]
    chances: Mapping[str, float]

    @property
    def scope(self) -> Literal["in", "out"]:
        return "out" if self.kind in {"medical", "legal", "unrelated"} else "in"


class Gate:
    """Examines messages. `words` are the fixed words of each kind."""

    def __init__(self, classifier: LinearClassifier, sensor: Sensor, words: CareWords) -> None:
        self._classifier, self._sensor = classifier, sensor
        self.words = words

    def danger(self, text: str, room: Room) -> crisis.Level:
        """How grave `text` is where it was typed: the gravest level that a rule or the sensor sees."""
        sensed = self._sensor.sense(text)
        return _level(text, sensed, is_danger=sensed.danger >= DANGER_AT[room])

    def commands(self, text: str) -> bool:
        """Whether `text` means to command the coach."""
        return bool(injection.signals(text)) or self._sensor.sense(text).command >= COMMANDS_AT

    def examine(
        self, text: str, vector: NDArray[np.float32], *, follow_up: bool = False, safe: bool = False
    ) -> Sighting:
        """Say what `text` is; `vector` is its joined encoding, shape (width,). `safe`: the person has said
        that no danger is meant by it."""
        chances = _merged(self._classifier.probabilities(vector))
        signals = (*crisis.signals(text), *injection.signals(text))
        ruled = {signal.kind for signal in signals}
        sensed = self._sensor.sense(text)
        weight, needed = LATER if follow_up else FIRST
        known = sum(chance for kind, chance in chances.items() if kind in DANGER)
        is_danger = _odds(sensed.danger) + weight * _odds(known) >= needed
        level: crisis.Level = "none" if safe else _level(text, sensed, is_danger=is_danger)
        commands = "injection" in ruled or sensed.command >= COMMANDS_AT
        kind = "injection" if commands else self._kind(chances, follow_up=follow_up)
        # Somebody who is threatened has words of their own, unless they are in danger by plain words too.
        if level != "none" and not (kind == "threat" and not ruled & set(DANGER)):
            kind = level
        return Sighting(kind, level, kind == "injection", signals, chances)

    def _kind(self, chances: Mapping[str, float], *, follow_up: bool) -> str:
        families: dict[str, float] = {}
        for kind, chance in chances.items():
            families[kind.split(".")[0]] = families.get(kind.split(".")[0], 0.0) + chance
        best = max((k for k in families if k not in (COACH, *DANGER)), key=lambda k: families[k])
        needed = CLOSES_AT.get(best, CLOSES_AT_ELSE)
        if follow_up and best in GRAVE | OFF_SUBJECT:
            needed = FOLLOW_UP_AT if best in OFF_SUBJECT else GRAVE_FOLLOW_UP_AT
        if families[best] < needed:
            return COACH
        return max((k for k in chances if k.split(".")[0] == best), key=lambda k: chances[k])


def _odds(chance: float) -> float:
    """Natural log-odds of a chance, kept finite."""
    held = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(held / (1 - held))


def _level(text: str, sensed: Sensed, *, is_danger: bool) -> crisis.Level:
    ruled = crisis.level(text)
    if crisis.is_of_work(text) and sensed.danger < AT_WORK:
        ruled = "none"
    if not is_danger or ruled == "urgent":
        return ruled
    return "urgent" if sensed.urgent >= URGENT_SHARE * sensed.danger else "concern"


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
