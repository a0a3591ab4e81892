"""The mentor of a rehearsal: hears what an answer was about, and says a turn that people wrote.

What comes next in the meeting is decided by the flow (coach.practice.rehearse); here is
only how an answer is taken and which of the written lines says it: by topic, situation,
style and manner, with the mentee's own words copied where a line invites them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from coach.classifier import Encode, Encoder, LinearClassifier, Maker
from coach.events import Turn
from coach.library.cards import sentences
from coach.library.meeting import CONDUCT, SAID, TOPICS, Answer, Difficulty, Meeting, Style, Topic
from coach.voice.ledger import plain
from coach.voice.said import said_back

MEETING_FILE = "meeting.npz"
INVERSE_PENALTY = 20.0
MAX_WORDS = 49
# How much likelier an answer is to speak to what was asked, or to be about how things are going, than to
# another topic (log odds), and from which chance it counts as heard; from dev, eval/LOG.md.
ASKED, ANY_TIME = 1.6, 0.0
# From which chance an answer counts as heard, one about how things are going only when this sure: to meet
# grief where there is none is worse than to ask the next question.
HEARD_AT, CONDUCT_AT = 0.45, 0.5
# From which share a sentence of this many words is taken to speak to a topic.
COVERS_AT, COVERS_WORDS = 0.45, 9
# What is told in plain words is heard by them; the rest by the classifier.
_PLAINLY = {
    "tearful": r"\bi'?m crying\b|\bcan'?t stop crying\b|\btears? (?:are|is|running|again)\b|\b(?:sorry|i),? (?:i'?m )?(?:about to |going to )?cry\b",
    "grief": r"\bmy (?:\w+ ){0,2}(?:mother|father|mum|mom|dad|brother|sister|son|daughter|wife|husband|partner|friend|colleague|patient|"
             r"grandmother|grandfather|gran|baby)\b[^.?!]{0,30}\b(?:died|passed away|is dead|was buried|funeral)\b|\bthe funeral\b",
    "exhaustion": r"\b(?:i'?m|i am) (?:so |completely |just )?(?:exhausted|shattered|burnt out|burned out|running on empty|so tired)\b|"
                  r"\b(?:haven'?t|have not) slept\b|\bfell asleep (?:at|in|on) the\b",
    "shame": r"\b(?:i'?m|i am|i feel|felt) (?:so |very |really )?(?:ashamed|shame)\b",
    "hostile": r"\bwaste of (?:my )?time\b|\bwhat would you know\b|\bthis is (?:shite?|bullshit|rubbish|a joke|ridiculous)\b",
}  # fmt: skip
_RULES = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PLAINLY.items()}
Move = Literal["welcome", "deepen", "open", "easier", "back", "close"]


@dataclass(frozen=True)
class Heard:
    """What an answer was taken for: a situation by name (`topic/id`) or None, how surely, and how surely
    it speaks to each topic (0 to 1)."""

    answer: str | None
    chance: float
    topics: Mapping[str, float]

    @property
    def is_conduct(self) -> bool:
        return self.answer is not None and self.answer.startswith(f"{CONDUCT}/")


class Listener:
    """Recognises what a mentee answered."""

    def __init__(self, classifier: LinearClassifier, encoder: Encoder) -> None:
        self._classifier, self._encoder = classifier, encoder
        self._topics = [label.split("/")[0] for label in classifier.labels]

    def hear(self, text: str, asked: str) -> Heard:
        """What `text` says, the topic `asked` before it being the likelier one."""
        parts = [part for part in sentences(text) if len(part.split()) >= COVERS_WORDS][:12]
        vectors = self._encoder.encode([text, *parts])
        scores = self._classifier.log_probabilities(vectors).astype(np.float64)
        scores += [ASKED if t == asked else ANY_TIME if t == CONDUCT else 0.0 for t in self._topics]
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        best = int(chances[0].argmax())
        label, chance = self._classifier.labels[best], float(chances[0, best])
        shares = {t: chances[:, [name == t for name in self._topics]].sum(axis=1) for t in (*TOPICS, CONDUCT)}
        enough = len(text.split()) >= COVERS_WORDS
        topics = {topic: float(share.max()) if enough else 0.0 for topic, share in shares.items()}
        for name, rule in _RULES.items():
            if rule.search(text.replace("’", "'")):
                return Heard(f"{CONDUCT}/{name}", 1.0, topics)
        needed = CONDUCT_AT if self._topics[best] == CONDUCT else HEARD_AT
        return Heard(label if chance >= needed else None, chance, topics)


@dataclass(frozen=True)
class Wanted:
    """What the flow wants of the next turn: a move, the topic it is about, and the manner; `history` is the
    meeting so far, the mentor as assistant."""

    move: Move
    topic: Topic
    style: Style
    difficulty: Difficulty
    drifting: bool = False
    slots: Mapping[str, str] | None = None
    history: Sequence[Turn] = ()


class WrittenMentor:
    """Says written turns; never one that was said before while another is left."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._known = meeting.known

    def turn(self, wanted: Wanted, heard: Heard | None, text: str, said: frozenset[str], seed: int) -> str:
        """The mentor's next turn, under 50 words and with one question; `said` are the plain forms of
        all sentences that have been said, `text` is the answer it follows."""
        rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
        style, lead = wanted.style, self._meeting.lead
        if wanted.move == "welcome":
            return _fresh(_filled(lead.welcome[style], wanted.slots or {}), said, rng)
        if wanted.move == "close":
            return _within(self._take(heard, text, style, said, rng), [_fresh(lead.close[style], said, rng)])
        answer = self._answer(heard)
        if answer is not None and (answer.own or wanted.move == "deepen"):
            question = _fresh(answer.ask[style], said, rng)
            if plain(question) not in said:
                return _within(self._take(heard, text, style, said, rng), [question])
        take = self._take(heard, text, style, said, rng)
        if wanted.move == "deepen":
            return _within(take, [_fresh(self._meeting.words["meet"]["further"][style], said, rng)])
        question = self._question(wanted, said, rng)
        drift = _fresh(lead.drifts, said, rng) if wanted.drifting else ""
        return _within(take, [drift, question])

    def _answer(self, heard: Heard | None) -> Answer | None:
        return self._known[heard.answer][1] if heard is not None and heard.answer is not None else None

    def _take(
        self, heard: Heard | None, text: str, style: Style, said: frozenset[str], rng: random.Random
    ) -> str:
        """A line that takes up what was said, with their own words if there are any worth it."""
        answer, words = self._answer(heard), said_back(text)
        lines = answer.take[style] if answer is not None else self._meeting.words["meet"]["taken_up"][style]
        if words is None:
            lines = [line for line in lines if SAID not in line] or [""]
        elif answer is None:
            # Unsure of what it was about: then their own words, which are never wrong.
            lines = [line for line in lines if SAID in line]
        fresh = _fresh(lines, said, rng, words or "")
        return fresh[0].upper() + fresh[1:] if fresh[:1].islower() else fresh

    def _question(self, wanted: Wanted, said: frozenset[str], rng: random.Random) -> str:
        questions = self._meeting.lead.topics[wanted.topic]
        style = wanted.style
        if wanted.move == "easier":
            return _fresh(questions.easier, said, rng)
        if wanted.move == "back":
            return _fresh(questions.back[style], said, rng)
        manners = {
            "kind": questions.kind,
            "drifts": questions.kind,
            "brisk": questions.brisk,
            "hard": questions.hard,
        }
        first = manners[wanted.difficulty][style]
        if all(plain(line) in said for line in first):
            first = (*questions.kind[style], *questions.brisk[style])
        return _fresh(first, said, rng)


def _fresh(lines: Sequence[str], said: frozenset[str], rng: random.Random, words: str = "") -> str:
    """One of `lines`, by chance, that has not been said if there is one; {said} filled in."""
    order = rng.sample(list(lines), len(lines))
    filled = [line.replace(SAID, words) for line in order]
    return next((line for line in filled if not any(plain(s) in said for s in sentences(line))), filled[0])


def _filled(lines: Sequence[str], slots: Mapping[str, str]) -> list[str]:
    """The lines whose slots can be filled, filled."""
    usable = [
        line
        for line in lines
        if all(slots.get(name) for name in ("field", "minutes") if f"{{{name}}}" in line)
    ]
    return [
        line.replace("{field}", slots.get("field", "")).replace("{minutes}", slots.get("minutes", ""))
        for line in usable
    ]


def _within(take: str, rest: Sequence[str]) -> str:
    """`take` and what follows, under MAX_WORDS: what is least needed goes first."""
    parts = [take, *rest]
    while len(" ".join(p for p in parts if p).split()) > MAX_WORDS and len([p for p in parts if p]) > 1:
        parts[1 if len(parts) > 2 and parts[1] else 0] = ""
    return " ".join(part for part in parts if part)


def make_meeting(meeting: Meeting) -> Maker:
    """A maker of the classifier over everything mentees answer."""

    def make(folder: Any, encode: Encode) -> None:
        pairs = [(text, name) for name, (_, answer) in meeting.known.items() for text in answer.examples]
        LinearClassifier.fit(
            encode([text for text, _ in pairs]), [name for _, name in pairs], inverse_penalty=INVERSE_PENALTY
        ).save(folder / MEETING_FILE)

    return make
