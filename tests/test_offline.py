"""Nothing leaves this computer: every command runs with all connections but loopback refused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.serving import BLOCK, answers

COMMANDS = [
    ["ask", "I feel like an impostor on MedTwitter"],
    ["ask", "--model", "none", "three likes, two from my sister"],
    ["ask", "--model", "scripted", "three likes, two from my sister"],
    ["search", "follower count"],
    ["review", "LICENSE"],
    ["rehearse"],
    ["care", "I know where you live, he wrote"],
    ["knowledge", "list"],
    ["knowledge", "show", "be-kind"],
    ["knowledge", "rebuild"],
    ["model", "list"],
    ["model", "info"],
    ["doctor"],
    ["wipe", "--yes"],
]


@pytest.fixture
def closed(tmp_path: Path) -> dict[str, str]:
    """An environment in which a connection to elsewhere is written down and refused."""
    return {
        **os.environ,
        "PYTHONPATH": str(BLOCK),
        "OFFLINE_LOG": str(tmp_path / "attempts"),
        "COACH_DATA_DIR": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


def attempts(closed: dict[str, str]) -> str:
    log = Path(closed["OFFLINE_LOG"])
    return log.read_text(encoding="utf-8") if log.exists() else ""


def test_block_refuses_and_records_what_leaves(closed: dict[str, str]) -> None:
    """The block itself works, or the other tests here would prove nothing."""
    code = "import urllib.request as u; u.urlopen('http://192.0.2.1/', timeout=2)"
    assert subprocess.run([sys.executable, "-c", code], env=closed, capture_output=True).returncode != 0
    assert "192.0.2.1" in attempts(closed)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: "-".join(c[:3]))
def test_command_runs_without_a_network(command: list[str], closed: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coach", *command],
        env=closed,
        capture_output=True,
        text=True,
        timeout=280,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert attempts(closed) == ""


def test_chat_runs_without_a_network(closed: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coach", "chat", "--model", "none"],
        env=closed, input="a troll keeps at me\nwhy?\n\n", capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert attempts(closed) == ""


def test_serve_comes_up_without_a_network(closed: dict[str, str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "coach", "serve", "--no-browser", "--port", str(port)]
    with subprocess.Popen(command, env=closed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as page:
        try:
            assert answers(f"http://127.0.0.1:{port}/", 90)
            # Until the line on who speaks is true, everything has been loaded.
            time.sleep(5)
        finally:
            page.terminate()
    assert attempts(closed) == ""
