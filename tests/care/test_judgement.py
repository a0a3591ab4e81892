"""Rules make a verdict more careful than the model's opinion, never less; feelings are no facts."""

from __future__ import annotations

import pytest

from coach.care.judgement import Judgement, consented, judged, stated_facts
from coach.care.reading import ABOUT, AXES, VERDICTS, Read
from coach.events import Facts, Span

CALM = "The canteen has run out of soup again. We will live."


def opinion(post: float = 0.9, *, about: str = "none", **axes: float) -> Read:
    rest = (1 - post) / 3
    return Read(
        axes={axis: axes.get(axis, 0.05) for axis in AXES},
        verdicts={v: post if v == "post" else rest for v in VERDICTS},
        about={who: 0.9 if who == about else 0.1 / 6 for who in ABOUT},
        spans=(),
    )


def judge(
    read: Read, *, draft: str = CALM, formal: tuple[Span, ...] = (), facts: Facts | None = None
) -> Judgement:
    return judged(draft, [(0, read)], formal, facts or Facts(), "x")


def test_a_calm_draft_that_the_model_likes_is_posted() -> None:
    assert judge(opinion()).verdict == "post"


@pytest.mark.parametrize("kind", ["record", "phone", "email", "address"])
def test_a_formal_identifier_is_never_posted_however_sure_the_model(kind: str) -> None:
    found = judge(opinion(post=0.999), formal=(Span(kind, 4, 11, 0.9),))
    assert found.verdict != "post"
    assert found.axes["privacy"] >= 0.8
    assert any(m.kind == kind for m in found.marks)


def test_a_name_in_a_patients_story_raises_the_risk_and_one_in_no_story_does_not() -> None:
    name = (Span("name", 4, 11, 0.9),)
    assert judge(opinion(about="patient"), formal=name).verdict != "post"
    assert judge(opinion(about="none"), formal=name).verdict == "post"


def test_notes_are_kept_back_whatever_the_model_says() -> None:
    notes = "72M\nPC: chest pain\nPMH: HTN\nO/E: BP 130/80 HR 92\nPlan: tropT, d/w cards"
    found = judge(opinion(post=0.999), draft=notes)
    assert (found.verdict, found.notes, found.axes["privacy"]) == ("keep", True, 1.0)


def test_stated_facts_add_to_a_story_about_somebody() -> None:
    read = opinion(about="patient", privacy=0.4)
    plain = judge(read).axes["privacy"]
    facts = Facts(image="the ward", when="yesterday", employer="St Brannoc's")
    assert judge(read, facts=facts).axes["privacy"] == pytest.approx(plain + 0.3)
    assert judge(opinion(privacy=0.4), facts=facts).axes["privacy"] == pytest.approx(0.4)


def test_consent_counts_only_in_writing() -> None:
    assert consented(Facts(consent="given in writing"))
    assert consented(stated_facts({"note": "the family signed a consent form"}))
    assert not consented(Facts(consent="they said yes, nothing in writing"))
    assert not consented(Facts(consent=""))
    read = opinion(post=0.4, about="patient", privacy=0.6)
    assert judge(read).verdict != "post"
    assert judge(read, facts=Facts(consent="written consent given")).verdict == "post"


@pytest.mark.parametrize(
    "note", ["I'm so proud of this", "be honest, is it bad?", "everybody says it is fine"]
)
def test_feelings_beside_a_draft_are_no_facts(note: str) -> None:
    assert stated_facts({"note": note}) == Facts()


def test_to_wait_is_for_heat_alone() -> None:
    read = opinion(post=0.1)
    hot = Read(
        {**read.axes, "anger": 0.9}, {"post": 0.1, "edit": 0.2, "wait": 0.6, "keep": 0.1}, read.about, ()
    )
    cold = Read({**read.axes, "kindness": 0.9}, dict(hot.verdicts), read.about, ())
    assert judge(hot).verdict == "wait"
    assert judge(cold).verdict == "edit"
