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
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from coach.care.framing import segments
from coach.care.reading import ABOUT, AXES, CASES, KINDS, VERDICTS, case_of
from coach.library.embedder import TUNED_LAYERS, Joined, MiniLM
from tuning.encoder import Tuned, export, tokenizer_of

TRAIN = Path("eval/cases/review")
MAX_TOKENS = 200
NO_KIND = len(KINDS)


@dataclass(frozen=True)
class Draft:
    """A labelled draft: axes 0 to 1, spans as (start, end, kind)."""

    text: str
    axes: tuple[float, ...]
    verdict: int
    about: int
    spans: tuple[tuple[int, int, int], ...]


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
                    tuple(spans),
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

    def __init__(self) -> None:
        super().__init__()
        self.body = Tuned(1)
        self.drop = nn.Dropout(0.1)
        self.kinds = nn.Linear(384 + CASES, NO_KIND + 1)
        self.axes = nn.Linear(384, len(AXES))
        self.verdicts = nn.Linear(384, len(VERDICTS))
        self.about = nn.Linear(384, len(ABOUT))

    def forward(self, batch: dict[str, torch.Tensor], cases: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hidden = self.body.bert(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        # Every token but the first and last, as at run time.
        pooled = self.drop((hidden * mask).sum(1) / mask.sum(1))
        kinds = self.kinds(torch.cat([self.drop(hidden), cases], dim=-1))
        return kinds, self.axes(pooled), self.verdicts(pooled), self.about(pooled)


def prepared(drafts: Sequence[Draft]) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Token ids, what case tells of each token (drafts, tokens, CASES), and each token's kind."""
    inputs = tokenizer_of()(
        [d.text for d in drafts], padding=True, truncation=True, max_length=MAX_TOKENS,
        return_tensors="pt", return_offsets_mapping=True,
    )  # fmt: skip
    offsets = inputs.pop("offset_mapping").numpy()
    kinds = np.full(offsets.shape[:2], -100)
    cases = np.zeros((*offsets.shape[:2], CASES), dtype=np.float32)
    for i, draft in enumerate(drafts):
        held = [j for j, (a, b) in enumerate(offsets[i]) if b > a]
        kinds[i, held] = NO_KIND
        cases[i, held] = case_of(draft.text, offsets[i][held])
        for start, end, kind in draft.spans:
            for j in held:
                if offsets[i, j, 0] < end and offsets[i, j, 1] > start:
                    kinds[i, j] = kind
    return dict(inputs), torch.from_numpy(cases), torch.from_numpy(kinds)


class Variation:
    """Drafts as somebody else might have pasted them: other names, words about them around them,
    no capitals. What they are labelled stays."""

    def __init__(self, drafts: Sequence[Draft], framings: Sequence[dict[str, str]], seed: int) -> None:
        self._rng = random.Random(seed)
        self._framings = framings
        name = KINDS.index("name")
        self._names = [d.text[a:b] for d in drafts for a, b, kind in d.spans if kind == name]

    def of(self, draft: Draft) -> Draft:
        """One variation of `draft`; often the draft itself."""
        if self._rng.random() < 0.5:
            draft = self._renamed(draft)
        if self._rng.random() < 0.35:
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
        return dataclasses.replace(draft, text=text + draft.text[end_before:], spans=tuple(spans))

    def _framed(self, draft: Draft) -> Draft:
        framing = self._rng.choice(self._framings)
        before, after = framing["before"], framing["after"]
        spans = tuple((a + len(before), b + len(before), kind) for a, b, kind in draft.spans)
        return dataclasses.replace(draft, text=before + draft.text + after, spans=spans)


def train(drafts: Sequence[Draft], *, epochs: int, rate: float, seed: int, batch: int = 16) -> Reader:
    """Fit on labelled drafts. Every run begins at the same weights, so that runs can be averaged."""
    torch.manual_seed(0)
    rng = random.Random(seed)
    framings = [
        json.loads(s) for s in (TRAIN / "framings-train.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    vary = Variation(drafts, framings, seed)
    model = Reader()
    torch.manual_seed(seed)
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
            inputs, cases, kinds = prepared(chosen)
            by_token, axes, verdicts, about = model(inputs, cases)
            loss = (
                functional.cross_entropy(by_token.transpose(1, 2), kinds, weight=weight, ignore_index=-100)
                + functional.binary_cross_entropy_with_logits(axes, torch.tensor([d.axes for d in chosen]))
                + 0.5 * functional.cross_entropy(verdicts, torch.tensor([d.verdict for d in chosen]))
                + 0.3 * functional.cross_entropy(about, torch.tensor([d.about for d in chosen]))
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch} loss {total / len(groups):.3f} {time.time() - started:.0f} s", file=sys.stderr)
    model.eval()
    return model


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


def asides() -> tuple[np.ndarray, float]:
    """A head that tells what is said about a draft from what stands in it, by whole sentences.

    On the joined vectors of the gate, which told them apart better than the reader's own.
    """
    from sklearn.linear_model import LogisticRegression

    said, held = [], (TRAIN / "framings-not.txt").read_text(encoding="utf-8").splitlines()
    for line in (TRAIN / "framings-train.jsonl").read_text(encoding="utf-8").splitlines():
        framing = json.loads(line)
        said += [framing[side][a:b] for side in ("before", "after") for a, b in segments(framing[side])]
    for path in sorted(TRAIN.glob("train-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            draft = json.loads(line)["draft"]
            parts = [draft[a:b] for a, b in segments(draft)]
            held += [parts[0], parts[-1]]
    said, held = [s for s in said if s.strip()], [h for h in held if h.strip()]
    plain = MiniLM()
    both = Joined(plain, plain.tuned(TUNED_LAYERS))
    fitted = LogisticRegression(C=1.0, max_iter=500, class_weight="balanced").fit(
        np.concatenate([both.encode(said), both.encode(held)]), [1] * len(said) + [0] * len(held)
    )
    return fitted.coef_[0], float(fitted.intercept_[0])


def save(model: Reader, aside: tuple[np.ndarray, float], folder: Path) -> None:
    """Write the layers (half precision) and the heads where the coach looks for them."""
    export(model.body, folder / "reading.safetensors")
    heads = {
        f"{name}.{part}": value.detach().numpy().astype(np.float32)
        for name in ("kinds", "axes", "verdicts", "about")
        for part, value in getattr(model, name).named_parameters()
    }
    heads["aside.weight"] = aside[0][None, :].astype(np.float32)
    heads["aside.bias"] = np.asarray([aside[1]], dtype=np.float32)
    np.savez(folder / "reading.npz", **heads)


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
    save(model, asides(), given.out)


if __name__ == "__main__":
    main()
