"""The mentor's written turns: enough of them, of the right form, and faults are named with their file."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from coach.errors import KnowledgeError
from coach.library.meeting import CONDUCT, STYLES, TOPICS, Meeting, load_meeting
from coach.prompts import shipped

FOLDER = shipped("knowledge") / "meeting"


@pytest.fixture(scope="module")
def meeting() -> Meeting:
    return load_meeting(FOLDER)


def test_meeting_holds_at_least_six_hundred_turns(meeting: Meeting) -> None:
    assert meeting.count() >= 600


def test_meeting_takes_are_written_once(meeting: Meeting) -> None:
    lines = Counter(
        line for _, answer in meeting.known.values() for style in STYLES
        for line in (*answer.take[style], *answer.ask[style])
    )  # fmt: skip
    assert [line for line, count in lines.items() if count > 1] == []


def test_meeting_has_words_for_every_topic(meeting: Meeting) -> None:
    words = meeting.words
    for topic in TOPICS:
        assert set(words["debrief"]["topics"][topic]) == {"covered", "missed"}
        assert words["meet"]["coach"][topic]
        assert words["meet"]["could_say"][topic]["open"]
        assert words["debrief"]["instead"][topic]
    assert {name.split("/")[0] for name in meeting.known} == {*TOPICS, CONDUCT}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "meeting"))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("why.yaml", "topic: why", "topic: where"),
        ("questions.yaml", "welcome:", "welcom:"),
        ("needs.yaml", "    shows:", "    show:"),
    ],
)
def test_load_meeting_names_the_file_at_fault(copy: Path, name: str, old: str, new: str) -> None:
    path = copy / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=name):
        load_meeting(copy)


def test_load_meeting_a_missing_file_is_named(copy: Path) -> None:
    (copy / "words.yaml").unlink()
    with pytest.raises(KnowledgeError, match=r"words\.yaml"):
        load_meeting(copy)
