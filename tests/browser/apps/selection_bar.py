"""A page with nothing on it but two selection bars, what the app has of them, and things that could be in their way."""

import json
import sys
import time
from functools import partial
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

import streamlit as st

from playground.components.selection_bar import LABELS, Bar, chosen, selection_bar
from playground.notation import NOTATIONS

place = st.session_state.setdefault("place", {"step": 0, "t": 4, "unit": 17, "present": False})
messages = st.session_state.setdefault("messages", [])


def bar_now() -> Bar:
    """The bar as the selection stands."""
    return Bar(
        steps=(0, 100, 200, 300),
        losses=(4.2, 2.5, 2.0, 1.5),
        step=place["step"],
        newest=False,
        live=False,
        t=place["t"],
        names=list("Once upon a time"),
        first=1,
        layer=0,
        layers=1,
        unit=place["unit"],
        units=128,
        labels=LABELS["ng"],
        present=place["present"],
        notations=(NOTATIONS, "ng"),
    )


def take(bar: Bar, key: str) -> None:
    """Take what was chosen, as a page does, and remember the message."""
    messages.append(dict(st.session_state[key].chosen))
    place.update(chosen(key, bar))


@st.fragment
def frame() -> None:
    """The bars, and after them a picture that takes its time."""
    bar = bar_now()
    for key in ("bar", "second"):
        selection_bar(bar, key=key, on_choose=partial(take, bar, key))
    time.sleep(float(st.query_params.get("slow", 0)))
    st.code(json.dumps({**place, "drawn": bar.step, "messages": messages}), language=None)


if not st.toggle("Without the bars"):
    frame()
st.text_input("A field")
st.text_area("A text")
st.radio("A choice", ["one", "two"])
