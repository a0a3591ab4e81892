"""A small index and how it is opened, here or in a process of its own (kill, race, full disk)."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import coach
from coach.classifier import Encode
from coach.errors import IndexFault
from coach.library.cards import Card
from coach.library.embedder import MiniLM
from coach.library.index import (
    COLLECTION,
    chroma_client,
    close_chroma,
    fingerprint,
    is_sound,
    make_chroma,
    open_or_build,
)

FILE_BYTES = 50_000
CARDS = (
    Card(id="rest", title="Rest", text="Put the phone away after work.", asks=("When do I stop?",)),
    Card(id="kind", title="Be kind", text="Say that it is wrong, and leave room to mend it."),
)


def notes(count: int) -> list[Card]:
    return [Card(id=f"note-{number}", title="Note", text=f"Number {number}.") for number in range(count)]


class Counting:
    """The real encoder, counting the texts it is given."""

    def __init__(self, encoder: MiniLM) -> None:
        self._encoder, self.fingerprint, self.read = encoder, encoder.fingerprint, 0

    def encode(self, texts: Sequence[str], batch: int = 32) -> NDArray[np.float32]:
        self.read += len(texts)
        return self._encoder.encode(texts, batch)


class MadeUp:
    """Random vectors, where thousands are wanted and what they mean does not matter."""

    fingerprint = "made-up"

    def encode(self, texts: Sequence[str], batch: int = 32) -> NDArray[np.float32]:
        return np.random.default_rng(1).normal(size=(len(texts), 8)).astype(np.float32)


def opened(cache: Path, counting: Counting, cards: Sequence[Card] = CARDS) -> Path:
    name = fingerprint(cards, counting.fingerprint)
    return open_or_build(cache, name, [(make_chroma(cards), counting)])


def held(place: Path) -> set[tuple[str, str]]:
    """Card and text of everything in the collection of a finished index."""
    client = chroma_client(place / "chroma")
    got = client.get_collection(COLLECTION).get()
    close_chroma(client, place / "chroma")
    return {(str(m["card"]), str(d)) for m, d in zip(got["metadatas"], got["documents"], strict=True)}


def leftovers(cache: Path) -> list[str]:
    return [path.name for path in (cache / "index").iterdir() if path.name.startswith(".")]


def start(what: str, cache: Path) -> subprocess.Popen[str]:
    """Run `main` below in another process, with the same coach as here."""
    return subprocess.Popen(
        [sys.executable, __file__, what, str(cache)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(coach.__file__).parents[1])},
    )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def then_wait(_folder: Path, _encode: Encode) -> None:
    """A maker that stops half-way, when Chroma's files are there and the manifest is not."""
    say("building")
    signal.pause()


def main(what: str, cache: Path) -> None:
    encoder = Counting(MiniLM())
    name = fingerprint(CARDS, encoder.fingerprint)
    if what == "kill":
        makers = [(make_chroma(CARDS), encoder), (then_wait, encoder)]
        open_or_build(cache, name, makers, rebuild=True)
    elif what == "race":
        say("ready")
        sys.stdin.readline()
        place = opened(cache, encoder)
        say(json.dumps({"sound": is_sound(place), "read": encoder.read, "held": len(held(place))}))
    elif what == "full":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
        try:
            opened(cache, encoder)
        except IndexFault as fault:
            say(f"IndexFault: {fault}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
