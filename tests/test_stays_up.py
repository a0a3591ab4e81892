"""It stays up: one fault at a time, on the page as it ships, in a process of its own."""

from __future__ import annotations

import concurrent.futures
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import llama_cpp
import pytest

from coach.build import Coach
from coach.settings import load_settings
from tests.serving import Person, Served

MESSAGES = (
    "I feel like an impostor on MedTwitter",
    "three likes, two from my sister",
    "a troll keeps at me every evening",
    "my boss follows me and I never know what to post",
    "I scroll until one in the morning",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, coach_with_model: Coach) -> Iterator[Served]:
    here = Served(tmp_path_factory.mktemp("home"), coach_with_model.settings.cache_dir)
    here.start()
    Person(here.address).ask(MESSAGES[0])  # from here on everything is loaded
    yield here
    here.stop()


def test_two_servers_on_one_port_the_second_says_so(served: Served) -> None:
    command = [sys.executable, "-m", "coach", "serve", "--no-browser", "--port", str(served.port)]
    second = subprocess.run(command, env=served.env, capture_output=True, text=True, timeout=120)
    assert second.returncode == 2
    assert f"Port {served.port} is taken" in second.stderr
    assert "Traceback" not in second.stderr
    assert served.is_up


def test_ten_people_at_once_are_all_answered_and_none_hears_another(served: Served) -> None:
    people = [Person(served.address) for _ in range(10)]
    words = [f"zq{secrets.token_hex(5)}" for _ in people]

    def asks(person: Person, word: str) -> str:
        return person.ask(f"A troll called {word} keeps at me every evening and I cannot sleep")

    with concurrent.futures.ThreadPoolExecutor(10) as at_once:
        heard = list(at_once.map(asks, people, words))
    for own, text in zip(words, heard, strict=True):
        assert own in text
        assert not any(other in text for other in words if other != own)


def test_questions_are_begun_in_the_order_they_were_asked(served: Served) -> None:
    people = [Person(served.address) for _ in range(16)]
    for person in people:
        person.join(MESSAGES[0])

    def begun(person: Person) -> float:
        return next(time.monotonic() for event in person.events() if event["msg"] == "process_completed")

    with concurrent.futures.ThreadPoolExecutor(16) as at_once:
        done = list(at_once.map(begun, people))
    # Eight are at work at a time: nobody of the second eight is done before all of the first are at work.
    assert max(done[:4]) <= min(done[12:]) + 0.5


def test_a_thousand_connections_opened_and_dropped_leave_it_up(served: Served) -> None:
    for number in range(1000):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as dropped:
            if number % 3 == 0:
                dropped.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            elif number % 3 == 1:
                dropped.sendall(secrets.token_bytes(40))
    assert served.is_up
    assert Person(served.address).ask(MESSAGES[1])


def test_people_who_leave_in_mid_answer_leave_it_up(served: Served) -> None:
    for message in MESSAGES * 6:
        person = Person(served.address)
        person.join(message)
        person.leave()
    assert Person(served.address).ask(MESSAGES[2])


def test_a_slow_reader_holds_up_nobody(served: Served) -> None:
    slow = Person(served.address)
    slow.join(MESSAGES[0])
    with socket.create_connection(("127.0.0.1", served.port)) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        reader.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        reader.recv(10)  # and no more, while others talk
        assert Person(served.address).ask(MESSAGES[3])
    assert slow.heard()


def test_memory_does_not_grow_with_use(served: Served) -> None:
    """A night's use, compressed: conversations one after the other, each on a page of its own."""

    def night(turns: int) -> None:
        for number in range(turns):
            person = Person(served.address)
            person.ask(f"{MESSAGES[number % len(MESSAGES)]}, night {number}")
            person.leave()

    night(60)  # what is allocated once has been by now
    before = served.resident_mb
    night(120)
    assert served.resident_mb - before < 40


def test_a_request_of_nonsense_is_turned_away_and_leaves_it_up(served: Served) -> None:
    with httpx.Client(base_url=served.address) as client:
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"data": 3}',
            b'{"fn_index": 9999, "data": [], "session_hash": "a"}',
        ):
            assert client.post("/gradio_api/queue/join", content=body).status_code >= 400
    assert served.is_up


def test_the_log_holds_nothing_of_what_was_said(served: Served) -> None:
    word = f"zq{secrets.token_hex(5)}"
    Person(served.address).ask(f"my colleague {word} is unkind to me on LinkedIn")
    assert word not in served.log.read_text(encoding="utf-8", errors="replace")
    assert not served.refused.exists()


def test_a_bug_is_logged_without_the_words_that_met_it(caplog: pytest.LogCaptureFixture) -> None:
    from coach.ui.talk import log_fault

    word = secrets.token_hex(6)
    try:
        raise ValueError(word)
    except ValueError as fault:
        log_fault("talk", fault)
    assert "ValueError" in caplog.text
    assert "test_stays_up.py" in caplog.text
    assert word not in caplog.text


def test_without_memory_for_the_model_the_cards_answer(
    coach_with_model: Coach, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(llama_cpp, "Llama", full)
    alone = Coach(load_settings(data_dir=coach_with_model.settings.data_dir))
    replies = list(alone.ready().reply([_turn("three likes, two from my sister")]))
    assert replies[-1].route in ("answer", "ask_back")
    assert alone.model_fault


def _turn(text: str) -> object:
    from coach.events import Turn

    return Turn("user", text)


@pytest.mark.parametrize("what", ["hold", "keep", "settings"])
def test_on_a_full_disk_it_says_so_and_goes_on(tmp_path: Path, what: str) -> None:
    """A process that may write no file stands for a disk that is full."""
    code = {
        "hold": "coach.held.hold('a draft', 'x', 1.0)",
        "keep": "f = coach.ready_to_rehearse(keep=True); f.begin('t', Setup()); f.step('t', 'meet')",
        "settings": "coach.bring_back(coach.kept.copied(coach.settings)); keep(aim='to teach')",
    }[what]
    script = f"""
import sys
from coach.build import Coach
from coach.errors import CoachError
from coach.practice.session import Setup
from coach.settings import keep, load_settings
coach = Coach(load_settings(model="none"))
coach.ready()
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    {code}
except (CoachError, OSError) as fault:
    print(type(fault).__name__)
else:
    print("kept")
coach.talk
"""
    env = {
        **os.environ,
        "COACH_DATA_DIR": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] in ("CoachError", "OSError"), done.stdout
    left = [p for p in (tmp_path / "data").rglob("*.json") if p.stat().st_size]
    assert left == []
