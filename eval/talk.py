"""Talk, measured: is the right situation found, the right card cited, nothing repeated?

    python -m eval.talk --part dev
    python -m eval.talk --part test --out answers.jsonl

Cases are one JSON object a line: `turns` (what the person says, turn by turn),
`situation` (the right one), `also` (others nearly as good), `cards` (any of which should
carry the answer), `follow` (the kinds of the later turns), `leaves` (a situation the last
turn changes to, or null).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coach.build import Coach
from coach.events import Reply, Turn
from coach.library.cards import sentences
from coach.settings import load_settings
from coach.voice.guided import GuidedVoice
from coach.voice.ledger import plain
from coach.voice.recogniser import RERANKED, Recogniser

CASES = Path(__file__).parent / "cases" / "talk"


def read_cases(part: str) -> list[dict[str, Any]]:
    """The cases of one part, `dev` or `test`."""
    lines = (CASES / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def right(case: dict[str, Any]) -> set[str]:
    """The situations that count as right for a case's first turn."""
    return {case["situation"], *case["also"]}


def stages(coach: Coach, cases: Sequence[dict[str, Any]]) -> Iterator[tuple[str, float, float, float]]:
    """(stage, right first, right among three, among fourteen) for each stage alone and together."""
    voice = written_voice(coach)
    recogniser = voice._recogniser
    names = list(recogniser.situations)
    examples = [(e, n) for n in names for e in recogniser.situations[n].examples]
    messages = [case["turns"][0] for case in cases]
    for label, encoder in (("nearest example, encoder as packaged", coach.encoder),
                           ("nearest example, tuned encoder", coach.tuned)):  # fmt: skip
        known = encoder.encode([text for text, _ in examples])
        close = encoder.encode(messages) @ known.T
        orders = []
        for row in close:
            order = dict.fromkeys(examples[int(i)][1] for i in np.argsort(-row))
            orders.append(list(order))
        yield label, *_ranks(orders, cases)
    vectors = coach.tuned.encode(messages)
    alone = Recogniser(coach.cards, recogniser._classifier, None)
    runs = [("classifier on the tuned encoder", alone)]
    if recogniser.ranker is not None:
        runs.append(("classifier and language model", recogniser))
        orders = []
        for message, vector in zip(messages, vectors, strict=True):
            few = [name for name, _ in alone.recognise(message, vector).situations[:RERANKED]]
            gained = recogniser.ranker.scores(message, few)
            orders.append([*(few[int(i)] for i in np.argsort(-gained)), *(n for n in names if n not in few)])
        yield "language model alone, over the classifier's 14", *_ranks(orders, cases)
    for label, run in runs:
        orders = [
            [name for name, _ in run.recognise(m, v).situations]
            for m, v in zip(messages, vectors, strict=True)
        ]
        yield label, *_ranks(orders, cases)


def _ranks(orders: Sequence[Sequence[str]], cases: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    ranks = [
        min(order.index(name) for name in right(case)) for order, case in zip(orders, cases, strict=True)
    ]
    return tuple(statistics.fmean(r < n for r in ranks) for n in (1, 3, 14))  # type: ignore[return-value]


def written_voice(coach: Coach) -> GuidedVoice:
    """The guided voice of a coach over the built-in cards."""
    voice = coach.ready()._fallback
    assert isinstance(voice, GuidedVoice)  # noqa: S101
    return voice


def converse(coach: Coach, case: dict[str, Any]) -> list[Reply]:
    """The coach's replies to a case's turns, each knowing those before."""
    history: list[Turn] = []
    replies = []
    for turn in case["turns"]:
        history.append(Turn("user", turn))
        reply = list(coach.ready().reply(history, seed=0, temperature=0))[-1]
        assert isinstance(reply, Reply)  # noqa: S101
        replies.append(reply)
        history.append(Turn("assistant", reply.reply))
    return replies


@dataclasses.dataclass(frozen=True)
class Figures:
    """What was measured over one part; shares are 0 to 1."""

    cases: int
    routes: dict[str, int]
    answered: float
    card_cited: float
    situation_right_of_answered: float
    asked_back_has_it: float
    one_question: float
    repeats: int
    words_in_bounds: float
    left_when_asked: str
    stayed: float
    first_sentence_ms: float


def measure(cases: Sequence[dict[str, Any]], replies: Sequence[Sequence[Reply]]) -> Figures:
    """Score replies (one list a case) by rules; no model judges."""
    pairs = [(case, said[0]) for case, said in zip(cases, replies, strict=True)]
    answered = [(c, r) for c, r in pairs if r.route == "answer"]
    asked = [(c, r) for c, r in pairs if r.route == "ask_back"]
    every = [r for said in replies for r in said]
    talk = [r for r in every if r.route in ("answer", "ask_back") and not r.kind.startswith("thanks")]
    leaving = [(c, said[-1]) for c, said in zip(cases, replies, strict=True) if c["leaves"]]
    later = [
        (said[i - 1], said[i])
        for c, said in zip(cases, replies, strict=True)
        for i in range(1, len(said))
        if said[i - 1].situation and not (c["leaves"] and i == len(said) - 1)
    ]
    return Figures(
        cases=len(cases),
        routes=dict(Counter(r.route for _, r in pairs)),
        answered=len(answered) / len(pairs),
        card_cited=_share(bool({x.card for x in r.citations} & set(c["cards"])) for c, r in answered),
        situation_right_of_answered=_share(r.situation in right(c) for c, r in answered if r.situation),
        asked_back_has_it=_share(bool({x.situation for x in r.choices} & right(c)) for c, r in asked),
        one_question=_share(ends_with_one_question(r.reply) for r in talk),
        repeats=sum(repeated(said) for said in replies),
        words_in_bounds=_share(
            50 <= len(re.sub(r"\[\d+\]", "", r.reply).split()) <= 112 for c, r in answered if r.citations
        ),
        left_when_asked=f"{sum(r.situation == c['leaves'] for c, r in leaving)} of {len(leaving)}",
        stayed=_share(after.situation in (before.situation, None) for before, after in later),
        first_sentence_ms=statistics.median(r.timing.first_sentence_ms for r in every),
    )


def ends_with_one_question(text: str) -> bool:
    """Whether a reply holds exactly one question and ends with it."""
    bare = re.sub(r"\s*\[\d+\]", "", text).rstrip("”\"')")
    return bare.count("?") == 1 and bare.endswith("?")


def repeated(said: Sequence[Reply]) -> int:
    """How many sentences of a conversation are said a second time."""
    every = [plain(s) for reply in said for s in sentences(reply.reply)]
    return len(every) - len(set(every))


def _share(seen: Any) -> float:
    values = [bool(x) for x in seen]
    return statistics.fmean(values) if values else float("nan")


def main() -> None:
    """Print the figures of one part, and write every reply where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["dev", "test", "fresh"], default="dev")
    parser.add_argument("--model", default=None)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--no-stages", action="store_true")
    given = parser.parse_args()
    coach = Coach(load_settings(model=given.model))
    cases = read_cases(given.part)
    if not given.no_stages:
        for name, first, three, fourteen in stages(coach, cases):
            print(
                f"{name:42} first {first:.3f}  three {three:.3f}  fourteen {fourteen:.3f}",
                flush=True,
            )
    replies = []
    for number, case in enumerate(cases):
        replies.append(converse(coach, case))
        print(f"\r{number + 1}/{len(cases)}", end="", file=sys.stderr)
    for field, value in dataclasses.asdict(measure(cases, replies)).items():
        print(f"{field:30} {value:.3f}" if isinstance(value, float) else f"{field:30} {value}")
    if given.out:
        with given.out.open("w", encoding="utf-8") as file:
            for case, said in zip(cases, replies, strict=True):
                row = {"case": case, "replies": [dataclasses.asdict(r) for r in said]}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
