"""Tunes the upper layers of the sentence encoder to tell situations apart; exports them.

    python -m tuning.encoder --out coach/library/tuned.safetensors

The lower layers stay as they are and are shared with search, so that what ships is three
layers in half precision. Training texts are the examples of the cards and of the care
gate, nothing else; no test message is read.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from coach.care.words import load_words
from coach.library.cards import load_cards
from coach.library.embedder import packaged_weights
from coach.prompts import shipped

FROZEN_LAYERS = 3
SCALE = 20.0


class Tuned(nn.Module):
    """all-MiniLM-L6-v2 with a linear head on its unit vectors."""

    def __init__(self, classes: int, frozen: int = FROZEN_LAYERS) -> None:
        super().__init__()
        self.bert = AutoModel.from_pretrained(packaged_weights(), local_files_only=True)
        for parameter in self.bert.embeddings.parameters():
            parameter.requires_grad = False
        for layer in self.bert.encoder.layer[:frozen]:
            for parameter in layer.parameters():
                parameter.requires_grad = False
        self.head = nn.Parameter(torch.randn(classes, 384) * 0.02)

    def vectors(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        hidden = self.bert(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        return functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return SCALE * self.vectors(batch) @ functional.normalize(self.head, dim=-1).T


@cache
def tokenizer_of() -> Any:
    """The packaged encoder's tokenizer."""
    return AutoTokenizer.from_pretrained(packaged_weights(), local_files_only=True)


def train(
    texts: list[str],
    labels: list[str],
    *,
    epochs: int = 6,
    rate: float = 1e-4,
    batch: int = 32,
    frozen: int = FROZEN_LAYERS,
    seed: int = 0,
    check: tuple[list[str], list[str]] | None = None,
) -> tuple[Tuned, list[str]]:
    """Fit on texts with one label each; returns the model and the order of its classes."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    names = sorted(set(labels))
    index = {name: i for i, name in enumerate(names)}
    tokenizer = tokenizer_of()
    model = Tuned(len(names), frozen)
    body = [p for n, p in model.named_parameters() if p.requires_grad and n != "head"]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": [model.head], "lr": 1e-2}],
        weight_decay=0.01,
    )
    steps = epochs * (len(texts) // batch + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[rate, 1e-2], total_steps=steps + 1, pct_start=0.1
    )
    for epoch in range(epochs):
        started, total = time.time(), 0.0
        model.train()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]) + rng.random() * 60)
        batches = [order[i : i + batch] for i in range(0, len(order), batch)]
        rng.shuffle(batches)
        for chosen in batches:
            inputs = tokenizer(
                [_blurred(texts[i], rng) for i in chosen],
                padding=True, truncation=True, max_length=96, return_tensors="pt",
            )  # fmt: skip
            target = torch.tensor([index[labels[i]] for i in chosen])
            loss = functional.cross_entropy(model(inputs), target, label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        line = f"epoch {epoch} loss {total / len(batches):.3f} {time.time() - started:.0f} s"
        if check is not None:
            ranks = _ranks(model, tokenizer, check, index)
            shares = ", ".join(f"{(ranks < n).mean():.3f} among {n}" for n in (1, 3, 14))
            line += f"; right, of {len(ranks)} not trained on: {shares}"
        print(line, file=sys.stderr, flush=True)
    model.eval()
    return model, names


def _ranks(model: Tuned, tokenizer, check: tuple[list[str], list[str]], index: dict[str, int]) -> np.ndarray:
    """At which place (from 0) the right class stands for each text of `check`."""
    model.eval()
    rows = []
    with torch.no_grad():
        for i in range(0, len(check[0]), 64):
            texts = check[0][i : i + 64]
            rows.append(
                model(tokenizer(texts, padding=True, truncation=True, max_length=96, return_tensors="pt"))
            )
    order = torch.cat(rows).argsort(1, descending=True)
    return np.array([int((order[i] == index[y]).nonzero()[0, 0]) for i, y in enumerate(check[1])])


def _blurred(text: str, rng: random.Random) -> str:
    """Drop a word now and then and sometimes the case, so that no single word is a key."""
    words = text.split()
    if len(words) > 5:
        words = [w for w in words if rng.random() > 0.1] or words
    joined = " ".join(words)
    return joined.lower() if rng.random() < 0.3 else joined


def export(model: Tuned, out: Path, frozen: int = FROZEN_LAYERS) -> None:
    """Write the tuned layers in half precision, named as in the packaged weights."""
    from safetensors.torch import save_file

    state = model.bert.state_dict()
    kept = tuple(f"encoder.layer.{i}." for i in range(frozen, 6))
    save_file({k: v.half().contiguous() for k, v in state.items() if k.startswith(kept)}, out)


def examples() -> tuple[list[str], list[str]]:
    """Every text the tuned layers learn from: situations, the gate's kinds, kinds of follow-up.

    A message is a situation or one of the gate's kinds, a reply one of the follow-ups; one
    softmax over them all, so that the layers learn to tell each from every other.
    """
    cards = load_cards(shipped("knowledge") / "thread")
    words = load_words(shipped("knowledge") / "care")
    pairs = [(text, f"situation {s.id}") for card in cards for s in card.situations for text in s.examples]
    pairs += [(text, f"gate {name}") for name, kind in words.kinds.items() for text in kind.examples]
    pairs += [(text, f"follow {name}") for name, kind in words.follow.items() for text in kind.examples]
    pairs += [(text, "follow but") for card in cards for s in card.situations
              for but in s.follow.but for text in but.examples]  # fmt: skip
    return [text for text, _ in pairs], [label for _, label in pairs]


def main() -> None:
    """Train on everything and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("coach/library/tuned.safetensors"))
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    texts, labels = examples()
    model, _ = train(texts, labels, epochs=given.epochs, rate=given.rate, seed=given.seed)
    export(model, given.out)


if __name__ == "__main__":
    main()
