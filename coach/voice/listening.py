"""Hears a mentee's answer: what kind of answer it is, and on which topics it really says something.

Plain words of grief, tears and the like are heard by rules; the rest by heads that were
trained with the encoder's upper layers (tuning/answers.py). No language model. What is done
with what was heard is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coach.care import injection
from coach.care.parts import pieces
from coach.classifier import StateReader
from coach.library.meeting import CONDUCT, TOPICS, Topic

LAYERS = Path(__file__).with_name("listening.safetensors")
HEADS = Path(__file__).with_name("listening.npz")
NO_KIND = "none"
# From which chance an answer counts as heard, one about how things are going only when this sure: to meet
# grief where there is none is worse than to ask the next question. And from which a topic is covered.
HEARD_AT, CONDUCT_AT, COVERS_AT = 0.45, 0.5, 0.5
# What is told in plain words is heard by them; the rest by the classifier.
_PLAINLY = {
    "tearful": r"\bi'?m crying\b|\bcan'?t stop crying\b|\btears? (?:are|is|running|again)\b|\b(?:sorry|i),? (?:i'?m )?(?:about to |going to )?cry\b",
    "grief": r"\bmy (?:\w+ ){0,2}(?:mother|father|mum|mom|dad|brother|sister|son|daughter|wife|husband|partner|friend|colleague|patient|"
             r"grandmother|grandfather|gran|baby)\b[^.?!]{0,30}\b(?:died|passed away|is dead|was buried|funeral)\b|\bthe funeral\b",
    "exhaustion": r"\b(?:i'?m|i am) (?:so |completely |just )?(?:exhausted|shattered|burnt out|burned out|running on empty|so tired)\b|"
                  r"\b(?:haven'?t|have not) slept\b|\bfell asleep (?:at|in|on) the\b",
    "shame": r"\b(?:i'?m|i am|i feel|felt) (?:so |very |really )?(?:ashamed|shame)\b",
    "fear": r"\b(?:i'?m|i am|i was|i get|i feel) (?:so |really |properly |just |actually |quite )?(?:scared|terrified|frightened|petrified)\b",
    "hostile": r"\bwaste of (?:my )?time\b|\bwhat would you know\b|\bthis is (?:shite?|bullshit|rubbish|a joke|ridiculous)\b",
}  # fmt: skip
_RULES = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PLAINLY.items()}


def asked_before(text: str, asked: str) -> str:
    """`text` as it is read: after the topic that was asked about."""
    return f"{asked}: {text}"


@dataclass(frozen=True)
class Heard:
    """What an answer was taken for: a situation by name (`topic/id`) or None, how surely, and how surely
    it speaks to each topic (0 to 1)."""

    answer: str | None
    chance: float
    topics: Mapping[Topic, float]

    @property
    def is_conduct(self) -> bool:
        return self.answer is not None and self.answer.startswith(f"{CONDUCT}/")


class Listener:
    """Recognises what a mentee answered; `weights` holds `<head>.weight` (outputs, width) and
    `<head>.bias`, and under `names` the kinds of answer."""

    def __init__(self, weights: Mapping[str, NDArray[Any]], reader: StateReader) -> None:
        self._weights, self._reader = weights, reader
        self.kinds = tuple(str(name) for name in weights["names"])

    @classmethod
    def load(cls, reader: StateReader, path: Path = HEADS) -> Listener:
        with np.load(path, allow_pickle=False) as held:
            return cls({name: held[name] for name in held.files}, reader)

    def hear(self, text: str, asked: str) -> Heard:
        """What `text` says, `asked` being the topic it answers; of a long one, its surest part."""
        read = [self._read(part, asked) for _, part in pieces(text)]
        topics = {topic: max(covers[topic] for _, covers in read) for topic in TOPICS}
        for name, rule in _RULES.items():
            if rule.search(text.replace("’", "'")):
                return Heard(f"{CONDUCT}/{name}", 1.0, topics)
        if injection.signals(text):
            return Heard(f"{CONDUCT}/instructions", 1.0, topics)
        chances = max((kinds for kinds, _ in read), key=max)
        best = int(chances.argmax())
        kind, chance = self.kinds[best], float(chances[best])
        needed = CONDUCT_AT if kind.startswith(f"{CONDUCT}/") else HEARD_AT
        return Heard(kind if chance >= needed and kind != NO_KIND else None, chance, topics)

    def _read(self, text: str, asked: str) -> tuple[NDArray[np.float64], dict[Topic, float]]:
        """How likely each kind is, shape (kinds,), and that each topic is really spoken to."""
        _, states = self._reader.states(asked_before(text, asked))
        whole = states.mean(axis=0)
        kinds = np.exp(self._head("kinds", whole))
        covers = 1 / (1 + np.exp(-self._head("covers", whole)))
        return kinds / kinds.sum(), dict(zip(TOPICS, map(float, covers), strict=True))

    def _head(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = (
            self._weights[f"{name}.weight"] @ x + self._weights[f"{name}.bias"]
        ).astype(np.float64)
        return out
