"""Echo and numbering: the person's own words copied exactly, marks counted as they appear."""

from __future__ import annotations

import pytest

from coach.library.cards import Echo, Situation, load_cards
from coach.prompts import shipped
from coach.voice.guided import echo, numbered


@pytest.fixture(scope="module")
def situation() -> Situation:
    return load_cards(shipped("knowledge") / "thread")[0].situations[0]


def echoing(situation: Situation, **given: object) -> Situation:
    """A real situation with an echo of our own."""
    return situation.model_copy(update={"echo": Echo.model_validate(given)})


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Eleven? No, 1,204 views after a week", "1,204 views is a number."),
        ("I got 3 likes on it", "3 likes is a number."),
        ("I got 3 likes and 40 views", None),
        ("I got likes", None),
        ("I got 12 replies", None),
        ("My colleague posted it and got 40 views", None),
    ],
)
def test_echo_copies_the_one_number_that_is_there(
    situation: Situation, message: str, expected: str | None
) -> None:
    inviting = echoing(situation, kinds=["number"], nouns=["views", "likes"], open="{echo} is a number.")
    assert echo(inviting, message) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('He wrote "This is basic" under it', "“This is basic” was the word."),
        ("He wrote “so  what?” under it", "“so  what?” was the word."),
        ("He wrote “yes” and then “no way”", None),
        ("He wrote “one two three four five six seven eight nine”", None),
        ("He wrote nothing", None),
    ],
)
def test_echo_copies_the_one_quotation_that_is_there(
    situation: Situation, message: str, expected: str | None
) -> None:
    inviting = echoing(situation, kinds=["quote"], open="{echo} was the word.")
    assert echo(inviting, message) == expected


def test_echo_is_none_where_the_situation_invites_none(situation: Situation) -> None:
    assert echo(situation.model_copy(update={"echo": None}), "40 views") is None


def test_numbered_counts_cards_in_order_of_appearance() -> None:
    shown, citations = numbered("One [b]. Two [a]. Three [b].", {"a": "Card A", "b": "Card B"})
    assert shown == "One [1]. Two [2]. Three [1]."
    assert [(c.n, c.card, c.title) for c in citations] == [(1, "b", "Card B"), (2, "a", "Card A")]
