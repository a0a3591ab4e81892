"""The free voice: what the model writes is checked sentence by sentence before it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from coach.events import Found, Passage, Reply, Said, Turn
from coach.library.embedder import MiniLM
from coach.voice.free import LAST_QUESTION, MAX_WORDS, FreeVoice

OUT = "Once a post is out, others decide what becomes of it."
ANGRY = "What you write while angry can be kept, cooled and used, or dropped."
PASSAGES = (
    Passage("out", "Out is out", f"{OUT} A day of waiting costs a post nothing.", "a.md", 1.0, 0.6),
    Passage("angry", "Cool it first", ANGRY, "b.md", 0.9, 0.5),
)
FOUND = Found(PASSAGES, covered=True, confidence=0.8)
MESSAGE = "I am about to post what I think of 85 managers"
Speak = Callable[..., tuple[list[str], Reply]]


class Listening(FakeListChatModel):
    """LangChain's scripted model, which remembers what it was sent."""

    heard: list[list[BaseMessage]] = []  # noqa: RUF012 - pydantic copies it for each model

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self.heard.append(messages)
        yield from super()._stream(messages, stop, run_manager, **kwargs)


@pytest.fixture
def speak(encoder: MiniLM) -> Speak:
    """Lets a scripted model write; returns the pieces shown and the reply."""

    def of(written: str, found: Found = FOUND, history: Sequence[Turn] = ()) -> tuple[list[str], Reply]:
        voice = FreeVoice(FakeListChatModel(responses=[written]), encoder)
        *pieces, reply = voice.speak(MESSAGE, history, found)
        assert isinstance(reply, Reply)
        assert all(isinstance(piece, Said) for piece in pieces)
        return [piece.text for piece in pieces if isinstance(piece, Said)], reply

    return of


def test_free_supported_sentences_are_kept_and_cited(speak: Speak) -> None:
    _, reply = speak(f"{OUT} {ANGRY} What would you like to say?")
    first, second, last = reply.sentences
    assert first.text == "Once a post is out, others decide what becomes of it [1]."
    assert second.text == "What you write while angry can be kept, cooled and used, or dropped [2]."
    assert last.text == "What would you like to say?"
    assert [(c.n, c.card) for c in reply.citations] == [(1, "out"), (2, "angry")]
    assert {s.origin for s in reply.sentences} == {"model"}


def test_free_unsupported_sentence_is_replaced_by_the_cards_line(speak: Speak) -> None:
    _, reply = speak("The railway to Inverness was built by hand. What would you like to say?")
    assert "railway" not in reply.reply
    first = reply.sentences[0]
    assert (first.text, first.origin) == ("Once a post is out, others decide what becomes of it [1].", "card")


def test_free_unsupported_sentences_get_each_line_of_the_card_once(speak: Speak) -> None:
    _, reply = speak("Basil grows on windowsills. Trains run late. Cats sleep a lot. What now?")
    assert [s.text for s in reply.sentences] == [
        "Once a post is out, others decide what becomes of it [1].",
        "A day of waiting costs a post nothing [1].",
        "What now?",
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "You should have known that others decide what becomes of it.",
        "Take 5 mg of diazepam while you wait.",
        "Once a post is out, 4,000 others decide what becomes of it.",
        "Once a post is out, Margaret Harrison decides what becomes of it.",
    ],
)
def test_free_faulty_sentence_is_never_shown(speak: Speak, bad: str) -> None:
    pieces, reply = speak(f"{ANGRY} {bad} What would you like to say?")
    assert bad[:-1] not in reply.reply
    assert bad[:-1] not in "".join(pieces)


def test_free_number_of_the_person_may_be_said_again(speak: Speak) -> None:
    _, reply = speak("Once a post is out, all 85 decide what becomes of it. What now?")
    assert "85" in reply.reply


def test_free_number_from_earlier_in_the_conversation_may_be_said_again(speak: Speak) -> None:
    history = [Turn("user", "We were 17 then"), Turn("assistant", "I see.")]
    _, reply = speak("Once a post is out, all 17 decide what becomes of it. What now?", history=history)
    assert "17" in reply.reply


def test_free_ends_with_one_question_where_the_model_asked_none(speak: Speak) -> None:
    _, reply = speak(OUT)
    assert reply.reply.endswith(LAST_QUESTION)
    assert reply.sentences[-1].origin == "fixed"
    assert reply.reply.count("?") == 1


def test_free_stops_at_the_first_question(speak: Speak) -> None:
    _, reply = speak(f"{OUT} What would you like to say? What else? {ANGRY}")
    assert reply.reply.endswith("What would you like to say?")
    assert reply.reply.count("?") == 1


def test_free_model_that_begins_with_a_question_still_says_something(speak: Speak) -> None:
    """A lone question rests on no card and helps nobody."""
    _, reply = speak(f"What happened before that? {OUT} What would you like to say?")
    assert reply.citations
    assert reply.reply.endswith("?")


def test_free_long_writing_is_cut_at_a_sentence(speak: Speak) -> None:
    endings = ["today", "tonight", "next week", "at noon", "at work", "abroad", "at home"]
    written = " ".join(
        f"Once a post about your work is out, it is the others who decide what becomes of it {when}."
        for when in endings * 3
    )
    _, reply = speak(written)
    words = len(re.sub(r"\s*\[\d+\]", "", reply.reply).split())
    assert 60 < words <= MAX_WORDS + 10
    assert reply.reply.endswith(LAST_QUESTION)


def test_free_repeated_sentence_is_said_once(speak: Speak) -> None:
    _, reply = speak(f"{OUT} {OUT} {OUT} What now?")
    assert reply.reply.count("others decide") == 1


def test_free_model_that_says_nothing_gets_the_card_and_a_question(speak: Speak) -> None:
    _, reply = speak(" ")
    assert reply.reply == f"Once a post is out, others decide what becomes of it [1]. {LAST_QUESTION}"


def test_free_marks_that_the_model_invents_are_dropped(speak: Speak) -> None:
    _, reply = speak("Once a post is out [7], others decide what becomes of it [9]. What now?")
    assert "[7]" not in reply.reply
    assert "[9]" not in reply.reply
    assert "[1]" in reply.reply


def test_free_exclamation_marks_are_calmed(speak: Speak) -> None:
    _, reply = speak("Once a post is out, others decide what becomes of it! What now?")
    assert "!" not in reply.reply


def test_free_quotation_keeps_its_closing_mark(speak: Speak) -> None:
    _, reply = speak(f"Others decide what becomes of a post once it is “out.” {ANGRY} What now?")
    assert reply.reply.count("“") == reply.reply.count("”")


def test_free_without_passages_shows_none_of_the_models_claims(speak: Speak) -> None:
    _, reply = speak(f"{OUT} What now?", Found((), covered=False, confidence=0.1))
    assert reply.reply == LAST_QUESTION
    assert reply.citations == ()


def test_free_pieces_join_to_the_reply(speak: Speak) -> None:
    pieces, reply = speak(f"{OUT} The railway was long. {ANGRY}")
    assert len(pieces) == len(reply.sentences)
    assert "".join(pieces) == reply.reply


def test_free_each_sentence_is_shown_before_the_next_is_written(encoder: MiniLM) -> None:
    model = FakeListChatModel(responses=[f"{OUT} {ANGRY}"], error_on_chunk_number=len(OUT) + 3)
    events = FreeVoice(model, encoder).speak(MESSAGE, (), FOUND)
    assert next(events) == Said("Once a post is out, others decide what becomes of it [1].")


def test_free_prompt_holds_rules_first_then_history_then_notes(encoder: MiniLM) -> None:
    model = Listening(responses=["What now?"])
    history = [Turn("user", "I was there"), Turn("assistant", "Where?")]
    list(FreeVoice(model, encoder).speak(MESSAGE, history, FOUND))
    (sent,) = model.heard
    assert [m.type for m in sent] == ["system", "human", "ai", "human"]
    assert [m.content for m in sent[1:3]] == ["I was there", "Where?"]
    assert f"[2] {ANGRY}" in str(sent[-1].content)
    assert str(sent[-1].content).endswith(MESSAGE)
