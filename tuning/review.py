"""Trains what judges draft posts: the encoder's upper layers with heads for words and whole drafts.

    python -m tuning.review --out coach/care

One reading of a draft answers everything: each token's kind (who, where, when…), and for
the draft the axes, whose story it is, and the verdict. The lower layers stay as packaged
and are shared with search. Learns from eval/cases/review/train*.jsonl only.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from coach.care.reading import ABOUT, AXES, CASES, KINDS, READING_HEADS, READING_LAYERS, VERDICTS, case_of
from tuning.encoder import tokenizer_of
from tuning.heads import UNKNOWN, Headed, averaged, fit, save

TRAIN = Path("eval/cases/review")
MAX_TOKENS = 200
NO_KIND = len(KINDS)


@dataclass(frozen=True)
class Draft:
    """A labelled draft: axes 0 to 1, spans as (start, end, kind); from `begins` to `ends` it is the draft
    itself, what is around it is said about it. `lifts`: 1 if it lifts others up, or UNKNOWN."""

    text: str
    axes: tuple[float, ...]
    verdict: int
    about: int
    lifts: int
    spans: tuple[tuple[int, int, int], ...]
    begins: int
    ends: int


def read(paths: Iterable[Path]) -> list[Draft]:
    """Drafts from JSON lines as in eval/cases/review."""
    drafts = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            spans = [
                (at, at + len(span["text"]), KINDS.index(span["kind"]))
                for span in case["spans"]
                if span["kind"] in KINDS
                for at in _places(case["draft"], span["text"])
            ]
            drafts.append(
                Draft(
                    case["draft"],
                    tuple(case["labels"][axis] / 2 for axis in AXES),
                    VERDICTS.index(case["verdict"]),
                    ABOUT.index(case["about"]),
                    case.get("amplifies", UNKNOWN),
                    tuple(spans),
                    0,
                    len(case["draft"]),
                )
            )
    return drafts


def _places(text: str, part: str) -> list[int]:
    """Where `part` stands in `text` as whole words; everywhere it does."""
    found, at = [], text.find(part)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(part) : at + len(part) + 1]
        if not (before.isalnum() and part[0].isalnum()) and not (after.isalnum() and part[-1].isalnum()):
            found.append(at)
        at = text.find(part, at + 1)
    return found


class Reader(Headed):
    """The encoder with its heads."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds = nn.Linear(384 + CASES, NO_KIND + 1)
        self.axes = nn.Linear(384, len(AXES))
        self.verdicts = nn.Linear(384, len(VERDICTS))
        self.about = nn.Linear(384, len(ABOUT))
        self.lifts = nn.Linear(384, 1)
        self.aside = nn.Linear(384 + CASES, 1)

    def forward(self, batch: dict[str, torch.Tensor], cases: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by head: of tokens `kinds` and `aside`, of the whole the others."""
        states, whole = self.read(batch)
        tokens = torch.cat([states, cases], dim=-1)
        return {
            "kinds": self.kinds(tokens),
            "aside": self.aside(tokens).squeeze(-1),
            "axes": self.axes(whole),
            "verdicts": self.verdicts(whole),
            "about": self.about(whole),
            "lifts": self.lifts(whole).squeeze(-1),
        }


Prepared = tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, torch.Tensor]


def prepared(drafts: Sequence[Draft]) -> Prepared:
    """Token ids, what case tells of each token (drafts, tokens, CASES), each token's kind, and whether
    it is said about the draft (1) or stands in it (0)."""
    inputs = tokenizer_of()(
        [d.text for d in drafts], padding=True, truncation=True, max_length=MAX_TOKENS,
        return_tensors="pt", return_offsets_mapping=True,
    )  # fmt: skip
    offsets = inputs.pop("offset_mapping").numpy()
    kinds, aside = np.full(offsets.shape[:2], UNKNOWN), np.full(offsets.shape[:2], UNKNOWN)
    cases = np.zeros((*offsets.shape[:2], CASES), dtype=np.float32)
    for i, draft in enumerate(drafts):
        held = [j for j, (a, b) in enumerate(offsets[i]) if b > a]
        kinds[i, held] = NO_KIND
        aside[i, held] = [a < draft.begins or a >= draft.ends for a in offsets[i, held, 0]]
        cases[i, held] = case_of(draft.text, offsets[i][held])
        for start, end, kind in draft.spans:
            for j in held:
                if offsets[i, j, 0] < end and offsets[i, j, 1] > start:
                    kinds[i, j] = kind
    return dict(inputs), torch.from_numpy(cases), torch.from_numpy(kinds), torch.from_numpy(aside)


class Variation:
    """Drafts as somebody else might have pasted them: other names, words about them around them,
    no capitals. What they are labelled stays."""

    def __init__(
        self, drafts: Sequence[Draft], framings: Sequence[dict[str, str]], alike: Sequence[str], seed: int
    ) -> None:
        self._rng = random.Random(seed)
        self._framings, self._alike = framings, alike
        name = KINDS.index("name")
        self._names = [d.text[a:b] for d in drafts for a, b, kind in d.spans if kind == name]

    def of(self, draft: Draft) -> Draft:
        """One variation of `draft`; often the draft itself."""
        if self._rng.random() < 0.5:
            draft = self._renamed(draft)
        if self._rng.random() < 0.12:
            draft = self._opened(draft)
        if self._rng.random() < 0.5:
            draft = self._framed(draft)
        lower = draft.text.lower()
        if self._rng.random() < 0.2 and len(lower) == len(draft.text):
            return dataclasses.replace(draft, text=lower)
        upper = draft.text.upper()
        if self._rng.random() < 0.03 and len(upper) == len(draft.text):
            return dataclasses.replace(draft, text=upper)
        return draft

    def _renamed(self, draft: Draft) -> Draft:
        name = KINDS.index("name")
        text, spans, shift, end_before = "", [], 0, 0
        for start, end, kind in sorted(draft.spans):
            if start < end_before:
                return draft  # spans within spans are left alone
            old = draft.text[start:end]
            new = self._rng.choice(self._names) if kind == name and self._rng.random() < 0.6 else old
            text += draft.text[end_before:start] + new
            spans.append((start + shift, start + shift + len(new), kind))
            shift += len(new) - len(old)
            end_before = end
        text += draft.text[end_before:]
        return dataclasses.replace(draft, text=text, spans=tuple(spans), ends=len(text))

    def _opened(self, draft: Draft) -> Draft:
        """With a sentence of the post itself that merely looks like words about it."""
        line, gap = self._rng.choice(self._alike), self._rng.choice([" ", "\n", "\n\n"])
        if self._rng.random() < 0.5:
            return _around(draft, "", gap + line, inside=True)
        return _around(draft, line + gap, "", inside=True)

    def _framed(self, draft: Draft) -> Draft:
        before = self._rng.choice(self._framings)["before"]
        after = self._rng.choice(self._framings)["after"]
        if before and self._rng.random() < 0.4:
            before = before.rstrip() + self._rng.choice(["\n", "\n\n", " "])
        if after and self._rng.random() < 0.4:
            after = self._rng.choice(["\n", "\n\n", " "]) + after.lstrip()
        return _around(draft, before, after, inside=False)


def _around(draft: Draft, before: str, after: str, *, inside: bool) -> Draft:
    """`draft` with words around it, which stand `inside` it or are said about it."""
    text, shift = before + draft.text + after, len(before)
    return dataclasses.replace(
        draft,
        text=text,
        spans=tuple((a + shift, b + shift, kind) for a, b, kind in draft.spans),
        begins=0 if inside else draft.begins + shift,
        ends=len(text) if inside else draft.ends + shift,
    )


def train(drafts: Sequence[Draft], *, epochs: int, rate: float, seed: int) -> Reader:
    """Fit on labelled drafts, varied anew each time."""
    framings = [json.loads(line) for line in _lines("framings-train*.jsonl")]
    vary = Variation(drafts, framings, _lines("framings-not*.txt"), seed)
    weight = torch.ones(NO_KIND + 1)
    weight[NO_KIND] = 0.3  # most tokens are nothing; missing a name costs more than marking a word
    return fit(
        Reader,
        drafts,
        lambda model, chosen: _loss(model, [vary.of(draft) for draft in chosen], weight),
        lambda draft: len(draft.text),
        epochs=epochs,
        rate=rate,
        seed=seed,
    )


def _loss(model: Reader, drafts: Sequence[Draft], weight: torch.Tensor) -> torch.Tensor:
    inputs, cases, kinds, aside = prepared(drafts)
    with torch.autocast("cpu", torch.bfloat16):
        out = {name: logits.float() for name, logits in model(inputs, cases).items()}
    held = aside != UNKNOWN
    lifts = torch.tensor([d.lifts for d in drafts])
    told = lifts != UNKNOWN
    binary = functional.binary_cross_entropy_with_logits
    loss = (
        functional.cross_entropy(out["kinds"].transpose(1, 2), kinds, weight=weight, ignore_index=UNKNOWN)
        + binary(out["axes"], torch.tensor([d.axes for d in drafts]))
        + 0.5 * functional.cross_entropy(out["verdicts"], torch.tensor([d.verdict for d in drafts]))
        + 0.3 * functional.cross_entropy(out["about"], torch.tensor([d.about for d in drafts]))
        + binary(out["aside"][held], aside[held].float())
    )
    return loss + 0.2 * binary(out["lifts"][told], lifts[told].float()) if told.any() else loss


def _lines(pattern: str) -> list[str]:
    """The lines of every file that learns may come from, by a pattern of names."""
    paths = sorted(TRAIN.glob(pattern))
    return [line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]


def main() -> None:
    """Train on everything there is to learn from and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("coach/care"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    drafts = read(sorted(TRAIN.glob("train-*.jsonl")))
    runs = [
        train(drafts, epochs=given.epochs, rate=given.rate, seed=seed)
        for seed in range(given.seed, given.seed + given.runs)
    ]
    model = averaged(runs)
    save(model, given.out / READING_LAYERS.name, given.out / READING_HEADS.name)


if __name__ == "__main__":
    main()
