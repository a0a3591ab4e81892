"""The index when something goes wrong: damage, no space, a kill, two processes at once."""

from __future__ import annotations

import errno
import json
import signal
from pathlib import Path

import pytest
from building import CARDS, Counting, MadeUp, held, leftovers, notes, opened, start

from coach.classifier import Encode
from coach.errors import IndexFault
from coach.library.embedder import MiniLM
from coach.library.index import fingerprint, is_sound, make_chroma, open_or_build


@pytest.fixture
def counting(encoder: MiniLM) -> Counting:
    return Counting(encoder)


def spoil(path: Path, damage: str) -> None:
    whole = path.read_bytes()
    path.unlink()
    if damage == "flipped":
        path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    elif damage != "gone":
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"")


FILES = ["data_level0.bin", "header.bin", "length.bin", "chroma.sqlite3", "manifest.json"]


@pytest.mark.parametrize("damage", ["cut", "emptied", "gone"])
@pytest.mark.parametrize("file", FILES)
def test_damage_is_noticed_and_mended(tmp_path: Path, counting: Counting, file: str, damage: str) -> None:
    """It has to be noticed before Chroma opens the files, which may crash on them."""
    place = opened(tmp_path, counting)
    spoil(next(place.rglob(file)), damage)
    assert not is_sound(place)
    assert is_sound(opened(tmp_path, counting))
    assert len(held(place)) == 3


@pytest.mark.parametrize("damage", ["cut", "emptied", "flipped"])
@pytest.mark.parametrize("count", [3, 250, 1200])
def test_damaged_vectors_are_noticed(tmp_path: Path, count: int, damage: str) -> None:
    """Chroma keeps the vectors of few texts and of many in different ways."""
    place = open_or_build(tmp_path, "damaged", [(make_chroma(notes(count)), MadeUp())])
    spoil(next(place.rglob("data_level0.bin")), damage)
    assert not is_sound(place)


def test_damage_to_what_was_fitted_is_noticed_and_told(tmp_path: Path, counting: Counting) -> None:
    def fitted(folder: Path, _encode: Encode) -> None:
        (folder / "fitted.npz").write_bytes(b"numbers")

    told: list[str] = []

    def note(what: str, _share: float) -> None:
        told.append(what)

    place = open_or_build(tmp_path, "fitted", [(fitted, counting)], progress=note)
    assert "The index was damaged; building it again." not in told
    (place / "fitted.npz").write_bytes(b"numbors")
    open_or_build(tmp_path, "fitted", [(fitted, counting)], progress=note)
    assert "The index was damaged; building it again." in told
    assert (place / "fitted.npz").read_bytes() == b"numbers"


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_failed_build_leaves_the_old_index_and_no_half(
    tmp_path: Path, counting: Counting, fault: BaseException
) -> None:
    place = opened(tmp_path, counting)
    expected: type[BaseException] = IndexFault if isinstance(fault, OSError) else KeyboardInterrupt

    def failing(folder: Path, encode: Encode) -> None:
        (folder / "half").write_bytes(b"half")
        raise fault

    with pytest.raises(expected) as raised:
        open_or_build(tmp_path, place.name, [(failing, counting)], rebuild=True)
    if expected is IndexFault:
        assert "No space left" in str(raised.value)
        assert "free some space, or set COACH_CACHE_DIR" in str(raised.value)
    assert is_sound(place)
    assert leftovers(tmp_path) == []


def test_cache_that_cannot_be_written_is_told(tmp_path: Path, counting: Counting) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(IndexFault, match="COACH_CACHE_DIR"):
        opened(tmp_path / "file", counting)


def test_chroma_that_cannot_write_is_told(tmp_path: Path) -> None:
    """Every file is held to 50 kB in the other process, as on a disk that is nearly full."""
    with start("full", tmp_path) as child:
        said, _ = child.communicate(timeout=60)
    assert said.startswith("IndexFault: The index cannot be written")


@pytest.mark.parametrize("before", ["nothing", "an index"])
def test_kill_while_building_leaves_no_half_index(tmp_path: Path, counting: Counting, before: str) -> None:
    place = tmp_path / "index" / fingerprint(CARDS, counting.fingerprint)
    if before == "an index":
        opened(tmp_path, counting)
    with start("kill", tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "building\n"
        child.send_signal(signal.SIGKILL)
    assert leftovers(tmp_path) != []  # it was in the middle
    assert is_sound(place) == place.exists() == (before == "an index")
    place = opened(tmp_path, counting)
    assert len(held(place)) == counting.read == 3


def test_open_after_a_kill_clears_what_was_left(tmp_path: Path, encoder: MiniLM) -> None:
    half = tmp_path / "index" / ".half.0"
    half.mkdir(parents=True)
    (half / "chroma").write_bytes(b"half")
    opened(tmp_path, Counting(encoder))
    assert leftovers(tmp_path) == []


def test_kill_between_the_two_renames_is_mended(tmp_path: Path, counting: Counting) -> None:
    """The old index is set aside, the new one not yet in place: the one moment without either."""
    place = opened(tmp_path, counting)
    place.rename(place.with_name(f".{place.name}.0.old"))
    place.with_name(f".{place.name}.1").mkdir()
    assert len(held(opened(tmp_path, counting))) == 3
    assert leftovers(tmp_path) == []


def test_two_processes_at_once_build_once(tmp_path: Path) -> None:
    with start("race", tmp_path) as first, start("race", tmp_path) as second:
        for child in (first, second):
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in (first, second):
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        results = [json.loads(child.communicate(timeout=120)[0]) for child in (first, second)]
    assert [result["sound"] for result in results] == [True, True]
    assert sorted(result["read"] for result in results) == [0, 3]
    assert [result["held"] for result in results] == [3, 3]
