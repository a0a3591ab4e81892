"""The embedded model: streams, stops, remembers the prefix, keeps to its own turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from coach.errors import ModelError, Stopped
from coach.model.local import PERSONS_TURN, Counts, Engine, LocalChat, trimmed, until

STOP_S = 0.25  # promised: 0.1; the rest is for a busy machine
COUNTS = Counts(1, 0, 0, 0.0)
SYSTEM = SystemMessage("You are a friendly coach. Answer in one sentence.")
QUESTION = HumanMessage("What is a good first step on social media?")


def long_prompt(engine: Engine, word: str = "sleep") -> list[int]:
    """A prompt that takes the small model a second or more to read."""
    return engine.tokens(f" {word}" * 5000)[: engine.context_tokens - 64]


def written(engine: Engine, prompt: Sequence[int], max_tokens: int = 12) -> tuple[str, Counts]:
    """Text and last counts of a repeatable generation."""
    pieces = list(engine.stream(prompt, max_tokens=max_tokens, temperature=0))
    return "".join(text for text, _ in pieces), pieces[-1][1]


def test_stream_writes_text_piece_by_piece(engine: Engine) -> None:
    prompt = engine.prompt_tokens([SYSTEM, QUESTION])
    pieces = list(engine.stream(prompt, max_tokens=16, temperature=0))
    assert len(pieces) > 5
    assert sum(character.isalpha() for text, _ in pieces for character in text) > 20
    assert [counts.completion_tokens for _, counts in pieces] == list(range(1, len(pieces) + 1))
    assert pieces[-1][1].prompt_tokens == len(prompt)
    assert pieces[-1][1].first_token_ms > 0


def test_stream_is_repeatable_with_a_seed(engine: Engine) -> None:
    prompt = engine.prompt_tokens([QUESTION])
    texts = [
        "".join(text for text, _ in engine.stream(prompt, max_tokens=16, temperature=1.0, seed=seed))
        for seed in (7, 7, 8)
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_stream_refuses_what_does_not_fit(engine: Engine) -> None:
    prompt = long_prompt(engine)
    with pytest.raises(ModelError, match="shorten the message or clear the chat"):
        next(engine.stream(prompt, max_tokens=100))


def test_stop_while_reading_ends_the_work_at_once(engine: Engine) -> None:
    cancel, pressed = threading.Event(), [0.0]

    def press() -> None:
        pressed[0] = time.perf_counter()
        cancel.set()

    timer = threading.Timer(0.3, press)
    timer.start()
    with pytest.raises(Stopped):
        next(engine.stream(long_prompt(engine, "stop"), max_tokens=8, cancel=cancel))
    assert time.perf_counter() - pressed[0] < STOP_S
    assert engine.waiting == 0


def test_stop_while_writing_ends_the_work_at_once(engine: Engine) -> None:
    cancel = threading.Event()
    pieces = engine.stream(engine.prompt_tokens([QUESTION]), max_tokens=200, cancel=cancel)
    for _ in range(3):
        next(pieces)
    cancel.set()
    pressed = time.perf_counter()
    with pytest.raises(Stopped):
        list(pieces)
    assert time.perf_counter() - pressed < STOP_S
    assert engine.waiting == 0


def test_stop_pressed_before_the_start_stops(engine: Engine) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Stopped):
        next(engine.stream(long_prompt(engine, "early"), max_tokens=8, cancel=cancel))


@pytest.mark.parametrize("moment", ["reading", "writing"])
def test_engine_answers_as_ever_right_after_a_stop(engine: Engine, moment: str) -> None:
    prompt = engine.prompt_tokens([SYSTEM, QUESTION])
    expected, _ = written(engine, prompt)
    cancel = threading.Event()
    if moment == "reading":
        threading.Timer(0.2, cancel.set).start()
        pieces = engine.stream(long_prompt(engine, "again"), max_tokens=8, cancel=cancel)
    else:
        pieces = engine.stream(prompt, max_tokens=200, cancel=cancel)
        next(pieces)
        cancel.set()
    with pytest.raises(Stopped):
        list(pieces)
    assert written(engine, prompt)[0] == expected


def test_prompt_that_was_stopped_half_way_can_be_read_again(engine: Engine) -> None:
    prompt = engine.tokens("".join(f" {number} times {number} is" for number in range(400)))[:1500]
    expected, _ = written(engine, prompt)
    written(engine, engine.tokens("Something else entirely"))
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(Stopped):
        next(engine.stream(prompt, max_tokens=8, cancel=cancel))
    assert written(engine, prompt)[0] == expected


def test_stop_pressed_late_does_not_stop_the_next_person(engine: Engine) -> None:
    """The first generation is over when its Stop is pressed; the second one is still reading."""
    for number in range(3):
        first = threading.Event()
        list(engine.stream(engine.tokens(f" {number}"), max_tokens=1, cancel=first))
        threading.Timer(0.002, first.set).start()
        prompt = engine.tokens(f" {number} is a number" * 200)[:200]
        assert list(engine.stream(prompt, max_tokens=1, cancel=threading.Event()))


def test_closed_stream_frees_the_engine(engine: Engine) -> None:
    pieces = engine.stream(engine.prompt_tokens([QUESTION]), max_tokens=200)
    next(pieces)
    assert engine.waiting == 1
    pieces.close()  # type: ignore[attr-defined]
    assert engine.waiting == 0


def test_follow_up_counts_what_is_in_memory_already(engine: Engine) -> None:
    chat = [SYSTEM, QUESTION]
    first = engine.prompt_tokens(chat)
    text, _ = written(engine, first)
    second = engine.prompt_tokens([*chat, AIMessage(text), HumanMessage("And then?")])
    _, counts = written(engine, second)
    assert len(first) <= counts.cached_tokens < counts.prompt_tokens == len(second)
    _, other = written(engine, engine.tokens("Something else entirely"))
    assert other.cached_tokens == 0


def test_cached_prefix_does_not_change_the_answer(engine: Engine) -> None:
    prompt = engine.prompt_tokens([SYSTEM, QUESTION])
    written(engine, engine.tokens("Something else entirely"))
    cold, _ = written(engine, prompt, 8)
    written(engine, engine.prompt_tokens([SYSTEM, HumanMessage("Hello")]))
    warm, counts = written(engine, prompt, 8)
    assert counts.cached_tokens > 0
    assert warm == cold


def test_two_callers_each_get_their_own_answer(engine: Engine) -> None:
    prompts = [engine.prompt_tokens([HumanMessage(text)]) for text in ("Name a colour.", "Count to five.")]
    expected = [written(engine, prompt)[0] for prompt in prompts]
    got = ["", ""]

    def ask(number: int) -> None:
        got[number] = written(engine, prompts[number])[0]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == expected


def in_pieces(text: str, size: int) -> Iterator[tuple[str, Counts]]:
    for number, start in enumerate(range(0, len(text), size), 1):
        yield text[start : start + size], replace(COUNTS, completion_tokens=number)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("stop", PERSONS_TURN)
def test_until_never_lets_the_persons_turn_through(stop: str, size: int) -> None:
    said = "Rest first.\n"
    pieces = list(until(in_pieces(f"{said}{stop} I will say your line", size), PERSONS_TURN))
    assert "".join(text for text, _ in pieces) == said


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_until_lets_through_what_only_began_like_a_stop(size: int) -> None:
    text = "See:\nUsual days,\nHum along.\n<|im_not|> and <|im_"
    pieces = list(until(in_pieces(text, size), PERSONS_TURN))
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)


def test_until_ends_at_the_earliest_stop_and_asks_for_no_more() -> None:
    pieces = iter([("one\nMe: two\nUser: three", COUNTS), ("never", COUNTS)])
    assert [text for text, _ in until(pieces, PERSONS_TURN)] == ["one"]
    assert next(pieces) == ("never", COUNTS)


def test_chat_streams_only_its_own_turn_and_ends_with_counts(engine: Engine) -> None:
    chat = LocalChat(engine=engine, max_tokens=60, temperature=0.0)
    script = "Continue this script: User: Hi!\nCoach: Hello!\nUser: How are you?\nCoach:"
    chunks = list(chat.stream([HumanMessage(script)]))
    text = "".join(str(chunk.content) for chunk in chunks)
    assert text.strip()
    assert not any(stop in text for stop in PERSONS_TURN)
    counts = [c.response_metadata["counts"] for c in chunks if "counts" in c.response_metadata]
    assert len(counts) == 1
    assert counts[0]["completion_tokens"] > 0


def test_chat_stops_at_what_the_caller_names(engine: Engine) -> None:
    chat = LocalChat(engine=engine, max_tokens=30, temperature=0.0)
    whole = str(chat.invoke([QUESTION]).content)
    word = whole.split()[3]
    assert str(chat.invoke([QUESTION], stop=[word]).content) == whole[: whole.index(word)]
    assert engine.waiting == 0


def turns(count: int) -> list[BaseMessage]:
    return [
        (AIMessage if number % 2 else HumanMessage)(f"{number} " + "word " * 60) for number in range(count)
    ]


@pytest.mark.parametrize("count", [1, 3, 41, 101])
def test_trimmed_drops_whole_turns_and_keeps_system_and_last(engine: Engine, count: int) -> None:
    messages = [SYSTEM, *turns(count)]
    kept = trimmed(engine, messages, 220)
    assert kept[0] == SYSTEM
    assert kept[1:] == messages[-len(kept) + 1 :]
    assert kept[1].type == "human"
    assert len(engine.prompt_tokens(kept)) + 220 <= engine.context_tokens
    dropped = len(messages) - len(kept)
    if dropped:  # one exchange more would not have fitted
        more = [SYSTEM, *messages[dropped - 1 :]]
        assert len(engine.prompt_tokens(more)) + 220 > engine.context_tokens


def test_trimmed_keeps_a_last_message_that_is_too_long_itself(engine: Engine) -> None:
    messages = [SYSTEM, *turns(4), HumanMessage("word " * 5000)]
    assert trimmed(engine, messages, 220) == [SYSTEM, messages[-1]]
    with pytest.raises(ModelError, match="too long"):
        LocalChat(engine=engine).invoke(messages)
