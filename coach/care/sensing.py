"""What a text is beneath its words: danger, and attempts to command the coach.

The encoder's upper layers with two heads, trained together (tuning/sensing.py), read what rules
cannot: danger said indirectly, in passing or in slang, and orders in any dress; idioms, the talk of
the trade and innocent uses of the same words they leave alone. No language model. What is said or
done about it is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coach.care.parts import pieces
from coach.classifier import StateReader
from coach.events import cleaned

LAYERS = Path(__file__).with_name("sensing.safetensors")
HEADS = Path(__file__).with_name("sensing.npz")


@dataclass(frozen=True)
class Sensed:
    """How likely (0 to 1) a text is of concern, is urgent, and means to command the coach."""

    concern: float
    urgent: float
    command: float

    @property
    def danger(self) -> float:
        return self.concern + self.urgent


class Sensor:
    """Reads texts; `weights` holds `look.weight` (1, width), which says where a text is telling,
    `level.weight` (3, 2 width), `command.weight` (1, 2 width), and their biases."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], reader: StateReader) -> None:
        self._weights, self._reader = weights, reader

    @classmethod
    def load(cls, reader: StateReader, path: Path = HEADS) -> Sensor:
        with np.load(path, allow_pickle=False) as held:
            return cls({name: held[name] for name in held.files}, reader)

    def sense(self, text: str) -> Sensed:
        """What `text` is; of a long one, each by its gravest piece."""
        read = [self._read(part) for _, part in pieces(cleaned(text))]
        gravest = max(read, key=lambda sensed: sensed.danger)
        return Sensed(gravest.concern, gravest.urgent, max(sensed.command for sensed in read))

    def _read(self, text: str) -> Sensed:
        _, states = self._reader.states(text)
        looks = states @ self._weights["look.weight"][0]
        looks = np.exp(looks - looks.max())
        seen = np.concatenate([states.mean(axis=0), looks @ states / looks.sum()])
        levels = self._weights["level.weight"] @ seen + self._weights["level.bias"]
        levels = np.exp(levels - levels.max())
        _, concern, urgent = (float(x) for x in levels / levels.sum())
        order = float((self._weights["command.weight"] @ seen + self._weights["command.bias"])[0])
        return Sensed(concern, urgent, 1 / (1 + float(np.exp(-order))))
