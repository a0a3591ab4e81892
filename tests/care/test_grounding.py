"""Support of a sentence by a passage: similarity by the real encoder, and the faults it cannot see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from coach.care.grounding import SUPPORTED_AT, Support, support
from coach.library.cards import load_cards, sentences
from coach.library.embedder import MiniLM
from coach.prompts import shipped

OUT = "Once a post is out, others decide what becomes of it."
WAITING = "Waiting is not the same as keeping silent for good."
MENTOR = "A mentor wants to know the goal of the meeting before it starts, in 3 sentences."
PASSAGES = [OUT, WAITING, MENTOR]
Check = Callable[..., Support]


@pytest.fixture(scope="module")
def check(encoder: MiniLM) -> Check:
    """Checks a sentence against the three passages with the real vectors."""
    vectors = encoder.encode(PASSAGES)

    def of(sentence: str, said_by_person: str = "") -> Support:
        return support(sentence, encoder.encode([sentence])[0], PASSAGES, vectors, said_by_person)

    return of


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("Once your post is out, others decide what becomes of it.", 0),
        ("To wait is not to keep silent for good.", 1),
        ("Your mentor will want to know the goal of the meeting before it starts.", 2),
    ],
)
def test_support_borne_out_sentence_holds_and_names_its_passage(
    check: Check, sentence: str, passage: int
) -> None:
    found = check(sentence)
    assert (found.holds, found.passage, found.fault) == (True, passage, None)


@pytest.mark.parametrize(
    "sentence",
    [
        "The railway to Inverness was built by hand.",
        "Basil grows best on a warm windowsill.",
    ],
)
def test_support_unrelated_sentence_does_not_hold(check: Check, sentence: str) -> None:
    found = check(sentence)
    assert found.score < SUPPORTED_AT
    assert not found.holds


def test_support_invented_number_is_a_fault(check: Check) -> None:
    found = check("Once a post is out, 85 others decide what becomes of it.")
    assert found.fault == "number 85 is nowhere"
    assert not found.holds


def test_support_number_of_the_passage_is_allowed(check: Check) -> None:
    assert check("Tell your mentor the goal of the meeting in 3 sentences before it starts.").holds


def test_support_number_the_person_used_is_allowed(check: Check) -> None:
    sentence = "Once your post is out, all 85 others decide what becomes of it."
    assert check(sentence, said_by_person="It went to 85 people").holds


def test_support_invented_name_is_a_fault(check: Check) -> None:
    found = check("Once a post is out, people like Harrison decide what becomes of it.")
    assert found.fault == "name Harrison is nowhere"
    assert not found.holds


def test_support_name_the_person_used_is_allowed(check: Check) -> None:
    sentence = "Once your post is out, people like Harrison decide what becomes of it."
    assert check(sentence, said_by_person="Doctor harrison will read it").holds


def test_support_capital_at_the_beginning_is_no_name(check: Check) -> None:
    assert check("Others decide what becomes of a post once it is out.").fault is None


def test_support_turned_negation_is_a_fault(check: Check) -> None:
    found = check("Waiting is the same as keeping silent for good.")
    assert found.fault == "negation turns the passage round"
    assert not found.holds


def test_support_added_negation_is_a_fault(check: Check) -> None:
    found = check("Once a post is out, others never decide what becomes of it.")
    assert found.fault == "negation turns the passage round"


def test_support_kept_negation_holds(check: Check) -> None:
    assert check("Waiting isn't the same as keeping silent for good.").holds


@pytest.mark.parametrize(
    "sentence",
    [
        "You should have waited before you posted it.",
        "You're being unprofessional when you post while angry.",
        "It is your own fault that others decide what becomes of it.",
        "Don't blame yourself once the post is out.",
    ],
)
def test_support_blame_is_a_fault_however_similar(check: Check, sentence: str) -> None:
    found = check(sentence)
    assert found.fault == "blames the person"
    assert not found.holds


@pytest.mark.parametrize(
    "sentence",
    [
        "While you wait, take 5 mg of diazepam.",
        "Give 10mg/kg before the post is out.",
        "Your doctor can prescribe something while you wait.",
    ],
)
def test_support_dose_or_prescription_is_a_fault_even_if_the_person_named_it(
    check: Check, sentence: str
) -> None:
    assert check(sentence, said_by_person=sentence).fault == "medical advice"


@pytest.mark.parametrize("sentence", ["What would you do with it?", "You could sleep on it and look again."])
def test_support_offer_or_question_needs_no_passage(check: Check, sentence: str) -> None:
    assert check(sentence).holds


def test_support_offer_with_an_invented_number_is_a_fault_all_the_same(check: Check) -> None:
    assert not check("You could send it to 40 colleagues.").holds


def test_support_without_passages_holds_nothing() -> None:
    found = support("Anything.", np.ones(384, np.float32), [], np.zeros((0, 384), np.float32))
    assert found == Support(0.0, None, "no passage")


def test_support_score_is_never_negative(encoder: MiniLM) -> None:
    vectors = encoder.encode([OUT])
    found = support("Anything goes here.", -vectors[0], [OUT], vectors)
    assert found.score == 0.0


def test_support_a_cards_own_sentence_holds_against_its_card(encoder: MiniLM) -> None:
    """Whatever else is measured: what stands on the card word for word is borne out by the card."""
    refused = []
    for card in load_cards(shipped("knowledge") / "thread"):
        own = sentences(card.text)
        for sentence, vector in zip(own, encoder.encode(own), strict=True):
            found = support(sentence, vector, [card.text], encoder.encode([card.text]))
            if not found.holds:
                refused.append(f"{card.id}: {found.fault or round(found.score, 2)}: {sentence}")
    assert refused == []
