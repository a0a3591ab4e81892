"""Finds a Chromium for the browser tests, or installs one; says what to do where it cannot.

python tests/browser/chromium.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """The path of a Chromium on this computer, Playwright's own included; None if there is none."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> None:
    """Install a Chromium: with apt as root on Debian, else Playwright's own build."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, env=quiet)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    """Make sure there is one; 1 with a plain sentence if not."""
    if find() is None:
        sys.stderr.write("Installing Chromium for the browser tests.\n")
        install()
    if find() is None:
        sys.stderr.write(
            "The browser tests need Chromium: install it (Debian: apt install chromium; elsewhere: "
            "python -m playwright install chromium) and run `make test` again.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
