"""Trains what senses danger and commands: the encoder's upper layers with a head for each.

    python -m tuning.sensing --out coach/care

Learns danger from eval/cases/care/crisis-train*.jsonl, commands from eval/cases/care/injection-train.jsonl,
both from the gate's examples and from ordinary messages, drafts and answers of every room, which are
neither. A grave sentence often stands in passing, so beside the mean of a text its most telling
tokens are read.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from coach.care.crisis import level as level_of
from coach.care.sensing import HEADS, LAYERS
from coach.care.words import load_words
from coach.library.cards import load_cards
from coach.prompts import shipped
from tuning.encoder import tokenizer_of
from tuning.heads import UNKNOWN, Headed, averaged, fit, save

CASES = Path("eval/cases")
MAX_TOKENS = 200
TOGETHER = (10, 6, 3)  # messages, drafts, answers of which one is read in an epoch
# Answers that may well be grave, or command, and were not labelled for it.
HEAVY = frozenset(
    f"conduct/{name}" for name in ("grief", "exhaustion", "tearful", "shame", "fear", "instructions")
)
COMMANDS_WEIGH = torch.tensor(2.0)
BESIDE = 0.3  # how often a text is read with another harmless one before or after it
WEIGHTS = (1.0, 1.5, 1.5)  # of none, concern and urgent: to miss one is worse than a false alarm
LEVELS = ("none", "concern", "urgent")


@dataclass(frozen=True)
class Told:
    """Texts of about one length of which one is read at a time, their level, and whether they command."""

    texts: tuple[str, ...]
    level: int
    commands: int


class Sensing(Headed):
    """The encoder with its heads, on the mean of a text and on what `look` looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Linear(384, 1)
        self.level = nn.Linear(2 * 384, len(LEVELS))
        self.command = nn.Linear(2 * 384, 1)

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        states, whole = self.read(batch)
        looks = self.look(states).squeeze(-1).masked_fill(batch["attention_mask"] == 0, -1e4)
        seen = (functional.softmax(looks.float(), dim=-1).to(states.dtype).unsqueeze(-1) * states).sum(1)
        both = torch.cat([whole, seen], dim=-1)
        return self.level(both), self.command(both).squeeze(-1)


def _lines(pattern: str) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in sorted(CASES.glob(pattern))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def labelled() -> list[Told]:
    """Texts of which somebody has said what they are."""
    graded = [(str(c["text"]), LEVELS.index(c["level"]), 0) for c in _lines("care/crisis-train*.jsonl")]
    graded += [
        (str(c["text"]), UNKNOWN, int(bool(c["attack"]))) for c in _lines("care/injection-train*.jsonl")
    ]
    words = load_words(shipped("knowledge") / "care")
    kinds = words.kinds
    for name, level, commands in (
        ("urgent", 2, 0), ("concern", 1, 0), ("harmless", 0, 0), ("medical", 0, 0), ("legal", 0, 0),
        ("insult", 0, 0), ("injection", UNKNOWN, 1), ("innocent_commands", 0, 0),
    ):  # fmt: skip
        graded += [(text, level, commands) for text in kinds[name].examples]
    # "Why would that help?" has nothing of danger in it but its brevity.
    graded += [(text, 0, 0) for kind in words.follow.values() for text in kind.examples]
    return [Told((text,), level, commands) for text, level, commands in graded]


def ordinary() -> list[list[str]]:
    """What people type when nothing is the matter: messages and replies, drafts to be posted, answers."""
    cards = load_cards(shipped("knowledge") / "thread")
    talk = [text for card in cards for s in card.situations for text in s.examples]
    talk += [text for card in cards for s in card.situations for e in s.next for text in e.examples]
    drafts = [str(c["draft"]) for c in _lines("review/train-*.jsonl") if c["about"] != "self"]
    answers = [str(c["text"]) for c in _lines("rehearse/train-*.jsonl") if str(c["kind"]) not in HEAVY]
    return [[text for text in texts if level_of(text) == "none"] for texts in (talk, drafts, answers)]


def _alike(texts: Sequence[str], together: int) -> list[Told]:
    """Ordinary texts by length, some together: of each group one is read in an epoch."""
    order = sorted(texts, key=len)
    return [Told(tuple(order[i : i + together]), 0, 0) for i in range(0, len(order), together)]


def train(
    told: Sequence[Told], harmless: Sequence[Sequence[str]], *, epochs: int, rate: float, seed: int
) -> Sensing:
    """Fit on labelled texts and harmless ones."""
    rng = random.Random(seed)
    every = [text for texts in harmless for text in texts]
    weight = torch.tensor(WEIGHTS)

    def loss(model: Sensing, chosen: Sequence[Told]) -> torch.Tensor:
        texts = [_beside(rng.choice(item.texts), every, rng) for item in chosen]
        with torch.autocast("cpu", torch.bfloat16):
            level, command = (logits.float() for logits in model(_inputs(texts)))
        levels = torch.tensor([item.level for item in chosen])
        commands = torch.tensor([float(item.commands) for item in chosen])
        cost = functional.binary_cross_entropy_with_logits(command, commands, pos_weight=COMMANDS_WEIGH)
        if (levels != UNKNOWN).any():
            cost = cost + functional.cross_entropy(
                level, levels, weight=weight, label_smoothing=0.05, ignore_index=UNKNOWN
            )
        return cost

    items = list(told)
    for texts, together in zip(harmless, TOGETHER, strict=True):
        items += _alike(texts, together)
    return fit(Sensing, items, loss, lambda item: len(item.texts[0]), epochs=epochs, rate=rate, seed=seed)


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


def main() -> None:
    """Train on everything there is to learn from and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=LAYERS.parent)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    told, harmless = labelled(), ordinary()
    print(f"{len(told)} labelled, {[len(texts) for texts in harmless]} ordinary", file=sys.stderr)
    seeds = range(given.seed, given.seed + given.runs)
    runs = [train(told, harmless, epochs=given.epochs, rate=given.rate, seed=seed) for seed in seeds]
    save(averaged(runs), given.out / LAYERS.name, given.out / HEADS.name)


if __name__ == "__main__":
    main()
