"""What is kept: listed, copied into one file and brought back, closed to others, gone when wiped."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coach.build import Coach
from coach.errors import UsageError
from coach.practice.session import Setup
from coach.settings import load_settings

DRAFT = "Proud of the new colour chart for the fridge."
ANSWER = "I joined because the fridge chart was my idea and nobody asked me."


@pytest.fixture
def someone(coach: Coach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Coach]:
    """Makes a coach whose data folder is its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return lambda name: Coach(load_settings(model="none", data_dir=tmp_path / name))


def filled(coach: Coach) -> Coach:
    coach.held.hold(DRAFT, "x", 16)
    flow = coach.ready_to_rehearse(keep=True)
    flow.begin("abc1", Setup())
    flow.step("abc1", "meet")
    flow.step("abc1", "answer", ANSWER)
    coach.earlier.add(flow.look_back(flow.step("abc1", "end").session)[0])
    return coach


def test_kept_lists_nothing_and_makes_nothing_where_nothing_was_kept(someone: Callable[[str], Coach]) -> None:
    new = someone("new")
    assert new.kept.listed() == []
    assert not new.settings.data_dir.exists()


def test_kept_is_not_what_is_only_in_memory(someone: Callable[[str], Coach]) -> None:
    """A rehearsal that nobody asked to keep is neither listed nor copied."""
    new = someone("new")
    flow = new.ready_to_rehearse(keep=False)
    flow.begin("abc1", Setup())
    flow.step("abc1", "meet")
    flow.step("abc1", "answer", ANSWER)
    assert new.kept.listed() == []
    assert "fridge" not in new.kept.copied(new.settings)


def test_kept_lists_what_was_kept(someone: Callable[[str], Coach]) -> None:
    lines = filled(someone("one")).kept.listed()
    assert len(lines) == 3
    assert "colour chart" in lines[0]
    assert "1 answer" in lines[1]


def test_kept_goes_from_one_computer_to_another(someone: Callable[[str], Coach]) -> None:
    first, second = filled(someone("one")), someone("two")
    second.bring_back(first.kept.copied(first.settings))
    assert [held.draft for held in second.held.all()] == [DRAFT]
    there, here = (c.ready_to_rehearse(keep=True).session("abc1") for c in (first, second))
    assert here == there
    assert here is not None and here.answers[0].text == ANSWER
    assert second.earlier.all() == first.earlier.all()
    assert second.kept.copied(second.settings) == first.kept.copied(first.settings)


def test_kept_brought_back_twice_is_kept_once(someone: Callable[[str], Coach]) -> None:
    one = filled(someone("one"))
    copy = one.kept.copied(one.settings)
    one.bring_back(copy)
    assert one.kept.copied(one.settings) == copy


def test_kept_rehearsal_goes_on_where_it_was(someone: Callable[[str], Coach]) -> None:
    first, second = someone("one"), someone("two")
    flow = first.ready_to_rehearse(keep=True)
    flow.begin("t", Setup())
    flow.step("t", "meet")
    second.bring_back(first.kept.copied(first.settings))
    step = second.ready_to_rehearse(keep=True).step("t", "answer", ANSWER)
    assert [turn.role for turn in step.session.turns] == ["mentor", "mentee", "mentor"]


def test_kept_files_are_open_to_their_owner_alone(someone: Callable[[str], Coach]) -> None:
    folder = filled(someone("one")).settings.data_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    filled(someone("one"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_kept_is_gone_when_forgotten(someone: Callable[[str], Coach]) -> None:
    one = filled(someone("one"))
    one.forget()
    assert not one.settings.data_dir.exists()
    assert one.kept.listed() == []
    assert one.ready_to_rehearse(keep=True).session("abc1") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"serendip": 2}',
        '{"serendip": 1, "held": [{"id": "../x", "draft": "", "platform": "", "since_s": 0, "until_s": 0}]}',
        '{"serendip": 1, "held": [{"id": "a", "draft": "", "platform": "", "since_s": NaN, "until_s": 0}]}',
        '{"serendip": 1, "rehearsals": {"a": {"room": "kitchen"}}}',
        '{"serendip": 1, "settings": {"model": "/etc/passwd"}}',
        '{"serendip": 1, "more": 1}',
    ],
)
def test_kept_takes_nothing_but_a_copy(someone: Callable[[str], Coach], text: str) -> None:
    with pytest.raises(UsageError, match="copy"):
        someone("new").bring_back(text)


NAMES = ["serendip", "held", "rehearsals", "earlier", "settings", "id", "turns"]
any_json = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=30),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_kept_survives_any_file(someone: Callable[[str], Coach]) -> None:
    """Whatever stands in it: taken as a copy, or refused in a sentence."""
    new = someone("new")

    @settings(max_examples=150, deadline=None, database=None)
    @given(any_json)
    def tried(found: object) -> None:
        try:
            new.bring_back(json.dumps(found))
        except UsageError as fault:
            assert "copy" in str(fault)

    tried()
