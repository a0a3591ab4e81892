"""Killed at any moment, while saving or indexing: what was saved is there, whole, and it starts again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coach.build import Coach
from coach.practice.earlier import Earlier
from coach.practice.held import HeldDrafts
from coach.settings import load_settings

SAVING = """
import sys, time
from pathlib import Path
from coach.practice.held import HeldDrafts
held = HeldDrafts(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    print(held.hold("a draft of some length, " * 40, "x", 1.0).id, flush=True)
"""
REHEARSING = """
import sys
from coach.build import Coach
from coach.practice.session import Setup
from coach.settings import load_settings
coach = Coach(load_settings(model="none"))
flow = coach.ready_to_rehearse(keep=True)
thread = sys.argv[1]
flow.begin(thread, Setup())
flow.step(thread, "meet")
print("ready", flush=True)
for number in range(500):
    flow.step(thread, "answer", f"I joined to learn to teach, number {number}, on the ward.")
    print(number, flush=True)
"""
INDEXING = """
import sys
from coach.build import Coach
from coach.settings import load_settings
print("ready", flush=True)
Coach(load_settings(model="none")).rebuild()
print("done", flush=True)
"""
WORDS = "Ward {n} swaps its night shifts by Thursday noon, and the list hangs beside the kettle."


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - moments, not secrets


def killed_after(script: str, *words: str, seconds: float, env: dict[str, str]) -> list[str]:
    """Run a script, kill it so long after it is ready; returns the lines that it said before."""
    with subprocess.Popen(
        [sys.executable, "-c", script, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        return child.stdout.read().decode().splitlines()


@pytest.fixture
def env(tmp_path: Path, coach: Coach) -> dict[str, str]:
    return {
        **os.environ,
        "COACH_DATA_DIR": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "COACH_CACHE_DIR": str(coach.settings.cache_dir),
    }


def test_killed_while_holding_drafts_loses_none(tmp_path: Path, env: dict[str, str]) -> None:
    chance, folder, told = chance_of(7), tmp_path / "held", []
    for _ in range(170):
        said = killed_after(SAVING, str(folder), seconds=chance.uniform(0, 0.08), env=env)
        told += [line for line in said if len(line) == 12]
    kept = HeldDrafts(folder).all()
    assert len(told) > 170
    assert set(told) <= {held.id for held in kept}
    assert len(list(folder.glob("*.json"))) == len(kept)  # each of them is whole


def test_killed_while_rehearsing_loses_at_most_the_turn_in_flight(
    tmp_path: Path, env: dict[str, str]
) -> None:
    chance, told = chance_of(8), {}
    for number in range(12):
        said = killed_after(REHEARSING, f"t{number}", seconds=chance.uniform(0, 0.6), env=env)
        told[f"t{number}"] = sum(line.isdigit() for line in said)
    flow = Coach(load_settings(model="none", data_dir=tmp_path / "data")).ready_to_rehearse(keep=True)
    for thread, answers in told.items():
        session = flow.session(thread)
        assert session is not None
        assert answers - 1 <= len(session.answers) <= answers + 1
        assert flow.step(thread, "answer", "And I would like to go on here.").route == "answer"
    assert sum(told.values()) > 12


def test_killed_while_indexing_the_next_start_builds_it(tmp_path: Path, env: dict[str, str]) -> None:
    notes, chance = tmp_path / "notes", chance_of(9)
    notes.mkdir()
    for number in range(40):
        (notes / f"{number}.md").write_text(WORDS.format(n=number), encoding="utf-8")
    cache = tmp_path / "cache"
    own = {**env, "COACH_CACHE_DIR": str(cache), "COACH_KNOWLEDGE": str(notes)}
    for _ in range(18):
        killed_after(INDEXING, seconds=chance.uniform(0, 6), env=own)
    coach = Coach(load_settings(model="none", cache_dir=cache, knowledge=notes))
    found = coach.search.search("when are the night shifts of ward 7 swapped")
    assert found.passages
    assert {p.card for p in found.passages} <= {card.id for card in coach.cards}


def test_figures_cut_off_in_mid_line_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rehearsals.jsonl"
    whole = json.dumps({"when_s": 1.0, "covered": 4, "asked": 2, "spoke": 0.5})
    path.write_text(f"{whole}\n{whole[:30]}", encoding="utf-8")
    earlier = Earlier(path)
    assert len(earlier.all()) == 1
    earlier.put(earlier.all()[0])
    assert len(earlier.all()) == 2
