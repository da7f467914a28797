"""What the components run in the browser: scripts, styles and markup, read from the folder `browser`."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "browser"


def asset(name: str) -> str:
    """Text of one script, style sheet or piece of markup, by its path in that folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")
