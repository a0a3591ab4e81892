"""A safer version as a careful editor would make it: whole words, few edits, nothing torn."""

from __future__ import annotations

import re

import pytest

from coach.care.reading import Edit
from coach.care.rewrite import REWORDED, edited, replaced, sentences_of, tidied
from coach.events import Span

STAYS, GOES = -5.0, 5.0


def marked(text: str, *gone: tuple[str, str]) -> list[Edit]:
    """The tokens of `text`, of which an editor takes out each first of `gone` and puts in each second."""
    places = [(text.index(old), text.index(old) + len(old), put) for old, put in gone]
    edits = []
    for match in re.finditer(r"\w+|[^\w\s]", text):
        start, end = match.span()
        put = next((put for a, b, put in places if a <= start < b), None)
        edits.append(Edit(start, end, STAYS if put is None else GOES, put or ""))
    return edits


def made(text: str, *gone: tuple[str, str]) -> str:
    return edited(text, marked(text, *gone))


@pytest.mark.parametrize(
    ("text", "gone", "after"),
    [
        ("We lost a 4yo boy last night.", [("4yo boy last night", "child")], "We lost a child."),
        ("Last night in resus a man sang.", [("Last night in resus", "once")], "Once a man sang."),
        ("Last night a man sang.", [("Last night", "")], "A man sang."),
        ("A man, 87, from Truro, sang.", [(", 87, from Truro,", "")], "A man sang."),
        ("I saw a midwife cry.", [("midwife", "aunt")], "I saw an aunt cry."),
        ("I saw an aunt cry.", [("aunt", "nurse")], "I saw a nurse cry."),
        ("she's the reg who cried in bay 4", [(" in bay 4", "")], "she's the reg who cried"),
        ("Bad day. He was 61, a vicar. Hug your people.", [("He was 61, a vicar", REWORDED)], "Bad day. Hug your people."),
    ],
)  # fmt: skip
def test_edited_takes_out_and_puts_in_so_that_the_rest_closes_up(
    text: str, gone: list[tuple[str, str]], after: str
) -> None:
    assert made(text, *gone) == after


def test_edited_leaves_the_rest_as_it_was() -> None:
    text = "Bad night. We lost one. Hug your people.\n\nGoodnight #ICU"
    assert made(text) == text


def test_edited_takes_out_no_half_words() -> None:
    text = "She'd been well."
    edits = [Edit(0, 3, STAYS, ""), Edit(3, 4, GOES, ""), Edit(4, 5, GOES, "")]
    edits += [Edit(6, 10, STAYS, ""), Edit(11, 15, STAYS, ""), Edit(15, 16, STAYS, "")]
    assert edited(text, edits) == "Been well."


def test_edited_is_bolder_with_a_greater_lean() -> None:
    text = "In Truro, on Sunday, she sang."
    edits = [Edit(e.start, e.end, e.odds + 5.5 * (e.start < 20), e.put) for e in marked(text)]
    assert edited(text, edits) == text
    assert edited(text, edits, lean=2.0) == "She sang."


def test_edited_takes_out_what_must_go() -> None:
    text = "Ring me on 07700 900341."
    assert edited(text, marked(text), out=[Span("phone", 11, 23, 1.0)]) == "Ring me on."


def test_replaced_leaves_a_gap_between_words() -> None:
    assert replaced("seen byAnn today", 7, 10, "someone") == "seen by someone today"


@pytest.mark.parametrize("text", ["One,  , two .", "( ) empty", "a, . b", ", leading", "…and then"])
def test_tidied_leaves_no_gaps(text: str) -> None:
    after = tidied(text)
    assert "  " not in after
    assert " ." not in after
    assert "( )" not in after
    assert not after.startswith(",")


def test_sentences_are_all_of_the_text() -> None:
    text = "Version 3.12 is out.\nWho knew? “Not me.” ok"
    assert "".join(sentences_of(text)) == text
    assert len(sentences_of(text)) == 4
