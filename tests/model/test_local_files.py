"""Model files that are missing, damaged, too big or no models: the message says what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from coach.errors import ModelError
from coach.model.local import Engine, available_bytes, check_model_file
from coach.model.prepare import quick_copy

WHAT_TO_DO = ("coach model use", "--model none", "fetch it again", "choose a smaller model")


def cut(weights: Path, path: Path) -> None:
    """The first half of a real model, as an interrupted download leaves it."""
    with weights.open("rb") as file:
        path.write_bytes(file.read(weights.stat().st_size // 2))


def header_only(weights: Path, path: Path) -> None:
    with weights.open("rb") as file:
        path.write_bytes(file.read(200))


def magic_then_noise(_weights: Path, path: Path) -> None:
    path.write_bytes(b"GGUF" + bytes(range(256)) * 20)


def a_page(_weights: Path, path: Path) -> None:
    """What a download without being signed in often is."""
    path.write_text("<!doctype html><title>Sign in</title>", encoding="utf-8")


def empty(_weights: Path, path: Path) -> None:
    path.write_bytes(b"")


def folder(_weights: Path, path: Path) -> None:
    path.mkdir()


def missing(_weights: Path, _path: Path) -> None:
    return


@pytest.mark.parametrize("spoil", [cut, header_only, magic_then_noise, a_page, empty, folder, missing])
def test_engine_tells_what_to_do_about_a_bad_file(
    spoil: Callable[[Path, Path], None], weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.gguf"
    spoil(weights, path)
    with pytest.raises(ModelError) as raised:
        Engine(path)
    message = str(raised.value)
    assert "mine.gguf" in message
    assert any(words in message for words in WHAT_TO_DO)
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")  # llama.cpp's own log is not for people


def test_check_tells_a_model_that_does_not_fit_into_memory(tmp_path: Path) -> None:
    free = available_bytes()
    if free is None:
        pytest.skip("this system does not tell how much memory is free")
    path = tmp_path / "huge.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF")
        os.truncate(file.fileno(), free * 2)  # takes no room on the disk
    with pytest.raises(ModelError, match="GB is free: close something, or choose a smaller model"):
        check_model_file(path)


def test_check_accepts_the_packaged_model(weights: Path) -> None:
    check_model_file(weights)


def test_quick_copy_is_made_once_and_loads(weights: Path, tmp_path: Path) -> None:
    copy = quick_copy(weights, tmp_path)
    assert copy.parent == tmp_path / "models"
    made = copy.stat().st_mtime_ns
    assert quick_copy(weights, tmp_path) == copy
    assert copy.stat().st_mtime_ns == made
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert Engine(copy, context_tokens=256).vocabulary > 0


def test_quick_copy_that_cannot_be_made_gives_the_model_itself(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"in the way")
    assert quick_copy(weights, tmp_path) == weights
    broken = tmp_path / "broken.gguf"
    cut(weights, broken)
    assert quick_copy(broken, tmp_path / "cache") == broken
    assert list((tmp_path / "cache" / "models").iterdir()) == []
