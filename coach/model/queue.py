"""A fair queue: one caller at a time, in the order they came; a caller may give up."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from coach.errors import Stopped


class FairQueue:
    """Hands one turn at a time to waiting threads, first come, first served.

    `threading.Lock` promises no order: under load one person could wait for ever.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def turn(self, cancel: threading.Event | None = None) -> Iterator[None]:
        """Wait for a turn and hold it for the block.

        Raises:
            Stopped: `cancel` was set while waiting.
        """
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            with self._changed:
                while self._waiting[0] is not ticket:
                    if cancel is not None and cancel.is_set():
                        raise Stopped("Stopped while waiting for its turn.")
                    self._changed.wait(timeout=0.05)
            yield
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._waiting)
