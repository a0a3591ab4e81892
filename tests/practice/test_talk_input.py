"""What may be typed into Talk: nothing, too much, hidden marks, markup."""

from __future__ import annotations

import pytest

from coach.build import Coach
from coach.events import Reply, Turn
from coach.practice.talk import MAX_CHARACTERS, Talk, cleaned


@pytest.fixture
def talk(coach: Coach) -> Talk:
    return coach.ready()


def answer(talk: Talk, message: str) -> Reply:
    *_, reply = talk.reply([Turn("user", message)])
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.parametrize("message", ["", "   \n\t ", "\u200b\u202e\u2066", "\x00\x07"])
def test_talk_nothing_typed_is_met_kindly(talk: Talk, coach: Coach, message: str) -> None:
    reply = answer(talk, message)
    assert (reply.route, reply.kind, reply.reply) == ("refused", "empty", coach.phrases["empty"][0])


def test_talk_message_of_a_megabyte_is_refused(talk: Talk) -> None:
    reply = answer(talk, "long " * 200_000)
    assert (reply.route, reply.kind) == ("refused", "too_long")


def test_talk_longest_allowed_message_is_taken(talk: Talk) -> None:
    reply = answer(talk, "I feel like an impostor. ".ljust(MAX_CHARACTERS, "x"))
    assert reply.kind != "too_long"


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u200f", "\x00", "\ufeff", "\u00ad"])
def test_talk_marks_inside_words_hide_no_danger(talk: Talk, hidden: str) -> None:
    reply = answer(talk, f"I want to k{hidden}ill mys{hidden}elf")
    assert reply.route == "crisis"


@pytest.mark.parametrize(
    "between", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u00a0", "\t", "  "]
)
def test_talk_unusual_space_between_words_hides_no_danger(talk: Talk, between: str) -> None:
    """A text pasted from a word processor breaks its lines with such characters."""
    reply = answer(talk, f"I want to{between}kill{between}myself")
    assert reply.route == "crisis"


def test_talk_script_tags_do_not_come_back(talk: Talk) -> None:
    reply = answer(talk, "<script>alert('x')</script> I feel like an impostor on MedTwitter")
    assert "<script" not in reply.reply


def test_cleaned_keeps_text_and_line_breaks() -> None:
    assert cleaned(" Ein Mädchen, 3 年, “so”!\nnext\tcolumn ") == "Ein Mädchen, 3 年, “so”!\nnext\tcolumn"


def test_cleaned_shortens_long_gaps() -> None:
    assert cleaned("one\n\n\n\n\ntwo") == "one\n\ntwo"
