"""The error tree: every message a person may read ends with what to do next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import coach
from coach import errors
from coach.care.words import load_words
from coach.errors import CoachError, IndexFault, KnowledgeError, ModelError, UsageError
from coach.library.cards import load_cards
from coach.library.embedder import MiniLM
from coach.library.index import open_or_build
from coach.model.catalogue import choose
from coach.model.local import check_model_file
from coach.prompts import render
from coach.settings import load_settings

PACKAGE = Path(coach.__file__).parent
TREE = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
# Stopped is what the person asked for: there is nothing left to do.
WITHOUT = {"Stopped"}
DO = re.compile(
    r"\b(?:add|ask|check|choose|close|fetch|free|give|go on|install|make|mend|move|name|names|paste|put|"
    r"must be|must end|reinstall|remove|rename|run|say|see|set|shorten|shows|start|try|use|wanted|expected|"
    # pydantic says after it what fits.
    r"write|does not fit)\b"
)


def raised() -> Iterator[tuple[str, str]]:
    """Where each error of the tree is raised, and the fixed words of its message."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            call = node.exc
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if (
                name in TREE - WITHOUT
                and call.args
                and isinstance(call.args[0], ast.JoinedStr | ast.Constant)
            ):
                message = call.args[0]
                parts = message.values if isinstance(message, ast.JoinedStr) else [message]
                words = (part.value for part in parts if isinstance(part, ast.Constant))
                where = f"{path.relative_to(PACKAGE.parent)}:{node.lineno}"
                yield where, "".join(word for word in words if isinstance(word, str))


@pytest.mark.parametrize(("where", "words"), [pytest.param(*found, id=found[0]) for found in raised()])
def test_errors_message_says_what_to_do(where: str, words: str) -> None:
    assert DO.search(words), f"{where} says no more than: {words!r}"


def test_errors_are_all_coach_errors() -> None:
    assert all(issubclass(getattr(errors, name), CoachError) for name in TREE)


@pytest.mark.parametrize("name", sorted(TREE - {"CoachError"}))
def test_errors_are_drawn_in_the_tree(name: str) -> None:
    assert re.search(rf"── {name}\s+\w", str(errors.__doc__))


def test_errors_unknown_model_names_those_there_are() -> None:
    with pytest.raises(ModelError, match="choose one of smollm2-135m, none, scripted"):
        choose("gpt-9")


def test_errors_missing_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there\.gguf: give the path"):
        choose(str(tmp_path / "there.gguf"))


def test_errors_damaged_model_file_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "torn.gguf"
    path.write_bytes(b"GG")
    with pytest.raises(ModelError, match="--model none"):
        check_model_file(path)


def test_errors_missing_knowledge_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="nowhere; name one"):
        load_cards(tmp_path / "nowhere")


def test_errors_missing_care_words_are_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"crisis\.yaml: .*mend it"):
        load_words(tmp_path)


def test_errors_damaged_encoder_says_to_reinstall(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(CoachError, match="reinstall it"):
        MiniLM(tmp_path)


def test_errors_index_that_cannot_be_written_names_the_way_out(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(IndexFault, match="COACH_CACHE_DIR"):
        open_or_build(blocked, "name", [])


def test_errors_setting_is_named_with_what_fits() -> None:
    with pytest.raises(UsageError, match=r"The setting port does not fit: .*65535"):
        load_settings(port=70000)


def test_errors_prompt_is_named() -> None:
    with pytest.raises(CoachError, match="The prompt none-such"):
        render("none-such")
