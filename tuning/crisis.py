"""Tries what could notice danger better than the gate: the encoder's upper layers with a head for the level.

    python -m tuning.crisis

Prints what it would catch of eval/cases/care/crisis-dev.jsonl; nothing that ships uses it yet (eval/LOG.md).
Learns from eval/cases/care/crisis-train*.jsonl, from the gate's examples of danger and of what only
looks like it, and from ordinary messages, drafts and answers of every room, which are none.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from coach.care.words import load_words
from coach.library.cards import load_cards
from coach.prompts import shipped
from tuning.encoder import tokenizer_of
from tuning.heads import Headed, averaged, fit

CASES = Path("eval/cases")
LEVELS = ("none", "concern", "urgent")
MAX_TOKENS = 200
ORDINARY = 2200  # messages of Talk among what is none
BESIDE = 0.3  # how often a text is read with another harmless one before or after it
WEIGHTS = (1.0, 1.5, 1.5)  # of none, concern and urgent: to miss one is worse than a false alarm
Told = tuple[str, int]  # a text and its level


class Noticing(Headed):
    """The encoder with a head for the level."""

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Linear(384, len(LEVELS))

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.level(self.read(batch)[1])


def _lines(pattern: str) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in sorted(CASES.glob(pattern))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def graded() -> list[Told]:
    """Texts whose level somebody has said."""
    told = [(str(c["text"]), LEVELS.index(c["level"])) for c in _lines("care/crisis-train*.jsonl")]
    kinds = load_words(shipped("knowledge") / "care").kinds
    for name, level in (
        ("urgent", 2),
        ("concern", 1),
        ("harmless", 0),
        ("medical", 0),
        ("legal", 0),
        ("insult", 0),
    ):
        told += [(text, level) for text in kinds[name].examples]
    return told


def ordinary(rng: random.Random) -> list[str]:
    """What people type when nothing is the matter: messages, replies, drafts to be posted, answers."""
    cards = load_cards(shipped("knowledge") / "thread")
    talk = [text for card in cards for s in card.situations for text in s.examples]
    talk += [text for card in cards for s in card.situations for e in s.next for text in e.examples]
    drafts = [
        str(c["draft"])
        for c in _lines("review/train-*.jsonl")
        if c["verdict"] == "post" and c["about"] != "self"
    ]
    answers = [
        str(c["text"]) for c in _lines("rehearse/train-*.jsonl") if not str(c["kind"]).startswith("conduct/")
    ]
    return [*rng.sample(talk, ORDINARY), *rng.sample(drafts, min(700, len(drafts))), *answers]


def train(told: Sequence[Told], harmless: Sequence[str], *, epochs: int, rate: float, seed: int) -> Noticing:
    """Fit on graded texts and harmless ones."""
    rng = random.Random(seed)
    weight = torch.tensor(WEIGHTS)

    def loss(model: Noticing, chosen: Sequence[Told]) -> torch.Tensor:
        texts = [_beside(text, harmless, rng) for text, _ in chosen]
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(_inputs(texts)).float()
        levels = torch.tensor([level for _, level in chosen])
        return functional.cross_entropy(logits, levels, weight=weight, label_smoothing=0.05)

    items = [*told, *((text, 0) for text in harmless)]
    return fit(Noticing, items, loss, lambda item: len(item[0]), epochs=epochs, rate=rate, seed=seed)


def _inputs(texts: Sequence[str]) -> dict[str, torch.Tensor]:
    encoded = tokenizer_of()(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    return dict(encoded)


def _beside(text: str, harmless: Sequence[str], rng: random.Random) -> str:
    """`text`, sometimes in small letters, sometimes in passing beside a harmless one."""
    if rng.random() < 0.3:
        text = text.lower()
    if rng.random() < BESIDE:
        other, gap = rng.choice(harmless), rng.choice([" ", "\n", ". "])
        return text + gap + other if rng.random() < 0.5 else other + gap + text
    return text


def caught(model: Noticing, cases: Sequence[dict[str, object]], at: float) -> dict[str, float]:
    """By level, the share of cases whose chance of danger is `at` or more."""
    with torch.no_grad():
        chances = [
            1 - float(functional.softmax(model(_inputs([str(case["text"])])), dim=-1)[0, 0]) for case in cases
        ]
    seen: dict[str, list[bool]] = {level: [] for level in LEVELS}
    for case, chance in zip(cases, chances, strict=True):
        seen[str(case["level"])].append(chance >= at)
    return {level: sum(found) / max(1, len(found)) for level, found in seen.items()}


def main() -> None:
    """Train on everything there is to learn from and print figures of dev."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    told, harmless = graded(), ordinary(random.Random(0))
    runs = [
        train(told, harmless, epochs=given.epochs, rate=given.rate, seed=seed) for seed in range(given.runs)
    ]
    model = averaged(runs)
    for at in (0.2, 0.5, 0.7, 0.8, 0.9):
        shares = caught(model, _lines("care/crisis-dev.jsonl"), at)
        print(at, ", ".join(f"{level} {share:.3f}" for level, share in shares.items()))


if __name__ == "__main__":
    main()
