"""Trains what hears a mentee's answers: the encoder's upper layers with heads for kinds and topics.

    python -m tuning.answers --out coach/voice

One reading of an answer tells what kind of answer it is, on which topics it really says
something, which of its words are worth saying back and what could be asked about it next. The
topic asked about stands before it, since "Tuesdays" answers one question and not another. Learns
from the examples of knowledge/meeting and from eval/cases/rehearse/train*.jsonl.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from coach.library.meeting import ASPECTS, CONDUCT, TOPICS, Meeting, load_meeting
from coach.prompts import shipped
from coach.voice.listening import HEADS, LAYERS, NO_KIND, asked_before
from tuning.encoder import tokenizer_of
from tuning.heads import UNKNOWN, Headed, averaged, fit, save

TRAIN = Path("eval/cases/rehearse")
MAX_TOKENS = 200
ELSEWHERE, ELSEWHERE_WORDS = 0.4, 8  # how often, and of how many words at least


@dataclass(frozen=True)
class Said:
    """An answer, the topic asked about (empty: any), its kind; the topics it covers, its heart and what to
    ask next, None if nobody said."""

    text: str
    asked: str
    kind: str
    covers: tuple[str, ...] | None = None
    heart: str | None = None
    aspect: str | None = None


def examples(meeting: Meeting) -> list[Said]:
    """The examples of the meeting's kinds, each as if its topic had been asked about."""
    return [
        Said(text, "" if topic == CONDUCT else topic, name)
        for name, (topic, answer) in meeting.known.items()
        for text in answer.examples
    ]


def answers(paths: Sequence[Path]) -> list[Said]:
    """Labelled answers from JSON lines {"asked", "text", "covers", "kind", "pick", "next"}."""
    cases = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Said(c["text"], c["asked"], c["kind"], tuple(c["covers"]), c.get("pick"), c.get("next"))
        for c in cases
    ]


class Hearing(Headed):
    """The encoder with its heads: of the whole kinds, covers and aspects; of each token heart."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)
        self.kinds = nn.Linear(384, len(self.names))
        self.covers = nn.Linear(384, len(TOPICS))
        self.aspects = nn.Linear(384, len(ASPECTS))
        self.heart = nn.Linear(384, 1)

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        states, whole = self.read(batch)
        return self.kinds(whole), self.covers(whole), self.aspects(whole), self.heart(states).squeeze(-1)


def train(said: Sequence[Said], kinds: Sequence[str], *, epochs: int, rate: float, seed: int) -> Hearing:
    """Fit on labelled answers."""
    rng = random.Random(seed)
    return fit(
        lambda: Hearing(kinds),
        said,
        lambda model, chosen: _loss(model, chosen, rng),
        lambda answer: len(answer.text),
        epochs=epochs,
        rate=rate,
        head_rate=4e-3,
        seed=seed,
    )


def _elsewhere(said: Said, rng: random.Random) -> bool:
    """Now and then a longer answer is read as if something else had been asked: what it says stays."""
    return len(said.text.split()) >= ELSEWHERE_WORDS and rng.random() < ELSEWHERE


def _loss(model: Hearing, said: Sequence[Said], rng: random.Random) -> torch.Tensor:
    asked = [s.asked if s.asked and not _elsewhere(s, rng) else rng.choice(TOPICS) for s in said]
    texts = [
        asked_before(
            s.text.lower() if rng.random() < 0.3 and len(s.text.lower()) == len(s.text) else s.text, a
        )
        for s, a in zip(said, asked, strict=True)
    ]
    inputs = tokenizer_of()(
        texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt",
        return_offsets_mapping=True,
    )  # fmt: skip
    hearts = _hearts(said, texts, inputs.pop("offset_mapping").numpy())
    with torch.autocast("cpu", torch.bfloat16):
        kinds, covers, aspects, heart = (logits.float() for logits in model(inputs))
    loss = functional.cross_entropy(
        kinds, torch.tensor([model.names.index(s.kind) for s in said]), label_smoothing=0.1
    )
    next_ones = torch.tensor([ASPECTS.index(s.aspect) if s.aspect else UNKNOWN for s in said])  # type: ignore[arg-type]
    if (next_ones != UNKNOWN).any():
        loss = loss + 0.5 * functional.cross_entropy(aspects, next_ones, ignore_index=UNKNOWN)
    if (hearts != UNKNOWN).any():
        held = hearts != UNKNOWN
        loss = loss + functional.binary_cross_entropy_with_logits(heart[held], hearts[held].float())
    told = [i for i, s in enumerate(said) if s.covers is not None]
    if told:
        truths = torch.tensor([[float(t in (said[i].covers or ())) for t in TOPICS] for i in told])
        loss = loss + 4 * functional.binary_cross_entropy_with_logits(covers[told], truths)
    return loss


def _small(text: str) -> str:
    """`text` in small letters, unless that would move what stands in it."""
    return text.lower() if len(text.lower()) == len(text) else text


def _hearts(said: Sequence[Said], texts: Sequence[str], offsets: np.ndarray) -> torch.Tensor:
    """Of each token whether it belongs to the heart of its answer, shape (answers, tokens)."""
    found = np.full(offsets.shape[:2], UNKNOWN)
    for i, answer in enumerate(said):
        if answer.heart is None:
            continue
        led = len(texts[i]) - len(answer.text)
        begin = led + answer.text.index(answer.heart)
        end = begin + len(answer.heart)
        real = (offsets[i, :, 1] > offsets[i, :, 0]) & (offsets[i, :, 0] >= led)
        found[i, real] = (offsets[i, real, 0] >= begin) & (offsets[i, real, 1] <= end)
    return torch.from_numpy(found)


def main() -> None:
    """Train on everything there is to learn from and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=LAYERS.parent)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    meeting = load_meeting(shipped("knowledge") / "meeting")
    said = examples(meeting) + answers(sorted(TRAIN.glob("train-*.jsonl")))
    kinds = [*meeting.known, NO_KIND]
    runs = [train(said, kinds, epochs=given.epochs, rate=given.rate, seed=seed) for seed in range(given.runs)]
    model = averaged(runs)
    save(model, given.out / LAYERS.name, given.out / HEADS.name, names=np.array(model.names))


if __name__ == "__main__":
    main()
