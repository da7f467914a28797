"""The words below the picture: what one sees, in the chosen notation, and experiments that start with one click."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from playground import notation, state
from playground.inside import chosen_view
from playground.inside.view import View
from playground.runs.records import StoreError
from playground.state import link
from playground.views.unrolled import changes
from playground.views.unrolled.settings import UnrolledSettings, settings

_SMALLEST = "hello-rnn"
_LONG, _SHORT = "tales-lstm", "tales-rnn"
_BRIEF = {"hidden": "hidden", "cell": "cell", "input": "input"}


def what_you_see(view: View) -> None:
    """The network in at most 80 words and two equations, and three experiments."""
    left, right = st.columns([0.46, 0.54], gap="large")
    with left:
        st.markdown("###### What you see")
        st.caption(
            "One network, drawn once for each token that it reads: the weights are the same in every column. States "
            "travel right; each box is a layer's state, coloured by its values. On top stand the likeliest next tokens "
            "and the loss of what really came. Backwards, the gradient of the loss travels left: where less than 1% of "
            "it is left, the loss is no longer felt. Choose a column for its numbers."
        )
        st.latex(equations(view))
        note = notation.course_note(view.run_cell, view.notation, bias=view.model.config.bias)
        if note:
            st.caption(f":material/info: {note}")
    with right:
        st.markdown("###### Try")
        _try(
            "reach",
            "LSTM above RNN, before any training",
            "One loss at the end: whose gradient reaches back further? Then play through training.",
            _lstm_beside_rnn,
        )
        _try(
            "close",
            "Close the gate that matters most here" if _gated(view) else "Silence one unit",
            "One number is overridden at the chosen timestep. Which predictions after it give way?",
            _telling,
        )
        _try(
            "hello",
            "A network whose every number fits",
            "Three units read “hello”. Check one sum by hand: choose a unit in the arithmetic.",
            _hello,
        )


def equations(view: View) -> str:
    """One step forward, and what flows back, in the notation."""
    states = view.cell.state_names
    now, before = (", ".join(_named(view, name, t) for name in states) for t in ("t", "t-1"))
    source, token = _named(view, "hidden", "k"), _named(view, "input", "t")
    step = rf"{now} = \mathrm{{{view.cell.family.upper()}}}({before}, {token})"
    back = rf"\frac{{\partial \mathcal{{L}}}}{{\partial {source}}} = "
    back += rf"\sum_{{t \ge k}} \frac{{\partial \mathcal{{L}}_t}}{{\partial {source}}}"
    return rf"\begin{{gathered}} {step} \\ {back} \end{{gathered}}"


def _named(view: View, quantity: str, t: str) -> str:
    if view.notation == "plain":  # whole names would run off a phone
        return rf"\text{{{_BRIEF[quantity]}}}_{{{t}}}"
    return notation.term(quantity, view.notation, t=t, cell=view.run_cell).latex


def _try(name: str, label: str, look_for: str, act: Callable[[], None]) -> None:
    """A button that sets an experiment up, and what to look for in it."""
    with st.container(gap="xsmall"):
        st.button(label, icon=":material/science:", key=f"unrolled.try.{name}", on_click=_start, args=(act,))
        st.caption(look_for)


def _start(act: Callable[[], None]) -> None:
    """Set an experiment up, or say why it cannot be: the run may have been deleted since the button was drawn."""
    try:
        act()
    except StoreError as error:
        state.note_problem(str(error))


def _gated(view: View) -> bool:
    return any(changes.is_gate(view, name) for name in changes.quantities(view.cell))


def _lstm_beside_rnn() -> None:
    """Two cells read the same text; the loss is that of the last token that has one."""
    view = chosen_view()
    words = view.vocabulary.level == "word"
    last = view.trace.nearest_loss(view.trace.length - 1)
    _set_up(
        UnrolledSettings(of="sum" if words or last is None else last, look=settings.current().look),
        run=_LONG,
        step=0,
        compare=f"{_LONG},{_SHORT}",
        probe="" if words else view.probe.text,
        t=state.LAST,
        layer=state.LAST,
        unit=0,
    )


def _telling() -> None:
    found = changes.telling(chosen_view())
    asked = replace(settings.current(), changes=(found,), tokens=(), quantity=found.quantity, look="whatif")
    _set_up(asked, t=found.time, layer=found.layer, unit=found.unit)


def _hello() -> None:
    _set_up(UnrolledSettings(), run=_SMALLEST, compare="", probe="", context="", t=1, layer=state.LAST, unit=0)


def _set_up(asked: UnrolledSettings, **selected: object) -> None:
    """An experiment is one place in the browser's history: from it, Back leads to the view before.

    On another network nothing else of the settings stays: what does not fit it would be put right afterwards, which
    would be a second place.
    """
    with link.one_change():
        state.select(**selected)
        settings.change(**vars(asked))
