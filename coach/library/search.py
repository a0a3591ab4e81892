"""Search: dense and BM25 over the cards, fused, near-duplicates dropped, "covered" decided.

Fusion is reciprocal rank (Cormack et al. 2009, k = 60). Whether the library covers a
question is a small classifier on what both searches saw, fitted when the index is built
on messages that are covered and messages that are not; a bare cosine threshold is not
used, because it means nothing across questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from coach.classifier import Encode, Encoder, LinearClassifier, Maker
from coach.errors import IndexFault
from coach.events import Found, Passage
from coach.library.cards import Card
from coach.library.index import COLLECTION, chroma_client, chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

FUSION_K = 60
NEAR_DUPLICATE = 0.97
# For own notes only; between what tests of small folders gave for asked and unasked subjects.
OWN_NOTES_AT = 0.35
COVERED_FILE = "covered.npz"


class CardSearch:
    """Finds cards for a text. `folder` is a finished index over `cards`."""

    def __init__(
        self,
        cards: Sequence[Card],
        folder: Path,
        encoder: Encoder,
        covered: LinearClassifier | None = None,
    ) -> None:
        self._cards = {card.id: card for card in cards}
        self._encoder = encoder
        self._matcher = Matcher(cards)
        self._collection: Any = _opened(folder / "chroma", len(chunks(cards)))
        stored = folder / COVERED_FILE
        self._covered = LinearClassifier.load(stored) if stored.exists() else covered

    def search(self, query: str, k: int = 6, vector: NDArray[np.float32] | None = None) -> Found:
        """The best `k` cards for `query`, best first.

        `vector` is the query's, shape (width,), where the caller has it already.
        """
        if vector is None:
            vector = self._encoder.encode([query])[0]
        dense, vectors = self._dense(vector)
        sparse = self._matcher.scores(query)
        fused = fuse([dense, sparse])
        passages: list[Passage] = []
        kept: list[NDArray[np.float32]] = []
        for name in fused:
            card = self._cards[name]
            body = vectors.get(name)
            if body is not None and any(float(body @ other) > NEAR_DUPLICATE for other in kept):
                continue
            if body is not None:
                kept.append(body)
            passages.append(
                Passage(
                    card=name, title=card.title, text=card.text, source=card.source,
                    score=fused[name], similarity=dense.get(name, 0.0), start=0, end=len(card.text),
                )
            )  # fmt: skip
            if len(passages) == k:
                break
        confidence = self._confidence(coverage_features(dense, sparse, self._matcher.share(query)))
        return Found(tuple(passages), covered=confidence >= 0.5, confidence=confidence)

    def _dense(self, vector: NDArray[np.float32]) -> tuple[dict[str, float], dict[str, NDArray[np.float32]]]:
        """Best cosine per card, and the vector of the chunk that had it."""
        got = self._collection.query(
            query_embeddings=[vector.tolist()],
            n_results=min(40, self._collection.count()),
            include=["metadatas", "distances", "embeddings"],
        )
        best: dict[str, float] = {}
        vectors: dict[str, NDArray[np.float32]] = {}
        rows = zip(got["metadatas"][0], got["distances"][0], got["embeddings"][0], strict=True)
        for meta, distance, embedding in rows:
            name = str(meta["card"])
            if name in self._cards and 1.0 - distance > best.get(name, -2.0):
                best[name] = 1.0 - float(distance)
                # Two notes that share a question are still two; only bodies tell duplicates.
                if str(meta["kind"]).startswith("body"):
                    vectors[name] = np.asarray(embedding, dtype=np.float32)
                else:
                    vectors.pop(name, None)
        return best, vectors

    def _confidence(self, features: NDArray[np.float32]) -> float:
        if self._covered is None:
            # Somebody's own notes: nothing to fit on, so the best cosine alone decides, softly.
            return float(1.0 / (1.0 + np.exp(-20.0 * (features[0] / 4 - OWN_NOTES_AT))))
        return self._covered.probabilities(features).get("covered", 0.0)


def _opened(folder: Path, expected: int) -> Any:
    """The collection, tried out.

    Raises:
        IndexFault: it does not open, does not answer, or is not all there.
    """
    try:
        collection = chroma_client(folder).get_collection(COLLECTION)
        width = len(collection.get(ids=["0"], include=["embeddings"])["embeddings"][0])
        collection.query(query_embeddings=[[1.0] * width], n_results=1)
        count = collection.count()
    except Exception as fault:  # Chroma's core raises whatever it likes on damaged files
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()  # else the damaged one is handed out again
        raise IndexFault(f"The index cannot be read ({fault}); run `coach knowledge rebuild`.") from fault
    if count != expected:
        raise IndexFault("The index is not complete; run `coach knowledge rebuild`.")
    return collection


class Matcher:
    """BM25 over the chunks of cards, and how much of a query's weight its words cover."""

    def __init__(self, cards: Sequence[Card]) -> None:
        import bm25s

        self._bm25s = bm25s
        self._chunks = chunks(cards)
        corpus = bm25s.tokenize([c.text for c in self._chunks], stopwords="en", show_progress=False)
        self._index = bm25s.BM25()
        self._index.index(corpus, show_progress=False)
        self._vocabulary = set(corpus.vocab)

    def scores(self, query: str) -> dict[str, float]:
        """Best BM25 score per card, for cards that share a word with the query."""
        tokens = self._tokens(query)
        if not tokens:
            return {}
        row = self._index.get_scores(tokens)
        best: dict[str, float] = {}
        for chunk, score in zip(self._chunks, row, strict=True):
            if score > best.get(chunk.card, 0.0):
                best[chunk.card] = float(score)
        return best

    def share(self, query: str) -> float:
        """The share of the query's content words that the library knows at all, 0 to 1."""
        words = set(self._words(query))
        return len(words & self._vocabulary) / len(words) if words else 0.0

    def _words(self, query: str) -> list[str]:
        got = self._bm25s.tokenize([query], stopwords="en", return_ids=False, show_progress=False)
        return [str(word) for word in got[0]]

    def _tokens(self, query: str) -> list[str]:
        return [word for word in self._words(query) if word in self._vocabulary]


def fuse(rankings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Reciprocal-rank fusion of several score tables; returns card -> fused score, best first."""
    fused: dict[str, float] = {}
    for table in rankings:
        for rank, name in enumerate(sorted(table, key=lambda n: -table[n])):
            fused[name] = fused.get(name, 0.0) + 1.0 / (FUSION_K + rank + 1)
    return dict(sorted(fused.items(), key=lambda item: -item[1]))


def coverage_features(
    dense: Mapping[str, float], sparse: Mapping[str, float], share: float
) -> NDArray[np.float32]:
    """What the covered/not-covered decision looks at, shape (5,)."""
    cosines = sorted(dense.values(), reverse=True)[:3] + [0.0] * 3
    words = [*sorted(sparse.values(), reverse=True), 0.0][:1]
    return np.asarray(
        [
            cosines[0] * 4,
            (cosines[0] - cosines[2]) * 4,
            sum(cosines[:3]) / 3 * 4,
            words[0] / 8,
            share,
        ],
        dtype=np.float32,
    )


def make_covered(cards: Sequence[Card], covered: Sequence[str], not_covered: Sequence[str]) -> Maker:
    """A maker of the covered/not-covered classifier, from messages of both kinds."""

    def make(folder: Path, encode: Encode) -> None:
        parts, matcher = chunks(cards), Matcher(cards)
        vectors = encode([part.text for part in parts])
        rows = []
        texts = [*covered, *not_covered]
        for text, vector in zip(texts, encode(texts), strict=True):
            dense: dict[str, float] = {}
            for part, cosine in zip(parts, vectors @ vector, strict=True):
                dense[part.card] = max(dense.get(part.card, -1.0), float(cosine))
            rows.append(coverage_features(dense, matcher.scores(text), matcher.share(text)))
        labels = ["covered"] * len(covered) + ["not covered"] * len(not_covered)
        fitted = LinearClassifier.fit(np.stack(rows), labels, inverse_penalty=1.0)
        fitted.save(folder / COVERED_FILE)

    return make


class CardRetriever(BaseRetriever):
    """LangChain's retriever over `CardSearch`, for chains that expect one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    search_cards: Any
    k: int = 4

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found: Found = self.search_cards.search(query, k=self.k)
        return [
            Document(
                page_content=p.text,
                metadata={"card": p.card, "title": p.title, "score": p.score},
            )
            for p in found.passages
        ]


def contextual(history: Sequence[str], message: str) -> str:
    """What to search for in a conversation: a short follow-up carries the message before it."""
    if history and len(re.findall(r"\w+", message)) < 8:
        return f"{history[-1]} {message}"
    return message
