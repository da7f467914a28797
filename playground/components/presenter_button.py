"""The button that turns presenter mode on and off, and the keys that do so too."""

from __future__ import annotations

from collections.abc import Callable

from playground.components import choice
from playground.components.component import Component

_BUTTON = Component("presenter/button")


def presenter_button(present: bool, *, key: str, on_choose: Callable[[], None]) -> None:
    """The button, in the corner of the page; with `p` and Escape as its keys.

    Args:
        present: whether the page is shown to an audience now
        key: of the widget
        on_choose: called when the visitor has pressed it; `chosen(key)` is what
    """
    _BUTTON({"present": present}, key=key, on_choose=on_choose)


def chosen(key: str) -> dict[str, bool]:
    """What the visitor last chose with the button `key`, as `playground.state.select` takes it."""
    return choice.chosen(key, {"present": lambda value: isinstance(value, bool)})
