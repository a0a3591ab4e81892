"""The quoting voice: says the sentences of somebody's own notes that answer best.

For a library without written situations, when no model writes. It adds nothing of its
own but the question at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coach.classifier import Encoder
from coach.events import Citation, Found, Reply, Sentence, Turn
from coach.library.cards import sentences
from coach.voice.ledger import is_new, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUOTED = 3


class QuotedVoice:
    """Quotes the best sentences of the passages found, in the order in which they stand."""

    name = "guided"

    def __init__(self, encoder: Encoder, phrases: Mapping[str, Sequence[str]]) -> None:
        self._encoder = encoder
        self._phrases = phrases

    def speak(self, found: Found, history: Sequence[Turn], vector: NDArray[np.float32]) -> Reply:
        """The reply to a message with encoding `vector`, shape (width,)."""
        said = frozenset(plain(s) for t in history if t.role == "assistant" for s in sentences(t.content))
        lines = [
            (number, line)
            for number, passage in enumerate(found.passages[:QUOTED])
            for line in sentences(passage.text)
            if is_new(line, said)
        ]
        kept: list[Sentence] = []
        citations: dict[int, int] = {}
        if lines:
            cosines = self._encoder.encode([line for _, line in lines]) @ vector
            for i in sorted(int(i) for i in np.argsort(-cosines)[:QUOTED]):
                number, line = lines[i]
                n = citations.setdefault(number, len(citations) + 1)
                text = f"{line[:-1]} [{n}]{line[-1]}" if line[-1] in ".!?" else f"{line} [{n}]."
                kept.append(Sentence(text, 1.0, found.passages[number].card, "card"))
        endings = self._phrases["quoted_end"]
        ending = next((e for e in endings if is_new(e, said)), endings[-1])
        kept.append(Sentence(ending, 1.0, None, "fixed"))
        return Reply(
            reply=" ".join(s.text for s in kept),
            route="answer",
            citations=tuple(
                Citation(n, found.passages[i].card, found.passages[i].title) for i, n in citations.items()
            ),
            confidence=found.confidence,
            sentences=tuple(kept),
        )
