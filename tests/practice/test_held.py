"""Drafts on hold: on this computer only, for the owner's eyes, gone when let go."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from coach.errors import CoachError
from coach.practice.held import HeldDrafts


def test_hold_keeps_a_draft_for_its_owner_until_let_go(tmp_path: Path) -> None:
    drafts = HeldDrafts(tmp_path / "held")
    assert drafts.all() == []
    held = drafts.hold("I am FURIOUS — über alles", "x", 1.0)
    path = tmp_path / "held" / f"{held.id}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert HeldDrafts(tmp_path / "held").all() == [held]
    assert not held.is_due
    drafts.let_go(held.id)
    drafts.let_go(held.id)
    assert drafts.all() == []


def test_hold_is_due_when_its_time_is_over(tmp_path: Path) -> None:
    assert HeldDrafts(tmp_path).hold("later", "x", 0.0).is_due


def test_let_go_deletes_nothing_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    HeldDrafts(tmp_path / "held").let_go("../outside")
    assert outside.exists()


def test_a_damaged_file_is_passed_over(tmp_path: Path) -> None:
    drafts = HeldDrafts(tmp_path)
    held = drafts.hold("keep me", "x", 1.0)
    (tmp_path / "broken.json").write_text("{")
    assert drafts.all() == [held]


def test_hold_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CoachError, match="copy it somewhere"):
        HeldDrafts(tmp_path / "file" / "held").hold("x", "x", 1.0)
