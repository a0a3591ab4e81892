"""Rehearse: prepare, meet a mentor, look back. One flow that can be kept, resumed and rewound.

    prepare: question -> answer -> (a nudge) -> next question
    meet:    answer -> (danger? fixed words) -> heard -> where next -> the mentor's turn
    debrief: what was covered, two strengths, one thing to try; never left out

Each step is one run of the graph on the session's thread; LangGraph's checkpoints are what
"go back and try again" goes back to. Care comes before everything and never asks a model.
"""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph

from coach.care.gate import Gate
from coach.errors import CoachError, UsageError
from coach.events import Turn, cleaned
from coach.library.cards import sentences
from coach.library.meeting import CONDUCT, SAID, Meeting, Topic
from coach.practice.answers import is_list, is_strong, is_vague, length
from coach.practice.arc import DRIFTS_EVERY, next_move
from coach.practice.debrief import SORE, Debrief, debriefed
from coach.practice.session import Prepared, Session, Setup, Spoken
from coach.practice.sheet import sheet
from coach.voice.ledger import plain
from coach.voice.listening import COVERS_AT, Heard, Listener
from coach.voice.mentor import Wanted
from coach.voice.said import said_back

MAX_CHARACTERS = 20_000
MAX_NUDGES = 2
SHORT = 3  # words
INSTRUCTIONS = f"{CONDUCT}/instructions"
Action = Literal["answer", "skip", "go_to", "meet", "could_say", "ask_coach", "misunderstood", "end"]
Route = Literal["answer", "crisis"]


class Mentor(Protocol):
    """Whoever words the mentor's turns."""

    def turn(
        self, wanted: Wanted, heard: Heard | None, text: str, said: frozenset[str], seed: int
    ) -> str: ...


class State(TypedDict, total=False):
    """What a step carries; `session` is the whole rehearsal as plain data, so that it can be kept."""

    session: dict[str, Any]
    action: Action
    text: str
    said: list[dict[str, Any]]
    route: Route


@dataclass(frozen=True)
class Step:
    """A rehearsal after one step: the session, what was said in answer, and how it went."""

    session: Session
    said: tuple[Spoken, ...]
    route: Route
    total_ms: float = 0.0


class Rehearsal:
    """The Rehearse flow over ready-made parts; `saver` decides whether a session outlives the process."""

    def __init__(
        self,
        *,
        meeting: Meeting,
        listener: Listener,
        mentor: Mentor,
        gate: Gate,
        country: str,
        saver: BaseCheckpointSaver[Any],
    ) -> None:
        self._meeting, self._words = meeting, meeting.words
        self._listener, self._mentor = listener, mentor
        self._gate, self._country = gate, country
        self._saver, self._graph = saver, self._drawn(saver)

    def _drawn(self, saver: BaseCheckpointSaver[Any]) -> Any:
        graph = StateGraph(State)
        graph.add_node("mind", self._mind)
        graph.add_node("prepare", self._prepare)
        graph.add_node("meet", self._meet)
        graph.add_node("help", self._help)
        graph.add_node("debrief", self._debrief)
        graph.add_edge(START, "mind")
        graph.add_conditional_edges("mind", self._after_minding)
        for last in ("prepare", "meet", "help", "debrief"):
            graph.add_edge(last, END)
        return graph.compile(checkpointer=saver)

    # ---- from outside

    def begin(self, thread: str, setup: Setup) -> Step:
        """Open a rehearsal on `thread`; what stood there before is begun anew."""
        questions = self._words["prepare"]["questions"]
        session = Session(setup=setup, asking=questions[0]["id"])
        opening = self._words["prepare"]["opening"]
        lines = (Spoken(role="coach", text=opening), Spoken(role="coach", text=questions[0]["ask"]))
        with _keeping():
            self._graph.update_state(
                _on(thread), {"session": session.model_dump(mode="json")}, as_node="prepare"
            )
        return Step(session, lines, "answer")

    def session(self, thread: str) -> Session | None:
        """The rehearsal on `thread`, or None if nothing is left of it."""
        with _keeping():
            held = self._graph.get_state(_on(thread)).values
        return Session.model_validate(held["session"]) if held.get("session") else None

    def put(self, thread: str, session: Session) -> None:
        """Put a session that was kept elsewhere on `thread`; it goes on where it was."""
        with _keeping():
            self._graph.update_state(
                _on(thread), {"session": session.model_dump(mode="json")}, as_node="meet"
            )

    def close(self) -> None:
        """Let go of the file that rehearsals are kept in, if there is one."""
        connection = getattr(self._saver, "conn", None)
        if connection is not None:
            connection.close()

    def threads(self) -> list[str]:
        """The threads on which a rehearsal stands."""
        seen = (kept.config["configurable"]["thread_id"] for kept in self._saver.list(None))
        return list(dict.fromkeys(seen))

    def step(self, thread: str, action: Action, text: str = "") -> Step:
        """Do one thing: answer, skip, go to a question, meet, ask for help, or end.

        Raises:
            UsageError: nothing was begun on this thread.
        """
        started = time.perf_counter()
        if self.session(thread) is None:
            raise UsageError(f"{self._words['gone']} You can start a new rehearsal.")
        start = {"action": action, "text": text, "said": [], "route": "answer"}
        with _keeping():
            out = self._graph.invoke(start, _on(thread))
        return Step(
            Session.model_validate(out["session"]),
            tuple(Spoken.model_validate(turn) for turn in out["said"]),
            out["route"],
            (time.perf_counter() - started) * 1000,
        )

    def rewind(self, thread: str, answer: int) -> Step:
        """Go back to just before the mentee's answer number `answer` (from 0); what was said stays beside it.

        Raises:
            UsageError: there is no such answer.
        """
        now = self.session(thread)
        if now is None or not 0 <= answer < len(now.answers):
            raise UsageError("There is nothing there to go back to; choose one of your own answers.")
        at = [i for i, turn in enumerate(now.turns) if turn.is_answer][answer]
        for snapshot in self._graph.get_state_history(_on(thread)):
            held = snapshot.values.get("session")
            if not held or snapshot.next or held["room"] != "meet":
                continue
            past = Session.model_validate(held)
            if past.turns == now.turns[:at]:
                back = past.model_copy(update={"attempts": (*now.attempts, now.turns)})
                self._graph.update_state(
                    snapshot.config, {"session": back.model_dump(mode="json")}, as_node="meet"
                )
                return Step(back, back.turns[-1:], "answer")
        raise UsageError("That moment is no longer kept; go on from here, or begin a new meeting.")

    def look_back(self, session: Session) -> tuple[Debrief, str]:
        """The debrief and the sheet (Markdown) of a session."""
        debrief = debriefed(session, self._words)
        return debrief, sheet(session, debrief, self._words)

    # ---- care first

    def _mind(self, state: State) -> State:
        text = cleaned(state["text"])[:MAX_CHARACTERS].strip()
        if state["action"] == "misunderstood":
            return self._taken_back(state)
        if state["action"] != "answer":
            return {"text": text}
        level = self._gate.danger(text, "rehearse") if text else "none"
        if level == "none":
            return {"text": text}
        session = Session.model_validate(state["session"])
        told = Spoken(role="mentee", text=text, move="crisis")
        words = Spoken(role="coach", text=self._gate.words.in_danger(level, self._country), move="crisis")
        # Everything stands still; the question can be taken up whenever they want.
        session = session.model_copy(update={"turns": (*session.turns, told, words)})
        return {
            "session": session.model_dump(mode="json"),
            "said": [words.model_dump(mode="json")],
            "route": "crisis",
        }

    @staticmethod
    def _taken_back(state: State) -> State:
        """After "you misunderstood me": what was met with the crisis answer is an answer like any other."""
        session = Session.model_validate(state["session"])
        if not session.turns or session.turns[-1].move != "crisis":
            return {"text": "", "action": "answer"}
        text = session.turns[-2].text
        session = session.model_copy(update={"turns": session.turns[:-2]})
        return {"session": session.model_dump(mode="json"), "text": text, "action": "answer"}

    @staticmethod
    def _after_minding(state: State) -> str:
        if state["route"] == "crisis":
            return END
        if state["action"] in ("could_say", "ask_coach"):
            return "help"
        if state["action"] == "end":
            return "debrief"
        room = state["session"]["room"]
        return (
            "meet"
            if room == "meet" or state["action"] == "meet"
            else "debrief"
            if room == "debrief"
            else "prepare"
        )

    # ---- the three rooms

    def _prepare(self, state: State) -> State:
        # Who goes on after a crisis answer has left it behind.
        session = Session.model_validate(state["session"]).model_copy(update={"turns": ()})
        words, rng = self._words["prepare"], _rng(session)
        if state["action"] == "go_to":
            question = _question(words["questions"], state["text"])
            return _out(session.model_copy(update={"asking": question["id"]}), _coach(question["ask"]))
        if session.asking is None:
            return _out(session, _coach(rng.choice(words["done"])))
        question = _question(words["questions"], session.asking)
        held = session.prepared.get(question["id"], Prepared())
        if state["action"] == "skip":
            held = held.model_copy(update={"skipped": True})
            return self._next_question(session, question["id"], held, [rng.choice(words["skipped"])])
        if not state["text"]:
            return _out(session, _coach(question["ask"]))
        text = f"{held.text} {state['text']}".strip() if held.nudges else state["text"]
        kind = nudge_for(state["text"])
        said_words = said_back(state["text"])
        line = _line(question["nudges"].get(kind, ()), said_words, session.setup.seed + held.nudges)
        if kind != "strong" and line and held.nudges < MAX_NUDGES:
            held = Prepared(text=text, nudges=held.nudges + 1)
            prepared = {**session.prepared, question["id"]: held}
            return _out(session.model_copy(update={"prepared": prepared}), _coach(line))
        held = Prepared(text=text, nudges=held.nudges)
        return self._next_question(session, question["id"], held, [line] if kind == "strong" and line else [])

    def _next_question(self, session: Session, done: str, held: Prepared, lines: list[str]) -> State:
        questions = self._words["prepare"]["questions"]
        prepared = {**session.prepared, done: held}
        left = [q for q in questions if q["id"] not in prepared]
        lines = [*lines, left[0]["ask"] if left else _rng(session).choice(self._words["prepare"]["done"])]
        setup = session.setup
        if done == "minutes" and (number := re.search(r"\d{1,3}", held.text)) and 5 <= int(number[0]) <= 240:
            setup = setup.model_copy(update={"minutes": int(number[0])})
        update = {"prepared": prepared, "asking": left[0]["id"] if left else None, "setup": setup}
        return _out(session.model_copy(update=update), *(_coach(line) for line in lines))

    def _meet(self, state: State) -> State:
        session = Session.model_validate(state["session"])
        if state["action"] == "meet" and session.room == "meet":
            return _out(session, *session.asked[-1:])  # a second tap costs nobody their meeting
        if state["action"] == "meet":
            session = session.model_copy(update={"room": "meet", "ended": False, "turns": ()})
            return self._mentor_turn(session, None, "")
        text = state["text"]
        if not text:
            return _out(session, *session.asked[-1:])
        topic = session.asked[-1].topic if session.asked else "why"
        heard = self._hear(text, topic)
        if len(session.asked) == 1 and is_greeting(heard):
            heard = Heard(None, 1.0, heard.topics)
        if session.answers and session.answers[-1].heard in SORE:
            heard = replace(heard, aspect=None)  # after a death or tears nobody is taken back through it
        answer = Spoken(
            role="mentee", text=text, topic=topic, heard=heard.answer, topics=_rounded(heard.topics)
        )
        return self._mentor_turn(session.model_copy(update={"turns": (*session.turns, answer)}), heard, text)

    def _hear(self, text: str, topic: Topic) -> Heard:
        heard = self._listener.hear(text, topic)
        if not length(text):
            return Heard(f"{CONDUCT}/declines", 1.0, heard.topics)
        if length(text) <= 2 and not heard.is_conduct:
            # "Gentle, please" is an answer; "fine" is none.
            kind = None if heard.topics[topic] >= COVERS_AT else f"{CONDUCT}/one-word"
            return Heard(kind, 1.0, heard.topics)
        return heard

    def _mentor_turn(self, session: Session, heard: Heard | None, text: str) -> State:
        move, topic = next_move(session, heard)
        setup = session.setup
        drifting = setup.difficulty == "drifts" and len(session.asked) % DRIFTS_EVERY == DRIFTS_EVERY - 1
        # What tries to command the coach is no description of a mentor, and no part of the meeting.
        field = "" if setup.field and self._gate.commands(setup.field) else setup.field
        slots = {"field": field, "minutes": str(setup.minutes)}
        before = session.asked[-1].topic if session.asked else topic
        wanted = Wanted(
            move, topic, setup.style, setup.difficulty, drifting, slots, _history(session), before
        )
        said = frozenset(plain(s) for turns in (session.turns, *session.attempts) for t in turns
                         if t.role == "mentor" for s in sentences(t.text))  # fmt: skip
        line = self._mentor.turn(wanted, heard, text, said, setup.seed + len(session.turns))
        turn = Spoken(role="mentor", text=line, topic=topic, move=move)
        return _out(session.model_copy(update={"turns": (*session.turns, turn)}), turn)

    def _help(self, state: State) -> State:
        session = Session.model_validate(state["session"])
        words, rng = self._words["meet"], _rng(session)
        asked = session.asked[-1] if session.asked else Spoken(role="mentor", text="")
        topic = "close" if asked.move == "close" else asked.topic
        if state["action"] == "ask_coach":
            return _out(session, _coach(words["step_out"]), _coach(rng.choice(words["coach"][topic])))
        starters = words["could_say"][topic]
        options = rng.sample(starters["open"], 2)
        held = session.prepared.get(topic)
        own = said_back(held.text) if held is not None and held.text else None
        if own is not None:
            options[0] = rng.choice(starters["own"]).replace(SAID, own)
        return _out(
            session, *(_coach(f"{option} …" if option[-1].isalpha() else option) for option in options)
        )

    def _debrief(self, state: State) -> State:
        session = Session.model_validate(state["session"])
        lines = [_coach(_rng(session).choice(self._words["meet"]["ended"]))] if session.room == "meet" else []
        return _out(session.model_copy(update={"room": "debrief", "ended": True}), *lines)


def is_greeting(heard: Heard) -> bool:
    """Whether a first answer says hello and no more: nothing of substance, and nothing that must be met."""
    empty = max(heard.topics.values()) < COVERS_AT
    return empty and heard.answer in (
        None,
        *(f"{CONDUCT}/{name}" for name in ("thanks", "one-word", "apology", "goodbye")),
    )


@contextmanager
def _keeping() -> Iterator[None]:
    """What the disk refuses becomes a sentence."""
    try:
        yield
    except (sqlite3.Error, OSError) as fault:
        raise CoachError(
            f"The rehearsal cannot be kept ({fault}); free some space, or begin one that is not kept."
        ) from fault


def nudge_for(text: str) -> str:
    """Which nudge an answer in Prepare calls for: strong, short, list, vague, or none."""
    if is_strong(text):
        return "strong"
    if length(text) <= SHORT:
        return "short"
    if is_list(text):
        return "list"
    return "vague" if is_vague(text) else "none"


def _line(lines: Any, words: str | None, number: int) -> str:
    """A line, another one for each nudge; those with a slot only if there are words to fill it."""
    usable = [line for line in lines if SAID not in line or words]
    return usable[number % len(usable)].replace(SAID, words or "") if usable else ""


def _question(questions: Any, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = next((q for q in questions if q["id"] == name), None)
    if found is None:
        raise UsageError(
            f"There is no question {name!r}; choose one of {', '.join(q['id'] for q in questions)}."
        )
    return found


def _coach(text: str) -> Spoken:
    return Spoken(role="coach", text=text)


def _out(session: Session, *said: Spoken) -> State:
    return {
        "session": session.model_dump(mode="json"),
        "said": [turn.model_dump(mode="json") for turn in said],
    }


def _history(session: Session) -> tuple[Turn, ...]:
    roles: Mapping[str, Literal["user", "assistant"]] = {"mentor": "assistant", "mentee": "user"}
    meant = (turn for turn in session.turns if turn.role in roles and turn.heard != INSTRUCTIONS)
    return tuple(Turn(roles[turn.role], turn.text) for turn in meant)


def _on(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}}


def _rng(session: Session) -> random.Random:
    done = len(session.turns) + sum(1 + p.nudges for p in session.prepared.values())
    return random.Random(session.setup.seed + done)  # noqa: S311 - variety, not secrecy


def _rounded(topics: Mapping[Topic, float]) -> dict[str, float]:
    return {topic: round(share, 3) for topic, share in topics.items()}
