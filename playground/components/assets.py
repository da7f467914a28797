"""The components' scripts and styles, read from the files beside this one."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def asset(name: str) -> str:
    """Text of one script or style sheet."""
    return (_FOLDER / name).read_text(encoding="utf-8")
