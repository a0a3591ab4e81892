"""What crosses rooms: frozen records, and the events that make up a reply.

A flow yields `Progress`, `Said` and, last, one `Reply`. Fields of `Reply` are those of the
command line's batch lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Route = Literal["answer", "ask_back", "not_covered", "out_of_scope", "crisis", "refused"]
Origin = Literal["model", "card", "fixed"]
Axis = Literal["privacy", "anger", "kindness", "claims", "purpose"]
Verdict = Literal["post", "edit", "wait", "keep"]


@dataclass(frozen=True)
class Turn:
    """One message of a conversation, as chat systems write it."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True)
class Passage:
    """A card that was found: `score` is the fused rank score, `similarity` the cosine (-1 to 1)."""

    card: str
    title: str
    text: str
    source: str
    score: float
    similarity: float
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Found:
    """What a search brings: passages best first, and whether the library covers the question."""

    passages: tuple[Passage, ...]
    covered: bool
    confidence: float


@dataclass(frozen=True)
class Citation:
    """A number in the reply and the card it points to."""

    n: int
    card: str
    title: str


@dataclass(frozen=True)
class Sentence:
    """One sentence of a reply and how well its card bears it out (0 to 1)."""

    text: str
    support: float
    card: str | None
    origin: Origin


@dataclass(frozen=True)
class Choice:
    """One of the situations offered when the coach asks back."""

    situation: str
    text: str


@dataclass(frozen=True)
class Timing:
    """Milliseconds from the start of the turn, and tokens of the language model."""

    retrieve_ms: float = 0.0
    first_token_ms: float = 0.0
    first_sentence_ms: float = 0.0
    total_ms: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Signal:
    """Something the checks noticed, with character offsets into the text."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Span:
    """Words of a draft that may identify somebody: their kind, offsets, and how sure that is (0 to 1)."""

    kind: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Finding:
    """Something in a draft that matters to one axis; `start` and `end` are offsets into the draft."""

    axis: Axis
    kind: str
    start: int
    end: int
    text: str
    why: str
    card: str


@dataclass(frozen=True)
class Facts:
    """What was stated beside a draft; empty where nothing was."""

    poster: str = ""
    employer: str = ""
    consent: str = ""
    image: str = ""
    when: str = ""
    aim: str = ""


@dataclass(frozen=True)
class Review:
    """The coach's judgement of one draft; axes are 0 (fine) to 1 (serious). A rewrite carries less risk
    than the draft; it is safe if the coach would let it be posted."""

    verdict: Verdict
    axes: Mapping[Axis, float]
    findings: tuple[Finding, ...]
    rewrite: str | None
    reply: str
    route: Route
    rewrite_is_safe: bool = False
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True)
class Said:
    """A piece of the reply, ready to be shown."""

    text: str


@dataclass(frozen=True)
class Reply:
    """One finished turn of the coach."""

    reply: str
    route: Route
    citations: tuple[Citation, ...] = ()
    situation: str | None = None
    confidence: float = 0.0
    choices: tuple[Choice, ...] = ()
    passages: tuple[str, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    timing: Timing = field(default_factory=Timing)
    kind: str = ""  # what the turn was taken for: a follow-up's kind, or the care gate's


Event = Said | Reply


def cleaned(text: str) -> str:
    """Text without control characters and marks that turn the writing direction; line breaks stay."""
    kept = []
    for char in text.replace("\r\n", "\n"):
        kind = unicodedata.category(char)
        if char in "\n\t" or kind not in ("Cc", "Cf", "Co", "Cs", "Cn"):
            kept.append(char)
        elif kind == "Cc" and char != "\0":  # other breaks and gaps part words
            kept.append(" ")
    return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()
