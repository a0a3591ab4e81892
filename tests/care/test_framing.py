"""Words about a draft are told from the draft by what the reading says of each word."""

from __future__ import annotations

import re

import pytest

from coach.care.framing import draft_in

DRAFT = "Coffee helps. Sleep helps more."


def drafted(text: str, said_about: str) -> str:
    """What is left of `text` when the words of `said_about` have high odds of not being the draft's."""
    words = set(re.findall(r"\w+", said_about))
    asides = [
        (m.start(), m.end(), 3.0 if m[0] in words else -3.0 if m[0].isalnum() else 0.0)
        for m in re.finditer(r"\w+|[^\w\s]", text)
    ]
    start, end = draft_in(text, asides)
    return text[start:end]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("proud of this one:\n", ""),
        ("Should I post it? ", ""),
        ("", "\n\nbe honest, is it bad?"),
        ("", " Too much?"),
        ("proud of this one - ", " be honest, is it bad?"),
        ("here is the post: “", "” too much?"),
        ("my wife hates it but ", ""),
    ],
)
def test_draft_in_leaves_the_draft(before: str, after: str) -> None:
    assert drafted(before + DRAFT + after, before + after) == DRAFT


def test_draft_in_leaves_what_stands_between_alone() -> None:
    text = "Coffee helps. Should I post it? Sleep helps more."
    assert drafted(text, "Should I post it") == text


def test_draft_in_never_takes_everything() -> None:
    assert drafted("Should I post it?", "Should I post it")
    assert draft_in("", ()) == (0, 0)


def test_draft_in_keeps_a_doubtful_line() -> None:
    text = "Thoughts? " + DRAFT
    asides = [
        (0, 8, 0.2),
        (8, 9, -0.4),
        *((m.start(), m.end(), -2.0) for m in re.finditer(r"\w+", text) if m.start() > 9),
    ]
    assert draft_in(text, asides) == (0, len(text))


def test_draft_in_keeps_quotation_marks_that_are_the_drafts_own() -> None:
    text = "“Coffee helps” is what they say. “Sleep helps more” is true."
    assert drafted(text, "nothing") == text
