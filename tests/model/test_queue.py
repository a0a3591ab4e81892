"""The fair queue: one at a time, in the order they came, and out of it when giving up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from coach.errors import Stopped
from coach.model.queue import FairQueue

WAIT_S = 10


def run(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until_waiting(queue: FairQueue, count: int) -> None:
    """Come back once `count` callers hold or wait for a turn."""
    pause = threading.Event()
    for _ in range(WAIT_S * 1000):
        if len(queue) == count:
            return
        pause.wait(0.001)
    raise AssertionError(f"{len(queue)} in the queue, {count} expected")


def test_queue_gives_turns_in_the_order_of_arrival() -> None:
    queue, order = FairQueue(), []

    def take(number: int) -> None:
        with queue.turn():
            order.append(number)

    with queue.turn():
        threads = []
        for number in range(12):
            threads.append(run(partial(take, number)))
            until_waiting(queue, number + 2)
    for thread in threads:
        thread.join(WAIT_S)
    assert order == list(range(12))
    assert len(queue) == 0


def test_queue_lets_one_in_at_a_time() -> None:
    queue, inside, most = FairQueue(), 0, 0

    def take() -> None:
        nonlocal inside, most
        for _ in range(10):
            with queue.turn():
                inside += 1
                most = max(most, inside)
                threading.Event().wait(0.001)  # long enough for others to come in if they could
                inside -= 1

    threads = [run(take) for _ in range(4)]
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads)
    assert most == 1


def test_queue_lets_a_waiting_caller_give_up_and_the_next_move_up() -> None:
    queue, cancel, told, order = FairQueue(), threading.Event(), [], []

    def give_up() -> None:
        try:
            with queue.turn(cancel):
                order.append("gave up")
        except Stopped as fault:
            told.append(str(fault))

    def patient() -> None:
        with queue.turn():
            order.append("patient")

    with queue.turn():
        first = run(give_up)
        until_waiting(queue, 2)
        second = run(patient)
        until_waiting(queue, 3)
        cancel.set()
        first.join(WAIT_S)
        assert told == ["Stopped while waiting for its turn."]
        assert len(queue) == 2
        assert order == []
    second.join(WAIT_S)
    assert order == ["patient"]


def test_queue_passes_the_turn_on_after_a_fault() -> None:
    queue = FairQueue()
    with pytest.raises(ValueError, match="broken"), queue.turn():
        raise ValueError("broken")
    assert len(queue) == 0
    with queue.turn():
        assert len(queue) == 1


def test_queue_gives_a_free_turn_whatever_cancel_says() -> None:
    """Only waiting is given up here; whoever holds the turn looks at `cancel` for themselves."""
    queue, cancel = FairQueue(), threading.Event()
    cancel.set()
    with queue.turn(cancel):
        assert len(queue) == 1
