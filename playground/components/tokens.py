"""A text token by token, coloured by surprisal: the strip that grows, and the one that follows training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.components.component import Component
from playground.components.packing import plain

FULL_BITS = {"char": 8, "word": 16}
"""Surprise at which the colour is at its fullest, by what a token is."""


@dataclass(frozen=True)
class Strip:
    """A text as its strip draws it. All of it is data; nothing of it becomes markup."""

    text: str
    """which text this is: tokens are added to the same text, and another one is drawn anew"""
    pieces: Sequence[str]
    """what each token adds to the text"""
    hundredths: Sequence[int]
    """surprise of each token, in hundredths of a bit"""
    full: int
    """surprise at which the colour is at its fullest, in bits"""
    prompt: str = ""
    """what stands before the text, not coloured"""
    copied: Sequence[tuple[int, int]] = ()
    """tokens (first, after the last) that stand word for word in the training text"""
    forced: Sequence[int] = ()
    """tokens that the visitor replaced"""
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


_TOKENS = "token_strip/strip"
_STRIP = Component(_TOKENS)
_SCRUBBER = Component(
    "step_scrubber/scrubber",
    markup=("step_scrubber/scrubber", _TOKENS),
    style=(_TOKENS, "shared/range", "step_scrubber/scrubber"),
)


def token_strip(
    strip: Strip, *, key: str, on_choose: Callable[[], None] | None = None, tall: bool = False, legend: bool = True
) -> None:
    """A text coloured by surprise.

    With `on_choose` tokens can be chosen, by a click or by arrow keys and Enter. It is called with the place in
    `st.session_state[key].chosen`, as {"text": which text, "place": which token}.
    """
    data = {**plain(strip), "choosable": on_choose is not None, "tall": tall, "legend": legend}
    _STRIP(data, key=key, on_choose=on_choose)


def step_scrubber(frames: Sequence[Frame], *, at: int, full: int, key: str) -> None:
    """Texts of the same prompt and seed at each training step, with a slider; it begins at the step `at`."""
    _SCRUBBER({"frames": plain(frames), "at": at, "full": full}, key=key)
