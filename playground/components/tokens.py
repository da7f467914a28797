"""A text token by token, coloured by surprise: the strip that writes, and the one that is scrubbed through training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from playground import theme
from playground.components.assets import asset

FULL_BITS = {"char": 8, "word": 16}
"""Surprise at which the colour is at its fullest, by what a token is."""


@dataclass(frozen=True)
class Strip:
    """A text as its strip draws it. All of it is data; nothing of it becomes markup."""

    text: str
    """which text this is: tokens are added to the same text, and another one is drawn anew"""
    pieces: Sequence[str]
    """what each token adds to the text"""
    tenths: Sequence[int]
    """surprise of each token, in tenths of a bit"""
    full: int
    """surprise at which the colour is at its fullest, in bits"""
    prompt: str = ""
    """what stands before the text, not coloured"""
    copied: Sequence[tuple[int, int]] = ()
    """tokens (first, after the last) that stand word for word in the training text"""
    forced: Sequence[int] = ()
    """tokens that were put in"""
    chosen: int = -1
    active: bool = False
    """whether more is being written"""
    label: str = "Text, token by token"
    empty: str = ""
    """what stands where there is no token yet"""


@dataclass(frozen=True)
class Frame:
    """A text written at one training step."""

    step: int
    note: str
    strip: Strip | None
    """None until it is written"""


_CSS = asset("tokens/tokens.css").replace("SURPRISE", theme.SURPRISE).replace("ACCENT", theme.ALARM)

_STRIP = st.components.v2.component(
    "unrolled_token_strip",
    html=asset("tokens/tokens.html"),
    css=_CSS,
    js=asset("tokens/tokens.js") + asset("tokens/strip.js"),
)

_SCRUBBER = st.components.v2.component(
    "unrolled_step_scrubber",
    html=asset("tokens/scrubber.html") + asset("tokens/tokens.html"),
    css=_CSS,
    js=asset("tokens/tokens.js") + asset("tokens/scrubber.js"),
)


def token_strip(
    strip: Strip, *, key: str, on_choose: Callable[[], None] | None = None, tall: bool = False, legend: bool = True
) -> None:
    """A text coloured by surprise.

    With `on_choose` tokens can be chosen, by a click or by arrow keys and Enter. It is called with the place in
    `st.session_state[key].chosen`, as {"text": which text, "place": which token}.
    """
    choosable = on_choose is not None
    data = {**asdict(strip), "choosable": choosable, "tall": tall, "legend": legend}
    if on_choose is None:
        _STRIP(data=data, key=key)
    else:
        _STRIP(data=data, key=key, on_chosen_change=on_choose)


def step_scrubber(frames: Sequence[Frame], *, at: int, full: int, key: str) -> None:
    """Texts of the same prompt and seed at each training step, with a slider; it begins at the step `at`."""
    _SCRUBBER(data={"frames": [asdict(frame) for frame in frames], "at": at, "full": full}, key=key)
