"""What a failed test in the browser leaves behind: what went wrong, what its pages were doing, and pictures of them."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from playwright.sync_api import Error, Page
from server import Server
from visits import Visits, picture

ANSWER_SECONDS = 10.0
"""How long a page may take to say what stands on it: one that is stuck never does."""

_WHAT_STANDS = """(root) => [
  document.readyState,
  document.querySelector("[data-testid=stApp]")?.dataset.testScriptState ?? "no app",
  root.querySelector("#root")?.childElementCount ?? "no root",
  document.body?.innerText.slice(0, 1500),
].join(" | ")"""


def leave_evidence(visits: Visits, app: Server, folder: Path) -> None:
    """Prints what is known of a failure, the surest first, and puts pictures of the open pages into `folder`."""
    print("\n".join(["--- what went wrong on the pages", *visits.wrong]))
    print(f"--- the server's last words\n{app.tail()}")
    for number, page in enumerate(visits.pages()):
        page.set_default_timeout(1000 * ANSWER_SECONDS)
        print(f"--- {page.url}\n{_standing(page)}")
        try:
            picture(page, folder / f"page-{number}.png")
        except Error as error:
            print(f"no picture of it: {error.message.splitlines()[0]}")
        else:
            print(f"it looked like {folder / f'page-{number}.png'}")


def _standing(page: Page) -> str:
    """What stands on the page, or that it does not answer, and which processes of the browser are at work then."""
    try:
        return page.locator("html").evaluate(_WHAT_STANDS)
    except Error as error:
        return f"it does not answer: {error.message.splitlines()[0]}\n{_at_work()}"


def _at_work(seconds: float = 1.0) -> str:
    """The processes below this one, with the share of a core that each takes now: a stuck page is busy, or waits."""
    family = psutil.Process().children(recursive=True)
    before = [_seconds_worked(process) for process in family]
    time.sleep(seconds)
    shares = [(_seconds_worked(process) - worked) / seconds for process, worked in zip(family, before, strict=True)]
    return "\n".join(f"{share:4.0%} {_name(process)}" for share, process in zip(shares, family, strict=True))


def _seconds_worked(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _name(process: psutil.Process) -> str:
    """What it is; Chromium's processes say so by an argument."""
    try:
        kind = [part for part in process.cmdline() if part.startswith("--type=")]
        return " ".join([process.name(), *kind, process.status()])
    except psutil.Error:
        return "ended"
