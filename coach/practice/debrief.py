"""The debrief: what was covered, two strengths and one thing to try, in the mentee's own words. Pure.

Every quote is copied letter for letter from what the mentee said; every sentence round it was
written by people. It judges how something was said, never the person.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coach.library.meeting import SAID, TOPICS, Topic
from coach.practice.answers import faults, length, qualities
from coach.practice.session import Record, Session, Spoken
from coach.voice.listening import COVERS_AT
from coach.voice.said import said_back

# The heaviest fault first; of the qualities, the rarer one first.
FAULTS = ("hands_over", "hostile", "apology", "vague", "list", "short", "rambling")
QUALITIES = ("asks", "own_need", "boundary", "plan", "honest", "reason", "concrete")
LONGEST_QUOTE = 16
FULL, SAYS_NOTHING = 40, 0.3  # words from which an answer is no fuller; coverage under which it is empty
# What nobody is praised for, or told to put better; and what was not meant for a mentor.
SORE = frozenset(f"conduct/{name}" for name in ("grief", "tearful", "exhaustion", "fear", "shame"))
# Courtesy, and what a meeting stops for, is no moment to try again.
COURTESY = frozenset(
    f"conduct/{name}"
    for name in ("goodbye", "thanks", "called-away", "lost-question", "wants-to-stop", "apology")
)
NOT_PRAISED = SORE | {f"conduct/{name}" for name in ("hostile", "instructions", "gossip")}


class Quoted(Record):
    """Something the mentee said (`quote`, the answer's number from 0), and what is said about it."""

    quote: str
    answer: int
    text: str


class Debrief(Record):
    """What a rehearsal showed. `spoke` is the mentee's share of all words in the meeting (0 to 1)."""

    opening: str
    covered: tuple[Topic, ...]
    missed: tuple[Topic, ...]
    notes: dict[Topic, str]
    strengths: tuple[Quoted, ...]
    try_next: Quoted | None
    instead: str
    spoke: float
    asked: int
    closing: str

    @property
    def quotes(self) -> tuple[str, ...]:
        """Every quote, verbatim."""
        shown = (*self.strengths, *((self.try_next,) if self.try_next else ()))
        return tuple(q.quote for q in shown)


def debriefed(session: Session, words: Mapping[str, Any]) -> Debrief:
    """Look back on a meeting; `words` are those of knowledge/meeting/words.yaml."""
    rng = random.Random(session.setup.seed)  # noqa: S311 - variety, not secrecy
    said = words["debrief"]
    answers = session.answers
    covered = tuple(topic for topic in TOPICS if _is_covered(topic, answers))
    missed = tuple(topic for topic in TOPICS if topic not in covered)
    strengths = tuple(_strengths(answers, said["strengths"], rng))
    weakest = _weakest(answers, {s.answer for s in strengths}, said, rng)
    topic = answers[weakest.answer].topic if weakest else "general"
    mine = sum(length(a.text) for a in answers)
    theirs = sum(length(t.text) for t in session.asked)
    return Debrief(
        opening=rng.choice(said["opening"]),
        covered=covered,
        missed=missed,
        notes={t: rng.choice(said["topics"][t]["covered" if t in covered else "missed"]) for t in TOPICS},
        strengths=strengths,
        try_next=weakest,
        instead=_instead(said["instead"], topic, weakest, rng) if weakest else "",
        spoke=mine / (mine + theirs) if mine else 0.0,
        asked=sum(a.text.count("?") > 0 for a in answers),
        closing=rng.choice(said["closing"]),
    )


def _is_covered(topic: Topic, answers: Sequence[Spoken]) -> bool:
    return any(a.topics.get(topic, 0.0) >= COVERS_AT for a in answers)


def _strengths(
    answers: Sequence[Spoken], lines: Mapping[str, Sequence[str]], rng: random.Random
) -> Iterator[Quoted]:
    """Two things said well, of different answers and kinds if there are, in answers that say much;
    something if there is anything."""
    found = [
        (
            not _says(answer),
            -min(length(answer.text), FULL),
            QUALITIES.index(name),
            -length(quote),
            number,
            name,
            quote,
        )
        for number, answer in enumerate(answers)
        if answer.heard not in NOT_PRAISED
        for name, quote in qualities(answer.text)
        if length(quote) <= LONGEST_QUOTE and quote in answer.text
    ]
    used: set[int] = set()
    kinds: set[str] = set()
    for *_, number, name, quote in sorted(found):
        if number in used or name in kinds or len(used) == 2:
            continue
        used.add(number)
        kinds.add(name)
        yield Quoted(quote=quote, answer=number, text=rng.choice(lines[name]).replace(SAID, quote))
    if used:
        return
    for number, answer in enumerate(answers):
        quote = said_back(answer.text) or answer.text.strip()
        if quote and length(quote) <= LONGEST_QUOTE and answer.heard not in NOT_PRAISED:
            yield Quoted(quote=quote, answer=number, text=rng.choice(lines["there"]).replace(SAID, quote))
            return


def _weakest(
    answers: Sequence[Spoken], strong: set[int], said: Mapping[str, Any], rng: random.Random
) -> Quoted | None:
    """The one moment to try again: where least was said on anything, and not one that was praised."""
    found = [
        (_most(answer), FAULTS.index(fault), number, fault)
        for number, answer in enumerate(answers)
        if number not in strong and answer.heard not in SORE | COURTESY
        for fault in _faults(answer, is_first=number == 0)
    ]
    for *_, number, fault in sorted(found):
        quote = _quotable(answers[number].text)
        if quote is not None:
            return Quoted(
                quote=quote, answer=number, text=rng.choice(said["try_next"][fault]).replace(SAID, quote)
            )
    rest = [number for number, answer in enumerate(answers) if answer.heard not in SORE]
    if rest and not any("?" in a.text for a in answers):
        number = max(rest, key=lambda i: length(answers[i].text))
        quote = _quotable(answers[number].text)
        if quote is not None:
            line = rng.choice(said["try_next"]["no_question"])
            return Quoted(quote=quote, answer=number, text=line.replace(SAID, quote))
    return None


def _most(answer: Spoken) -> float:
    """How surely it speaks to the topic it speaks to most."""
    return max(answer.topics.values(), default=0.0)


def _says(answer: Spoken) -> bool:
    return _most(answer) >= COVERS_AT


def _faults(answer: Spoken, *, is_first: bool) -> list[str]:
    """What is weak about it by its form; one with nothing in it is vague, whatever its form, unless it is
    the first: that is hello."""
    found = list(faults(answer.text, answer.heard))
    is_empty = _most(answer) < SAYS_NOTHING and not is_first
    return found or (["vague"] if is_empty else [])


def _quotable(text: str) -> str | None:
    """Words of `text` to quote: those worth saying back, or all of it if it is short."""
    bare = text.strip().rstrip(".!")
    if length(bare) <= 6 and bare and "\n" not in bare:
        return bare
    return said_back(text)


def _instead(lines: Mapping[str, Sequence[str]], topic: str, weakest: Quoted, rng: random.Random) -> str:
    return rng.choice(list(lines[topic])).replace(SAID, weakest.quote)
