"""Nothing a person writes leaves the computer or touches its disk: all three tabs driven, then searched.

The page runs as it ships, in a process of its own with every connection but loopback refused and written
down; the browser keeps a profile on the disk, as a person's does. The words are made up for each run,
so that wherever they are found they come from it.
"""

from __future__ import annotations

import base64
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import chromium
from tests.browser.test_page import ANSWER_MS, ask
from tests.serving import Served

# Where nothing is kept, or what is not a disk.
NOT_DISK = ("/proc", "/sys", "/dev", "/run/udev")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, coach_with_model: object) -> Iterator[Served]:
    cache: Path = coach_with_model.settings.cache_dir  # type: ignore[attr-defined]
    here = Served(tmp_path_factory.mktemp("home"), cache)
    here.start()
    yield here
    here.stop()


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def page(served: Served, profile: Path) -> Iterator[Page]:
    """The page in a browser that keeps a profile; closed before the disk is searched."""
    with sync_playwright() as playwright:
        found = chromium.find()
        assert found
        context = playwright.chromium.launch_persistent_context(
            str(profile), executable_path=found, args=list(chromium.FLAGS), accept_downloads=True
        )
        opened = context.pages[0]
        opened.goto(served.address)
        expect(opened.locator("#box textarea")).to_be_visible(timeout=ANSWER_MS)
        yield opened
        context.close()


def _made_up() -> str:
    return "zq" + secrets.token_hex(6)


def _files(since_s: float, places: list[Path]) -> Iterator[Path]:
    """Every file on the disk that changed since then, and every file in `places`."""
    for top in [Path("/"), *places]:
        for folder, folders, names in os.walk(top):
            folders[:] = [f for f in folders if not str(Path(folder, f)).startswith(NOT_DISK)]
            for name in names:
                path = Path(folder, name)
                try:
                    if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= since_s - 2:
                        yield path
                except OSError:
                    continue


def _holds(path: Path, words: list[str]) -> bool:
    """Whether a file holds one of the words, plain, as UTF-16 or in base64 at any offset."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    forms = [w.encode() for w in words] + [w.encode("utf-16-le") for w in words]
    for word in words:
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + word.encode())
            forms.append(coded[4 if before else 0 : -4])
    return any(form in content for form in forms)


def test_search_finds_words_that_were_written(tmp_path: Path) -> None:
    """The search itself works, or the test below would prove nothing."""
    started, word = time.time(), _made_up()
    for number, content in enumerate(
        [word.encode(), word.encode("utf-16-le"), base64.b64encode(f"a {word} b".encode())]
    ):
        (tmp_path / f"{number}").write_bytes(b"\x00\x01" + content)
    assert [p.name for p in sorted(_files(started, [])) if _holds(p, [word])] == ["0", "1", "2"]


def test_page_keeps_and_sends_nothing_of_what_is_written(page: Page, served: Served, profile: Path) -> None:
    started = time.time()
    talked, drafted, rehearsed = _made_up(), _made_up(), _made_up()
    words = [talked, drafted, rehearsed]
    ask(page, f"I feel like an impostor on MedTwitter since {talked} left")
    ask(page, f"why would that help, {talked}?")
    page.get_by_role("tab", name="Should I post this?").click()
    page.fill("#draft textarea", f"Proud of our team at {drafted}. Thank you all.")
    page.locator("#check").click()
    expect(page.locator("#judged h2.verdict")).to_be_visible(timeout=ANSWER_MS)
    page.get_by_role("tab", name="Rehearse").click()
    page.locator("#straight").click()
    expect(page.locator("#meeting .bot.message")).to_have_count(1, timeout=ANSWER_MS)
    page.fill("#say textarea", f"I joined because {rehearsed} told me to, and I want to learn to teach.")
    page.keyboard.press("Enter")
    expect(page.locator("#meeting .bot.message")).to_have_count(2, timeout=ANSWER_MS)
    page.locator("#end").click()
    expect(page.locator("#debrief")).to_contain_text("Looking back", timeout=ANSWER_MS)
    page.locator("#save").click()
    expect(page.locator("#files a[download]")).to_have_count(3, timeout=ANSWER_MS)
    storage = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert not any(word in storage for word in words)
    page.evaluate("async () => { for (const k of await caches.keys()) await caches.delete(k) }")
    page.wait_for_timeout(3000)  # what a browser writes down, it writes after a while
    page.context.close()
    served.stop()
    found = [str(path) for path in _files(started, [served.home, profile]) if _holds(path, words)]
    assert found == []
    assert not served.refused.exists(), served.refused.read_text()
    assert not (served.home / "data" / "serendip").exists()
    served.start()
