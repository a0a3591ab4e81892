"""What a rehearsed meeting is made of: the mentor's written turns, questions and words.

One file a topic in knowledge/meeting: `situations` hold what people answer (examples, more of
them in `examples.yaml`), what it shows, how a mentor takes it up and what they ask next;
`questions.yaml` leads the meeting, `words.yaml` holds the coach's own words around it. Which turn
is said is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, Field, ValidationError

from coach.errors import KnowledgeError
from coach.library.cards import QUICK_LOADER, Frozen

Topic = Literal["why", "where", "needs", "guidance", "expectations", "next"]
Style = Literal["gentle", "structured"]
Difficulty = Literal["kind", "brisk", "hard", "drifts"]
# What a question after an answer can ask for; `on`: all is said, `leave`: they would rather not say more.
Aspect = Literal[
    "story",
    "person",
    "choice",
    "wish",
    "obstacle",
    "tried",
    "meaning",
    "first",
    "example",
    "feeling",
    "on",
    "leave",
]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
TOPICS: tuple[Topic, ...] = ("why", "where", "needs", "guidance", "expectations", "next")
FOUR: tuple[Topic, ...] = TOPICS[:4]  # the four questions before a first meeting
STYLES: tuple[Style, ...] = ("gentle", "structured")
CONDUCT = "conduct"
SAID = "{said}"


def _statement(text: str) -> str:
    if "?" in text or text.count(SAID) > 1:
        raise ValueError(f"`take` asks nothing and holds {SAID} at most once: {text!r}")
    return text


def _question(text: str) -> str:
    if text.count("?") != 1 or not text.endswith("?"):
        raise ValueError(f"one question, at the end: {text!r}")
    return text


Statement = Annotated[str, AfterValidator(_statement)]
Question = Annotated[str, AfterValidator(_question)]


class Answer(Frozen):
    """Something mentees answer, and how each style of mentor meets it. `own`: the question that belongs
    to it is asked before any other."""

    id: str
    shows: str
    examples: tuple[str, ...] = Field(min_length=8)
    take: Mapping[Style, tuple[Statement, ...]]
    ask: Mapping[Style, tuple[Question, ...]]
    own: bool = False


class Questions(Frozen):
    """The questions that open one topic, by manner; `easier` for the silent, `back` for what stayed open."""

    kind: Mapping[Style, tuple[Question, ...]]
    brisk: Mapping[Style, tuple[Question, ...]]
    hard: Mapping[Style, tuple[Question, ...]]
    easier: tuple[Question, ...]
    back: Mapping[Style, tuple[str, ...]]


class Lead(Frozen):
    """How a meeting is opened, led and closed."""

    welcome: Mapping[Style, tuple[str, ...]]
    topics: Mapping[Topic, Questions]
    drifts: tuple[Statement, ...]
    close: Mapping[Style, tuple[str, ...]]


class Meeting(Frozen):
    """Everything of a rehearsed meeting that people wrote."""

    answers: Mapping[Topic, tuple[Answer, ...]]
    conduct: tuple[Answer, ...]
    lead: Lead
    words: Mapping[str, Any]

    @property
    def known(self) -> Mapping[str, tuple[str, Answer]]:
        """Every answer by its name, `topic/id`, with its topic."""
        by_topic: list[tuple[str, tuple[Answer, ...]]] = [*self.answers.items(), (CONDUCT, self.conduct)]
        return {f"{topic}/{a.id}": (topic, a) for topic, answers in by_topic for a in answers}

    def count(self) -> int:
        """How many different turns and questions people wrote for the mentor."""
        lines: set[str] = set(self.lead.drifts)
        for _, answer in self.known.values():
            for style in STYLES:
                lines |= {*answer.take[style], *answer.ask[style]}
        for style in STYLES:
            lines |= {*self.lead.welcome[style], *self.lead.close[style]}
            for topic in self.lead.topics.values():
                lines |= {*topic.kind[style], *topic.brisk[style], *topic.hard[style], *topic.back[style]}
        return len(lines | {q for topic in self.lead.topics.values() for q in topic.easier})


def load_meeting(folder: Path) -> Meeting:
    """Read the folder of a meeting.

    Raises:
        KnowledgeError: a file is missing or does not hold together; says which and what.
    """
    more: dict[str, list[str]] = _read(folder / "examples.yaml")
    answers = {topic: _answers(folder / f"{topic}.yaml", topic, more) for topic in TOPICS}
    conduct = _answers(folder / f"{CONDUCT}.yaml", CONDUCT, more)
    path = folder / "questions.yaml"
    try:
        lead = Lead(**_read(path))
    except (ValidationError, TypeError) as fault:
        raise KnowledgeError(f"{path}: mend what does not fit: {fault}") from fault
    return Meeting.model_construct(
        answers=answers, conduct=conduct, lead=lead, words=_read(folder / "words.yaml")
    )


def _answers(path: Path, topic: str, more: Mapping[str, list[str]]) -> tuple[Answer, ...]:
    found = _read(path)
    if found.get("topic") != topic:
        raise KnowledgeError(f"{path}: the first line must say `topic: {topic}`.")
    try:
        return tuple(
            Answer(**{**entry, "examples": [*entry["examples"], *more.get(f"{topic}/{entry['id']}", ())]})
            for entry in found["situations"]
        )
    except (ValidationError, TypeError, KeyError) as fault:
        raise KnowledgeError(f"{path}: mend what does not fit: {fault}") from fault


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=QUICK_LOADER)  # noqa: S506
        return found
    except (OSError, yaml.YAMLError) as fault:
        raise KnowledgeError(f"{path}: cannot be read ({fault}); mend it.") from fault
