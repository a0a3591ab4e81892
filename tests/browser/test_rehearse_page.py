"""The Rehearse tab in a real browser: a whole session, one rewind, the debrief, three files that open."""

from __future__ import annotations

from pathlib import Path

import pytest
from icalendar import Calendar
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.test_page import ANSWER_MS, address, browser, page  # noqa: F401 - fixtures
from tests.practice.test_rehearse import ANSWERS


@pytest.fixture
def tab(page: Page) -> Page:  # noqa: F811
    page.get_by_role("tab", name="Rehearse").click()
    expect(page.locator("#begin")).to_be_visible(timeout=ANSWER_MS)
    return page


def says(tab: Page, text: str, *, turns: int) -> None:
    """Say something and wait until there is an answer: `turns` messages, or groups of them, not theirs."""
    tab.fill("#say textarea", text)
    tab.keyboard.press("Enter")
    expect(tab.locator("#meeting .bot.message")).to_have_count(turns, timeout=ANSWER_MS)


def test_rehearse_page_prepares_with_a_nudge_and_skips(tab: Page) -> None:
    tab.locator("#begin").click()
    expect(tab.locator("#meeting")).to_contain_text("Why did you join", timeout=ANSWER_MS)
    expect(tab.locator("#steps .now")).to_have_text("Prepare")
    says(tab, "stuff", turns=2)  # the coach's two opening lines stand together
    tab.locator("#skip").click()
    expect(tab.locator("#meeting")).to_contain_text("working life", timeout=ANSWER_MS)


def test_rehearse_page_plays_a_whole_session(tab: Page, tmp_path: Path) -> None:
    tab.locator("#straight").click()
    expect(tab.locator("#meeting .bot.message")).to_have_count(1, timeout=ANSWER_MS)
    expect(tab.locator("#steps .now")).to_have_text("Meet")
    for number, answer in enumerate(ANSWERS[:4], 2):
        says(tab, answer, turns=number)
    tab.locator("#rewind").click()
    expect(tab.locator("#side")).to_contain_text("Two tries", timeout=ANSWER_MS)
    expect(tab.locator("#meeting .bot.message")).to_have_count(4, timeout=ANSWER_MS)
    for number, answer in enumerate(ANSWERS[3:], 5):
        says(tab, answer, turns=number)
    expect(tab.locator("#side [role=meter]")).to_have_count(6)
    tab.locator("#could").click()
    expect(tab.locator("#meeting")).to_contain_text("The coach:", timeout=ANSWER_MS)
    tab.locator("#end").click()
    expect(tab.locator("#debrief")).to_contain_text("Looking back", timeout=ANSWER_MS)
    expect(tab.locator("#debrief svg")).to_be_visible()
    expect(tab.locator("#debrief")).to_contain_text("What carried")
    assert "## My why" in tab.locator("#sheet textarea").input_value()
    tab.fill("#when textarea, #when input", "2027-01-15 14:00")
    tab.locator("#save").click()
    links = tab.locator("#files a[download]")
    expect(links).to_have_count(3, timeout=ANSWER_MS)
    for link in links.all():
        with tab.expect_download() as waiting:
            link.click()
        waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    assert (tmp_path / "sheet.md").read_text(encoding="utf-8").startswith("# Before I meet my mentor")
    assert "My why" in PdfReader(tmp_path / "sheet.pdf").pages[0].extract_text()
    assert Calendar.from_ical((tmp_path / "meeting.ics").read_bytes()).walk("VEVENT")


def test_rehearse_page_resumes_what_is_kept_and_says_what_is_gone(tab: Page) -> None:
    tab.locator("#keep input").check()
    tab.locator("#straight").click()
    expect(tab.locator("#meeting .bot.message")).to_have_count(1, timeout=ANSWER_MS)
    says(tab, ANSWERS[0], turns=2)
    asked = tab.locator("#meeting .bot.message").last.inner_text()
    tab.reload()
    tab.get_by_role("tab", name="Rehearse").click()
    expect(tab.locator("#meeting")).to_contain_text(asked.strip()[:40], timeout=ANSWER_MS)
    tab.locator("#mentor button").first.click()
    tab.locator("#keep input").uncheck()
    tab.locator("#straight").click()
    expect(tab.locator("#meeting .bot.message")).to_have_count(1, timeout=ANSWER_MS)
    tab.reload()
    tab.get_by_role("tab", name="Rehearse").click()
    expect(tab.locator("#side")).to_contain_text("Nothing is left", timeout=ANSWER_MS)
