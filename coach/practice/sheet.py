"""The one-page sheet a mentee takes along: as text to edit, and as Markdown, PDF and calendar file."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from coach.practice.answers import length
from coach.practice.debrief import Debrief
from coach.practice.session import Session
from coach.voice.listening import COVERS_AT

# Headings of the sheet, and the topic of the meeting or the question of Prepare that fills each.
PARTS: Sequence[tuple[str, str]] = (
    ("My why", "why"), ("Where I am", "where"), ("What I need", "needs"), ("How I work best", "guidance"),
)  # fmt: skip
LONGEST = 45  # words of an answer that stand on the sheet
QUESTIONS = 3


def sheet(session: Session, debrief: Debrief, words: Mapping[str, Any]) -> str:
    """The sheet as Markdown, in the mentee's own words; what is open says so."""
    empty = words["sheet"]["left_open"]
    lines = ["# Before I meet my mentor", ""]
    for label, told in about(session):
        lines += [f"{label}: {told}", ""]
    for heading, topic in PARTS:
        lines += [f"## {heading}", _said_on(session, topic) or empty, ""]
    asks = _questions(session, debrief, words["sheet"]["questions_for_mentor"])
    lines += ["## Three questions for my mentor", *(f"{n}. {ask}" for n, ask in enumerate(asks, 1)), ""]
    lines += ["## What I offer", _prepared(session, "offer") or empty, ""]
    lines += ["## Next step", _said_on(session, "next") or empty, ""]
    return "\n".join(lines).rstrip() + "\n"


def about(session: Session) -> list[tuple[str, str]]:
    """What was told of the meeting beforehand, each with its label: the mentor, and what would make it
    worth it; from Prepare, else from how the rehearsal was set up."""
    told = {
        "My mentor": _prepared(session, "mentor") or session.setup.mentor,
        "The programme": session.setup.programme,
        "Worth it if": _prepared(session, "worth") or session.setup.goal,
    }
    return [(label, _short(text)) for label, text in told.items() if text.strip()]


def _said_on(session: Session, topic: str) -> str:
    """What was said on a topic: in the meeting if it was covered there, else in Prepare."""
    best = max(
        (a for a in session.answers if a.topics.get(topic, 0.0) >= COVERS_AT and length(a.text) > 5),
        key=lambda a: (a.topic == topic, a.topics[topic]),
        default=None,
    )
    return _short(best.text) if best is not None else _prepared(session, topic)


def _prepared(session: Session, question: str) -> str:
    held = session.prepared.get(question)
    return _short(held.text) if held is not None and held.text else ""


def _short(text: str) -> str:
    """The first sentences of an answer, up to LONGEST words, on one line."""
    kept = ""
    for sentence in re.split(r"(?<=[.?!])\s+", " ".join(text.split())):
        if kept and length(kept) + length(sentence) > LONGEST:
            break
        kept = f"{kept} {sentence}".strip()
    words = kept.split()
    return kept if len(words) <= LONGEST else " ".join(words[:LONGEST]) + " …"


def _questions(session: Session, debrief: Debrief, bank: Mapping[str, Sequence[str]]) -> list[str]:
    """Their own questions first, then some about what was left open."""
    own = [
        q.strip() for a in session.answers for q in re.findall(r"[^.?!\n]*\?", a.text) if 4 <= length(q) <= 25
    ]
    rng = random.Random(session.setup.seed)  # noqa: S311 - variety, not secrecy
    topics: list[str] = [*debrief.missed, "general", "expectations", "next"]
    offered = [rng.choice(list(bank[topic])) for topic in topics]
    return list(dict.fromkeys([*own[:2], *offered]))[:QUESTIONS]


def as_pdf(text: str) -> bytes:
    """The sheet's Markdown on one page (A4), with letters of European languages."""
    import font_roboto
    from fpdf import FPDF

    fonts = Path(font_roboto.__file__).parent / "files"
    pdf = FPDF(format="A4")
    pdf.set_title("Before I meet my mentor")
    pdf.add_font("Roboto", "", fonts / "Roboto-Regular.ttf")
    pdf.add_font("Roboto", "B", fonts / "Roboto-Medium.ttf")
    pdf.add_page()
    for line in text.splitlines():
        heading = re.match(r"(#+)\s*(.*)", line)
        if heading:
            pdf.ln(2)
            pdf.set_font("Roboto", "B", 17 if len(heading[1]) == 1 else 12)
            pdf.multi_cell(0, 8, heading[2], new_x="LMARGIN", new_y="NEXT")
        elif line.strip():
            pdf.set_font("Roboto", "", 11)
            pdf.multi_cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def as_calendar(text: str, start: datetime, minutes: int) -> bytes:
    """A calendar file with the meeting, from `start` for `minutes`, and the sheet as its notes."""
    from icalendar import Alarm, Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//Serendip//Rehearse//EN")
    calendar.add("version", "2.0")
    event = Event()
    event.add("uid", f"{start:%Y%m%dT%H%M}-mentor@serendip")
    event.add("summary", "Meeting with my mentor")
    event.add("dtstamp", start)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=minutes))
    event.add("description", re.sub(r"^#+\s*", "", text, flags=re.MULTILINE))
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "Read the sheet once more")
    alarm.add("trigger", timedelta(hours=-1))
    event.add_component(alarm)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
