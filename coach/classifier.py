"""A linear classifier over sentence vectors: fitted with scikit-learn, run with numpy.

scikit-learn is needed only while fitting (when the index is built); importing it costs
more than a second that nobody waiting for an answer should pay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


class Encoder(Protocol):
    """A sentence encoder: texts to unit vectors (texts, width), and a name that changes with them."""

    fingerprint: str

    def encode(self, texts: Sequence[str], batch: int = 32) -> NDArray[np.float32]: ...


class StateReader(Protocol):
    """An encoder that reads token by token: offsets (tokens, 2) and states (tokens, width)."""

    def states(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...


class Maker(Protocol):
    """Something fitted once, when the index is built, and kept in its folder."""

    def __call__(self, folder: Path, encode: Encode) -> None: ...


@dataclass(frozen=True)
class LinearClassifier:
    """Multinomial logistic regression: labels (classes,), weights (classes, width), bias (classes,)."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        vectors: NDArray[np.float32],
        labels: Sequence[str],
        *,
        inverse_penalty: float,
        balanced: bool = True,
    ) -> LinearClassifier:
        """Fit on vectors of shape (texts, width) with one label each."""
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(
            C=inverse_penalty,
            max_iter=500,
            class_weight="balanced" if balanced else None,
        ).fit(vectors, np.asarray(labels))
        weights, bias = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn keeps one row for two kinds
            weights, bias = np.vstack([0 * weights, weights]), np.append(0.0, bias)
        return cls(
            labels=tuple(str(label) for label in model.classes_),
            weights=weights.astype(np.float32),
            bias=bias.astype(np.float32),
        )

    def log_probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Natural log-probabilities of shape (texts, classes)."""
        logits = vectors @ self.weights.T + self.bias
        peak = logits.max(axis=1, keepdims=True)
        total = peak + np.log(np.exp(logits - peak).sum(axis=1, keepdims=True))
        out: NDArray[np.float32] = logits - total
        return out

    def probabilities(self, vector: NDArray[np.float32]) -> dict[str, float]:
        """Label -> probability for one vector of shape (width,)."""
        row = np.exp(self.log_probabilities(vector[None, :])[0])
        return {label: float(p) for label, p in zip(self.labels, row, strict=True)}

    def save(self, path: Path) -> None:
        np.savez(path, labels=np.asarray(self.labels), weights=self.weights, bias=self.bias)

    @classmethod
    def load(cls, path: Path) -> LinearClassifier:
        with np.load(path, allow_pickle=False) as held:
            return cls(tuple(str(x) for x in held["labels"]), held["weights"], held["bias"])
