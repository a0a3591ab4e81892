"""The index on disk: built whole, swapped in whole, rebuilt when anything it rests on changes.

One folder per fingerprint (cards + encoder + how texts are split). It is made beside its
place and renamed when finished, under a lock, so that a kill at any moment leaves the
old index or the new one, and two processes that start at once build it once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from coach.classifier import Encode, Encoder, Maker
from coach.errors import IndexFault
from coach.library.cards import Card

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Counts up when the way texts are split, or anything fitted on them, changes.
LAYOUT = 1
COLLECTION = "cards"
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Chunk:
    """A text that stands for a card in the index: its body, its title, or a question it answers."""

    card: str
    text: str
    kind: str


def chunks(cards: Sequence[Card]) -> list[Chunk]:
    """How cards are split: whole body with title, and each question on its own."""
    out = []
    for card in cards:
        for start, body in _windows(card.text):
            kind = "body" if start == 0 else f"body@{start}"
            out.append(Chunk(card.id, f"{card.title}. {body}", kind))
        out.extend(Chunk(card.id, ask, "ask") for ask in card.asks)
    return out


def _windows(text: str, size: int = 900, step: int = 700) -> list[tuple[int, str]]:
    """Long notes are cut into overlapping windows of `size` characters; cards never are."""
    if len(text) <= size:
        return [(0, text)]
    return [(start, text[start : start + size]) for start in range(0, len(text) - size + step, step)]


def fingerprint(cards: Sequence[Card], encoder: str, *extra: str) -> str:
    """A name for what an index rests on; it changes when any of it does."""
    digest = hashlib.sha256(f"{LAYOUT}:{encoder}".encode())
    for card in cards:
        digest.update(card.model_dump_json().encode())
    for part in extra:
        digest.update(part.encode())
    return digest.hexdigest()[:16]


def open_or_build(
    cache: Path,
    name: str,
    makers: Sequence[tuple[Maker, Encoder]],
    *,
    progress: Progress = lambda _what, _share: None,
    rebuild: bool = False,
) -> Path:
    """Return the finished index folder called `name`, building it if it is missing or damaged.

    Raises:
        IndexFault: the folder cannot be written.
    """
    place = cache / "index" / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(str(place.parent / "lock")):
            if rebuild or not is_sound(place):
                if place.exists() and not rebuild:
                    progress("The index was damaged; building it again.", 0.0)
                _build(place, makers, progress)
                _clear_older(place)
    except OSError as fault:
        raise IndexFault(
            f"The index cannot be written to {cache} ({fault.strerror or fault}); "
            "free some space, or set COACH_CACHE_DIR to another folder."
        ) from fault
    os.utime(place)
    return place


def is_sound(place: Path) -> bool:
    """Whether every file of a finished index is there and is what was made."""
    try:
        manifest: dict[str, str] = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        return all(_is_whole(place / file, digest) for file, digest in manifest.items())
    except (OSError, ValueError, AttributeError, sqlite3.Error):
        return False


def _is_whole(path: Path, digest: str) -> bool:
    # SQLite's file changes when it is merely opened, so its digest says nothing; empty, it
    # would count as a database without tables.
    if path.suffix == ".sqlite3" and path.stat().st_size > 0:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    return _digest(path) == digest


def _build(place: Path, makers: Sequence[tuple[Maker, Encoder]], progress: Progress) -> None:
    beside = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}")
    beside.mkdir(mode=0o700)
    started = time.perf_counter()
    readers = {encoder.fingerprint: _remembering(encoder, progress) for _, encoder in makers}
    try:
        for maker, encoder in makers:
            maker(beside, readers[encoder.fingerprint])
        files = [p for p in sorted(beside.rglob("*")) if p.is_file()]
        manifest = {p.relative_to(beside).as_posix(): _digest(p) for p in files}
        (beside / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        if place.exists():
            old = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.old")
            place.rename(old)
            beside.rename(place)
            shutil.rmtree(old, ignore_errors=True)
        else:
            beside.rename(place)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    progress(f"Index ready after {time.perf_counter() - started:.0f} s", 1.0)


def _remembering(encoder: Encoder, progress: Progress) -> Encode:
    """The encoder with a memory: several makers want the same texts."""
    import numpy as np

    known: dict[str, Any] = {}

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        new = list(dict.fromkeys(t for t in texts if t not in known))
        for start in range(0, len(new), 256):
            part = new[start : start + 256]
            known.update(zip(part, encoder.encode(part), strict=True))
            progress("Reading the cards", (start + len(part)) / len(new))
        return np.stack([known[t] for t in texts])

    return encode


def _clear_older(place: Path, keep: int = 3) -> None:
    """Remove half-made folders, and all but the newest few finished ones (added folders have theirs)."""
    for half in place.parent.glob(".*"):
        shutil.rmtree(half, ignore_errors=True)
    finished = [p for p in place.parent.iterdir() if p.is_dir() and p != place]
    for old in sorted(finished, key=lambda p: p.stat().st_mtime, reverse=True)[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_chroma(cards: Sequence[Card]) -> Maker:
    """A maker of the Chroma collection over the chunks of `cards`."""

    def make(folder: Path, encode: Encode) -> None:
        parts = chunks(cards)
        vectors = encode([part.text for part in parts])
        try:
            _fill(folder / "chroma", parts, vectors)
        except (sqlite3.Error, chroma_error()) as fault:
            raise OSError(str(fault)) from fault

    return make


def _fill(folder: Path, parts: Sequence[Chunk], vectors: NDArray[np.float32]) -> None:
    client = chroma_client(folder)
    # Everything goes into the files now. What waited would be written when the index is next
    # opened, and the files would no longer be what the manifest says.
    size = max(2, min(len(parts), 1000))
    collection = client.create_collection(
        COLLECTION,
        metadata={"hnsw:space": "cosine", "hnsw:sync_threshold": size, "hnsw:batch_size": size},
    )
    most = client.get_max_batch_size()
    for start in range(0, len(parts), most):
        some = parts[start : start + most]
        collection.add(
            ids=[str(start + number) for number in range(len(some))],
            embeddings=vectors[start : start + most],
            documents=[part.text for part in some],
            metadatas=[{"card": part.card, "kind": part.kind} for part in some],
        )
    if len(parts) == 1:  # Chroma waits for at least two changes
        collection.update(ids=["0"], embeddings=vectors)
    close_chroma(client, folder)


def make_copies(source: Path) -> Maker:
    """A maker that copies what was fitted beforehand, instead of fitting it again."""

    def make(folder: Path, encode: Encode) -> None:
        for file in source.glob("*.npz"):
            shutil.copyfile(file, folder / file.name)

    return make


def chroma_error() -> type[Exception]:
    """What Chroma raises, a full disk included."""
    from chromadb.errors import ChromaError

    found: type[Exception] = ChromaError
    return found


def chroma_client(folder: Path) -> Any:
    """A Chroma client over `folder`, with its telemetry off."""
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


def close_chroma(client: Any, folder: Path) -> None:
    """Let go of Chroma's files, so that the folder may be renamed and its digest stays true."""
    client.close()
    with contextlib.closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
