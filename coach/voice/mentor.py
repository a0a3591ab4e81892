"""The mentor of a rehearsal: says a turn that people wrote.

What comes next in the meeting is decided by the flow (coach.practice.rehearse), what was
heard by coach.voice.listening; here is only which of the written lines says it: by topic,
situation, style and manner, with the mentee's own words copied where a line invites them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coach.events import Turn
from coach.library.cards import sentences
from coach.library.meeting import CONDUCT, SAID, Answer, Difficulty, Meeting, Style, Topic
from coach.voice.ledger import plain
from coach.voice.listening import Heard
from coach.voice.said import said_back

MAX_WORDS = 49
Move = Literal["welcome", "deepen", "open", "easier", "back", "close"]


@dataclass(frozen=True)
class Wanted:
    """What the flow wants of the next turn: a move, the topic it is about and the one `before` it, and the
    manner; `history` is the meeting so far, the mentor as assistant."""

    move: Move
    topic: Topic
    style: Style
    difficulty: Difficulty
    drifting: bool = False
    slots: Mapping[str, str] | None = None
    history: Sequence[Turn] = ()
    before: Topic | None = None


class WrittenMentor:
    """Says written turns; never one that was said before while another is left."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._known = meeting.known

    def turn(self, wanted: Wanted, heard: Heard | None, text: str, said: frozenset[str], seed: int) -> str:
        """The mentor's next turn, under 50 words and with one question; `said` are the plain forms of
        all sentences that have been said, `text` is the answer it follows."""
        rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
        style, lead = wanted.style, self._meeting.lead
        if wanted.move == "welcome":
            return _fresh(_filled(lead.welcome[style], wanted.slots or {}), said, rng)
        if wanted.move == "close":
            return _within(self._take(heard, text, style, said, rng), [_fresh(lead.close[style], said, rng)])
        answer = self._answer(heard)
        if answer is not None and (answer.own or wanted.move == "deepen"):
            question = _fresh(answer.ask[style], said, rng)
            if plain(question) not in said:
                return _within(self._take(heard, text, style, said, rng), [question])
        take = self._take(heard, text, style, said, rng)
        if wanted.move == "deepen":
            further = self._meeting.words["meet"]["further"]
            asks_for = heard.aspect if heard is not None and heard.aspect in further else "any"
            return _within(take, [_fresh(further[asks_for][style], said, rng)])
        question = self._question(wanted, said, rng)
        between = _fresh(lead.drifts, said, rng) if wanted.drifting else ""
        if wanted.move == "open" and not between and wanted.topic != wanted.before:
            between = _fresh(self._meeting.words["meet"]["bridge"][style], said, rng)
        return _within(take, [between, question])

    def _answer(self, heard: Heard | None) -> Answer | None:
        return self._known[heard.answer][1] if heard is not None and heard.answer is not None else None

    def _take(
        self, heard: Heard | None, text: str, style: Style, said: frozenset[str], rng: random.Random
    ) -> str:
        """A line that takes up what was said, with their own words if there are any worth it."""
        answer = self._answer(heard)
        # What was meant to turn the mentor is not repeated either.
        is_order = heard is not None and heard.answer == f"{CONDUCT}/instructions"
        words = None if is_order else heard.words if heard is not None else said_back(text)
        lines = answer.take[style] if answer is not None else self._meeting.words["meet"]["taken_up"][style]
        if words is None:
            lines = [line for line in lines if SAID not in line] or [""]
        elif answer is None:
            # Unsure of what it was about: then their own words, which are never wrong.
            lines = [line for line in lines if SAID in line]
        fresh = _fresh(lines, said, rng, words or "")
        return fresh[0].upper() + fresh[1:] if fresh[:1].islower() else fresh

    def _question(self, wanted: Wanted, said: frozenset[str], rng: random.Random) -> str:
        questions = self._meeting.lead.topics[wanted.topic]
        style = wanted.style
        if wanted.move == "easier":
            return _fresh(questions.easier, said, rng)
        if wanted.move == "back":
            return _fresh(questions.back[style], said, rng)
        manners = {
            "kind": questions.kind,
            "drifts": questions.kind,
            "brisk": questions.brisk,
            "hard": questions.hard,
        }
        first = manners[wanted.difficulty][style]
        if all(plain(line) in said for line in first):
            first = (*questions.kind[style], *questions.brisk[style])
        return _fresh(first, said, rng)


def _fresh(lines: Sequence[str], said: frozenset[str], rng: random.Random, words: str = "") -> str:
    """One of `lines`, by chance, that has not been said if there is one; {said} filled in."""
    order = rng.sample(list(lines), len(lines))
    filled = [line.replace(SAID, words) for line in order]
    return next((line for line in filled if not any(plain(s) in said for s in sentences(line))), filled[0])


def _filled(lines: Sequence[str], slots: Mapping[str, str]) -> list[str]:
    """The lines whose slots can be filled, filled."""
    usable = [
        line
        for line in lines
        if all(slots.get(name) for name in ("field", "minutes") if f"{{{name}}}" in line)
    ]
    return [
        line.replace("{field}", slots.get("field", "")).replace("{minutes}", slots.get("minutes", ""))
        for line in usable
    ]


def _within(take: str, rest: Sequence[str]) -> str:
    """`take` and what follows, under MAX_WORDS: what is least needed goes first."""
    parts = [take, *rest]
    while len(" ".join(p for p in parts if p).split()) > MAX_WORDS and len([p for p in parts if p]) > 1:
        parts[1 if len(parts) > 2 and parts[1] else 0] = ""
    return " ".join(part for part in parts if part)
