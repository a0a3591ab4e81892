"""The free voice: the model writes, and each sentence is checked before it is shown.

For capable models. A sentence that no passage bears out is replaced once by a sentence
of the best card; what is left unsupported after that is dropped. The last sentence is
always one question.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from coach.care.grounding import support
from coach.classifier import Encoder
from coach.errors import ModelError
from coach.events import (
    Citation,
    Event,
    Found,
    Passage,
    Reply,
    Said,
    Sentence,
    Timing,
    Turn,
)
from coach.library.cards import sentences
from coach.prompts import render
from coach.voice.ledger import plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PASSAGES = 3
MAX_WORDS = 110
LAST_QUESTION = "What would you like to try first?"
_END = re.compile(r"(?:(?<=[.?!])|(?<=[.?!][”\"]))\s+")


class FreeVoice:
    """Lets `model` write over the passages found."""

    name = "free"

    def __init__(self, model: BaseChatModel, encoder: Encoder) -> None:
        self._model = model
        self._encoder = encoder

    def speak(
        self,
        message: str,
        history: Sequence[Turn],
        found: Found,
        cancel: threading.Event | None = None,
        **options: Any,
    ) -> Iterator[Event]:
        """Yield checked sentences as they are ready, and the finished reply last."""
        passages = found.passages[:PASSAGES]
        check = _Checker(self._encoder, passages, f"{message} {' '.join(t.content for t in history)}")
        kept: list[Sentence] = []
        counts: dict[str, Any] = {}
        started, first_ms = time.perf_counter(), 0.0
        written = self._written(message, history, passages, counts, cancel, options)
        for text in self._until_fault(written, kept):
            if sum(len(s.text.split()) for s in kept) > MAX_WORDS - 15 or _asked(kept):
                break
            sentence = check.sentence(text, kept)
            # A question asked before anything was said would end the reply with nothing in it.
            if sentence is None or (sentence.text.endswith("?") and not any(s.card for s in kept)):
                continue
            first_ms = first_ms or (time.perf_counter() - started) * 1000
            yield Said(sentence.text if not kept else f" {sentence.text}")
            kept.append(sentence)
        for sentence in check.closing(kept):
            yield Said(sentence.text if not kept else f" {sentence.text}")
            kept.append(sentence)
        yield Reply(
            reply=" ".join(s.text for s in kept),
            route="answer",
            citations=tuple(
                Citation(n, p.card, p.title)
                for n, p in enumerate(passages, 1)
                if any(f"[{n}]" in s.text for s in kept)
            ),
            confidence=found.confidence,
            passages=tuple(p.card for p in passages),
            sentences=tuple(kept),
            timing=replace(
                Timing(),
                first_token_ms=float(counts.get("first_token_ms", 0.0)),
                first_sentence_ms=first_ms,
                prompt_tokens=int(counts.get("prompt_tokens", 0)),
                cached_tokens=int(counts.get("cached_tokens", 0)),
                completion_tokens=int(counts.get("completion_tokens", 0)),
            ),
        )

    @staticmethod
    def _until_fault(written: Iterator[str], kept: Sequence[Sentence]) -> Iterator[str]:
        """A model that fails half-way ends the reply early; one that fails at once is a fault."""
        try:
            yield from written
        except ModelError:
            if not kept:
                raise

    def _written(
        self,
        message: str,
        history: Sequence[Turn],
        passages: Sequence[Passage],
        counts: dict[str, Any],
        cancel: threading.Event | None,
        options: dict[str, Any],
    ) -> Iterator[str]:
        """The model's sentences, each as soon as it is whole. System and history come first and
        stay the same, passages last, so that the evaluated prefix serves the next turn."""
        messages: list[BaseMessage] = [SystemMessage(render("coach"))]
        messages += [HumanMessage(t.content) if t.role == "user" else AIMessage(t.content) for t in history]
        messages.append(HumanMessage(render("question", passages=passages, message=message)))
        held = ""
        for chunk in self._model.stream(messages, cancel=cancel, **options):
            counts.update(chunk.response_metadata.get("counts", {}))
            held += str(chunk.content)
            *whole, held = _END.split(held)
            yield from (part.strip() for part in whole if part.strip())
        if held.strip():
            yield held.strip()


class _Checker:
    """Checks sentences against the passages of one turn, and lends lines of the cards."""

    def __init__(self, encoder: Encoder, passages: Sequence[Passage], person: str) -> None:
        self._encoder, self._passages, self._person = encoder, passages, person
        # Each passage whole and sentence by sentence: a sentence is often like only one of them.
        parts = [(t, n) for n, p in enumerate(passages) for t in (p.text, *sentences(p.text))]
        self._texts = [text for text, _ in parts]
        self._of = [number for _, number in parts]
        self._vectors: NDArray[np.float32] = encoder.encode(self._texts)
        self._lines = sentences(passages[0].text) if passages else []

    def sentence(self, text: str, kept: Sequence[Sentence]) -> Sentence | None:
        """The sentence with its citation, a card's line in its place, or None to leave it out."""
        text = re.sub(r"\s*\[\d+\]", "", text).strip()
        said = {plain(s.text) for s in kept}
        if plain(text) in said or not plain(text):
            return None
        checked = support(
            text,
            self._encoder.encode([text])[0],
            self._texts,
            self._vectors,
            self._person,
        )
        if checked.holds and checked.passage is not None:
            return self._cited(text, checked.score, self._of[checked.passage], "model")
        return self._line(said)

    def closing(self, kept: Sequence[Sentence]) -> list[Sentence]:
        """What a reply still needs: something from the card, and one question."""
        out = []
        if not any(s.card for s in kept):
            line = self._line({plain(s.text) for s in kept})
            out += [line] if line else []
        if not _asked(kept):
            out.append(Sentence(LAST_QUESTION, 1.0, None, "fixed"))
        return out

    def _line(self, said: set[str]) -> Sentence | None:
        unsaid = [line for line in self._lines if plain(line) not in said]
        return self._cited(unsaid[0], 1.0, 0, "card") if unsaid else None

    def _cited(self, text: str, score: float, passage: int, origin: Any) -> Sentence:
        if not text.endswith("?"):
            text = f"{text[:-1]} [{passage + 1}]{text[-1]}" if text[-1] in ".!" else f"{text} [{passage + 1}]"
        return Sentence(text.replace("!", "."), score, self._passages[passage].card, origin)


def _asked(kept: Sequence[Sentence]) -> bool:
    return bool(kept) and kept[-1].text.endswith("?")
