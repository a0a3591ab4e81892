"""What a message states outright, and which presumptions that rules out."""

from __future__ import annotations

import pytest

from coach.library.cards import Presumption
from coach.voice.stated import contradicts, stated


@pytest.mark.parametrize(
    ("message", "fact"),
    [
        ("I haven't posted it yet", "unsent"),
        ("I haven’t sent it", "unsent"),
        ("Should I share the picture of the team?", "unsent"),
        ("I am tempted to reply to him", "unsent"),
        ("It has been sitting in my drafts since Sunday", "unsent"),
        ("My thumb is hovering over it", "unsent"),
        ("I just posted about our clinic", "sent"),
        ("my last tweet got four likes", "sent"),
        ("I hit send at midnight", "sent"),
        ("I put it up this morning", "sent"),
        ("I have never had an account", "no-account"),
        ("I'm not on social media at all", "no-account"),
        ("Should I join Twitter?", "no-account"),
        ("My followers are mostly bots", "account"),
        ("I scroll until two", "account"),
        ("I have 1,200 followers", "account"),
        ("A colleague posted a photo of the ward", "other"),
        ("she has just tweeted about me", "other"),
        ("My mother died in March", "bereaved"),
        ("After the funeral I opened the app", "bereaved"),
        ("I am so proud of the thread", "proud"),
    ],
)
def test_stated_plain_words_name_the_fact(message: str, fact: Presumption) -> None:
    assert fact in stated(message)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "I do not know what to think of it.",
        "How do people find the time?",
        "The mentor meeting is on Thursday",
        "What is a thread?",
    ],
)
def test_stated_is_silent_when_nothing_is_said_outright(message: str) -> None:
    assert stated(message) == frozenset()


def test_stated_sent_and_unsent_together_mean_neither_is_sure() -> None:
    facts = stated("I posted one version, the other is still in my drafts")
    assert not facts & {"sent", "unsent"}


def test_stated_account_and_no_account_together_mean_neither_is_sure() -> None:
    facts = stated("I never had an account of my own, I scroll on my wife's phone")
    assert not facts & {"account", "no-account"}


def test_stated_colleagues_post_is_not_the_persons_own() -> None:
    assert "sent" not in stated("My registrar posted a photo of the whole team")


@pytest.mark.parametrize(
    ("presumes", "message"),
    [
        (["sent"], "It is still in my drafts"),
        (["unsent"], "I posted it last night"),
        (["account"], "I am not on social media"),
        (["no-account"], "I have 300 followers"),
        (["angry", "sent"], "I have not sent it"),
    ],
)
def test_contradicts_presumption_the_message_denies(presumes: list[Presumption], message: str) -> None:
    assert contradicts(presumes, stated(message))


@pytest.mark.parametrize(
    ("presumes", "message"),
    [
        ([], "I posted it last night"),
        (["sent"], "I posted it last night"),
        (["sent", "angry"], "I do not know what to think of it."),
        (["account"], "I scroll until two"),
        (["own"], "It is still in my drafts"),
    ],
)
def test_contradicts_nothing_where_the_message_agrees_or_is_silent(
    presumes: list[Presumption], message: str
) -> None:
    assert not contradicts(presumes, stated(message))
