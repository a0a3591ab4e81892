"""Everything kept about a person because they asked for it: listed, copied into one file, brought back.

Held drafts, rehearsals, the figures of earlier ones, and what was chosen in Settings. The copy is one
versioned JSON file, readable by anybody who holds it. Deleting is `coach wipe`'s part (coach.doctor).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from coach.errors import UsageError
from coach.practice.earlier import Earlier, Went
from coach.practice.held import Held, HeldDrafts
from coach.practice.rehearse import Rehearsal
from coach.practice.session import Session
from coach.settings import Settings, VoiceSetting

VERSION = 1
MAX_BYTES = 20_000_000

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,32}$")]
Seconds = Annotated[float, Field(ge=0, lt=1e11, allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeldCopy(_Record):
    """A held draft as it stands in a copy; times are seconds since 1970."""

    id: Name
    draft: Annotated[str, StringConstraints(max_length=100_000)]
    platform: Annotated[str, StringConstraints(max_length=40)]
    since_s: Seconds
    until_s: Seconds


class Chosen(_Record):
    """Of the settings, what is the person's own."""

    voice: VoiceSetting = "auto"
    country: Annotated[str, StringConstraints(max_length=20)] = ""
    aim: Annotated[str, StringConstraints(max_length=200)] = ""


class Copy(_Record):
    """What one file holds."""

    serendip: Literal[1]
    held: tuple[HeldCopy, ...] = ()
    rehearsals: Mapping[Name, Session] = Field(default_factory=dict)
    earlier: tuple[Went, ...] = ()
    settings: Chosen = Chosen()


class Kept:
    """What is kept of one person; `rehearsal` is the flow whose sessions are kept, None if none was."""

    def __init__(self, held: HeldDrafts, rehearsal: Rehearsal | None, earlier: Earlier) -> None:
        self._held, self._rehearsal, self._earlier = held, rehearsal, earlier

    def listed(self) -> list[str]:
        """One line for each kind of thing that is kept; empty when nothing is."""
        drafts, sessions, earlier = self._held.all(), self._sessions(), self._earlier.all()
        lines = [f"A held draft: “{_short(held.draft)}”" for held in drafts]
        lines += [f"A rehearsal, {_turns(session)}" for session in sessions.values()]
        if earlier:
            lines.append(f"Figures, no words, of {len(earlier)} earlier {_plural('rehearsal', len(earlier))}")
        return lines

    def copied(self, settings: Settings) -> str:
        """All of it as one JSON text, with what is the person's own of their settings."""
        held = [HeldCopy(**{n: getattr(h, n) for n in HeldCopy.model_fields}) for h in self._held.all()]
        copy = Copy(
            serendip=VERSION,
            held=tuple(held),
            rehearsals=self._sessions(),
            earlier=tuple(self._earlier.all()),
            settings=Chosen(voice=settings.voice, country=settings.country, aim=settings.aim),
        )
        return copy.model_dump_json(indent=1)

    def bring_back(self, copy: Copy) -> None:
        """Add what a copy holds to what is kept, its settings excepted.

        Raises:
            CoachError: it cannot be written.
        """
        for held in copy.held:
            self._held.put(Held(**held.model_dump()))
        if self._rehearsal is not None:
            for thread, session in copy.rehearsals.items():
                self._rehearsal.put(thread, session)
        have = {went.when_s for went in self._earlier.all()}
        for went in copy.earlier:
            if went.when_s not in have:
                self._earlier.put(went)

    def _sessions(self) -> dict[str, Session]:
        if self._rehearsal is None:
            return {}
        found = {thread: self._rehearsal.session(thread) for thread in self._rehearsal.threads()}
        return {thread: session for thread, session in found.items() if session is not None}


def read(text: str) -> Copy:
    """The copy that `text` is.

    Raises:
        UsageError: it is no copy of this coach's, or a newer one's.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise UsageError("That file is larger than any copy; choose one that the coach has made.")
    try:
        return Copy.model_validate_json(text)
    except (ValidationError, ValueError) as fault:
        raise UsageError(
            "That is no copy of what this coach keeps, or one of a newer version; choose another file."
        ) from fault


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:39]}…"


def _turns(session: Session) -> str:
    answers = len(session.answers) + len(session.prepared)
    return f"{answers} {_plural('answer', answers)} in"


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"
