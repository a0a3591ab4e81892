"""Words of danger: the plain forms are seen, what only looks like them is let through."""

from __future__ import annotations

import pytest

from coach.care import crisis

URGENT = [
    "I want to kill myself",
    "I am suicidal and I have a shift at seven.",
    "im suicidal",
    "He has written a suicide note",
    "I keep thinking about ending my life",
    "I am ready to end it all tonight",
    "I have decided to die before the appraisal",
    "I don't want to wake up tomorrow",
    "I don’t want to be alive",
    "i took all the tablets from the drawer",
    "I swallowed 30 paracetamol after the night shift",
    "I have been cutting myself in the on-call room",
    "I wrote goodbye letters to the children",
    "I'm going to stab him in the car park",
    "my husband hit me when he saw my phone",
    "my partner strangled me on Friday",
]
CONCERN = [
    "They would all be better off without me",
    "There is no point going on",
    "I wish I was dead",
    "I wish I hadn't woken up",
    "I feel like a burden to the whole rota",
    "I can't go on any more",
    "I need to drink to sleep after every late",
    "Nobody would notice if I was gone",
    "I hate myself",
    "It started with self-harm at school",
]
LOOK_ALIKES = [
    "I nearly killed myself laughing at that reel",
    "killing myself laughing at the comments",
    "She is killing it on LinkedIn and I am dying of envy",
    "This rota will be the death of me",
    "My phone died in the middle of the live thread",
    "I could murder a coffee before I answer him",
    "I can't do this any more, Twitter takes every evening",
    "The post bombed, the second one went viral",
    "I want to end the thread with a joke",
    "Should I take down my profile picture?",
    "I was hurt by what he wrote",
    "A deadline is a deadline",
    "She hit me up on LinkedIn about a job",
    "I'm going to shoot them an email tonight",
    "I decided to end it with Twitter after two years",
    "I took 20 photos of the meds cupboard for a post",
    "I hurt myself at netball and missed the chat",
]
OF_THE_TRADE = [
    "A module on suicide note analysis and self-harm for the students",
    "Teaching slides: patients who harmed themselves, self-harm and the risk assessment",
    "How to write a thread on suicide prevention when a patient is suicidal again",
]


@pytest.mark.parametrize("text", URGENT)
def test_level_plain_danger_is_urgent(text: str) -> None:
    assert crisis.level(text) == "urgent"


@pytest.mark.parametrize("text", CONCERN)
def test_level_plain_worry_is_concern(text: str) -> None:
    assert crisis.level(text) == "concern"


@pytest.mark.parametrize("text", ["I am thinking about suicide", "thinking of suicide again"])
def test_level_suicide_named_outright_is_never_none(text: str) -> None:
    assert crisis.level(text) != "none"


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_level_harmless_look_alike_is_none(text: str) -> None:
    assert crisis.level(text) == "none"


@pytest.mark.parametrize("text", OF_THE_TRADE)
def test_level_words_of_the_trade_without_a_first_person_are_none(text: str) -> None:
    assert crisis.level(text) == "none"


def test_level_words_of_the_trade_hide_nobody_who_says_i() -> None:
    assert crisis.level("After a lecture on prevention I still want to kill myself") == "urgent"


def test_level_urgent_outweighs_concern() -> None:
    assert crisis.level("I feel like a burden. I want to die.") == "urgent"


def test_level_sees_capitals_and_typographic_apostrophes() -> None:
    assert crisis.level("I DON’T WANT TO LIVE") == "urgent"


@pytest.mark.parametrize("between", ["\n", "\t", "  ", "\u00a0"])
def test_level_sees_words_with_any_space_between_them(between: str) -> None:
    assert crisis.level("I want to kill myself".replace(" ", between)) == "urgent"


def test_level_empty_text_is_none() -> None:
    assert crisis.level("") == "none"


def test_signals_offsets_point_at_the_words() -> None:
    text = "Long day. I want to die, honestly."
    (signal,) = crisis.signals(text)
    assert signal.kind == "urgent"
    assert text[signal.start : signal.end] == "want to die"


def test_signals_name_every_place() -> None:
    found = crisis.signals("I hate myself and I want to die.")
    assert {signal.kind for signal in found} == {"urgent", "concern"}


@pytest.mark.parametrize(
    "text",
    [
        "My flatmate took all the tablets and does not wake up",
        "a friend posted goodbye and she is not answering",
        "He wrote a suicide note",
    ],
)
def test_about_other_danger_that_is_somebody_elses(text: str) -> None:
    assert crisis.about_other(text)


@pytest.mark.parametrize(
    "text",
    [
        "I want to die and my husband is asleep",
        "he hit me again and she saw it",
        "They would all cope, I am going to kill myself",
        "I have the tablets in front of me and she is asleep",
        "I've written the letters, he will find them",
        "I want to kill myself",
    ],
)
def test_about_other_names_of_others_do_not_hide_ones_own_danger(text: str) -> None:
    assert not crisis.about_other(text)
