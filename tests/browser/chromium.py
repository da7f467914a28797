"""Find a Chrome or Chromium that starts, and install one where none does.

    python tests/browser/chromium.py

prints the browser that the tests will use. CHROME=PATH chooses one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(RuntimeError):
    """No browser starts here. The message says what to do about it."""


def find(playwright: Playwright) -> str | None:
    """The path of the first browser that starts: CHROME, then PATH, then Playwright's own."""
    chosen = os.environ.get("CHROME")
    if chosen:
        if not starts(chosen):
            raise NoBrowserError(f"CHROME={chosen} does not start. Correct the path, or unset CHROME.")
        return chosen
    return next(filter(starts, _candidates(playwright)), None)


def ensure(playwright: Playwright) -> str:
    """As `find`; where nothing starts, installs Chromium first. Raises `NoBrowserError`."""
    found = find(playwright)
    if found:
        return found
    for command in _installers():
        print("No Chrome or Chromium found. Running:", " ".join(command), flush=True)
        subprocess.run(command, check=False)
        found = find(playwright)
        if found:
            return found
    raise NoBrowserError(
        "The browser tests need Chrome or Chromium, and it could not be installed here. "
        "Install it, or name one that is there: CHROME=/path/to/chrome make test"
    )


def starts(path: str) -> bool:
    """Whether this browser answers at all: Ubuntu's chromium-browser may be a mere note about snaps."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _candidates(playwright: Playwright) -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    if MAC.exists():
        yield str(MAC)
    yield playwright.chromium.executable_path


def _installers() -> Iterator[list[str]]:
    """Ways to get Chromium here, the preferred one first."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
    if root and shutil.which("apt-get"):
        install = "apt-get update && apt-get install --yes --no-install-recommends chromium"
        yield ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", install]
        yield [*playwright, "--with-deps"]
    else:
        yield playwright


if __name__ == "__main__":
    with sync_playwright() as driver:
        try:
            print("Browser for the tests:", ensure(driver))
        except NoBrowserError as error:
            sys.exit(str(error))
