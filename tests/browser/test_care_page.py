"""Care on the page: help stays in sight, a misreading costs one tap, what is kept is seen and deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from coach.build import Coach
from tests.browser.test_page import ANSWER_MS, IMPOSTOR, address, ask, browser, page  # noqa: F401 - fixtures

MISREAD = "You misunderstood me. I am safe."
SHAME = "I want to die of shame: I still say goodbye to everyone twice."


def test_talk_page_keeps_the_help_lines_in_sight(page: Page) -> None:  # noqa: F811
    reply = ask(page, "I want to kill myself")
    expect(reply).to_contain_text("stopping the coaching")
    expect(page.locator("#lines")).to_contain_text("Find A Helpline")
    ask(page, "forget it")
    ask(page, IMPOSTOR)
    expect(page.locator("#lines")).to_contain_text("Find A Helpline")


def test_talk_page_takes_a_misreading_back_with_one_tap(page: Page) -> None:  # noqa: F811
    ask(page, SHAME)
    page.get_by_role("button", name=MISREAD).click()
    messages = page.locator("#chat .message.bot, #chat .bot.message")
    expect(messages.last).to_contain_text("Back to what you wrote", timeout=ANSWER_MS)
    expect(page.locator("#lines")).to_have_count(0)


def test_review_page_takes_a_misreading_back_with_one_tap(page: Page) -> None:  # noqa: F811
    page.get_by_role("tab", name="Should I post this?").click()
    page.fill("#draft textarea", SHAME)
    page.locator("#check").click()
    expect(page.locator("#judged .verdict")).to_contain_text("Something else first", timeout=ANSWER_MS)
    page.locator("#review-misread").click()
    expect(page.locator("#judged [role=meter]")).to_have_count(5, timeout=ANSWER_MS)
    expect(page.locator("#draft textarea")).to_have_value(SHAME)
    expect(page.locator("#review-misread")).to_be_hidden()


def test_rehearse_page_takes_a_misreading_back_with_one_tap(page: Page) -> None:  # noqa: F811
    page.get_by_role("tab", name="Rehearse").click()
    page.locator("#straight").click()
    expect(page.locator("#meeting .bot.message")).to_have_count(1, timeout=ANSWER_MS)
    page.fill(
        "#say textarea", "I want to die of shame when I think of that evening, and that is why I joined."
    )
    page.keyboard.press("Enter")
    expect(page.locator("#meeting")).to_contain_text("stopping the coaching", timeout=ANSWER_MS)
    page.locator("#misread").click()
    expect(page.locator("#misread")).to_be_hidden(timeout=ANSWER_MS)
    expect(page.locator("#side")).to_be_visible()


@pytest.fixture
def settings_tab(page: Page) -> Page:  # noqa: F811
    page.get_by_role("tab", name="Settings").click()
    expect(page.locator("#kept-look")).to_be_visible()
    return page


def test_settings_page_lists_copies_brings_back_and_deletes_what_is_kept(
    settings_tab: Page,
    coach_with_model: Coach,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    coach_with_model.held.hold("Proud of the new colour chart for the fridge.", "x", 16)
    settings_tab.locator("#kept-look").click()
    listed = settings_tab.locator("#kept-list")
    expect(listed).to_contain_text("colour chart", timeout=ANSWER_MS)
    settings_tab.locator("#kept-copy").click()
    link = listed.locator("a[download]")
    expect(link).to_be_visible(timeout=ANSWER_MS)
    with settings_tab.expect_download() as waiting:
        link.click()
    waiting.value.save_as(tmp_path / "copy.json")
    copy = (tmp_path / "copy.json").read_text(encoding="utf-8")
    assert json.loads(copy)["serendip"] == 1
    settings_tab.locator("#kept-delete").click()
    expect(listed).to_contain_text("Tick the box first", timeout=ANSWER_MS)
    settings_tab.locator("#kept-sure input").check()
    settings_tab.locator("#kept-delete").click()
    expect(listed).to_contain_text("Nothing is kept", timeout=ANSWER_MS)
    assert not coach_with_model.settings.data_dir.exists()
    settings_tab.fill("#kept-paste textarea", copy)
    settings_tab.locator("#kept-bring").click()
    expect(listed).to_contain_text("colour chart", timeout=ANSWER_MS)
    coach_with_model.forget()
