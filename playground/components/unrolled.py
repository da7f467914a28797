"""The network unrolled over a probe: the picture that every inside page begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from engine.trace import Target
from playground.components.assets import asset

if TYPE_CHECKING:
    from playground.views.unrolled.picture import Picture

SCRIPTS = (
    "drawing.js",
    "unrolled/numbers.js",
    "unrolled/layout.js",
    "unrolled/marks.js",
    "unrolled/column.js",
    "unrolled/ends.js",
    "unrolled/sides.js",
    "unrolled/rolled.js",
    "unrolled/card.js",
    "unrolled/motion.js",
    "unrolled/moves.js",
    "unrolled/words.js",
    "unrolled/print.js",
)
"""What draws the picture, without the script that mounts it."""

_UNROLLED = st.components.v2.component(
    "unrolled_network",
    html=asset("unrolled/picture.html"),
    css=asset("unrolled/picture.css"),
    js="".join(map(asset, (*SCRIPTS, "unrolled/picture.js"))),
)


@dataclass(frozen=True)
class Word:
    """What the visitor chose in the picture; what is None was not chosen. Layers and timesteps count from 0."""

    t: int | None = None
    layer: int | None = None
    unit: int | None = None
    target: Target | None = None
    """whose gradient is to be drawn: the sum of all losses, or the loss at one timestep"""
    folded: bool | None = None


def unrolled(picture: Picture, *, key: str, on_choose: Callable[[], None] | None = None, folded: bool = False) -> None:
    """The picture.

    Args:
        picture: what is drawn
        key: of the widget
        on_choose: called when something is chosen; `said(key)` is what. It stands in `st.session_state[key].chosen` as
            {"count", "t", "layer"}, with "unit" where one was clicked, as {"count", "target"} or {"count", "folded"}
        folded: whether it is drawn as one column whose state goes round
    """
    data = {**picture.data(), "folded": folded}
    _UNROLLED(data=data, key=key, on_chosen_change=on_choose or _nothing)


def said(key: str) -> Word | None:
    """What was last chosen in the picture `key`; None for nothing, or nothing that can be."""
    word = (st.session_state.get(key) or {}).get("chosen")
    if not isinstance(word, Mapping):
        return None
    place = {name: word.get(name) for name in ("t", "layer", "unit")}
    if not all(value is None or _is_place(value) for value in place.values()):
        return None
    target, folded = word.get("target"), word.get("folded")
    if not (target is None or target == "sum" or _is_place(target)) or not isinstance(folded, bool | None):
        return None
    return Word(**place, target=target, folded=folded)


def _is_place(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _nothing() -> None:
    """A picture that nobody listens to."""
