"""Talk: one turn of the conversation, from what was typed to what is said.

    listen -> mind -> (fixed words) | look up -> (not covered) | speak

It goes forward once. Care comes before everything and never asks a model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from numpy.typing import NDArray

from coach.care import crisis
from coach.care.gate import COACH, Gate, Sighting
from coach.classifier import Encoder
from coach.errors import ModelError
from coach.events import Choice, Event, Found, Reply, Route, Said, Timing, Turn, cleaned
from coach.library.cards import sentences
from coach.library.search import CardSearch, contextual
from coach.voice.free import FreeVoice
from coach.voice.guided import GuidedVoice, Heard, fixed
from coach.voice.ledger import is_new, plain
from coach.voice.quoted import QuotedVoice

MAX_CHARACTERS = 8000
# Kinds of message that are met with fixed words, and the route they take.
ROUTES: Mapping[str, Route] = {
    "urgent": "crisis", "concern": "crisis",
    "medical": "out_of_scope", "legal": "out_of_scope", "unrelated": "out_of_scope",
    "not_covered": "not_covered", "injection": "refused",
}  # fmt: skip
# In somebody's own notes any subject may be at home, so only these still close the gate.
ALWAYS = frozenset(
    {
        "urgent",
        "concern",
        "threat",
        "grief",
        "injection",
        "insult",
        "thanks",
        "greeting",
    }
)


class State(TypedDict, total=False):
    """What a turn gathers on its way."""

    message: str
    history: tuple[Turn, ...]
    safe: bool
    cancel: threading.Event | None
    seed: int | None
    temperature: float | None
    started: float
    vector: NDArray[np.float32]
    sense: NDArray[np.float32]
    sighting: Sighting
    found: Found
    retrieve_ms: float
    reply: Reply


class Talk:
    """The Talk flow over ready-made parts; `own_notes` when the library is the person's own."""

    def __init__(
        self,
        *,
        encoder: Encoder,
        tuned: Encoder,
        gate: Gate,
        search: CardSearch,
        voice: GuidedVoice | QuotedVoice | FreeVoice,
        fallback: GuidedVoice | QuotedVoice,
        phrases: Mapping[str, Any],
        country: str,
        own_notes: bool = False,
    ) -> None:
        self._encoder, self._tuned = encoder, tuned
        self._gate, self._search = gate, search
        self._voice, self._fallback = voice, fallback
        self._phrases, self._country, self._own_notes = phrases, country, own_notes
        self._graph = self._drawn()

    def _drawn(self) -> Any:
        graph = StateGraph(State)
        graph.add_node("listen", self._listen)
        graph.add_node("mind", self._mind)
        graph.add_node("fixed_words", self._fixed_words)
        graph.add_node("look_up", self._look_up)
        graph.add_node("not_covered", self._not_covered)
        graph.add_node("speak", self._speak)
        graph.add_edge(START, "listen")
        graph.add_conditional_edges("listen", lambda s: END if "reply" in s else "mind")
        graph.add_conditional_edges("mind", self._after_minding)
        graph.add_conditional_edges("look_up", self._after_looking)
        for last in ("fixed_words", "not_covered", "speak"):
            graph.add_edge(last, END)
        return graph.compile()

    def reply(
        self,
        messages: Sequence[Turn],
        *,
        cancel: threading.Event | None = None,
        seed: int | None = None,
        temperature: float | None = None,
    ) -> Iterator[Event]:
        """Answer the last message of a conversation; yields `Said` pieces, then one `Reply`.

        Raises:
            Stopped: `cancel` was set while a model was at work.
        """
        message, history, safe = self._taken_back(messages[-1].content, messages[:-1])
        start: State = {
            "message": message,
            "history": history,
            "safe": safe,
            "cancel": cancel,
            "seed": seed,
            "temperature": temperature,
            "started": time.perf_counter(),
        }
        yield from self._graph.stream(start, stream_mode="custom")

    def _taken_back(self, message: str, history: Sequence[Turn]) -> tuple[str, tuple[Turn, ...], bool]:
        """After "you misunderstood me": what was misread, what came before it, and that it is safe."""
        if cleaned(message) != self._gate.words.crisis["misunderstood"]:
            return message, tuple(history), False
        if self._since_crisis(history) != 1:
            return message, tuple(history), True
        at = max(i for i, turn in enumerate(history) if turn.role == "user")
        return history[at].content, tuple(history[:at]), True

    def _listen(self, state: State) -> State:
        message = cleaned(state["message"])
        if not message:
            return self._say(state, fixed(self._phrases["empty"][0], "refused", kind="empty"))
        if len(message) > MAX_CHARACTERS:
            # Danger is never too long to be heard.
            level = crisis.level(message)
            if level != "none":
                return self._say(state, self._crisis(level, state))
            return self._say(state, fixed(self._phrases["too_long"][0], "refused", kind="too_long"))
        return {
            "message": message,
            "vector": self._encoder.encode([message])[0],
            "sense": self._tuned.encode([message])[0],
        }

    def _mind(self, state: State) -> State:
        both = np.concatenate([state["vector"], state["sense"]])
        spoken = any(turn.role == "assistant" for turn in state["history"])
        seen = self._gate.examine(state["message"], both, follow_up=spoken, safe=state["safe"])
        return {"sighting": seen}

    def _after_minding(self, state: State) -> str:
        kind = state["sighting"].kind
        if self._since_crisis(state["history"]) == 1 and kind not in ("urgent", "concern"):
            return "fixed_words"
        if kind == COACH or (self._own_notes and kind.split(".")[0] not in ALWAYS):
            return "look_up"
        # What it does not cover names what is nearest, so the library is searched first.
        return "look_up" if kind == "not_covered" else "fixed_words"

    def _fixed_words(self, state: State) -> State:
        kind = state["sighting"].kind
        if kind in ("urgent", "concern"):
            return self._say(state, self._crisis(kind, state))
        if self._since_crisis(state["history"]) == 1:
            return self._say(state, fixed(self._gate.words.crisis["after"], "crisis", kind="after"))
        text = self._unsaid(self._gate.words.kinds[kind].answers, state)
        return self._say(state, fixed(text, ROUTES.get(kind, "answer"), kind=kind))

    def _crisis(self, kind: str, state: State) -> Reply:
        name = kind
        if kind == "urgent" and crisis.about_other(state["message"]):
            name = "urgent_other"
        reply = fixed(self._gate.words.in_danger(name, self._country), "crisis", kind=kind)
        return replace(reply, choices=(Choice(kind, self._gate.words.crisis["misunderstood"]),))

    def _since_crisis(self, history: Sequence[Turn]) -> int:
        """How many turns of the coach ago the last crisis answer was, which is 1; 0 if there was none, or
        if it was misunderstood."""
        words = self._gate.words.crisis
        starts = tuple(plain(words[name][:60])[:40] for name in ("urgent", "urgent_other", "concern"))
        coach = [i for i, turn in enumerate(history) if turn.role == "assistant"]
        for ago, i in enumerate(reversed(coach), 1):
            if plain(history[i].content).startswith(starts):
                answer = next((turn.content for turn in history[i + 1 :] if turn.role == "user"), "")
                return 0 if cleaned(answer) == words["misunderstood"] else ago
        return 0

    def _lead(self, state: State) -> str:
        """What is said before an answer, if the conversation has been about danger."""
        words, ago = self._gate.words.crisis, self._since_crisis(state["history"])
        if state["safe"] and cleaned(state["message"]) != words["misunderstood"]:
            return words["misread"]
        return words.get(f"still_{ago - 1}", "")

    def _look_up(self, state: State) -> State:
        started = time.perf_counter()
        earlier = [t.content for t in state["history"] if t.role == "user"]
        query = contextual(earlier, state["message"])
        vector = state["vector"] if query == state["message"] else None
        found = self._search.search(query, vector=vector)
        return {"found": found, "retrieve_ms": (time.perf_counter() - started) * 1000}

    def _after_looking(self, state: State) -> str:
        follow_up = any(turn.role == "assistant" for turn in state["history"])
        if state["sighting"].kind == "not_covered":
            return "not_covered"
        if self._own_notes and not state["found"].covered and not follow_up:
            return "not_covered"
        return "speak"

    def _not_covered(self, state: State) -> State:
        titles = [f"“{p.title}”" for p in state["found"].passages[:3]]
        nearest = ", ".join(titles[:-1]) + (" and " if titles[1:] else "") + "".join(titles[-1:])
        variants = (
            self._phrases["nothing_found"]
            if self._own_notes
            else self._gate.words.kinds["not_covered"].answers
        )
        text = self._unsaid(variants, state).replace("{nearest}", nearest)
        reply = fixed(
            text,
            "not_covered",
            kind="not_covered",
            confidence=state["found"].confidence,
        )
        return self._say(state, replace(reply, passages=_names(state["found"])))

    def _speak(self, state: State) -> State:
        voice = self._voice
        if isinstance(voice, FreeVoice):
            try:
                return self._write(voice, state)
            except ModelError:
                voice = self._fallback
        found = state["found"]
        if isinstance(voice, QuotedVoice):
            reply = voice.speak(found, state["history"], state["vector"])
        else:
            reply = voice.speak(Heard(state["message"], state["history"], state["vector"], state["sense"]))
        return self._say(state, replace(reply, passages=_names(found)))

    def _write(self, voice: FreeVoice, state: State) -> State:
        options = {k: state[k] for k in ("seed", "temperature") if state[k] is not None}
        if lead := self._lead(state):
            get_stream_writer()(Said(f"{lead} "))
        for event in voice.speak(
            state["message"],
            state["history"],
            self._inert(state["found"]) if self._own_notes else state["found"],
            state["cancel"],
            **options,
        ):
            if isinstance(event, Reply):
                return self._finish(state, led_by(lead, event) if lead else event)
            get_stream_writer()(event)
        raise ModelError("The model said nothing; try again.")

    def _inert(self, found: Found) -> Found:
        """What was found in somebody's own notes without the sentences that try to command a model."""
        passages = [
            replace(p, text=" ".join(s for s in sentences(p.text) if not self._gate.commands(s)))
            for p in found.passages
        ]
        return replace(found, passages=tuple(p for p in passages if p.text))

    def _say(self, state: State, reply: Reply) -> State:
        """Show a reply that is already whole, sentence by sentence."""
        if reply.route != "crisis" and (lead := self._lead(state)):
            reply = led_by(lead, reply)
        write: Callable[[Event], None] = get_stream_writer()
        rest = reply.reply
        for sentence in reply.sentences:
            cut = rest.find(sentence.text) + len(sentence.text)
            write(Said(rest[:cut]))
            rest = rest[cut:]
        if rest:
            write(Said(rest))
        return self._finish(state, reply)

    def _finish(self, state: State, reply: Reply) -> State:
        total = (time.perf_counter() - state["started"]) * 1000
        timing: Timing = reply.timing
        first = timing.first_sentence_ms or total
        retrieve = state.get("retrieve_ms", 0.0)
        reply = replace(
            reply, timing=replace(timing, retrieve_ms=retrieve, total_ms=total, first_sentence_ms=first)
        )
        get_stream_writer()(reply)
        return {"reply": reply}

    def _unsaid(self, variants: Sequence[str], state: State) -> str:
        """One of `variants` that has not been said; the first again when all have."""
        said = frozenset(plain(t.content) for t in state["history"] if t.role == "assistant")
        fresh = [v for v in variants if plain(v) not in said and is_new(v, said)] or list(variants)
        return fresh[0]


def led_by(lead: str, reply: Reply) -> Reply:
    """`reply` with a written sentence or two before it."""
    sentences = (*fixed(lead, reply.route).sentences, *reply.sentences)
    return replace(reply, reply=f"{lead} {reply.reply}", sentences=sentences)


def _names(found: Found) -> tuple[str, ...]:
    return tuple(p.card for p in found.passages)
