"""What is said back is copied letter for letter, and is worth saying back."""

from __future__ import annotations

import pytest

from coach.voice.said import LEAST, MOST, pieces, said_back


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I have two audits nobody reads", "I have two audits nobody reads"),
        (
            "tbh I'm here because my boss said it'd look good on the form",
            "I'm here because my boss said it'd look good on the form",
        ),
        ("I'm a ditherer but I am not a no-show.", "I'm a ditherer but I am not a no-show"),
        ("Could you tell me what you would do?", None),
        ("Well, um, honestly: I failed the exam twice.", "I failed the exam twice"),
        ("I have no plans to become a consultant", "I have no plans to become a consultant"),
        ("no plans to become one", "no plans to become one"),
        ("yes", None),
        ("", None),
        ("…!?", None),
    ],
)
def test_said_back_picks_the_telling_words(text: str, said: str | None) -> None:
    assert said_back(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "I’ve worked in the same unit for eleven years. I don’t know — honestly — what I miss.",
        "six committees, first year consultant, two kids under four, a mother-in-law in Leeds",
        "line one\nline two is a bit longer than that\n\nand a third, (in brackets) too",
        "Ich möchte gern forschen, aber ich weiß nicht wie, und meine Chefin auch nicht.",
    ],
)
def test_pieces_stand_in_the_text_and_are_short(text: str) -> None:
    found = list(pieces(text))
    assert found
    for piece in found:
        assert piece in text
        assert LEAST <= len(piece.split()) <= MOST


def test_pieces_never_hold_marks_that_would_break_a_quotation() -> None:
    text = 'he said "go home" and I wrote to @boss about it all'
    assert not any(mark in piece for piece in pieces(text) for mark in ('"', "“", "@"))
