"""The command line: what goes to stdout, what to stderr, and which status a run ends with."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coach.build import Coach
from coach.cli import main
from coach.settings import config_file


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture
def run(
    coach: Coach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs the command line in this process, with settings and data in folders of its own.

    `coach` is asked for so that the index is there already.
    """
    monkeypatch.setenv("COACH_MODEL", "none")
    monkeypatch.setenv("COACH_CACHE_DIR", str(coach.settings.cache_dir))
    monkeypatch.setenv("COACH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def of(*words: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["coach", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        status = ended.value.code if isinstance(ended.value.code, int) else 0
        return Ended(status, *capsys.readouterr())

    return of


def test_ask_prints_the_answer_and_its_sources_apart(run: Run) -> None:
    ended = run("ask", "I feel like an impostor on MedTwitter")
    assert ended.status == 0
    assert "[1]" in ended.out
    assert ended.out.rstrip().endswith("?")
    assert "[1] " in ended.err
    assert "[1] " not in ended.out


def test_ask_offers_numbered_choices_where_it_asks_back(run: Run) -> None:
    ended = run("ask", "it's a bit of everything really, hard to put")
    assert [line[:5] for line in ended.out.splitlines() if line.startswith("  ")] == [
        "  1. ",
        "  2. ",
        "  3. ",
    ]


def test_ask_in_danger_prints_the_help_lines_of_the_country(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COACH_COUNTRY", "GB")
    ended = run("ask", "I want to kill myself")
    assert (ended.status, "116 123" in ended.out) == (0, True)


@pytest.mark.parametrize("content", [None, b"not a model"])
def test_ask_without_a_working_model_goes_on_from_the_cards(
    run: Run, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "mine.gguf"
    if content is not None:
        path.write_bytes(content)
    ended = run("ask", "I feel like an impostor on MedTwitter", "--model", str(path))
    assert ended.status == 0
    assert "mine" in ended.err
    assert "Traceback" not in ended.err
    assert "[1]" in ended.out


def test_ask_scripted_model_writes_over_the_cards(run: Run) -> None:
    ended = run("ask", "I feel like an impostor on MedTwitter", "--model", "scripted", "--seed", "1")
    assert ended.status == 0
    assert ended.out.rstrip().endswith("?")


def test_search_prints_cards_best_first(run: Run) -> None:
    ended = run("search", "do not post while angry", "--k", "3")
    rows = [line.split() for line in ended.out.splitlines()]
    assert (ended.status, len(rows), rows[0][1]) == (0, 3, "not-when-angry")
    scores = [float(row[0]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_care_prints_what_the_checks_say(run: Run) -> None:
    ended = run("care", "Long day. I want to die, honestly.")
    found = json.loads(ended.out)
    assert (found["crisis"], found["injection"], found["scope"]) == ("urgent", False, "in")
    assert found["signals"] == [{"kind": "urgent", "start": 12, "end": 23}]


def test_chat_keeps_the_conversation_until_an_empty_line(run: Run) -> None:
    ended = run("chat", stdin="I feel like an impostor on MedTwitter\nwhy would that help?\n\nnot read\n")
    assert ended.status == 0
    assert "Because" in ended.out
    assert ended.out.count("> ") == 3


def test_knowledge_list_names_every_card(run: Run, coach: Coach) -> None:
    ended = run("knowledge", "list")
    assert [line.split()[0] for line in ended.out.splitlines()] == [card.id for card in coach.cards]


def test_knowledge_show_prints_the_card_and_its_situations(run: Run, coach: Coach) -> None:
    card = next(card for card in coach.cards if card.id == "not-when-angry")
    ended = run("knowledge", "show", card.id)
    assert (ended.status, card.title in ended.out) == (0, True)
    assert all(situation.choice in ended.out for situation in card.situations)


def test_knowledge_list_takes_a_folder_of_ones_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "rota.md").write_text("# Rota swaps\nBy Thursday.", encoding="utf-8")
    assert run("knowledge", "list", "--knowledge", str(tmp_path / "notes")).out == "rota  Rota swaps\n"


def test_model_list_marks_the_chosen_one(run: Run) -> None:
    marked = [line for line in run("model", "list").out.splitlines() if line.startswith("* ")]
    assert [line.split()[1] for line in marked] == ["none"]


def test_model_info_names_model_voice_and_file(run: Run) -> None:
    ended = run("model", "info", "--model", "smollm2-135m")
    assert ended.out.startswith("smollm2-135m: ")
    assert "voice: guided" in ended.out
    assert ".gguf" in ended.out


def test_model_use_is_remembered_and_keeps_other_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COACH_MODEL")
    config_file().parent.mkdir(parents=True)
    config_file().write_text('model = "none"\ncountry = "IE"\n', encoding="utf-8")
    assert run("model", "use", "scripted").status == 0
    assert "* scripted" in run("model", "list").out
    assert 'country = "IE"' in config_file().read_text(encoding="utf-8")


def test_doctor_finds_everything_well(run: Run) -> None:
    rows = {row[4:].split("  ")[0].strip(): row[:4].strip() for row in run("doctor").out.splitlines()[1:]}
    wanted = {"sentence encoder", "language model", "cards", "index folder", "stored about you", "settings"}
    assert {name: rows.get(name) for name in wanted} == dict.fromkeys(wanted, "ok")


def test_doctor_says_what_is_amiss_and_ends_with_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACH_MODEL", "/nowhere.gguf")
    ended = run("doctor")
    assert ended.status == 1
    assert "!!" in ended.out
    assert "give the path of a GGUF model" in " ".join(ended.out.split())


def test_wipe_deletes_what_is_stored(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "talk.json").write_text("{}", encoding="utf-8")
    ended = run("wipe", "--yes")
    assert (ended.status, "deleted" in ended.out) == (0, True)
    assert not (tmp_path / "data").exists()
    assert run("wipe", "--yes").out == "Nothing was stored.\n"


@pytest.mark.parametrize(("typed", "left"), [("n\n", True), ("y\n", False)])
def test_wipe_asks_first(run: Run, tmp_path: Path, typed: str, left: bool) -> None:
    (tmp_path / "data").mkdir()
    run("wipe", stdin=typed)
    assert (tmp_path / "data").exists() is left


def test_wipe_leaves_nothing_of_ones_own_notes_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index of somebody's notes holds their text word for word."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("COACH_CACHE_DIR", str(cache))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "rota.md").write_text("Ward C swaps by Thursday noon.", encoding="utf-8")
    assert run("knowledge", "rebuild", "--knowledge", str(tmp_path / "notes")).status == 0
    run("wipe", "--yes")
    assert [p for p in cache.rglob("*") if p.is_file() and b"Ward C swaps" in p.read_bytes()] == []


@pytest.mark.parametrize(
    "words",
    [
        ("ask",),
        ("search",),
        ("care",),
        ("no-such-command",),
        ("ask", "x", "--seed", "soon"),
        ("ask", "x", "--temperature", "9"),
        ("ask", "--batch", "no-such-file.jsonl"),
        ("search", "x", "--k", "0"),
        ("knowledge", "show", "no-such-card"),
    ],
)
def test_cli_wrong_usage_ends_with_2_and_a_plain_sentence(run: Run, words: tuple[str, ...]) -> None:
    ended = run(*words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.strip()
    assert "Traceback" not in ended.err


def test_cli_unknown_model_ends_with_1_and_names_those_there_are(run: Run) -> None:
    ended = run("model", "info", "--model", "gpt-9")
    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert "choose one of" in ended.err


def test_cli_runs_as_a_module() -> None:
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "coach", "model", "list"]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "smollm2-135m" in ended.stdout
