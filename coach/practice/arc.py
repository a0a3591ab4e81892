"""Where a meeting goes next: which move, on which topic. Rules only; what is said is the mentor's.

welcome -> why -> where -> needs -> guidance -> expectations -> next -> back to what was left open -> close
"""

from __future__ import annotations

from collections.abc import Sequence

from coach.library.meeting import FOUR, TOPICS, Topic
from coach.practice.session import Session, Spoken
from coach.voice.listening import COVERS_AT, Heard
from coach.voice.mentor import Move

# An answer in a word or two, or none: then something easier is asked, once a topic.
SILENT = ("conduct/one-word", "conduct/does-not-know")
DEPTH, DEPTH_BRISK = 2, 1  # questions a topic
SKIPPED_AT = 0.8  # a later topic that was spoken to this surely is not opened again
DRIFTS_EVERY = 3
GOODBYES = 3
FAREWELL = "conduct/goodbye"
SAID_ENOUGH = ("on", "leave")


def next_move(session: Session, heard: Heard | None) -> tuple[Move, Topic]:
    """The move after the answer that `heard` stands for; None before the first."""
    asked = [turn for turn in session.asked if turn.move]
    if not asked or heard is None:
        return "welcome", "why"
    topic = asked[-1].topic
    on_topic = [turn for turn in asked if turn.topic == topic]
    if len(asked) == 1 and heard.answer is None and max(heard.topics.values()) < COVERS_AT:
        return "open", "why"  # hello is answered, and the question stands
    leaving = _is_leaving(session, asked)
    if heard.answer in SILENT and not leaving and not any(turn.move == "easier" for turn in on_topic):
        return "easier", topic
    if _is_new_conduct(session, heard):
        return "deepen", topic
    if leaving:
        # Who is going is let go, and no new subject is opened at the door; who says more is answered.
        says_more = max(heard.topics.values(), default=0.0) >= COVERS_AT
        is_over = _goodbyes(asked) >= GOODBYES or (says_more and _goodbyes(asked) > 0)
        return ("deepen", topic) if is_over else ("close", "next")
    depth = DEPTH_BRISK if session.setup.difficulty == "brisk" or session.setup.minutes < 20 else DEPTH
    # What fits nothing known is asked about once more too: the next heading would ignore it.
    speaks = heard.answer is None or heard.answer.startswith(f"{topic}/")
    if speaks and heard.aspect not in SAID_ENOUGH and len(on_topic) < depth:
        return "deepen", topic
    return _onwards(session, asked)


def _is_new_conduct(session: Session, heard: Heard) -> bool:
    """Whether something is the matter that was not met on the turn before."""
    if not heard.is_conduct or heard.answer in SILENT:
        return False
    before = session.answers[-2].heard if len(session.answers) > 1 else None
    return heard.answer != before


def _onwards(session: Session, asked: Sequence[Spoken]) -> tuple[Move, Topic]:
    covered = session.coverage()
    opened = {turn.topic for turn in asked}
    for topic in TOPICS:
        if topic not in opened and (topic in FOUR or covered[topic] < SKIPPED_AT):
            return "open", topic
    back = {turn.topic for turn in asked if turn.move == "back"}
    for topic in TOPICS:
        if covered[topic] < COVERS_AT and topic not in back:
            return "back", topic
    return "close", "next"


def _is_leaving(session: Session, asked: Sequence[Spoken]) -> bool:
    """Whether goodbye has been said: by the mentor or, when there is nothing left to open, by the mentee.
    Who says goodbye early and goes on has not left."""
    before = session.answers[-2].heard if len(session.answers) > 1 else None
    all_opened = {turn.topic for turn in asked} >= set(TOPICS)
    return _goodbyes(asked) > 0 or (before == FAREWELL and all_opened)


def _goodbyes(asked: Sequence[Spoken]) -> int:
    return sum(turn.move == "close" for turn in asked)
