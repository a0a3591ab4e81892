"""How earlier rehearsals went, in figures only: kept where the person asked for it, never their words."""

from __future__ import annotations

import json
import time
from pathlib import Path

from coach.errors import CoachError
from coach.practice.debrief import Debrief
from coach.practice.session import Record
from coach.settings import owners_only


class Went(Record):
    """One rehearsal in figures: when (seconds since 1970), topics covered, questions asked, share spoken."""

    when_s: float
    covered: int
    asked: int
    spoke: float


class Earlier:
    """A file of one line a rehearsal."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, debrief: Debrief) -> None:
        """Keep the figures of one rehearsal.

        Raises:
            CoachError: the file cannot be written.
        """
        went = Went(
            when_s=time.time(),
            covered=len(debrief.covered),
            asked=debrief.asked,
            spoke=round(debrief.spoke, 2),
        )
        self.put(went)

    def put(self, went: Went) -> None:
        """Keep figures as they are.

        Raises:
            CoachError: the file cannot be written.
        """
        try:
            owners_only(self._path.parent)
            # A line that was cut off in the middle does not swallow the next.
            cut = self._path.exists() and self._path.read_bytes()[-1:] not in (b"", b"\n")
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n" * cut + went.model_dump_json() + "\n")
        except OSError as fault:
            raise CoachError(
                f"{self._path} cannot be written ({fault.strerror}); go on, your debrief stays on this page."
            ) from fault

    def all(self) -> list[Went]:
        """Earlier rehearsals, oldest first; a damaged line is passed over."""
        if not self._path.exists():
            return []
        found = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(Went.model_validate(json.loads(line)))
            except ValueError:
                continue
        return found
