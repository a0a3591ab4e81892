"""The cards restate the whole thread: no part is left out, no card is left over, nothing is copied."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from coach.library.cards import load_cards, written_turns
from coach.prompts import shipped

KNOWLEDGE = shipped("knowledge")
# The thread itself is not ours to ship; where it lies beside the checkout it is compared with.
THREAD = Path(__file__).resolve().parents[3] / "shared" / "thread.txt"
COPIED_WORDS = 7


@pytest.fixture(scope="module")
def coverage() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((KNOWLEDGE / "coverage.yaml").read_text(encoding="utf-8"))
    return found


def test_coverage_leaves_no_line_of_the_thread_out(coverage: dict[str, Any]) -> None:
    covered = [n for part in coverage["parts"] for n in range(part["lines"][0], part["lines"][1] + 1)]
    assert covered == list(range(1, coverage["lines"] + 1))
    if THREAD.exists():
        assert coverage["lines"] == len(THREAD.read_text(encoding="utf-8").splitlines())


def test_coverage_names_every_card_and_only_cards(coverage: dict[str, Any]) -> None:
    named = {card for part in coverage["parts"] for card in part["cards"]}
    assert named == {card.id for card in load_cards(KNOWLEDGE / "thread")}


def test_cards_copy_no_run_of_words_from_the_thread() -> None:
    if not THREAD.exists():
        # Without the thread there is nothing to compare with; the lines of the cards still
        # have to be there to be compared at all.
        assert load_cards(KNOWLEDGE / "thread")
        return
    source = _runs(THREAD.read_text(encoding="utf-8"))
    for card in load_cards(KNOWLEDGE / "thread"):
        for text in (card.text, *(text for _, text in written_turns(card))):
            shared = _runs(text) & source
            assert not shared, f"{card.id}: {' / '.join(' '.join(run) for run in shared)}"


def test_situations_reach_a_hundred_and_have_examples_enough() -> None:
    situations = [s for card in load_cards(KNOWLEDGE / "thread") for s in card.situations]
    assert len(situations) >= 100
    assert min(len(s.examples) for s in situations) >= 12


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z']+", text.lower().replace("’", "'"))
    return {tuple(words[i : i + COPIED_WORDS]) for i in range(len(words) - COPIED_WORDS + 1)}
