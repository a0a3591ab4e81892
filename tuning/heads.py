"""What the trainings of the encoder's upper layers with heads on them have in common."""

from __future__ import annotations

import copy
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from tuning.encoder import Tuned, export

EMA = 0.998  # what a step leaves of the running mean of the weights
UNKNOWN = -100  # a label that nobody gave


class Headed(nn.Module):
    """The encoder; subclasses add heads as attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Tuned(1)
        self.drop = nn.Dropout(0.1)

    def read(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """States of the tokens (texts, tokens, width) and their mean (texts, width), the marks at both ends
        included as at run time; with dropout while training."""
        hidden = self.body.bert(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        return self.drop(hidden), self.drop((hidden * mask).sum(1) / mask.sum(1))


Model = TypeVar("Model", bound=Headed)
Item = TypeVar("Item")


def fit(
    make: Callable[[], Model],
    items: Sequence[Item],
    loss: Callable[[Model, Sequence[Item]], torch.Tensor],
    length: Callable[[Item], int],
    *,
    epochs: int,
    rate: float,
    head_rate: float = 2e-3,
    seed: int,
    batch: int = 16,
) -> Model:
    """Fit what `make` makes on `items` of about one length together; the running mean of the second half
    (Polyak averaging). Every run begins at the same weights, so that runs can be averaged."""
    torch.manual_seed(0)
    rng = random.Random(seed)
    model = make()
    torch.manual_seed(seed)
    mean = copy.deepcopy(model).requires_grad_(False)
    heads = [p for n, p in model.named_parameters() if not n.startswith("body")]
    body = [p for n, p in model.body.bert.named_parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": heads, "lr": head_rate}], weight_decay=0.01
    )
    steps = epochs * (len(items) // batch + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[rate, head_rate], total_steps=steps + 1, pct_start=0.1
    )
    for epoch in range(epochs):
        started, total = time.time(), 0.0
        model.train()
        order = sorted(range(len(items)), key=lambda i: length(items[i]) + rng.random() * 80)
        groups = [order[i : i + batch] for i in range(0, len(order), batch)]
        rng.shuffle(groups)
        for group in groups:
            cost = loss(model, [items[i] for i in group])
            optimiser.zero_grad()
            cost.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            _follow(mean, model, 0.0 if epoch < epochs // 2 else EMA)
            total += float(cost.detach())
        print(f"epoch {epoch} loss {total / len(groups):.3f} {time.time() - started:.0f} s", file=sys.stderr)
    return mean.eval()


def _follow(mean: Headed, model: Headed, keeps: float) -> None:
    """Move the running mean of the weights towards `model`."""
    with torch.no_grad():
        for held, new in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
            if held.is_floating_point():
                held.lerp_(new, 1 - keeps)
            else:
                held.copy_(new)


def averaged(models: Sequence[Model]) -> Model:
    """One with the mean of the weights (model soups, Wortsman et al. 2022, arXiv 2203.05482)."""
    states = [model.state_dict() for model in models]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    models[0].load_state_dict(mean)
    return models[0]


def save(model: Headed, layers: Path, heads: Path, **more: np.ndarray) -> None:
    """Write the layers (half precision), and each head's weight and bias with what else belongs to them."""
    export(model.body, layers)
    held = {
        f"{name}.{part}": value.detach().numpy().astype(np.float32)
        for name, head in model.named_children()
        if isinstance(head, nn.Linear)
        for part, value in head.named_parameters()
    }
    np.savez(heads, **more, **held)
