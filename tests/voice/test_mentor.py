"""The mentor's written turns: one question, under 50 words, never twice, and in the mentee's own words."""

from __future__ import annotations

import pytest

from coach.build import Coach
from coach.library.cards import sentences
from coach.library.meeting import STYLES, TOPICS, Meeting, Topic
from coach.voice.ledger import plain
from coach.voice.listening import Heard
from coach.voice.mentor import MAX_WORDS, Move, Wanted, WrittenMentor

SAID = "I have two audits nobody reads"


@pytest.fixture(scope="module")
def meeting(coach: Coach) -> Meeting:
    return coach.meeting


@pytest.fixture(scope="module")
def mentor(meeting: Meeting) -> WrittenMentor:
    return WrittenMentor(meeting)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("move", ["deepen", "open", "easier", "back", "close"])
def test_turn_has_one_question_at_its_end_and_is_short(
    meeting: Meeting, mentor: WrittenMentor, style: str, move: Move
) -> None:
    for name in meeting.known:
        for difficulty in ("kind", "drifts"):
            wanted = Wanted(move, "needs", style, difficulty, difficulty == "drifts")  # type: ignore[arg-type]
            turn = mentor.turn(wanted, Heard(name, 0.9, {}), SAID, frozenset(), seed=len(name))
            assert turn.count("?") == 1, turn
            assert turn.endswith("?")
            assert len(turn.split()) <= MAX_WORDS
            assert "{" not in turn


@pytest.mark.parametrize("topic", TOPICS)
def test_turn_is_never_said_twice_while_another_is_left(mentor: WrittenMentor, topic: Topic) -> None:
    said: frozenset[str] = frozenset()
    for number in range(8):
        turn = mentor.turn(Wanted("open", topic, "gentle", "kind"), None, SAID, said, seed=number)
        new = {plain(s) for s in sentences(turn)}
        assert not new & said, turn
        said |= new


def test_turn_unsure_of_the_answer_uses_their_own_words(mentor: WrittenMentor) -> None:
    wanted = Wanted("open", "where", "structured", "kind")
    for heard in (None, Heard(None, 0.1, {}, SAID)):
        assert f"“{SAID}”" in mentor.turn(wanted, heard, SAID, frozenset(), seed=3).replace(".”", "”")


def test_turn_that_belongs_to_grief_asks_its_own_question(meeting: Meeting, mentor: WrittenMentor) -> None:
    wanted = Wanted("open", "next", "gentle", "kind")
    turn = mentor.turn(wanted, Heard("conduct/grief", 0.9, {}), "My mother died on Sunday", frozenset(), 1)
    grief = meeting.known["conduct/grief"][1]
    assert any(turn.endswith(question) for question in grief.ask["gentle"])
