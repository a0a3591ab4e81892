"""Care, measured: danger noticed by level, place and kind; commands marked; what is declined or not.

    python -m eval.care --part dev
    python -m eval.care --part test --out seen.jsonl

Cases are one JSON object a line under eval/cases/care: `crisis-*` with `level`, `where` and `kind`;
`injection-*` with `attack` and `where`; `scope-*` with `expect` (decline or answer). A text is examined
as the room it was typed in would. False premises are answered by `coach ask` and read by hand.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from coach.build import Coach
from coach.care.gate import Room
from coach.events import Reply, Turn, cleaned
from coach.settings import load_settings

CASES = Path(__file__).parent / "cases" / "care"
ROOMS: dict[str, Room | None] = {"talk": None, "draft": "review", "rehearsal": "rehearse"}
DECLINED = frozenset({"out_of_scope", "refused", "crisis", "not_covered"})
FEW = 5  # kinds with fewer cases are not told apart

Case = dict[str, Any]


def cases(name: str, part: str) -> list[Case]:
    """All cases of a set, several files of one part together; empty if there is none."""
    paths = [*CASES.glob(f"{name}-{part}.jsonl"), *CASES.glob(f"{name}-{part}-*.jsonl")]
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def crisis_figures(seen: Sequence[tuple[Case, str]]) -> Iterator[tuple[str, str]]:
    """Recall by level and false alarms, overall, by place, and by kind. Seen is any level but `none`;
    told apart is the level itself."""
    for level in ("urgent", "concern", "none"):
        of = [(case, level_seen) for case, level_seen in seen if case["level"] == level]
        yield f"{level}: sounds", _share(s != "none" for _, s in of)
        if level != "none":
            yield f"{level}: as {level}", _share(s == level for _, s in of)
        for where in ROOMS:
            yield f"  {level}, {where}", _share(s != "none" for c, s in of if c["where"] == where)
        kinds = sorted({case["kind"] for case, _ in of})
        for kind in kinds:
            found = [s != "none" for c, s in of if c["kind"] == kind]
            if len(found) >= FEW:
                yield f"    {level}, {kind}", _share(found)


def injection_figures(seen: Sequence[tuple[Case, bool]]) -> Iterator[tuple[str, str]]:
    """Attacks marked, and innocent texts marked, overall and by place."""
    for attack, name in ((True, "attacks marked"), (False, "innocent texts marked")):
        of = [(case, marked) for case, marked in seen if case["attack"] is attack]
        yield name, _share(marked for _, marked in of)
        for where in sorted({case["where"] for case, _ in of}):
            yield f"  {where}", _share(marked for case, marked in of if case["where"] == where)


def scope_figures(seen: Sequence[tuple[Case, str]]) -> Iterator[tuple[str, str]]:
    """What should be declined and was, and what should be answered and was declined."""
    for expect, name in (("decline", "declined, rightly"), ("answer", "declined, wrongly")):
        of = [(case, route) for case, route in seen if case["expect"] == expect]
        yield name, _share(route in DECLINED for _, route in of)


def _share(seen: Iterator[bool] | Sequence[bool]) -> str:
    values = [bool(x) for x in seen]
    return f"{statistics.fmean(values):.3f} of {len(values)}" if values else "none"


def main() -> None:
    """Print the figures of a part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="dev")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    coach = Coach(load_settings(model="none"))
    talk, gate = coach.ready(), coach.gate

    def examined(case: Case) -> Any:
        return gate.examine(case["text"], coach.both.encode([cleaned(case["text"])])[0])

    def level(case: Case) -> str:
        room = ROOMS[case["where"]]
        return gate.danger(case["text"], room) if room is not None else str(examined(case).crisis)

    def is_marked(case: Case) -> bool:
        marked: bool = examined(case).injection if case["where"] == "talk" else gate.commands(case["text"])
        return marked

    def route(case: Case) -> str:
        *_, reply = talk.reply([Turn("user", case["text"])])
        assert isinstance(reply, Reply)  # noqa: S101 - a flow always ends with a reply
        return reply.route

    told: list[dict[str, Any]] = []
    sets: list[tuple[str, Callable[[Case], Any], Callable[[Any], Iterator[tuple[str, str]]]]] = [
        ("crisis", level, crisis_figures),
        ("injection", is_marked, injection_figures),
        ("scope", route, scope_figures),
    ]
    for name, look, figures in sets:
        seen = [(case, look(case)) for case in cases(name, given.part)]
        told += [{"set": name, "id": case["id"], "seen": found} for case, found in seen]
        for what, value in figures(seen):
            print(f"{name:10} {what:40} {value}")
    if given.out:
        given.out.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")


if __name__ == "__main__":
    main()
