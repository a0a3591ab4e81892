"""May this model speak freely? Six short tasks, asked once of a model the catalogue does not know.

A model that drops the notes, or does not stop where told, is given the guided voice. The
result is kept beside the quick copies in the cache, by the file's name, size and date. It
is a sieve and not an exam: settings can overrule it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field

from coach.model.catalogue import Voice
from coach.prompts import shipped

if TYPE_CHECKING:
    from langchain_core.language_models.chat_models import BaseChatModel

# One slip is allowed: a capable model at four bits may stumble over one form of words.
CAPABLE_AT = 5
MAX_TOKENS = 40


class Task(BaseModel):
    """One task: what is asked, and what the reply must and must not look like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    right: str
    wrong: str = ""
    words: int = Field(gt=0)

    def is_done(self, reply: str) -> bool:
        """Whether `reply` does what was asked."""
        if len(reply.split()) > self.words or not re.search(self.right, reply, re.IGNORECASE):
            return False
        return not (self.wrong and re.search(self.wrong, reply, re.IGNORECASE))


def tasks() -> tuple[Task, ...]:
    """The tasks of prompts/probe.yaml."""
    text = (shipped("prompts") / "probe.yaml").read_text(encoding="utf-8")
    return tuple(Task.model_validate(task) for task in yaml.safe_load(text))


def probed(model: BaseChatModel, asked: Sequence[Task] | None = None) -> int:
    """How many of the tasks `model` does, at temperature 0.

    Raises:
        ModelError: the model failed.
    """
    from langchain_core.messages import HumanMessage

    return sum(
        task.is_done(str(model.invoke([HumanMessage(task.ask)], temperature=0, seed=0).content).strip())
        for task in (tasks() if asked is None else asked)
    )


def voice_for(done: int) -> Voice:
    """The voice a model gets that did so many tasks."""
    return "free" if done >= CAPABLE_AT else "guided"


def kept(place: Path) -> int | None:
    """How many tasks were done when the model was probed before; None if it never was."""
    try:
        done = json.loads(place.read_text(encoding="utf-8"))["done"]
        return done if isinstance(done, int) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(place: Path, done: int) -> None:
    """Keep a result for later starts."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.write_text(json.dumps({"done": done}), encoding="utf-8")
