"""Hears a mentee's answer: its kind, its topics, its heart, and what could be asked about it next.

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
from coach.library.meeting import ASPECTS, CONDUCT, TOPICS, Aspect, Topic
from coach.voice.said import clauses

LAYERS = Path(__file__).with_name("listening.safetensors")
HEADS = Path(__file__).with_name("listening.npz")
NO_KIND = "none"
# What ends in a question mark is a question to the mentor at less; which of these it is, the heads say.
ASKING = tuple(f"{CONDUCT}/{name}" for name in ("asks-opinion", "asks-the-mentor", "asks-about-mentor"))
ASKS_BACK_AT = 0.1
# From which chance an answer counts as heard, one about how things are going only when this sure: to meet
# grief where there is none is worse than to ask the next question. And from which a topic is covered, and what
# to ask for is sure.
HEARD_AT, CONDUCT_AT, COVERS_AT, ASKS_AT = 0.5, 0.6, 0.5, 0.45
# Added to what speaks for each token: how readily words are said back. From a hand left out, eval/LOG.md.
READILY = 2.0
# What is told in plain words is heard by them; the rest by the classifier.
_PLAINLY = {
    "tearful": r"\bi'?m crying\b|\bcan'?t stop crying\b|\btears? (?:are|is|running|again)\b|\b(?:sorry|i),? (?:i'?m )?(?:about to |going to )?cry\b",
    "grief": r"\bmy (?:\w+ ){0,2}(?:mother|father|mum|mom|dad|brother|sister|son|daughter|wife|husband|partner|friend|colleague|patient|"
             r"grandmother|grandfather|gran|baby)\b[^.?!]{0,30}\b(?:died|passed away|is dead|was buried|funeral)\b|\bthe funeral\b",
    "exhaustion": r"\b(?:i'?m|i am) (?:so |completely |just )?(?:exhausted|shattered|burnt out|burned out|running on empty|so tired)\b|"
                  r"\b(?:haven'?t|have not) slept\b|\bfell asleep (?:at|in|on) the\b",
    "shame": r"\b(?:i'?m|i am|i feel|felt) (?:so |very |really )?(?:ashamed|shame)\b|\bi (?:still |just )?feel (?:so |very |still )?ashamed\b",
    "fear": r"\b(?:i'?m|i am|i was|i get|i feel) (?:so |really |properly |just |actually |quite )?(?:scared|terrified|frightened|petrified)\b",
    "goodbye": r"^\W*(?:(?:ok(?:ay)?|right|thanks?|thank you|well)\W+){0,3}(?:good ?night|good ?bye|bye(?: bye)?|see you|see ya|take care|cheerio)\b.{0,40}$|"
               r"\b(?:good ?bye|good ?night|bye(?: bye| now)?|tara|until next (?:time|week|month))\W*$|\b(?:enough|all) for (?:today|tonight)\b",
    "declines": r"\b(?:i'?d|i would) rather not (?:say|talk|go into|get into|discuss|answer)\b[^.!?]{0,25}[.!]?$|\bprefer not to (?:say|talk|go into|speak)\b|\bno comment\b|^\W*(?:pass|skip)(?: (?:this|that)(?: one)?)?\W*$|"
                r"^\W*that'?s (?:all|it|kind of it|everything)(?: really| you get)?\W*$",
    "lost-question": r"\bwhat was (?:the|your) question\b|\blost the thread\b|\b(?:don'?t|do not|didn'?t) (?:understand|get|follow) (?:the|your|that|what you)\b.{0,20}\bquestion|"
                     r"\b(?:could|can) you (?:rephrase|say that again|ask (?:it|that) again)\b|^\W*(?:come again|pardon|huh)\W*$",
    "asks-opinion": r"\bwhat would you do\b[^.!]*\?|\bwhat do you think\b[^.!]*\?|\bif you were me\b[^.!]*\?|\bwhat(?:'s| is) your (?:view|take|opinion)\b[^.!]*\?",
    "hostile": r"\bsick to death of\b|\bdon'?t you dare\b|\bwaste of (?:my )?time\b|\bwhat would you know\b|\bthis is (?:shite?|bullshit|rubbish|a joke|ridiculous)\b",
}  # fmt: skip
_RULES = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PLAINLY.items()}


def asked_before(text: str, asked: str) -> str:
    """`text` as it is read: after the topic that was asked about."""
    return f"{asked}: {text}"


@dataclass(frozen=True)
class Heard:
    """What an answer was taken for: a situation by name (`topic/id`) or None, how surely, how surely
    it speaks to each topic (0 to 1), its words worth saying back, and what a question about it could
    ask for."""

    answer: str | None
    chance: float
    topics: Mapping[Topic, float]
    words: str | None = None
    aspect: Aspect | None = None

    @property
    def is_conduct(self) -> bool:
        return self.answer is not None and self.answer.startswith(f"{CONDUCT}/")


@dataclass(frozen=True)
class _Reading:
    """One piece of an answer as the heads read it: chances of each kind (kinds,), of each aspect (aspects,),
    of each topic, and the heart of it with how much speaks for it."""

    kinds: NDArray[np.float64]
    aspects: NDArray[np.float64]
    topics: Mapping[Topic, float]
    heart: tuple[float, str]


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
        topics = {topic: max(r.topics[topic] for r in read) for topic in TOPICS}
        surest = max(read, key=lambda r: r.kinds.max())
        aspect = ASPECTS[int(surest.aspects.argmax())] if surest.aspects.max() >= ASKS_AT else None
        words = max(r.heart for r in read)[1] or None
        plain = next((name for name, rule in _RULES.items() if rule.search(text.replace("’", "'"))), None)
        if plain is None and injection.signals(text):
            plain = "instructions"
        if plain is not None:
            return Heard(f"{CONDUCT}/{plain}", 1.0, topics, words, aspect)
        asking = {name: float(surest.kinds[self.kinds.index(name)]) for name in ASKING if name in self.kinds}
        if text.rstrip().endswith("?") and asking and max(asking.values()) >= ASKS_BACK_AT:
            return Heard(
                max(asking, key=lambda name: asking[name]), max(asking.values()), topics, None, aspect
            )
        best = int(surest.kinds.argmax())
        kind, chance = self.kinds[best], float(surest.kinds[best])
        needed = CONDUCT_AT if kind.startswith(f"{CONDUCT}/") else HEARD_AT
        known = kind if chance >= needed and kind != NO_KIND else None
        return Heard(known, chance, topics, words, aspect)

    def _read(self, text: str, asked: str) -> _Reading:
        whole_text = asked_before(text, asked)
        places, states = self._reader.states(whole_text)
        whole = states.mean(axis=0)
        covers = 1 / (1 + np.exp(-self._head("covers", whole)))
        return _Reading(
            _chances(self._head("kinds", whole)),
            _chances(self._head("aspects", whole)),
            dict(zip(TOPICS, map(float, covers), strict=True)),
            self._heart(text, places - (len(whole_text) - len(text)), states),
        )

    def _heart(self, text: str, places: NDArray[np.int64], states: NDArray[np.float32]) -> tuple[float, str]:
        """The clauses of `text` for which the most speaks that a mentor would say them back; none for none."""
        speaks = self._head("heart", states.T)[0] + READILY
        held = places[:, 1] > places[:, 0]
        found = [
            (float(speaks[held & (places[:, 0] >= begin) & (places[:, 1] <= end)].sum()), text[begin:end])
            for begin, end in clauses(text)
        ]
        return max([(0.0, ""), *found])

    def _head(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float64]:
        bias = self._weights[f"{name}.bias"].reshape(-1, *(1,) * (x.ndim - 1))
        out: NDArray[np.float64] = (self._weights[f"{name}.weight"] @ x + bias).astype(np.float64)
        return out


def _chances(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exp = np.exp(logits - logits.max())
    out: NDArray[np.float64] = exp / exp.sum()
    return out
