"""The "Should I post this?" tab in a real browser: judged, marked, mended, held, counted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_page import ANSWER_MS, address, browser, page  # noqa: F401 - fixtures

RISKY = (
    "Sat with a woman from Penzance on Sunday evening while her scan loaded. "
    "Scans take longer than anybody tells you. Bring a book."
)


@pytest.fixture
def tab(page: Page) -> Page:  # noqa: F811
    page.get_by_role("tab", name="Should I post this?").click()
    expect(page.locator("#draft textarea")).to_be_visible()
    return page


def check(tab: Page, draft: str) -> None:
    tab.fill("#draft textarea", draft)
    tab.locator("#check").click()
    expect(tab.locator("#judged .verdict")).to_be_visible(timeout=ANSWER_MS)


def test_review_page_marks_what_gives_a_patient_away_and_mends_it(tab: Page) -> None:
    check(tab, RISKY)
    expect(tab.locator("#judged .verdict")).to_contain_text("Edit first")
    expect(tab.locator("#marked mark").first).to_be_visible()
    tab.locator("#marked mark").first.focus()
    expect(tab.locator("#marked mark .why").first).to_be_visible()
    assert tab.locator("[role=meter]").count() == 5
    expect(tab.locator("#difference")).to_contain_text("Bring a book")
    tab.locator("#use").click()
    expect(tab.locator("#draft textarea")).not_to_have_value(RISKY)
    tab.locator("#undo").click()
    expect(tab.locator("#draft textarea")).to_have_value(RISKY)


def test_review_page_says_post_it_of_a_harmless_draft(tab: Page) -> None:
    check(tab, "12 years qualified and I still say 'you too' when patients tell me to enjoy my lunch.")
    expect(tab.locator("#judged .verdict")).to_contain_text("Post it")
    expect(tab.locator("#said")).to_contain_text("consent")


def test_review_page_counts_while_typing(tab: Page) -> None:
    tab.locator("#draft textarea").press_sequentially("hello")
    expect(tab.locator("#count")).to_contain_text("5 of 280", timeout=ANSWER_MS)
    tab.fill("#draft textarea", "x" * 300)
    expect(tab.locator("#count")).to_contain_text("too long", timeout=ANSWER_MS)


def test_review_page_shows_markup_in_a_draft_as_text(tab: Page) -> None:
    check(tab, "Ring 07700 900341 <img src=x onerror=\"document.title='broken'\"> <b>now</b>")
    expect(tab.locator("#marked")).to_contain_text("<img")
    assert tab.title() == "Serendip"


def test_review_page_holds_a_draft_and_lets_it_go(tab: Page) -> None:
    tab.fill("#draft textarea", "I am too angry to send this one")
    tab.locator("#hold").click()
    expect(tab.locator("#held")).to_contain_text("Held", timeout=ANSWER_MS)
    tab.locator("#which input").click()
    tab.get_by_role("option").first.click()
    expect(tab.locator("#held")).to_contain_text("too angry to send", timeout=ANSWER_MS)
    tab.locator("#let-go").click()
    expect(tab.locator("#held")).not_to_contain_text("too angry", timeout=ANSWER_MS)
