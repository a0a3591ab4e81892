"""The fixed words: complete for every kind the flow can meet, with help lines, and faults named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from coach.care.gate import ORDINARY
from coach.care.words import CareWords, load_words
from coach.errors import KnowledgeError
from coach.practice.talk import ROUTES
from coach.prompts import shipped

FOLDER = shipped("knowledge") / "care"
# Danger has words of its own, under `answers` in crisis.yaml.
WITHOUT_ANSWERS = {"urgent", "concern", *ORDINARY}


@pytest.fixture(scope="module")
def words() -> CareWords:
    return load_words(FOLDER)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The care files in a folder of their own, to be damaged."""
    return Path(shutil.copytree(FOLDER, tmp_path / "care"))


def test_words_every_kind_the_flow_can_meet_has_answers(words: CareWords) -> None:
    speechless = [name for name, kind in words.kinds.items() if not kind.answers]
    assert set(speechless) == WITHOUT_ANSWERS


def test_words_every_kind_has_a_second_answer_so_that_none_is_said_twice_running(words: CareWords) -> None:
    met = {name: kind for name, kind in words.kinds.items() if name not in WITHOUT_ANSWERS}
    assert [name for name, kind in met.items() if len(set(kind.answers)) < 2] == []


def test_words_every_routed_kind_is_known(words: CareWords) -> None:
    assert set(ROUTES) <= set(words.kinds)


def test_words_grief_is_flattened_to_its_parts(words: CareWords) -> None:
    assert {"grief.death_of_own", "grief.death_of_patient", "grief.other"} <= set(words.kinds)
    assert "grief" not in words.kinds


def test_words_crisis_answers_are_all_there(words: CareWords) -> None:
    assert {"urgent", "urgent_other", "concern", "after"} <= set(words.crisis)


@pytest.mark.parametrize("name", ["urgent", "urgent_other", "concern"])
def test_words_crisis_answer_has_room_for_the_lines_once(words: CareWords, name: str) -> None:
    assert words.crisis[name].count("{lines}") == 1


def test_words_after_a_crisis_does_not_repeat_the_lines(words: CareWords) -> None:
    assert "{" not in words.crisis["after"]


def test_words_not_covered_answers_name_what_is_nearest(words: CareWords) -> None:
    assert all(answer.count("{nearest}") == 1 for answer in words.kinds["not_covered"].answers)


def test_words_no_other_answer_holds_a_gap_that_nobody_fills(words: CareWords) -> None:
    others = {name: kind for name, kind in words.kinds.items() if name != "not_covered"}
    assert [name for name, kind in others.items() if any("{" in a for a in kind.answers)] == []


@pytest.mark.parametrize(("country", "contact"), [("GB", "116 123"), ("us", "988"), ("DE", "0800 1110111")])
def test_lines_for_country_gives_its_lines_and_the_international(
    words: CareWords, country: str, contact: str
) -> None:
    shown = words.lines_for(country)
    assert contact in shown
    assert "findahelpline.com" in shown


@pytest.mark.parametrize("country", ["", "XX", "international"])
def test_lines_for_unknown_country_gives_the_international_once(words: CareWords, country: str) -> None:
    shown = words.lines_for(country)
    assert shown.count("findahelpline.com") == 1
    assert shown.startswith("- ")


def test_lines_for_puts_one_line_on_each_row(words: CareWords) -> None:
    expected = len(words.lines["GB"]) + len(words.lines["international"])
    rows = words.lines_for("GB").splitlines()
    assert len(rows) == expected
    assert all(row.startswith("- ") for row in rows)


def test_lines_name_a_source_each(words: CareWords) -> None:
    assert all(line.source for lines in words.lines.values() for line in lines)


@pytest.mark.parametrize("name", ["crisis.yaml", "gate.yaml", "follow.yaml"])
def test_load_words_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(KnowledgeError, match=name):
        load_words(copied)


def test_load_words_unreadable_yaml_is_named(copied: Path) -> None:
    (copied / "gate.yaml").write_text("medical: [unclosed", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"gate\.yaml"):
        load_words(copied)


def test_load_words_unknown_key_is_a_fault(copied: Path) -> None:
    path = copied / "follow.yaml"
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    found["why"]["answerz"] = ["typo"]
    path.write_text(yaml.safe_dump(found), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="answerz"):
        load_words(copied)


def test_load_words_missing_crisis_answers_are_a_fault(copied: Path) -> None:
    path = copied / "crisis.yaml"
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    del found["answers"]
    path.write_text(yaml.safe_dump(found), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="answers"):
        load_words(copied)
