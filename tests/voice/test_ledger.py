"""The ledger: what has been said, and which situation the coach's last words came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from coach.care.words import load_words
from coach.events import Turn
from coach.library.cards import Card, Situation, load_cards, sentences
from coach.prompts import shipped
from coach.voice.guided import numbered
from coach.voice.ledger import Ledger, Place, is_new, plain


@pytest.fixture(scope="module")
def cards() -> Sequence[Card]:
    return load_cards(shipped("knowledge") / "thread")


@pytest.fixture(scope="module")
def ledger(cards: Sequence[Card]) -> Ledger:
    return Ledger(cards)


def shown(text: str, cards: Sequence[Card]) -> str:
    """A written text as the person sees it, with [1] in place of [card-id]."""
    return numbered(text, {card.id: card.title for card in cards})[0]


def spoken(
    cards: Sequence[Card], texts: Callable[[Situation], list[str]]
) -> Iterator[tuple[Card, Situation, str]]:
    """Every text of every situation with the place where it stands."""
    for card in cards:
        for situation in card.situations:
            for text in texts(situation):
                yield card, situation, text


def test_ledger_finds_the_situation_of_every_shown_answer(ledger: Ledger, cards: Sequence[Card]) -> None:
    for card, situation, text in spoken(cards, lambda s: [a.text for a in s.answers]):
        reply = shown(text, cards)
        assert "[1]" in reply
        history = [Turn("user", "x"), Turn("assistant", reply)]
        assert ledger.place(history) == Place(card.id, situation.id)


def test_ledger_finds_the_situation_of_every_shown_follow_up(ledger: Ledger, cards: Sequence[Card]) -> None:
    def turns(s: Situation) -> list[str]:
        follow = s.follow
        return [follow.why, follow.how, follow.tried, *follow.answer, *(b.say for b in follow.but)]

    misplaced = [
        text
        for card, situation, text in spoken(cards, turns)
        if ledger.place([Turn("assistant", shown(text, cards))]) != Place(card.id, situation.id)
    ]
    assert misplaced == []


def test_ledger_neutral_answer_has_a_card_and_no_situation(ledger: Ledger, cards: Sequence[Card]) -> None:
    for card in cards:
        for answer in card.neutral:
            assert ledger.place([Turn("assistant", shown(answer.text, cards))]) == Place(card.id, None)


def test_place_is_none_before_any_written_words(ledger: Ledger) -> None:
    assert ledger.place([]) is None
    assert ledger.place([Turn("user", "Hello"), Turn("assistant", "Hello. What is it?")]) is None


def test_place_words_of_care_stand_in_no_situation(ledger: Ledger) -> None:
    """After words of grief, say, the next message must not be taken up in some card's situation."""
    words = load_words(shipped("knowledge") / "care")
    spoken = [answer for kind in words.kinds.values() for answer in kind.answers]
    spoken += words.crisis.values()
    assert [text for text in spoken if ledger.place([Turn("assistant", text)]) is not None] == []


def test_place_goes_by_the_latest_written_words(ledger: Ledger, cards: Sequence[Card]) -> None:
    first, last = cards[0].situations[0], cards[-1].situations[0]
    history = [
        Turn("assistant", shown(first.answers[0].text, cards)),
        Turn("user", "and then?"),
        Turn("assistant", shown(last.answers[0].text, cards)),
        Turn("user", "thanks"),
    ]
    assert ledger.place(history) == Place(cards[-1].id, last.id)


def test_place_looks_past_a_turn_of_other_words(ledger: Ledger, cards: Sequence[Card]) -> None:
    situation = cards[0].situations[0]
    history = [
        Turn("assistant", shown(situation.answers[0].text, cards)),
        Turn("assistant", "Until another time, then. What you said stays on this computer."),
    ]
    assert ledger.place(history) == Place(cards[0].id, situation.id)


def test_place_does_not_listen_to_the_person_quoting_the_coach(ledger: Ledger, cards: Sequence[Card]) -> None:
    quoted = shown(cards[0].situations[0].answers[0].text, cards)
    assert ledger.place([Turn("user", quoted)]) is None


def test_said_holds_the_coachs_sentences_only(ledger: Ledger) -> None:
    said = ledger.said([Turn("user", "My own words."), Turn("assistant", "One thing [1]. And another?")])
    assert said == {"one thing", "and another"}


def test_is_new_is_false_for_a_sentence_said_with_another_number(ledger: Ledger) -> None:
    said = ledger.said([Turn("assistant", "Anger picks its target first [2].")])
    assert not is_new("Anger picks its target first [not-when-angry]. And then?", said)
    assert is_new("Anger is patient.", said)


@pytest.mark.parametrize(
    "same", ["It is out [1].", "It is out [not-when-angry].", "it is out", "It  is—out!", "“It is out.”"]
)
def test_plain_drops_citations_case_and_punctuation(same: str) -> None:
    assert plain(same) == "it is out"


def test_shown_answers_keep_their_sentences_apart(cards: Sequence[Card]) -> None:
    """The ledger rests on it: numbering marks must not change where sentences are cut."""
    for _, _, text in spoken(cards, lambda s: [a.text for a in s.answers]):
        written = [plain(sentence) for sentence in sentences(text)]
        assert [plain(sentence) for sentence in sentences(shown(text, cards))] == written
