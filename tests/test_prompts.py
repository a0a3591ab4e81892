"""Prompts: every template renders, a missing variable is an error, nothing is escaped."""

from __future__ import annotations

from typing import Any

import pytest

from coach.errors import CoachError
from coach.events import Passage
from coach.prompts import render, shipped

PASSAGES = [Passage(f"card-{n}", f"Title {n}", f"Text {n}.", "s", 1.0, 0.5) for n in (1, 2)]
VALUES: dict[str, dict[str, Any]] = {
    "coach": {},
    "question": {"passages": PASSAGES, "message": "What now?"},
    "mentor": {"style": "gentle", "difficulty": "hard", "field": "paediatrics", "about": "why they joined"},
    "safer": {"draft": "What a night.", "changes": ["Take out the heat."]},
    "situation": {"examples": ["first  one\nover two lines", "second one"]},
}


def test_prompts_every_template_is_known_here() -> None:
    assert {path.stem for path in shipped("prompts").glob("*.jinja")} == set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_render_leaves_no_template_marks(name: str) -> None:
    text = render(name, **VALUES[name])
    assert text
    assert not any(mark in text for mark in ("{{", "{%", "}}"))


@pytest.mark.parametrize(
    ("name", "missing"), [("question", "message"), ("question", "passages"), ("situation", "examples")]
)
def test_render_missing_variable_is_named(name: str, missing: str) -> None:
    values = {key: value for key, value in VALUES[name].items() if key != missing}
    with pytest.raises(CoachError, match=missing):
        render(name, **values)


def test_render_unknown_prompt_is_named() -> None:
    with pytest.raises(CoachError, match="no-such-prompt"):
        render("no-such-prompt")


def test_render_question_numbers_the_notes_and_ends_with_the_message() -> None:
    text = render("question", **VALUES["question"])
    assert "[1] Text 1." in text
    assert "[2] Text 2." in text
    assert text.endswith("Message: What now?")


def test_render_escapes_nothing() -> None:
    text = render("question", passages=PASSAGES, message="Is <b>it</b> Tom's & mine?")
    assert "Is <b>it</b> Tom's & mine?" in text


def test_render_message_is_text_and_never_a_template() -> None:
    text = render("question", passages=PASSAGES, message="{{ passages }} {% include 'coach' %}")
    assert text.endswith("{{ passages }} {% include 'coach' %}")


def test_render_situation_puts_each_example_on_one_line() -> None:
    lines = [line.strip() for line in render("situation", **VALUES["situation"]).splitlines()]
    assert lines[1:] == ["first one over two lines", "second one"]


def test_shipped_folders_are_there() -> None:
    assert (shipped("knowledge") / "thread").is_dir()
    assert (shipped("knowledge") / "care" / "crisis.yaml").is_file()
