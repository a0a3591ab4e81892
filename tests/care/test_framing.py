"""Words about a draft are told from the draft by whole sentences at its ends."""

from __future__ import annotations

import pytest

from coach.care.framing import Framing, segments

ASIDE = {"I'm proud of this one:", "be honest, is it bad?", "Should I post this?"}
MAYBE = {"Nothing more to say.", "Nothing more to say, you fools!"}


@pytest.fixture
def framing() -> Framing:
    return Framing(
        lambda text: 1.0 if text in ASIDE else 0.3 if text in MAYBE else 0.0, lambda text: 0.9 * ("!" in text)
    )


def drafted(framing: Framing, text: str) -> str:
    start, end = framing.draft_in(text)
    return text[start:end]


@pytest.mark.parametrize(
    "text",
    [
        "I'm proud of this one:\nCoffee helps. Sleep helps more.",
        "Should I post this? Coffee helps. Sleep helps more.",
        "Coffee helps. Sleep helps more.\n\nbe honest, is it bad?",
        "I'm proud of this one:\n\nCoffee helps. Sleep helps more. be honest, is it bad?",
    ],
)
def test_framing_leaves_the_draft(framing: Framing, text: str) -> None:
    assert drafted(framing, text) == "Coffee helps. Sleep helps more."


def test_framing_looks_at_the_ends_only_and_never_takes_all(framing: Framing) -> None:
    text = "Coffee helps. Should I post this? Sleep helps more."
    assert drafted(framing, text) == text
    assert drafted(framing, "Should I post this?") == "Should I post this?"
    both = "Should I post this? be honest, is it bad?"
    assert drafted(framing, both)


def test_framing_leaves_a_doubtful_line_out_only_where_nothing_in_it_counts(framing: Framing) -> None:
    assert drafted(framing, "Coffee helps a lot.\n\nNothing more to say.") == "Coffee helps a lot."
    angry = "Coffee helps a lot.\n\nNothing more to say, you fools!"
    assert drafted(framing, angry) == angry
    one_line = "Coffee helps a lot. Nothing more to say."
    assert drafted(framing, one_line) == one_line


def test_segments_cover_lines_and_sentences() -> None:
    text = "  One. Two!\n\nThree: four"
    assert [text[a:b] for a, b in segments(text)] == ["One.", "Two!", "Three:", "four"]
    assert segments("") == [(0, 0)]
