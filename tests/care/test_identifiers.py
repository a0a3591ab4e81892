"""What identifies by form: formal numbers with their checksums, and what clinicians write; nothing public."""

from __future__ import annotations

import socket

import pytest

from coach.care.identifiers import Forms, merged, notes_in, patterned
from coach.events import Span


@pytest.fixture(scope="module")
def forms() -> Forms:
    return Forms()


@pytest.mark.parametrize(
    ("text", "kind", "piece"),
    [
        ("her NHS number is 943 476 5919, ask for it", "record", "943 476 5919"),
        ("write to mary.okafor@example.org please", "email", "mary.okafor@example.org"),
        ("ring 07700 900341 after six", "phone", "07700 900341"),
        ("call (202) 555-0146 any time", "phone", "(202) 555-0146"),
        ("NI number AB123456C on the form", "record", "AB123456C"),
        ("SSN 219-09-9999 was on it", "record", "219-09-9999"),
        ("MRN 4471902 again", "record", "MRN 4471902"),
        ("card 4111 1111 1111 1111 found", "record", "4111 1111 1111 1111"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "record", "GB82 WEST 1234 5698 7654 32"),
        ("admitted 12/03/2024 at noon", "date", "12/03/2024"),
        ("admitted on 3rd of May", "date", "3rd of May"),
        ("since 2024-05-17", "date", "2024-05-17"),
        ("the man in bed 14", "room", "bed 14"),
        ("cubicle 3, the usual", "room", "cubicle 3"),
        ("a 4yo with croup", "age", "4yo"),
        ("an 87 year old lady", "age", "87 year old"),
        ("34M, chest pain", "age", "34M"),
        ("last night we had one", "time", "last night"),
        ("she lives at 22 Pendle Rise Road", "address", "22 Pendle Rise Road"),
        ("they moved to LS1 4AP", "postcode", "LS1 4AP"),
    ],
)
def test_forms_find_what_points_to_somebody(forms: Forms, text: str, kind: str, piece: str) -> None:
    found = [(s.kind, text[s.start : s.end]) for s in forms.find(text)]
    assert any(k == kind and (piece in p or p in piece) for k, p in found), found


@pytest.mark.parametrize(
    "text",
    [
        "adrenaline 500 micrograms IM, not 1 mg",
        "BP 120/80, sats 98%",
        "the NEWS2 and the PARADIGM-HF trial, NCT01035255",
        "we walked 34m to the canteen",
        "either or 3 of them",
        "2,500 fewer beds than in 2010",
        "a systolic of 90 to 100",
        "room for improvement",
        "Apgar scored it in 1952",
    ],
)
def test_forms_leave_doses_trials_and_plain_numbers_alone(forms: Forms, text: str) -> None:
    assert [(s.kind, text[s.start : s.end]) for s in forms.find(text)] == []


def test_a_number_with_a_wrong_check_digit_is_no_nhs_number(forms: Forms) -> None:
    assert not any(s.kind == "record" for s in forms.find("that was 943 476 5918 steps"))


def test_forms_ask_no_network(forms: Forms, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", closed)
    monkeypatch.setattr(socket.socket, "connect", closed)
    assert Forms().find("mail a.b@hospital.example.com or b@nosuchtopleveldomainatall")


def test_merged_keeps_the_longer_of_two_that_overlap() -> None:
    short, long = Span("age", 0, 3, 1.0), Span("record", 0, 9, 0.5)
    assert merged([short, long, Span("time", 9, 12, 0.1)]) == (long, Span("time", 9, 12, 0.1))


def test_patterns_give_offsets_of_the_text_itself() -> None:
    text = "Last night, bed 14: a 3-week-old."
    assert {text[s.start : s.end] for s in patterned(text)} >= {"Last night", "bed 14", "3-week-old"}


def test_notes_are_known_by_their_shape() -> None:
    assert notes_in(
        "72M\nPC: chest pain\nPMH: HTN, T2DM\nO/E: BP 130/80 HR 92\nImp: ACS\nPlan: tropT, d/w cards"
    )
    assert not notes_in("Plan: sleep. Then coffee. I had a lovely week and the plan is more of it.")
