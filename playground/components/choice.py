"""Choices that a visitor makes in a component: sent in numbered messages, acknowledged once, and checked.

What is chosen is the server's to say. The browser shows a choice at once and sends it in a message that is numbered and
repeats all that is not acknowledged yet; no answer older than its newest message takes the choice back (see
`browser/shared/choice.js`). A message comes from outside: what does not fit what is drawn has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

import streamlit as st

Fits = Mapping[str, Callable[[Any], bool]]
"""What can be chosen, by name, and whether a value can be."""


def chosen(key: str, fits: Fits) -> dict[str, Any]:
    """What was last chosen in the component `key`, as far as it fits."""
    return fitting(_message(key), fits)


def fitting(message: object, fits: Fits) -> dict[str, Any]:
    """What of a message fits. What is not of its type, or is not drawn, is left out."""
    if not isinstance(message, Mapping):
        return {}
    return {name: message[name] for name, fit in fits.items() if name in message and fit(message[name])}


def acknowledged(key: str) -> int:
    """The number of the last message that arrived from the component `key`; 0 for none."""
    message = _message(key)
    count = message.get("count") if isinstance(message, Mapping) else None
    return count if whole(count) and count > 0 else 0


def place(count: int) -> Callable[[object], bool]:
    """Whether a value is one of so many places, counted from 0."""
    return lambda value: whole(value) and 0 <= value < count


def whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number: what JSON has as true or 1.0 is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _message(key: str) -> object:
    return (st.session_state.get(key) or {}).get("chosen")
