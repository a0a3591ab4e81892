"""The quoting voice: the notes' own sentences, numbered, nothing twice, and one question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from coach.events import Found, Passage, Reply, Turn
from coach.library.embedder import MiniLM
from coach.voice.quoted import QUOTED, QuotedVoice

ENDINGS = ["Is that the part you were looking for?", "Does that help with what you had in mind?"]
NOTES = {
    "rota": "Swaps are agreed by Thursday noon. Nights are paid from eight. The rota is on the door.",
    "posting": "Never post a picture from the ward. The press office answers within 2 days",
    "parking": "Car park B opens at six. Bicycles stand behind the kitchen.",
    "kitchen": "The kitchen closes at nine.",
}


def found(*names: str, covered: bool = True) -> Found:
    return Found(
        tuple(
            Passage(name, name.title(), NOTES[name], f"{name}.md", score=1.0, similarity=0.5)
            for name in names
        ),
        covered=covered,
        confidence=0.7,
    )


@pytest.fixture(scope="module")
def voice(encoder: MiniLM) -> QuotedVoice:
    return QuotedVoice(encoder, {"quoted_end": ENDINGS})


def ask(
    voice: QuotedVoice, encoder: MiniLM, message: str, notes: Found, history: Sequence[Turn] = ()
) -> Reply:
    return voice.speak(notes, history, encoder.encode([message])[0])


def test_quoted_says_the_best_sentence_word_for_word(voice: QuotedVoice, encoder: MiniLM) -> None:
    reply = ask(voice, encoder, "may I post a picture from the ward?", found("posting", "parking"))
    assert "Never post a picture from the ward [1]." in reply.reply


def test_quoted_adds_nothing_of_its_own_but_the_question(voice: QuotedVoice, encoder: MiniLM) -> None:
    reply = ask(voice, encoder, "when are swaps agreed?", found("rota", "posting"))
    *quoted, last = reply.sentences
    assert last.text == ENDINGS[0]
    assert (last.origin, last.card) == ("fixed", None)
    assert 1 <= len(quoted) <= QUOTED
    for sentence in quoted:
        assert sentence.card is not None
        bare = sentence.text.split(" [")[0]
        assert bare in NOTES[sentence.card]
        assert sentence.origin == "card"


def test_quoted_numbers_cards_in_order_of_appearance(voice: QuotedVoice, encoder: MiniLM) -> None:
    reply = ask(voice, encoder, "when is the rota, the picture and the car park?", found(*NOTES))
    assert [c.n for c in reply.citations] == list(range(1, len(reply.citations) + 1))
    for citation in reply.citations:
        cited = [s for s in reply.sentences if f"[{citation.n}]" in s.text]
        assert cited
        assert {s.card for s in cited} == {citation.card}


def test_quoted_keeps_the_order_in_which_sentences_stand(voice: QuotedVoice, encoder: MiniLM) -> None:
    reply = ask(voice, encoder, "where is the rota and when are swaps agreed?", found("rota"))
    places = [NOTES["rota"].index(s.text.split(" [")[0]) for s in reply.sentences if s.card]
    assert places == sorted(places)


def test_quoted_closes_a_sentence_that_had_no_full_stop(voice: QuotedVoice, encoder: MiniLM) -> None:
    reply = ask(voice, encoder, "how fast is the press office?", found("posting"))
    assert "The press office answers within 2 days [1]." in reply.reply


def test_quoted_reads_no_further_than_the_first_passages(voice: QuotedVoice, encoder: MiniLM) -> None:
    notes = found("rota", "posting", "parking", "kitchen")
    reply = ask(voice, encoder, "when does the kitchen close?", notes)
    assert "kitchen" not in {c.card for c in reply.citations}


def test_quoted_says_nothing_twice(voice: QuotedVoice, encoder: MiniLM) -> None:
    message, notes = "when are swaps agreed?", found("rota", "posting")
    history: list[Turn] = []
    told: list[str] = []
    for _ in range(2):
        reply = ask(voice, encoder, message, notes, history)
        told += [s.text.split(" [")[0] for s in reply.sentences]
        history += [Turn("user", message), Turn("assistant", reply.reply)]
    assert len(told) == len(set(told))


def test_quoted_with_nothing_left_still_asks(voice: QuotedVoice, encoder: MiniLM) -> None:
    history = [Turn("assistant", "The kitchen closes at nine [1]. Is that the part you were looking for?")]
    reply = ask(voice, encoder, "and?", found("kitchen"), history)
    assert reply.reply == ENDINGS[1]
    assert reply.citations == ()


def test_quoted_without_passages_asks(voice: QuotedVoice, encoder: MiniLM) -> None:
    assert ask(voice, encoder, "anything", found()).reply == ENDINGS[0]
