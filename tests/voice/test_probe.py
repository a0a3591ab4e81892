"""The probe: a model that keeps to its notes may speak freely, the small one may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from coach.build import Coach
from coach.model.catalogue import choose
from coach.settings import load_settings
from coach.voice.probe import CAPABLE_AT, keep, kept, probed, tasks, voice_for

CAPABLE = [
    "Thursday.",
    "Not in the notes.",
    "Marek",
    "9",
    "Would you like to talk to a colleague?",
    "You can take a break without announcing it or making excuses.",
]
RAMBLING = [
    "The fern is watered on Thursdays, as it says.",
    "The pot is terracotta.",
    "Ines did not, so it was Marek",
    "14",
    "I would like that.",
    "You must announce every break.",
]


def test_probed_counts_every_task_of_a_model_that_does_as_it_is_told() -> None:
    assert probed(FakeListChatModel(responses=CAPABLE)) == len(tasks())
    assert voice_for(len(tasks())) == "free"


def test_probed_counts_nothing_for_a_model_that_rambles() -> None:
    assert probed(FakeListChatModel(responses=RAMBLING)) == 0
    assert voice_for(0) == "guided"


@pytest.mark.parametrize("slip", range(len(CAPABLE)))
def test_probe_forgives_one_slip_and_no_second(slip: int) -> None:
    once = [RAMBLING[i] if i == slip else reply for i, reply in enumerate(CAPABLE)]
    assert voice_for(probed(FakeListChatModel(responses=once))) == "free"
    other = (slip + 1) % len(CAPABLE)
    twice = [RAMBLING[i] if i == other else reply for i, reply in enumerate(once)]
    assert voice_for(probed(FakeListChatModel(responses=twice))) == "guided"


def test_probe_of_the_small_model_as_a_file_of_ones_own_gives_it_the_guided_voice(tmp_path: Path) -> None:
    path = choose("smollm2-135m").path
    assert path is not None
    own = tmp_path / "mine.gguf"
    own.symlink_to(path)
    said: list[str] = []
    coach = Coach(load_settings(model=str(own), cache_dir=tmp_path), lambda what, _share: said.append(what))
    assert coach.voice == "guided"
    assert any("Trying out mine.gguf" in what for what in said)
    again = Coach(load_settings(model=str(own), cache_dir=tmp_path), lambda what, _share: said.append(what))
    said.clear()
    assert again.voice == "guided"
    assert said == []


def test_probe_is_not_asked_where_settings_say_which_voice(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    assert Coach(load_settings(model=str(broken), voice="free", cache_dir=tmp_path)).voice == "free"


def test_probe_of_a_file_that_does_not_load_leaves_the_guided_voice_and_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 64)
    coach = Coach(load_settings(model=str(broken), cache_dir=tmp_path))
    assert coach.voice == "guided"
    assert coach.model_fault


def test_kept_results_come_back_and_a_damaged_one_counts_as_none(tmp_path: Path) -> None:
    place = tmp_path / "models" / "m.probe.json"
    assert kept(place) is None
    keep(place, CAPABLE_AT)
    assert kept(place) == CAPABLE_AT
    place.write_text('{"done": "many"}', encoding="utf-8")
    assert kept(place) is None
    place.write_text("{", encoding="utf-8")
    assert kept(place) is None
