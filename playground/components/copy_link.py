"""A button that copies the page's address, which holds what is looked at."""

from __future__ import annotations

from playground.components.component import Component

_BUTTON = Component("copy_link/button")


def copy_link(*, key: str) -> None:
    """The button; where the browser keeps the clipboard from the page, it shows the address to be copied by hand."""
    _BUTTON({}, key=key)
