"""Review, measured: recognisable drafts caught, harmless ones passed, words marked, verdicts that hold.

    python -m eval.review --part dev
    python -m eval.review --part test-1 test-2 --out judged.jsonl

Cases are one JSON object a line: `draft`, `labels` (each axis 0, 1 or 2), `verdict`, `spans`
(exact pieces with their kind). Parts were written by different hands.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coach.build import Coach
from coach.care.identifiers import DIRECT
from coach.care.judgement import stated_facts
from coach.care.reading import AXES
from coach.events import Review
from coach.settings import load_settings

CASES = Path(__file__).parent / "cases" / "review"
FRAMED = 60  # drafts that are framed in ten ways each


def read_cases(part: str) -> list[dict[str, Any]]:
    """The cases of one part, such as `dev` or `test-4`, or the framings of one."""
    lines = (CASES / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def auc(scores: Sequence[float], truths: Sequence[bool]) -> float:
    """Area under the ROC curve: how often a true one scores above a false one, ties half."""
    yes = [s for s, t in zip(scores, truths, strict=True) if t]
    no = [s for s, t in zip(scores, truths, strict=True) if not t]
    if not yes or not no:
        return float("nan")
    wins = sum((a > b) + 0.5 * (a == b) for a in yes for b in no)
    return wins / (len(yes) * len(no))


def spans_of(case: dict[str, Any]) -> list[tuple[int, int, str]]:
    """Where the labelled spans stand (first place of each)."""
    places = []
    for span in case["spans"]:
        at = case["draft"].find(span["text"])
        places.append((at, at + len(span["text"]), span["kind"]))
    return places


def direct_spans(
    cases: Sequence[dict[str, Any]], reviews: Sequence[Review]
) -> tuple[float, float, list[str], list[str]]:
    """Recall and precision of direct identifiers, by overlap, with what was missed and what was extra.

    An extra mark counts against precision only where nothing at all is labelled at its place.
    """
    hits = misses = right = wrong = 0
    missed, extra = [], []
    for case, review in zip(cases, reviews, strict=True):
        gold = spans_of(case)
        marks = [f for f in review.findings if f.axis == "privacy" and f.kind != "story"]
        for start, end, kind in gold:
            if kind not in DIRECT:
                continue
            if any(m.start < end and m.end > start for m in marks):
                hits += 1
            else:
                misses += 1
                missed.append(f"{kind}: {case['draft'][start:end]}")
        for mark in (m for m in marks if m.kind in DIRECT):
            if any(mark.start < end and mark.end > start for start, end, _ in gold):
                right += 1
            else:
                wrong += 1
                extra.append(f"{mark.kind}: {mark.text}")
    return hits / max(1, hits + misses), right / max(1, right + wrong), missed, extra


def flips(
    coach: Coach, cases: Sequence[dict[str, Any]], framings: Sequence[dict[str, str]], seed: int = 0
) -> tuple[int, int, int]:
    """How often ten framings change a verdict, how often to or from `post`, and of how many."""
    rng = random.Random(seed)  # noqa: S311
    changed = crossed = total = 0
    for case in rng.sample(list(cases), min(FRAMED, len(cases))):
        plain = coach.review.review(case["draft"], platform=case["platform"]).verdict
        for framing in rng.sample(framings, 10):
            text = f"{framing['before']}{case['draft']}{framing['after']}"
            verdict = coach.review.review(text, platform=case["platform"]).verdict
            changed += verdict != plain
            crossed += (verdict == "post") != (plain == "post")
            total += 1
    return changed, crossed, total


def figures(cases: Sequence[dict[str, Any]], reviews: Sequence[Review]) -> Iterator[tuple[str, str]]:
    """Everything measured on one part, as name and value."""
    pairs = list(zip(cases, reviews, strict=True))
    recognisable = [r for c, r in pairs if c["labels"]["privacy"] == 2]
    harmless = [r for c, r in pairs if c["verdict"] == "post"]
    yield "drafts", str(len(pairs))
    yield "recognisable drafts caught", _share(r.verdict != "post" for r in recognisable)
    yield "harmless drafts passed", _share(r.verdict == "post" for r in harmless)
    yield "verdict the same (of four)", _share(c["verdict"] == r.verdict for c, r in pairs)
    yield "not to be posted, caught", _share(r.verdict != "post" for c, r in pairs if c["verdict"] != "post")
    for axis in AXES:
        truths = [c["labels"][axis] == 2 for c, _ in pairs]
        yield f"{axis} AUC (2 against less)", f"{auc([r.axes[axis] for _, r in pairs], truths):.3f}"
    recall, precision, _, _ = direct_spans(cases, reviews)
    yield "direct identifiers, recall", f"{recall:.3f}"
    yield "direct identifiers, precision", f"{precision:.3f}"
    mended = [r for c, r in pairs if c["verdict"] == "edit" and r.verdict != "post"]
    yield "edit cases with a version whose risk falls", _share(r.rewrite is not None for r in mended)
    yield "edit cases with a version safe to post", _share(r.rewrite_is_safe for r in mended)
    yield "median ms", f"{statistics.median(r.timing.total_ms for r in reviews):.0f}"


def _share(seen: Any) -> str:
    values = [bool(x) for x in seen]
    return f"{statistics.fmean(values):.3f} of {len(values)}" if values else "none"


def main() -> None:
    """Print the figures of the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", nargs="+", default=["dev"])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--framings", default="framings-dev")
    parser.add_argument("--no-flips", action="store_true")
    parser.add_argument("--show", action="store_true", help="print what was missed and what was extra")
    given = parser.parse_args()
    coach = Coach(load_settings(model="none"))
    cases = [case for part in given.part for case in read_cases(part)]
    reviews = [
        coach.review.review(
            c["draft"],
            platform=c["platform"],
            facts=stated_facts({"note": c["context"]} if c["context"] else {}),
        )
        for c in cases
    ]
    for name, value in figures(cases, reviews):
        print(f"{name:45} {value}")
    if given.show:
        _, _, missed, extra = direct_spans(cases, reviews)
        print("missed:", missed, "\nextra:", extra)
    if not given.no_flips:
        changed, crossed, total = flips(coach, cases, read_cases(given.framings))
        print(f"{'verdicts that flip under ten framings':45} {changed} of {total}, {crossed} to or from post")
    if given.out:
        with given.out.open("w", encoding="utf-8") as file:
            for case, review in zip(cases, reviews, strict=True):
                file.write(
                    json.dumps({"case": case, "review": dataclasses.asdict(review)}, ensure_ascii=False)
                    + "\n"
                )


if __name__ == "__main__":
    main()
