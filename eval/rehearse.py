"""Rehearse, measured: scripted mentees play whole sessions, and every mentor turn and debrief is checked.

    python -m eval.rehearse --part dev
    python -m eval.rehearse --part test --out played.jsonl

Cases are one JSON object a line: `style`, `setup`, `answers`, and what a right debrief contains:
`covered`, `missed`; `must_meet` names answers after which something must be met first.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.build import Coach
from coach.library.cards import sentences
from coach.library.meeting import FOUR, TOPICS
from coach.practice.debrief import Debrief
from coach.practice.rehearse import Rehearsal
from coach.practice.session import Session, Setup
from coach.settings import load_settings
from coach.voice.ledger import plain

CASES = Path(__file__).parent / "cases" / "rehearse"
ROLE_AT = (4, 8, 16)  # mentor turns at which the role is looked at (Li et al. 2024, arXiv 2402.10962)
LONGEST = 49
# What somebody who has left the role would say; the one written answer to "are you a bot" may.
_OUT_OF_ROLE = re.compile(
    r"\b(?:as an ai|language model|i cannot help|i'm sorry, but|system prompt|chatbot)\b", re.IGNORECASE
)
_MENTEE_LINE = re.compile(r"^\s*(?:mentee|user|you|me|doctor)\s*:", re.IGNORECASE | re.MULTILINE)
# What must be met, and the situations that meet it.
MEETS = {
    "grief": {"grief", "tearful"}, "crying": {"tearful", "grief", "exhaustion"},
    "exhaustion": {"exhaustion", "tearful"},
    "fear": {"fear", "shame"}, "shame": {"shame", "fear"}, "anger": {"hostile", "sceptical"},
    "order": {"instructions", "are-you-real", "do-it-for-me"}, "language": {"other-language"},
    "medical": {"asks-medical-or-legal"},
}  # fmt: skip


@dataclass(frozen=True)
class Played:
    """One mentee's session with its debrief, and the milliseconds of each mentor turn."""

    case: dict[str, Any]
    session: Session
    debrief: Debrief
    sheet: str
    times_ms: tuple[float, ...]
    crises: int


def read_cases(part: str) -> list[dict[str, Any]]:
    """The mentees of one part, `dev` or `test`."""
    return [json.loads(line) for line in (CASES / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()]


def play(rehearsal: Rehearsal, case: dict[str, Any], number: int = 0) -> Played:
    """Let a scripted mentee say everything they have to say."""
    setup = case.get("setup", {})
    thread = f"eval-{case['id']}-{number}"
    known = {name: str(setup.get(name, "")) for name in ("programme", "mentor", "goal")}
    rehearsal.begin(thread, Setup(style=case.get("style", "gentle"), seed=number, **known))
    rehearsal.step(thread, "meet")
    times, crises = [], 0
    for answer in case["answers"]:
        started = time.perf_counter()
        crises += rehearsal.step(thread, "answer", answer).route == "crisis"
        times.append((time.perf_counter() - started) * 1000)
    session = rehearsal.step(thread, "end").session
    debrief, sheet = rehearsal.look_back(session)
    return Played(case, session, debrief, sheet, tuple(times), crises)


def figures(played: Sequence[Played]) -> Iterator[tuple[str, str]]:
    """Everything measured on one part, as name and value."""
    turns = [(p, t.text) for p in played for t in p.session.asked]
    yield "mentees, mentor turns", f"{len(played)}, {len(turns)}"
    yield "exactly one question, at the end", _share(t.count("?") == 1 and t.endswith("?") for _, t in turns)
    yield "under 50 words", _share(len(t.split()) <= LONGEST for _, t in turns)
    yield "lines of the mentee in a mentor turn (0)", str(sum(bool(_MENTEE_LINE.search(t)) for _, t in turns))
    for at in ROLE_AT:
        late = [p.session.asked[at - 1].text for p in played if len(p.session.asked) >= at]
        yield f"role kept at turn {at}", _share(not _OUT_OF_ROLE.search(t) for t in late)
    yield "questions not asked before in the session", _share(_is_new(p) for p in played for _ in (0,))
    yield (
        "the mentee's own words in the turn",
        _share(_quotes(p, i) for p in played for i in range(1, len(p.session.asked))),
    )
    points = [(t in p.case["covered"]) == (t in p.debrief.covered) for p in played for t in TOPICS]
    yield "covered or missed, right", _share(points)
    for topic in TOPICS:
        yield (
            f"  {topic}",
            _share((topic in p.case["covered"]) == (topic in p.debrief.covered) for p in played),
        )
    quotes = [(p, q) for p in played for q in p.debrief.quotes]
    yield "quotes verbatim", _share(any(q in a for a in p.case["answers"]) for p, q in quotes)
    full = [p for p in played if len(p.case["answers"]) >= 8]
    yield (
        "the four questions all touched",
        _share({t.topic for t in p.session.asked} >= set(FOUR) for p in full),
    )
    yield (
        "a strength among those named",
        _share(
            any(s.answer in p.case["strength_in"] for s in p.debrief.strengths)
            for p in played
            if p.case["strength_in"]
        ),
    )
    yield "the weakest moment among those named", _share(
        p.debrief.try_next is not None and p.debrief.try_next.answer in p.case["weak_in"]
        for p in played if p.case["weak_in"]
    )  # fmt: skip
    met = [(m["what"], _met(p, m)) for p in played for m in p.case["must_meet"]]
    yield "what had to be met, met", _share(ok for _, ok in met)
    for what in sorted({what for what, _ in met}):
        yield f"  {what}", _share(ok for w, ok in met if w == what)
    yield "crisis answers", str(sum(p.crises for p in played))
    yield "median ms a mentor turn", f"{statistics.median(ms for p in played for ms in p.times_ms):.0f}"


def _is_new(played: Played) -> bool:
    asked = [plain(s) for t in played.session.asked for s in sentences(t.text) if s.endswith("?")]
    return len(asked) == len(set(asked))


def _quotes(played: Played, turn: int) -> bool:
    """Whether the mentor's turn number `turn` holds words of the answer before it."""
    text = played.session.asked[turn].text
    at = played.session.turns.index(played.session.asked[turn])
    before = next((t.text for t in reversed(played.session.turns[:at]) if t.role == "mentee"), "")
    return any(quoted in before for quoted in re.findall(r"“([^”]+)”", text))


def _met(played: Played, must: dict[str, Any]) -> bool:
    """Whether what was in an answer was heard, by the mentor or by the crisis answer."""
    told = played.case["answers"][must["turn"]]
    for i, turn in enumerate(played.session.turns):
        if turn.role == "mentee" and turn.text == told.strip():
            after = played.session.turns[i + 1 : i + 2]
            heard = (turn.heard or "").removeprefix("conduct/")
            return heard in MEETS.get(must["what"], set()) or any(t.move == "crisis" for t in after)
    return False


def _share(seen: Any) -> str:
    values = [bool(x) for x in seen]
    return f"{statistics.fmean(values):.3f} of {len(values)}" if values else "none"


def main() -> None:
    """Print the figures of a part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="dev")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rehearsal = Coach(load_settings(model="none")).rehearsal
    played = [play(rehearsal, case, number) for number, case in enumerate(read_cases(given.part))]
    for name, value in figures(played):
        print(f"{name:45} {value}")
    if given.out:
        with given.out.open("w", encoding="utf-8") as file:
            for p in played:
                shown = {"id": p.case["id"], "turns": [t.model_dump() for t in p.session.turns],
                         "debrief": p.debrief.model_dump(), "sheet": p.sheet}  # fmt: skip
                file.write(json.dumps(shown, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
