"""How a browser is found for these tests, and what is said where none can be had."""

from __future__ import annotations

import subprocess

import chromium
import pytest
from playwright.sync_api import Playwright


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine on which no browser starts; returns the installers that were tried on it."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.delenv("CHROME", raising=False)
    monkeypatch.setattr(chromium, "starts", lambda path: False)
    monkeypatch.setattr(chromium.subprocess, "run", run)
    return commands


def test_a_chosen_browser_that_does_not_start_is_named(playwright: Playwright, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROME", "/nowhere/chrome")
    with pytest.raises(chromium.NoBrowserError, match="CHROME=/nowhere/chrome does not start"):
        chromium.find(playwright)


def test_root_with_apt_installs_by_apt_and_then_by_playwright(
    playwright: Playwright, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 0)
    monkeypatch.setattr(chromium.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(chromium.NoBrowserError, match="CHROME=/path/to/chrome make test"):
        chromium.ensure(playwright)
    assert ["apt-get" in " ".join(command) for command in asked] == [True, False]
    assert "playwright" in asked[1]


def test_who_is_not_root_installs_by_playwright_alone(
    playwright: Playwright, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 1000)
    with pytest.raises(chromium.NoBrowserError):
        chromium.ensure(playwright)
    assert len(asked) == 1
    assert "playwright" in asked[0]
