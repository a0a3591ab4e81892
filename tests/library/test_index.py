"""The index: built once, kept while nothing changes, built anew when anything it rests on does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from building import CARDS, Counting, MadeUp, held, leftovers, notes, opened

from coach.classifier import Encode
from coach.library.cards import Card
from coach.library.embedder import MiniLM
from coach.library.index import (
    COLLECTION,
    chroma_client,
    chunks,
    close_chroma,
    fingerprint,
    is_sound,
    make_chroma,
    open_or_build,
)


@pytest.fixture
def counting(encoder: MiniLM) -> Counting:
    return Counting(encoder)


def test_open_builds_an_index_of_every_chunk(tmp_path: Path, counting: Counting) -> None:
    place = opened(tmp_path, counting)
    assert held(place) == {(chunk.card, chunk.text) for chunk in chunks(CARDS)}
    assert counting.read == 3
    assert leftovers(tmp_path) == []


def test_second_open_reads_nothing(tmp_path: Path, counting: Counting) -> None:
    first = opened(tmp_path, counting)
    held(first)
    before = counting.read
    assert opened(tmp_path, counting) == first
    assert counting.read == before


def test_changed_card_gets_a_new_index(tmp_path: Path, counting: Counting) -> None:
    first = opened(tmp_path, counting)
    changed = (CARDS[0].model_copy(update={"text": "Put the phone in a drawer."}), CARDS[1])
    second = opened(tmp_path, counting, changed)
    assert second != first
    assert ("rest", "Rest. Put the phone in a drawer.") in held(second)


def test_fingerprint_follows_cards_encoder_and_extras() -> None:
    asked = (CARDS[0].model_copy(update={"asks": ("When may I?",)}), CARDS[1])
    names = [
        fingerprint(CARDS, "encoder"),
        fingerprint(asked, "encoder"),
        fingerprint(CARDS[:1], "encoder"),
        fingerprint(CARDS, "other"),
        fingerprint(CARDS, "encoder", "words"),
    ]
    assert len(set(names)) == len(names)
    assert fingerprint(CARDS, "encoder") == names[0]


def test_older_indexes_are_cleared_but_for_the_newest_few(tmp_path: Path, counting: Counting) -> None:
    for number in range(6):
        card = Card(id="one", title="One", text=f"Number {number}.")
        newest = opened(tmp_path, counting, (card,))
    folders = [path for path in (tmp_path / "index").iterdir() if path.is_dir()]
    assert len(folders) == 4
    assert newest in folders


def test_rebuild_builds_though_the_index_is_sound(tmp_path: Path, counting: Counting) -> None:
    place = opened(tmp_path, counting)
    before = counting.read
    open_or_build(tmp_path, place.name, [(make_chroma(CARDS), counting)], rebuild=True)
    assert counting.read == 2 * before
    assert is_sound(place)
    assert leftovers(tmp_path) == []


def test_makers_with_one_encoder_share_what_was_read(tmp_path: Path, counting: Counting) -> None:
    def again(folder: Path, encode: Encode) -> None:
        np.save(folder / "again.npy", encode([chunk.text for chunk in chunks(CARDS)]))

    open_or_build(tmp_path, "shared", [(make_chroma(CARDS), counting), (again, counting)])
    assert counting.read == 3


@pytest.mark.parametrize("count", [1, 3, 250, 1200])
def test_used_index_stays_sound(tmp_path: Path, count: int) -> None:
    """Chroma may write its files anew when it is asked something; that is not damage."""
    place = open_or_build(tmp_path, "used", [(make_chroma(notes(count)), MadeUp())])
    for _ in range(2):
        client = chroma_client(place / "chroma")
        client.get_collection(COLLECTION).query(query_embeddings=[[0.5] * 8], n_results=1)
        close_chroma(client, place / "chroma")
        assert is_sound(place)


def test_large_folder_of_notes_is_indexed(tmp_path: Path) -> None:
    """More notes than Chroma takes in one call."""
    place = open_or_build(tmp_path, "large", [(make_chroma(notes(6000)), MadeUp())])
    assert len(held(place)) == 6000


def test_long_note_is_cut_into_windows_that_overlap() -> None:
    text = " ".join(f"word{number}" for number in range(400))
    parts = [chunk.text.removeprefix("Long. ") for chunk in chunks([Card(id="a", title="Long", text=text)])]
    assert len(parts) > 2
    assert parts[0] == text[:900]
    assert all(first[700:] == second[:200] for first, second in pairwise(parts[:-1]))
    assert "word399" in parts[-1]
