"""Drafts on hold: kept on this computer only, because the person asked for it, until they are let go.

One file a draft in the data folder, readable by its owner alone; `coach wipe` deletes them all.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from coach.errors import CoachError
from coach.settings import owners_only


@dataclass(frozen=True)
class Held:
    """One draft on hold; times are seconds since 1970."""

    id: str
    draft: str
    platform: str
    since_s: float
    until_s: float

    @property
    def is_due(self) -> bool:
        return time.time() >= self.until_s


class HeldDrafts:
    """The drafts on hold in `folder`, which is made when the first one is held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, draft: str, platform: str, hours: float) -> Held:
        """Keep a draft for so many hours.

        Raises:
            CoachError: it cannot be written.
        """
        now = time.time()
        held = Held(uuid.uuid4().hex[:12], draft, platform, now, now + hours * 3600)
        self.put(held)
        return held

    def put(self, held: Held) -> None:
        """Keep `held` as it is: whole or not at all, whenever the process ends.

        Raises:
            CoachError: it cannot be written.
        """
        path = self._folder / f"{held.id}.json"
        part = path.with_suffix(f".{uuid.uuid4().hex[:8]}")
        try:
            owners_only(self._folder)
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump(asdict(held), file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as fault:
            with contextlib.suppress(OSError):
                part.unlink()
            raise CoachError(
                f"The draft could not be kept ({fault.strerror}); copy it somewhere before you close."
            ) from fault

    def all(self) -> list[Held]:
        """Every draft on hold, the oldest first; a file that cannot be read is passed over."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                found.append(Held(**json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError):
                continue
        return sorted(found, key=lambda held: held.since_s)

    def let_go(self, held_id: str) -> None:
        """Delete one; nothing happens if it is gone already."""
        if held_id.isalnum():
            (self._folder / f"{held_id}.json").unlink(missing_ok=True)
