"""The drill-down "What if": override a gate, a state or a token, and see what becomes of every prediction after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from engine.trace import UNKNOWN, Change, Trace
from playground.charts.prediction_change import along_frame, along_spec, top_frame, top_spec
from playground.frame.charts import draw_chart
from playground.inside.view import View
from playground.notation import first_index
from playground.parts.downloads import ChartFile
from playground.text import escape_markdown, number
from playground.views.unrolled import changes
from playground.views.unrolled.changes import Fitted
from playground.views.unrolled.settings import MOST_CHANGES, place_of, put, settings

_FIRST = "unrolled.whatif.first"
RULE = (
    "Replacing a token changes the text: the network reads the changed text and its losses are computed on it, so the "
    "new token is also the target of the timestep before, in the picture, the losses and their mean."
)
_GRID = 200
"""Places of the slider between its ends."""


def panel(view: View) -> None:
    """What the changes do to the predictions, what to override, and what stands overridden."""
    fitted, other = changes.made(view)
    if other is not None:  # above the controls: in sight however the changes were made
        st.markdown(f"**{escape_markdown(changes.effect(view, other, fitted))}**")
    what, value, token = st.columns(3, gap="medium")
    with what:
        quantity = _choose_quantity(view)
    with value:
        _choose_value(view, quantity)
    with token:
        _choose_token(view)
    if other is None:
        st.caption(
            "Nothing is changed yet. Select the timestep, layer and unit in the bar at the top or in the picture; "
            "everything after the change is recomputed with the same weights."
        )
        return
    _standing(view, fitted)
    if fitted.tokens:
        st.caption(RULE)
    along, top = st.columns([0.64, 0.36], gap="medium")
    with along:
        draw_chart(frame_along(view, other, fitted), along_spec(), key="unrolled.whatif.along")
    with top:
        draw_chart(frame_top(view, other), top_spec(), key="unrolled.whatif.top")


def charts(view: View) -> list[ChartFile]:
    """The charts, to download; none where nothing is overridden."""
    fitted, other = changes.made(view)
    if other is None:
        return []
    return [
        ChartFile("What if: along the text", "what-if", along_spec(), lambda: frame_along(view, other, fitted)),
        ChartFile("What if: next token", "what-if-next", top_spec(), lambda: frame_top(view, other)),
    ]


# ---------------------------------------------------------------------- what is overridden


def fit(view: View) -> None:
    """Say so where the settings name a gate or state that the cell does not have."""
    wanted, there = settings.current().quantity, changes.quantities(view.cell)
    if wanted and wanted not in there:
        said = f"The cell {view.cell.title} has no {wanted} (it has {', '.join(there)}): {there[0]} is used instead."
        settings.correct(said, quantity="")


def _choose_quantity(view: View) -> str:
    quantity = settings.current().quantity or changes.quantities(view.cell)[0]

    def says(name: str) -> str:
        return f"{changes.named(view, name)}: {_meaning(view, name)}"

    st.selectbox(
        "Gate or state",
        list(changes.quantities(view.cell)),
        list(changes.quantities(view.cell)).index(quantity),
        format_func=says,
        **settings.widget("quantity", labels=(says(quantity),)),
    )
    return quantity


def _meaning(view: View, quantity: str) -> str:
    meanings = {gate.name: gate.meaning for gate in view.cell.gates}
    return meanings.get(quantity) or {"hidden": "hidden state", "cell": "cell state"}[quantity]


def _choose_value(view: View, quantity: str) -> None:
    """A slider at the value that stands there, and buttons to its ends."""
    present = float(view.trace[quantity][view.layer, view.t, view.unit])
    here = Change(quantity, view.layer, view.t, view.unit, present)
    standing = changes.at_place(settings.current(), here)
    low, high = changes.limits(view, quantity)
    value = standing.value if standing else present if np.isfinite(present) else 0.0
    # Of other weights and another probe it is another slider: Streamlit would leave this one where it stood. While a
    # run is followed its weights are others several times a second, and whoever drags the slider holds on to it.
    shown = "newest" if view.following else f"{present:g}"
    key = settings.key(f"value.{':'.join(map(str, place_of(here)))}.{shown}")
    full = standing is None and len(settings.current().changes) >= MOST_CHANGES
    st.slider(
        label(view, here, present),
        low,
        high,
        _as_at_first(key, float(np.clip(value, low, high))),
        (high - low) / _GRID,
        key=key,
        on_change=_set_by_slider,
        args=(here, key),
        disabled=full,
        help=f"Up to {MOST_CHANGES} changes at once.",
    )
    with st.container(horizontal=True):
        ends = (("Close", 0.0), ("Open", 1.0)) if changes.is_gate(view, quantity) else (("Set to 0", 0.0),)
        for name, end in ends:
            st.button(
                name, key=f"unrolled.whatif.{name}", on_click=_set, args=(replace(here, value=end),), disabled=full
            )


def label(view: View, change: Change, present: float) -> str:
    """What the slider shows. None of it is a visitor's text, so none is escaped: a label is the slider's name too."""
    return f"{changes.placed(view, change)} is {number(present)}"


def _as_at_first(key: str, value: float) -> float:
    """The value with which a slider first came: one that followed a run that trains would count as a choice."""
    known = st.session_state.get(_FIRST)
    if known is None or known[0] != key:
        known = st.session_state[_FIRST] = (key, value)
    return known[1]


def _set_by_slider(here: Change, key: str) -> None:
    if key in st.session_state:
        wanted = replace(here, value=float(st.session_state[key]))
        settings.change(renew=False, changes=put(settings.current().changes, wanted))


def _set(change: Change) -> None:
    settings.change(changes=put(settings.current().changes, change))


def _choose_token(view: View) -> None:
    """The token that is read at the chosen timestep, or another one of the vocabulary."""
    tokens = dict(settings.current().tokens)
    own = int(view.trace.tokens[view.t])
    read = tokens.get(view.t, own)
    key = settings.key(f"token.{view.t}.{own}")  # of another probe it is another widget, which stands at its token
    st.selectbox(
        f"Token at t = {view.t + first_index(view.notation)}",
        range(len(view.vocabulary)),
        read if read != UNKNOWN else None,
        format_func=view.vocabulary.display,
        key=key,
        on_change=_replace_token,
        args=(view.t, own, key),
        disabled=view.t not in tokens and len(tokens) >= MOST_CHANGES,
        help=f"The input text has ‘{escape_markdown(view.probe.names[view.t])}’ at this timestep. Select another "
        "token to replace it; it also becomes the target of the timestep before.",
        placeholder="Select a token",
    )


def _replace_token(time: int, own: int, key: str) -> None:
    token = st.session_state.get(key)
    if token is None:
        return
    tokens = {**dict(settings.current().tokens), time: int(token)}
    if token == own:
        tokens.pop(time)
    settings.change(renew=False, tokens=tuple(sorted(tokens.items())))


# ---------------------------------------------------------------------- what stands overridden


def _standing(view: View, fitted: Fitted) -> None:
    """Each change with a button that undoes it."""
    with st.container(horizontal=True, key="unrolled-changes"):
        for place, change in enumerate(fitted.changes):
            was = float(view.trace[change.quantity][change.layer, change.time, change.unit])
            said = f"{changes.placed(view, change)}: {number(was)} → {number(change.value)}"
            _removal(said, f"change.{place}", changes=tuple(other for other in fitted.changes if other != change))
        for time, token in fitted.tokens:
            said = (
                f"t = {time + first_index(view.notation)}: {view.probe.names[time]} → {view.vocabulary.display(token)}"
            )
            _removal(said, f"token.{time}", tokens=tuple(pair for pair in fitted.tokens if pair[0] != time))
        if len(fitted.changes) + len(fitted.tokens) > 1:
            _removal("Undo all", "all", changes=(), tokens=())


def _removal(label: str, name: str, **left: tuple) -> None:
    st.button(
        escape_markdown(label),
        icon=":material/close:",
        key=f"unrolled.whatif.remove.{name}",
        on_click=settings.change,
        kwargs=left,
        help="Undo this change",
    )


# ---------------------------------------------------------------------- what it does


def frame_along(view: View, other: Trace, fitted: Fitted) -> pd.DataFrame:
    """Rows of the chart along the text."""
    return along_frame(
        before=changes.expected_probability(view.trace),
        after=changes.expected_probability(other),
        names=view.probe.names,
        expected=expected(view, other),
        first=first_index(view.notation),
        chosen=view.t,
        changed=[change.time for change in fitted.changes] + [time for time, _ in fitted.tokens],
    )


def expected(view: View, other: Trace) -> list[str]:
    """What follows each token; where another one follows in the changed text, both."""
    pairs = zip(view.trace.targets.tolist(), other.targets.tolist(), strict=True)
    return [_named(view, new) if new == old else f"{_named(view, new)} (was {_named(view, old)})" for old, new in pairs]


def _named(view: View, token: int) -> str:
    return "" if token == UNKNOWN else view.vocabulary.display(token)


def frame_top(view: View, other: Trace) -> pd.DataFrame:
    """Rows of the chart of the likeliest tokens at the chosen timestep."""
    names = [view.vocabulary.display(token) for token in range(len(view.vocabulary))]
    before, after = (trace.log_probabilities[view.t].double().exp().numpy() for trace in (view.trace, other))
    return top_frame(before=before, after=after, names=names, expected=int(other.targets[view.t]))
