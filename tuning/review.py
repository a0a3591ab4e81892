"""Trains what judges draft posts: the encoder's upper layers with heads for words and whole drafts.

    python -m tuning.review --out coach/care

One reading of a draft answers everything: each token's kind (who, where, when…), and for
the draft the axes, whose story it is, and the verdict. The lower layers stay as packaged
and are shared with search. Learns from eval/cases/review/train*.jsonl only.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import itertools
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from coach.care.reading import ABOUT, AXES, CASES, KINDS, VERDICTS, case_of
from coach.care.rewrite import REWORDED
from tuning.encoder import Tuned, export, tokenizer_of

TRAIN = Path("eval/cases/review")
MAX_TOKENS = 200
NO_KIND = len(KINDS)
UNKNOWN = -100  # a label that nobody gave
EMA = 0.998  # what a step leaves of the running mean of the weights
PHRASE_AT = 3  # how often an editor must have put words in place of others before they are a phrase
_EDIT = re.compile(r"\{\{(.*?)\|(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True)
class Draft:
    """A labelled draft: axes 0 to 1, spans as (start, end, kind); from `begins` to `ends` it is the draft
    itself, what is around it is said about it. `lifts`: 1 if it lifts others up, or UNKNOWN. `edits`: what
    an editor took out and put in place (start, end, new), None where nobody edited it."""

    text: str
    axes: tuple[float, ...]
    verdict: int
    about: int
    lifts: int
    spans: tuple[tuple[int, int, int], ...]
    begins: int
    ends: int
    edits: tuple[tuple[int, int, str], ...] | None = None


def edits_in(edited: str) -> tuple[tuple[int, int, str], ...]:
    """The edits of a draft written out as `{{old|new}}`: offsets into the draft, and the new words."""
    found, taken = [], 0
    for match in _EDIT.finditer(edited):
        start = match.start() - taken
        found.append((start, start + len(match[1]), match[2]))
        taken += len(match[0]) - len(match[1])
    return tuple(found)


def read_edits(paths: Iterable[Path]) -> dict[str, tuple[tuple[int, int, str], ...]]:
    """Edits by draft (`<part>/<id>`) from JSON lines {"id", "edited"}; those past mending left out."""
    cases = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return {case["id"]: edits_in(case["edited"]) for case in cases if case["edited"] is not None}


def phrase_of(new: str) -> str:
    """What was put in place, as it would stand within a sentence."""
    bare = new.strip(" ,")
    return bare if re.match(r"I\b|[A-Z]{2}", bare) else bare[:1].lower() + bare[1:]


def phrases_of(drafts: Iterable[Draft]) -> list[str]:
    """What editors put in place of words: nothing first, then by how often, at last words of their own."""
    seen = Counter(phrase_of(new) for draft in drafts for _, _, new in draft.edits or ())
    del seen[""]
    return ["", *(phrase for phrase, times in seen.most_common() if times >= PHRASE_AT), REWORDED]


def read(paths: Iterable[Path]) -> list[Draft]:
    """Drafts from JSON lines as in eval/cases/review."""
    drafts = []
    edits = read_edits(sorted(TRAIN.glob("edits-train*.jsonl")))
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
                    edits.get(f"{path.stem.removeprefix('train-')}/{case['id']}"),
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


class Reader(nn.Module):
    """The encoder with its heads."""

    def __init__(self, phrases: Sequence[str]) -> None:
        super().__init__()
        self.phrases = list(phrases)
        self.body = Tuned(1)
        self.drop = nn.Dropout(0.1)
        self.kinds = nn.Linear(384 + CASES, NO_KIND + 1)
        self.axes = nn.Linear(384, len(AXES))
        self.verdicts = nn.Linear(384, len(VERDICTS))
        self.about = nn.Linear(384, len(ABOUT))
        self.lifts = nn.Linear(384, 1)
        self.aside = nn.Linear(384 + CASES, 1)
        self.cut = nn.Linear(384 + CASES, 1)
        self.put = nn.Linear(384 + CASES, len(self.phrases))

    def forward(self, batch: dict[str, torch.Tensor], cases: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by head: of tokens `kinds`, `aside`, `cut` and `put`, of the whole the others."""
        hidden = self.body.bert(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        # Every token but the first and last, as at run time.
        pooled = self.drop((hidden * mask).sum(1) / mask.sum(1))
        tokens = torch.cat([self.drop(hidden), cases], dim=-1)
        return {
            "kinds": self.kinds(tokens),
            "aside": self.aside(tokens).squeeze(-1),
            "cut": self.cut(tokens).squeeze(-1),
            "put": self.put(tokens),
            "axes": self.axes(pooled),
            "verdicts": self.verdicts(pooled),
            "about": self.about(pooled),
            "lifts": self.lifts(pooled).squeeze(-1),
        }


@dataclass(frozen=True)
class Prepared:
    """Drafts as numbers, each (drafts, tokens): the encoder's `inputs`, what case tells of each token
    (drafts, tokens, CASES), its kind, whether it is said about the draft (1) or stands in it (0), whether
    an editor took it out, and which phrase was put in place from there on. UNKNOWN where nobody said."""

    inputs: dict[str, torch.Tensor]
    cases: torch.Tensor
    kinds: torch.Tensor
    aside: torch.Tensor
    cut: torch.Tensor
    put: torch.Tensor


def prepared(drafts: Sequence[Draft], phrases: Sequence[str]) -> Prepared:
    """`drafts` as the reader takes them."""
    inputs = tokenizer_of()(
        [d.text for d in drafts], padding=True, truncation=True, max_length=MAX_TOKENS,
        return_tensors="pt", return_offsets_mapping=True,
    )  # fmt: skip
    offsets = inputs.pop("offset_mapping").numpy()
    kinds, aside, cut, put = (np.full(offsets.shape[:2], UNKNOWN) for _ in range(4))
    cases = np.zeros((*offsets.shape[:2], CASES), dtype=np.float32)
    for i, draft in enumerate(drafts):
        held = [j for j, (a, b) in enumerate(offsets[i]) if b > a]
        kinds[i, held] = NO_KIND
        aside[i, held] = [a < draft.begins or a >= draft.ends for a in offsets[i, held, 0]]
        cases[i, held] = case_of(draft.text, offsets[i][held])
        for start, end, kind in draft.spans:
            kinds[i, _within(offsets[i], held, start, end)] = kind
        if draft.edits is None:
            continue
        cut[i, held] = 0
        for start, end, new in draft.edits:
            taken = _within(offsets[i], held, start, end)
            cut[i, taken] = 1
            if taken:
                phrase = phrase_of(new)
                put[i, taken[0]] = phrases.index(phrase if phrase in phrases else REWORDED)
    tensors = (torch.from_numpy(part) for part in (cases, kinds, aside, cut, put))
    return Prepared(dict(inputs), *tensors)


def _within(offsets: NDArray[np.int64], held: Sequence[int], start: int, end: int) -> list[int]:
    """Which of the `held` tokens lie in part between `start` and `end`."""
    return [j for j in held if offsets[j, 0] < end and offsets[j, 1] > start]


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
        spans = sorted(draft.spans)
        if any(after[0] < before[1] for before, after in itertools.pairwise(spans)):
            return draft  # spans within spans are left alone
        text, moves, end_before = "", [], 0
        for start, end, kind in spans:
            old = draft.text[start:end]
            new = self._rng.choice(self._names) if kind == name and self._rng.random() < 0.6 else old
            text += draft.text[end_before:start] + new
            moves.append((start, end, len(new) - len(old)))
            end_before = end
        text += draft.text[end_before:]

        def moved(at: int) -> int:
            """Where `at` now lies; what lay in a name, at its end."""
            inside = next((end - at for start, end, _ in moves if start < at < end), 0)
            return at + inside + sum(by for _, end, by in moves if end <= at + inside)

        return dataclasses.replace(
            draft,
            text=text,
            spans=tuple((moved(a), moved(b), kind) for a, b, kind in spans),
            ends=len(text),
            edits=_all_moved(draft.edits, moved),
        )

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
        edits=_all_moved(draft.edits, lambda at: at + shift),
    )


def _all_moved(
    edits: tuple[tuple[int, int, str], ...] | None, moved: Callable[[int], int]
) -> tuple[tuple[int, int, str], ...] | None:
    return None if edits is None else tuple((moved(a), moved(b), new) for a, b, new in edits)


def train(drafts: Sequence[Draft], *, epochs: int, rate: float, seed: int, batch: int = 16) -> Reader:
    """Fit on labelled drafts. Every run begins at the same weights, so that runs can be averaged."""
    torch.manual_seed(0)
    rng = random.Random(seed)
    framings = [json.loads(line) for line in _lines("framings-train*.jsonl")]
    vary = Variation(drafts, framings, _lines("framings-not*.txt"), seed)
    model = Reader(phrases_of(drafts))
    torch.manual_seed(seed)
    mean = copy.deepcopy(model).requires_grad_(False)
    heads = [p for n, p in model.named_parameters() if not n.startswith("body")]
    body = [p for n, p in model.body.bert.named_parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": heads, "lr": 2e-3}], weight_decay=0.01
    )
    steps = epochs * (len(drafts) // batch + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[rate, 2e-3], total_steps=steps + 1, pct_start=0.1
    )
    weight = torch.ones(NO_KIND + 1)
    weight[NO_KIND] = 0.3  # most tokens are nothing; missing a name costs more than marking a word
    for epoch in range(epochs):
        started, total = time.time(), 0.0
        model.train()
        order = sorted(range(len(drafts)), key=lambda i: len(drafts[i].text) + rng.random() * 80)
        groups = [order[i : i + batch] for i in range(0, len(order), batch)]
        rng.shuffle(groups)
        for group in groups:
            chosen = [vary.of(drafts[i]) for i in group]
            loss = _loss(model, chosen, weight)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            _follow(mean, model, 0.0 if epoch < epochs // 2 else EMA)
            total += float(loss.detach())
        print(f"epoch {epoch} loss {total / len(groups):.3f} {time.time() - started:.0f} s", file=sys.stderr)
    return mean.eval()


def _loss(model: Reader, drafts: Sequence[Draft], weight: torch.Tensor) -> torch.Tensor:
    given = prepared(drafts, model.phrases)
    with torch.autocast("cpu", torch.bfloat16):
        out = {name: logits.float() for name, logits in model(given.inputs, given.cases).items()}
    held, edited = given.aside != UNKNOWN, given.cut != UNKNOWN
    lifts = torch.tensor([d.lifts for d in drafts])
    told = lifts != UNKNOWN
    binary = functional.binary_cross_entropy_with_logits
    kinds = out["kinds"].transpose(1, 2)
    loss = (
        functional.cross_entropy(kinds, given.kinds, weight=weight, ignore_index=UNKNOWN)
        + binary(out["axes"], torch.tensor([d.axes for d in drafts]))
        + 0.5 * functional.cross_entropy(out["verdicts"], torch.tensor([d.verdict for d in drafts]))
        + 0.3 * functional.cross_entropy(out["about"], torch.tensor([d.about for d in drafts]))
        + binary(out["aside"][held], given.aside[held].float())
    )
    if told.any():
        loss = loss + 0.2 * binary(out["lifts"][told], lifts[told].float())
    if edited.any():
        loss = loss + binary(out["cut"][edited], given.cut[edited].float())
    if (given.put != UNKNOWN).any():
        loss = loss + 0.3 * functional.cross_entropy(
            out["put"].transpose(1, 2), given.put, ignore_index=UNKNOWN
        )
    return loss


def _follow(mean: Reader, model: Reader, keeps: float) -> None:
    """Move the running mean of the weights towards `model` (Polyak averaging)."""
    with torch.no_grad():
        for held, new in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
            if held.is_floating_point():
                held.lerp_(new, 1 - keeps)
            else:
                held.copy_(new)


def _lines(pattern: str) -> list[str]:
    """The lines of every file that learns may come from, by a pattern of names."""
    paths = sorted(TRAIN.glob(pattern))
    return [line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]


def averaged(models: Sequence[Reader]) -> Reader:
    """One reader with the mean of the weights (model soups, Wortsman et al. 2022, arXiv 2203.05482)."""
    first = models[0]
    states = [model.state_dict() for model in models]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    first.load_state_dict(mean)
    return first


def save(model: Reader, folder: Path) -> None:
    """Write the layers (half precision) and the heads where the coach looks for them."""
    export(model.body, folder / "reading.safetensors")
    heads = {
        f"{name}.{part}": value.detach().numpy().astype(np.float32)
        for name in ("kinds", "aside", "cut", "put", "axes", "verdicts", "about", "lifts")
        for part, value in getattr(model, name).named_parameters()
    }
    np.savez(folder / "reading.npz", phrases=np.array(model.phrases), **heads)


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
    save(model, given.out)


if __name__ == "__main__":
    main()
