"""A worded mentor turn is shown only if it is fit; else a written one is said."""

from __future__ import annotations

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from coach.build import Coach
from coach.voice.free_mentor import FreeMentor, is_fit
from coach.voice.listening import Heard
from coach.voice.mentor import Wanted, WrittenMentor

ANSWER = "I have two audits nobody reads"
GOOD = "Two audits that nobody reads: that stings. Which of the two would you rescue first?"


@pytest.mark.parametrize(
    "worded",
    [
        "Two audits. Why? And who asked for them?",
        "Your audits sound like a lot of work.",
        "Mentee: I have audits.\nWhat now?",
        "As an AI I have no audits, but what would you like?",
        "What do you enjoy about your garden at home these days?",
        "Your audits " + "go on and on " * 15 + "do they not?",
        "For audits like these you could sue your employer, or would you not?",
    ],
)
def test_is_fit_turns_away(worded: str) -> None:
    assert not is_fit(worded, ANSWER, frozenset())


def test_is_fit_lets_a_good_turn_through_once() -> None:
    assert is_fit(GOOD, ANSWER, frozenset())
    assert not is_fit(GOOD, ANSWER, frozenset({"which of the two would you rescue first"}))


def mentor(coach: Coach, *replies: str) -> FreeMentor:
    return FreeMentor(FakeListChatModel(responses=list(replies)), WrittenMentor(coach.meeting))


def test_turn_tries_once_more_and_then_says_a_written_one(coach: Coach) -> None:
    wanted = Wanted("open", "where", "gentle", "kind")
    assert mentor(coach, "No question here.", GOOD).turn(wanted, None, ANSWER, frozenset(), 1) == GOOD
    written = WrittenMentor(coach.meeting).turn(wanted, None, ANSWER, frozenset(), 1)
    assert mentor(coach, "No.", "Never.", GOOD).turn(wanted, None, ANSWER, frozenset(), 1) == written


def test_turn_to_grief_is_never_left_to_a_model(coach: Coach) -> None:
    wanted, heard = Wanted("deepen", "where", "gentle", "kind"), Heard("conduct/grief", 0.9, {})
    assert mentor(coach, GOOD).turn(wanted, heard, ANSWER, frozenset(), 1) != GOOD
