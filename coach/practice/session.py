"""One rehearsal as data: who meets whom, what was prepared, what was said, and earlier attempts.

Everything the flow knows stands here, so that a session can be kept, resumed, rewound and
laid side by side with another try.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from coach.library.meeting import TOPICS, Difficulty, Style, Topic

Room = Literal["prepare", "meet", "debrief"]
Speaker = Literal["mentor", "mentee", "coach"]


class Record(BaseModel):
    """A frozen record; unknown fields are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Setup(Record):
    """Who the mentor is and how they are; texts may be empty."""

    style: Style = "gentle"
    difficulty: Difficulty = "kind"
    field: str = Field("", max_length=120)
    programme: str = Field("", max_length=300)
    mentor: str = Field("", max_length=300)
    goal: str = Field("", max_length=600)
    minutes: int = Field(30, ge=5, le=240)
    seed: int = 0


class Spoken(Record):
    """One turn. Of the mentor: the topic asked about and the move. Of the mentee: the topic that had been
    asked about, what the answer was taken for, and how surely it speaks to each topic."""

    role: Speaker
    text: str
    topic: Topic = "why"
    move: str = ""
    heard: str | None = None
    topics: dict[str, float] = Field(default_factory=dict)

    @property
    def is_answer(self) -> bool:
        """Whether the mentee said it to the mentor, and not in danger."""
        return self.role == "mentee" and self.move != "crisis"


class Prepared(Record):
    """An answer in Prepare, and how often the coach has nudged."""

    text: str = ""
    nudges: int = 0
    skipped: bool = False


class Session(Record):
    """A whole rehearsal so far."""

    setup: Setup = Setup()
    room: Room = "prepare"
    prepared: dict[str, Prepared] = Field(default_factory=dict)
    asking: str | None = None
    turns: tuple[Spoken, ...] = ()
    attempts: tuple[tuple[Spoken, ...], ...] = ()
    ended: bool = False

    @property
    def answers(self) -> tuple[Spoken, ...]:
        """What the mentee said in the meeting; what the crisis answer met is never looked back on."""
        return tuple(turn for turn in self.turns if turn.is_answer)

    @property
    def asked(self) -> tuple[Spoken, ...]:
        """What the mentor said."""
        return tuple(turn for turn in self.turns if turn.role == "mentor")

    def coverage(self) -> dict[Topic, float]:
        """How surely each topic has been spoken to by the mentee (0 to 1)."""
        return {topic: max((a.topics.get(topic, 0.0) for a in self.answers), default=0.0) for topic in TOPICS}
