"""Is this sentence borne out by that passage? Similarity, then what similarity does not see.

A sentence whose numbers or names the passage does not have, that turns its sense round
with a negation, or that blames the person, gets no support however similar it is. Pure;
vectors are passed in. It does *not* judge style.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# From eval/LOG.md: below it, sentences that rest on nothing become frequent.
SUPPORTED_AT = 0.45
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![.?!]\s)(?<!^)\b[A-Z][a-z]{2,}(?:\s+[A-Z][a-z]+)*\b")
_NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|nobody|neither|nor|without|cannot)\b|n['’]t\b",
    re.IGNORECASE,
)
_BLAME = re.compile(
    r"\b(?:your (?:own )?fault|you should have|you(?:'re| are) (?:being )?(?:lazy|selfish|weak|stupid|wrong|irresponsible|"
    r"unprofessional|a fraud|an impostor|to blame)|blame yourself|you failed|shame on you)\b",
    re.IGNORECASE,
)  # fmt: skip
_MEDICAL = re.compile(
    r"\b\d+\s?(?:mg|mcg|ml|micrograms?|milligrams?|units?/kg|mg/kg)\b|\bprescri",
    re.IGNORECASE,
)
# Beginnings that are no claim: an offer or a question needs no passage.
_NO_CLAIM = re.compile(
    r"^(?:you could|you might|perhaps|maybe|would you|what|who|which|when|where|how)\b",
    re.I,
)


@dataclass(frozen=True)
class Support:
    """How far a sentence is borne out (0 to 1), by which passage (index), and why not."""

    score: float
    passage: int | None
    fault: str | None = None

    @property
    def holds(self) -> bool:
        return self.fault is None and self.score >= SUPPORTED_AT


def support(
    sentence: str,
    vector: NDArray[np.float32],
    passages: Sequence[str],
    vectors: NDArray[np.float32],
    said_by_person: str = "",
) -> Support:
    """Check `sentence` against `passages`, whose vectors have shape (passages, width).

    Numbers and names that the person used themselves are theirs to hear again.
    """
    if not passages:
        return Support(0.0, None, "no passage")
    if _BLAME.search(sentence):
        return Support(0.0, None, "blames the person")
    if _MEDICAL.search(sentence):
        return Support(0.0, None, "medical advice")
    for number, passage in enumerate(passages):
        if sentence.strip() in passage:
            return Support(1.0, number)
    cosines = vectors @ vector
    best = int(cosines.argmax())
    score = max(0.0, float(cosines[best]))
    known = f"{' '.join(passages)} {said_by_person}"
    if missing := set(_NUMBER.findall(sentence)) - set(_NUMBER.findall(known)):
        return Support(score, best, f"number {sorted(missing)[0]} is nowhere")
    names = {name for name in _NAME.findall(sentence) if name.lower() not in known.lower()}
    if names:
        return Support(score, best, f"name {sorted(names)[0]} is nowhere")
    if _turned(sentence, passages[best]) and score >= SUPPORTED_AT:
        return Support(score, best, "negation turns the passage round")
    if _NO_CLAIM.match(sentence):
        return Support(max(score, SUPPORTED_AT), best)
    return Support(score, best)


def _turned(sentence: str, passage: str) -> bool:
    """Whether only one of sentence and nearest passage clause negates the words they share."""
    words = set(re.findall(r"[a-z]{4,}", sentence.lower()))
    clauses = re.split(r"[.;:?!]", passage)
    nearest = max(clauses, key=lambda c: len(words & set(re.findall(r"[a-z]{4,}", c.lower()))))
    shared = words & set(re.findall(r"[a-z]{4,}", nearest.lower()))
    if len(shared) < 4:
        return False
    return bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(nearest))
