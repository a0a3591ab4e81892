"""Tunes the upper layers of the sentence encoder to tell what people say next apart; exports them.

    python -m tuning.exchanges --out coach/library/exchanges.safetensors

Training texts are the examples of the cards' exchanges and the turns that meet them.
Contrast within a situation only (Khosla et al. 2020, supervised contrastive loss): a text
is drawn to the others of its exchange and away from the situation's other exchanges.
`--hold-out 4` leaves every fourth situation out and says how often an example's exchange
is found by the others' mean, which is how the epochs were chosen.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

from coach.library.cards import Situation, load_cards
from coach.library.embedder import EXCHANGE_LAYERS, TUNED_LAYERS
from coach.prompts import shipped
from tuning.encoder import Tuned, export, tokenizer_of

TEMPERATURE = 0.05
Texts = list[tuple[str, str]]  # a text and its exchange


def texts_of(situation: Situation) -> Texts:
    """The examples of a situation's exchanges and the turns that meet them."""
    return [(text, e.id) for e in situation.exchanges for text in (*e.examples, e.say)]


def train(
    situations: Sequence[Situation],
    held_out: Sequence[Situation],
    *,
    epochs: int,
    rate: float,
    seed: int = 0,
) -> Tuned:
    """Fit on `situations`, beginning from the layers that tell situations apart."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = Tuned(1)
    model.bert.load_state_dict({k: v.float() for k, v in load_file(TUNED_LAYERS).items()}, strict=False)
    body = [p for name, p in model.named_parameters() if p.requires_grad and name != "head"]
    optimiser = torch.optim.AdamW(body, lr=rate, weight_decay=0.01)
    order = list(situations)
    for epoch in range(epochs):
        started, total = time.time(), 0.0
        model.train()
        rng.shuffle(order)
        for situation in order:
            pairs = texts_of(situation)
            loss = _contrast(_vectors(model, [t for t, _ in pairs]), [e for _, e in pairs])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach())
        line = f"epoch {epoch} loss {total / len(order):.3f} {time.time() - started:.0f} s"
        if held_out:
            line += f"; exchange found in situations held out: {_found(model, held_out):.3f}"
        print(line, file=sys.stderr, flush=True)
    model.eval()
    return model


def _vectors(model: Tuned, texts: Sequence[str], batch: int = 24) -> torch.Tensor:
    """Vectors in the order of `texts`; read by length, as a long one would pad all the others."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    parts = []
    for i in range(0, len(order), batch):
        chosen = [texts[j] for j in order[i : i + batch]]
        parts.append(
            model.vectors(
                tokenizer_of()(chosen, padding=True, truncation=True, max_length=96, return_tensors="pt")
            )
        )
    return torch.cat(parts)[torch.tensor(order).argsort()]


def _contrast(vectors: torch.Tensor, labels: Sequence[str]) -> torch.Tensor:
    names = np.asarray(labels)
    itself = torch.eye(len(names), dtype=torch.bool)
    same = torch.tensor(names[:, None] == names[None, :]) & ~itself
    logits = (vectors @ vectors.T / TEMPERATURE).masked_fill(itself, -1e9)
    chances = functional.log_softmax(logits, dim=1)
    return (-(chances * same).sum(1) / same.sum(1)).mean()


def _found(model: Tuned, situations: Sequence[Situation]) -> float:
    """How often an example's own exchange is nearest, by the mean of the exchange's other examples."""
    model.eval()
    right = []
    for situation in situations:
        pairs = [(text, e.id) for e in situation.exchanges for text in e.examples]
        with torch.no_grad():
            vectors = _vectors(model, [t for t, _ in pairs]).numpy()
        names = np.asarray([e for _, e in pairs])
        cosines = vectors @ vectors.T
        for i, name in enumerate(names):
            others = {e: cosines[i][(names == e) & (np.arange(len(names)) != i)].mean() for e in set(names)}
            right.append(max(others, key=lambda e: others[e]) == name)
    return float(np.mean(right))


def main() -> None:
    """Train on everything, or all but what is held out, and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=EXCHANGE_LAYERS)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--hold-out", type=int, default=0, metavar="N")
    given = parser.parse_args()
    cards = load_cards(shipped("knowledge") / "thread")
    situations = [s for card in cards for s in card.situations if s.exchanges]
    held_out = situations[:: given.hold_out] if given.hold_out else []
    model = train(
        [s for s in situations if s not in held_out], held_out, epochs=given.epochs, rate=given.rate
    )
    export(model, given.out)


if __name__ == "__main__":
    main()
