"""The sheet's files open in other programmes and hold what the sheet holds."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

from icalendar import Calendar
from pypdf import PdfReader

from coach.practice.session import Prepared, Session, Setup
from coach.practice.sheet import about, as_calendar, as_pdf

SHEET = (
    "# Before I meet my mentor\n\n## My why\nZoë’s ward, Łódź: “day eight”.\n\n## Next step\n1. Ask her.\n"
)


def test_as_pdf_is_one_page_with_every_letter() -> None:
    pages = PdfReader(BytesIO(as_pdf(SHEET))).pages
    assert len(pages) == 1
    text = pages[0].extract_text()
    assert "Łódź" in text
    assert "“day eight”" in text


def test_as_pdf_of_a_long_sheet_goes_on_to_a_second_page() -> None:
    assert len(PdfReader(BytesIO(as_pdf(SHEET + "A line of it.\n" * 80))).pages) == 2


def test_as_calendar_holds_the_meeting_and_the_sheet() -> None:
    start = datetime(2027, 1, 15, 14, 0, tzinfo=UTC)
    event = Calendar.from_ical(as_calendar(SHEET, start, 45)).walk("VEVENT")[0]
    assert event.decoded("dtstart") == start
    assert (event.decoded("dtend") - start).total_seconds() == 45 * 60
    assert "day eight" in str(event["description"])
    assert "#" not in str(event["description"])


def test_about_takes_what_was_prepared_before_what_was_set_up() -> None:
    setup = Setup(mentor="Dr Oyelaran, geriatrics", goal="leave with one name to write to")
    assert about(Session(setup=setup)) == [
        ("My mentor", "Dr Oyelaran, geriatrics"),
        ("Worth it if", "leave with one name to write to"),
    ]
    prepared = {"worth": Prepared(text="I said the thing about nights.")}
    told = dict(about(Session(setup=setup, prepared=prepared)))
    assert told["Worth it if"] == "I said the thing about nights."
