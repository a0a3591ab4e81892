"""The real page in a real browser, with the real small model: what a person sees and does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from coach.build import Coach
from coach.settings import load_settings
from coach.ui.app import open_page
from tests.browser import chromium

ANSWER_MS = 60_000
IMPOSTOR = "I feel like an impostor on MedTwitter, everybody there is so much cleverer than me"


@pytest.fixture(scope="module")
def address(coach_with_model: Coach) -> Iterator[str]:
    """The page, served on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    blocks = open_page(load_settings(port=port), coach_with_model, browser=False, block=False)
    yield f"http://127.0.0.1:{port}"
    blocks.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = chromium.find()
        assert found, "no Chromium: run `make test`, which installs one"
        yield playwright.chromium.launch(executable_path=found, args=list(chromium.FLAGS))


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A fresh page; every request it makes is kept in `page.requests_seen`."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    seen: list[str] = []
    opened.on("request", lambda request: seen.append(request.url))
    opened.requests_seen = seen  # type: ignore[attr-defined]
    opened.goto(address)
    expect(opened.locator("#box textarea")).to_be_visible(timeout=ANSWER_MS)
    yield opened
    context.close()


def ask(page: Page, text: str) -> Any:
    """Type and send; returns the coach's last message once it is whole."""
    before = page.locator("#chat .bot.message, #chat .message.bot").count()
    page.fill("#box textarea", text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=ANSWER_MS)
    messages = page.locator("#chat .message.bot, #chat .bot.message")
    expect(messages).not_to_have_count(before, timeout=ANSWER_MS)
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=ANSWER_MS)
    return messages.last


def test_page_answers_the_impostor_question_with_a_card_beside_it(page: Page) -> None:
    reply = ask(page, IMPOSTOR)
    expect(reply.locator("a.cite").first).to_be_visible(timeout=ANSWER_MS)
    expect(page.locator("#sources details.card").first).to_be_visible()
    assert reply.inner_text().rstrip().endswith("?")


def test_page_citation_opens_its_card(page: Page) -> None:
    reply = ask(page, IMPOSTOR)
    reply.locator("a.cite").first.click()
    assert page.locator("#sources details.card[open]").count() == 1
    assert page.url.rstrip("/").count("/") == 2


def test_page_asks_nobody_but_its_own_server(page: Page, address: str) -> None:
    ask(page, IMPOSTOR)
    page.get_by_role("tab", name="Library").click()
    strangers = [
        url
        for url in page.requests_seen  # type: ignore[attr-defined]
        if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))
    ]
    assert strangers == []


def test_page_shows_typed_markup_as_text(page: Page) -> None:
    ask(
        page,
        "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"> my followers",
    )
    assert page.title() == "Serendip"
    assert page.locator("#chat img[src='x']").count() == 0
    expect(page.locator("#chat")).to_contain_text("<script>")


def test_page_keeps_the_conversation_and_clears_it(page: Page) -> None:
    ask(page, IMPOSTOR)
    ask(page, "why?")
    assert page.locator("#chat .message.user, #chat .user.message").count() == 2
    page.get_by_label("Clear").click()
    expect(page.locator("#chat .message.user, #chat .user.message")).to_have_count(0)


def test_page_searches_the_library(page: Page) -> None:
    page.get_by_role("tab", name="Library").click()
    page.fill("#library-search textarea, #library-search input", "does my follower count matter")
    page.keyboard.press("Enter")
    expect(page.locator(".shelf details.card[open]")).to_contain_text("follower", timeout=ANSWER_MS)


def test_page_says_what_is_kept_and_who_speaks(page: Page) -> None:
    expect(page.locator("#kept")).to_contain_text("Nothing you write is sent anywhere")
    expect(page.locator("#speaking")).to_contain_text("small model", timeout=ANSWER_MS)


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("Talk", "#box textarea"),
        ("Rehearse", "#begin"),
        ("Should I post this?", "#draft textarea"),
    ],
)
def test_page_fits_a_phone(browser: Browser, address: str, tab: str, shown: str) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 740})
    phone = context.new_page()
    phone.goto(address)
    phone.get_by_role("tab", name=tab).click()
    expect(phone.locator(shown)).to_be_visible(timeout=ANSWER_MS)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 375
    context.close()
