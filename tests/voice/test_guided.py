"""The guided voice: written answers, one situation at a time, nothing twice, no guess where it is unsure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from coach.build import Coach
from coach.classifier import LinearClassifier
from coach.events import Reply, Turn
from coach.library.cards import sentences
from coach.voice.exchanges import Exchanges
from coach.voice.guided import FOLLOW_FILE, OFFERED, GuidedVoice, Heard
from coach.voice.ledger import plain
from coach.voice.recogniser import RECOGNISER_FILE, Recogniser

CLEAR = [
    "I feel like an impostor on MedTwitter",
    "I would like to start somewhere, and I do not know where",
    "My first meeting with my mentor is on Thursday",
    "I wrote something furious to a surgeon and it is still in my drafts",
]
UNCLEAR = ["something happened", "I don't know, it's just everything", "not sure"]
FOLLOW_UPS = [
    "why would that help?",
    "how do I begin with that?",
    "I tried that already",
    "but everybody else does it",
    "last Tuesday, in the canteen",
    "mostly the young ones, I suppose",
    "and then?",
    "I don't know",
]


class Conversation:
    """A person talking to the guided voice; keeps the history as the page would."""

    def __init__(self, coach: Coach, voice: GuidedVoice) -> None:
        self._coach, self._voice = coach, voice
        self.history: list[Turn] = []

    def say(self, message: str) -> Reply:
        vector, sense = (e.encode([message])[0] for e in (self._coach.encoder, self._coach.tuned))
        reply = self._voice.speak(Heard(message, tuple(self.history), vector, sense))
        self.history += [Turn("user", message), Turn("assistant", reply.reply)]
        return reply


Begin = Callable[[], Conversation]


@pytest.fixture(scope="module")
def recogniser(coach: Coach) -> Recogniser:
    return Recogniser(coach.cards, LinearClassifier.load(coach.index / RECOGNISER_FILE))


@pytest.fixture(scope="module")
def begin(coach: Coach, recogniser: Recogniser) -> Begin:
    follow = LinearClassifier.load(coach.index / FOLLOW_FILE)
    exchanges = Exchanges.load(coach.cards, coach.next_encoder, coach.index)
    voice = GuidedVoice(coach.cards, recogniser, follow, exchanges, coach.encoder, coach.tuned, coach.phrases)
    return lambda: Conversation(coach, voice)


def told(replies: Sequence[Reply]) -> list[str]:
    return [plain(sentence) for reply in replies for sentence in sentences(reply.reply)]


@pytest.mark.parametrize("message", CLEAR)
def test_guided_first_answer_is_a_written_one_that_cites_its_card(
    begin: Begin, recogniser: Recogniser, message: str
) -> None:
    reply = begin().say(message)
    assert reply.situation is not None
    written = recogniser.situations[reply.situation].answers
    assert plain(reply.reply) in {plain(answer.text) for answer in written}
    assert recogniser.card_of[reply.situation] in {citation.card for citation in reply.citations}
    assert all(f"[{citation.n}]" in reply.reply for citation in reply.citations)


def test_guided_answer_is_told_as_the_cards_words(begin: Begin) -> None:
    reply = begin().say(CLEAR[0])
    assert {(s.support, s.origin) for s in reply.sentences} == {(1.0, "card")}
    assert " ".join(s.text for s in reply.sentences) == reply.reply


def test_guided_says_nothing_twice_over_eight_follow_ups(begin: Begin) -> None:
    talk = begin()
    everything = told([talk.say(message) for message in (CLEAR[0], *FOLLOW_UPS)])
    assert [s for s in everything if everything.count(s) > 1] == []


def test_guided_says_nothing_twice_however_little_the_person_adds(begin: Begin, coach: Coach) -> None:
    twice = []
    for card in (card for card in coach.cards if card.situations):
        talk = begin()
        everything = told([talk.say(m) for m in (card.situations[0].choice, *["go on"] * 8)])
        twice += [(card.id, s) for s in set(everything) if everything.count(s) > 1]
    assert twice == []


def test_guided_follow_up_stays_in_its_situation(begin: Begin, recogniser: Recogniser) -> None:
    talk = begin()
    first = talk.say(CLEAR[0])
    assert first.situation is not None
    follow = recogniser.situations[first.situation].follow
    why = talk.say("why would that help?")
    assert (why.situation, why.kind) == (first.situation, "why")
    assert plain(why.reply) == plain(follow.why)


def test_guided_hears_a_question_that_has_a_written_answer(begin: Begin, recogniser: Recogniser) -> None:
    talk = begin()
    talk.say("Many people are attacking me at once")
    reply = talk.say("so do i take it down or leave it up")
    met = {e.id: e for e in recogniser.situations["pile-on"].next}[reply.kind]
    assert "so do i take it down or leave it up" in met.examples
    assert plain(reply.reply) == plain(met.say)


def test_guided_reads_again_when_more_is_told(begin: Begin) -> None:
    talk = begin()
    first = talk.say("put a lot of work into it and now I feel flat")
    later = talk.say(
        "my mentor has not answered any of my three emails since february, and we should meet monthly"
    )
    assert later.situation == "mentor-went-quiet" != first.situation


@pytest.mark.parametrize(
    ("message", "cards"),
    [
        (
            "My first meeting with my mentor is on Thursday and I have no idea what to ask",
            {"four-questions", "the-mentees-effort"},
        ),
        ("On a different note, which platform should a beginner start with?", {"first-steps"}),
    ],
)
def test_guided_clear_change_of_subject_is_followed(
    begin: Begin, recogniser: Recogniser, message: str, cards: set[str]
) -> None:
    talk = begin()
    talk.say(CLEAR[0])
    reply = talk.say(message)
    assert reply.situation is not None
    assert recogniser.card_of[reply.situation] in cards


def test_guided_tapped_choice_answers_that_situation(begin: Begin, recogniser: Recogniser) -> None:
    for situation in recogniser.situations.values():
        reply = begin().say(situation.choice)
        assert (reply.situation, reply.confidence) == (situation.id, 1.0)


def test_guided_choice_tapped_again_is_answered_in_other_words(begin: Begin, recogniser: Recogniser) -> None:
    talk, choice = begin(), recogniser.situations["hot-draft-unsent"].choice
    everything = told([talk.say(choice) for _ in range(3)])
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("message", UNCLEAR)
def test_guided_asks_back_with_three_choices_where_it_is_unsure(
    begin: Begin, recogniser: Recogniser, message: str
) -> None:
    reply = begin().say(message)
    assert (reply.route, reply.situation, reply.citations) == ("ask_back", None, ())
    assert len({choice.situation for choice in reply.choices}) == OFFERED
    assert all(recogniser.situations[c.situation].choice == c.text for c in reply.choices)


def test_guided_choice_that_was_offered_can_be_tapped(begin: Begin) -> None:
    talk = begin()
    offered = talk.say(UNCLEAR[0]).choices[1]
    assert talk.say(offered.text).situation == offered.situation


def test_guided_asks_back_in_new_words_and_then_answers(begin: Begin) -> None:
    talk = begin()
    first, second = talk.say(UNCLEAR[0]), talk.say("it is none of these")
    assert second.reply != first.reply


def test_guided_misunderstood_asks_back_without_the_wrong_situation(begin: Begin) -> None:
    talk = begin()
    first = talk.say(CLEAR[0])
    reply = talk.say("that is not what I meant at all")
    assert reply.route == "ask_back"
    assert len(reply.choices) == OFFERED
    assert first.situation not in {choice.situation for choice in reply.choices}


def test_guided_after_a_misunderstanding_the_whole_story_counts(begin: Begin, recogniser: Recogniser) -> None:
    """The words of the complaint ("not what I meant") are not what the person came with."""
    talk = begin()
    talk.say("My first meeting with my mentor is on Thursday")
    talk.say("that is not what I meant at all")
    reply = talk.say("what I should ask him, I mean")
    places = [reply.situation] if reply.situation else [c.situation for c in reply.choices]
    cards = {recogniser.card_of[name] for name in places} | {c.card for c in reply.citations}
    assert cards & {"four-questions", "the-mentees-effort"}


@pytest.mark.parametrize(
    "message",
    [
        "I wrote something furious to a surgeon and it is still in my drafts",
        "I haven't posted the story about my patient yet, should I?",
        "Should I post the picture of the whole team after the arrest?",
        "My thread about sepsis is finished but I have not shared it and I feel silly",
        "I am tempted to reply to the professor who belittled me",
    ],
)
def test_guided_never_presumes_sent_what_is_said_to_be_unsent(
    begin: Begin, recogniser: Recogniser, message: str
) -> None:
    reply = begin().say(message)
    spoken_of = {reply.situation, *(choice.situation for choice in reply.choices)} - {None}
    assert [name for name in spoken_of if name and "sent" in recogniser.situations[name].presumes] == []


def test_guided_follow_up_that_says_unsent_leaves_what_presumes_sent(
    begin: Begin, recogniser: Recogniser
) -> None:
    wrong = []
    for situation in (s for s in recogniser.situations.values() if "sent" in s.presumes):
        talk = begin()
        talk.say(situation.choice)
        reply = talk.say("I haven't posted it yet, it is still in my drafts")
        if reply.situation and "sent" in recogniser.situations[reply.situation].presumes:
            wrong.append((situation.id, reply.situation))
    assert wrong == []
