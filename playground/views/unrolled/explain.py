"""The words below the picture: experiments that start with one click, and what one sees, in the chosen notation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from playground import notation, state
from playground.access.runs import snapshot_of
from playground.inside import chosen_view
from playground.inside.view import View, look
from playground.parts import lessons
from playground.runs.records import StoreError
from playground.state import link
from playground.views.unrolled import changes
from playground.views.unrolled.settings import UnrolledSettings, settings

_SMALLEST = "hello-rnn"
_BRIEF = {"hidden": "hidden", "cell": "cell", "input": "input"}
_TELLING = 20
"""Characters of a visitor's probe on which the lesson on vanishing gradients is worth telling; else the runs' own."""

_SHOWN, _SHOW = "unrolled.shown", "unrolled.show"


def what_you_see(view: View) -> None:
    """Experiments that start with one click, directly below the picture; the network in words and two equations."""
    with st.container(key="unrolled-try"):
        _experiments(view)
    words, formulas = st.columns([0.6, 0.4], gap="large", vertical_alignment="center")
    with words:
        st.caption(
            "**What you see:** one network unrolled over time: a column for each token it reads, with the same weights "
            "in all. Hidden states flow to the right; each box is a layer's state, coloured by its values. At the top "
            "are the most likely next tokens and the loss on the actual one. Backpropagation through time carries the "
            "gradient to the left: it *vanishes* where it shrinks to nothing and *explodes* where it grows. Select a "
            "column for its numbers."
        )
    with formulas:
        st.latex(equations(view))
        note = notation.course_note(view.run_cell, view.notation, bias=view.model.config.bias)
        if note:
            st.caption(f":material/info: {note}")


def _experiments(view: View) -> None:
    first, second, third = st.columns(3, gap="medium")
    with first:
        _try(
            "reach",
            lessons.VANISHING_TITLE,
            "One loss at the end, before training: in which network does its gradient reach further back?",
            _vanishing,
        )
    with second:
        _try(
            "close",
            "Close the gate that matters most" if _gated(view) else "Zero the unit that matters most",
            f"Sets to 0 the one {'gate value' if _gated(view) else 'value'} without which the loss rises most. Which "
            "predictions get worse?",
            _telling,
        )
    with third:
        _try(
            "hello",
            "A network small enough to check by hand",
            "Three units read “hello”. Select a unit in the arithmetic and verify its sum.",
            _hello,
        )


def begin_lesson() -> None:
    """Set up the lesson that another page has asked for, if one has."""
    if lessons.take() == lessons.VANISHING:
        _start(_vanishing)


def just_started() -> int:
    """The number of the experiment that was started just now, so that the picture comes into sight; asked once. 0 for
    none."""
    number: int = st.session_state.pop(_SHOW, 0)
    return number


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
        st.session_state[_SHOWN] = st.session_state[_SHOW] = st.session_state.get(_SHOWN, 0) + 1
    except StoreError as error:
        state.note_problem(str(error))


def _gated(view: View) -> bool:
    return any(changes.is_gate(view, name) for name in changes.quantities(view.cell))


def _vanishing() -> None:
    """Two cells read the same text before their training; the loss is that of the last token that has one."""
    given = state.current().probe
    text = given if len(given) >= _TELLING else ""
    view = look(snapshot_of(lessons.LONG), replace(state.current(), run=lessons.LONG, step=0, probe=text))
    last = view.trace.nearest_loss(view.trace.length - 1)
    _set_up(
        UnrolledSettings(of="sum" if last is None else last, overview=True),
        run=lessons.LONG,
        step=0,
        compare=f"{lessons.LONG},{lessons.SHORT}",
        probe=text,
        context="",
        t=state.LAST if last is None else last,
        layer=state.LAST,
        unit=0,
    )


def _telling() -> None:
    """The gate whose closing hurts most, in the chosen run alone: what is told of it is not told of another."""
    found = changes.telling(chosen_view())
    asked = UnrolledSettings(changes=(found,), quantity=found.quantity, look="whatif")
    _set_up(asked, compare="", t=found.time, layer=found.layer, unit=found.unit)


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
