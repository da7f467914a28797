"""How far back the gradient of one loss reaches in each of the networks that are compared, on one axis, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st
import torch

from engine.trace import Target
from playground import state
from playground.charts.constant import Spec
from playground.charts.fading import VANISHED, Curve, fading_frame, fading_spec
from playground.frame.charts import draw_chart
from playground.inside.view import View, look
from playground.runs.records import StoreError
from playground.text import number
from playground.views.unrolled.claim import Reach, reach
from playground.views.unrolled.settings import settings

HEIGHT, PRESENTED_HEIGHT = 190, 142
"""Of the chart in pixels, and in presenter mode, which enlarges it: two networks and it have room on one screen."""


def panel(views: Sequence[View], of: Target) -> None:
    """The chart, what is to be understood of it, and whether the pictures above show all columns at once."""
    draw_chart(frame(views, of), spec(), key="unrolled.fading")
    st.caption(" ".join((PRODUCT, *since_the_start(views, of))))
    st.toggle(
        "Overview: all timesteps at once, without predictions",
        settings.current().overview,
        **settings.widget("overview"),
    )


def spec() -> Spec:
    """The chart's specification."""
    return fading_spec(VANISHED, PRESENTED_HEIGHT if state.current().present else HEIGHT)


def frame(views: Sequence[View], of: Target) -> pd.DataFrame:
    """The chart's rows: one curve for each network whose loss is known."""
    found = [(view, reach(view, of)) for view in views]
    return fading_frame([curve(view, one) for view, one in found if one is not None])


def curve(view: View, found: Reach) -> Curve:
    """How the gradient of a loss fades in one network."""
    return Curve(
        f"{view.letter} {view.run_cell.title}".strip(),
        view.run_cell.name,
        found.shares,
        found.steps,
    )


# ---------------------------------------------------------------------- in words

PRODUCT = (
    "Backpropagation through time multiplies the gradient by a Jacobian for each step back. On this logarithmic axis "
    "the product vanishes (a falling line) if the factors shrink it, and explodes (a rising line) if they stretch it. "
    "Along an LSTM's cell state the direct path is multiplied by the forget gate alone."
)


def since_the_start(views: Sequence[View], of: Target) -> list[str]:
    """What training has changed of it, for each network that is not looked at before its training."""
    said = []
    for view in views:
        now, first = reach(view, of), untrained(view)
        then = None if first is None else reach(first, of)
        if first is not None and now is not None and then is not None:
            said.append(
                f"In {view.letter or 'this network'} the gradient stayed above {100 * VANISHED:g}% for {_steps(then)} "
                f"at training step {first.step:,} and stays above it for {_steps(now)} at step {view.step:,}"
                f"{_why(first, view)}."
            )
    return said


def _steps(found: Reach) -> str:
    return f"{found.steps:,} step{'' if found.steps == 1 else 's'}"


def untrained(view: View) -> View | None:
    """The same network at its first step; None where that is what is looked at, or it cannot be had."""
    if view.snapshot is None or view.step == view.steps[0]:
        return None
    try:
        return look(view.snapshot, replace(state.current(), step=view.steps[0]), view.letter)
    except StoreError:
        return None


def _why(first: View, now: View) -> str:
    """Of a plain RNN, the weights in its Jacobian diag(g′) W_hh, before and after; of gated cells, the forget gate."""
    if now.run_cell.name == "rnn":
        before, after = (number(recurrent_stretch(view)) for view in (first, now))
        return (
            "; the largest singular value of its recurrent weights, which bounds how much one step back can stretch "
            f"the gradient, went from {before} to {after}"
        )
    if "forget" in now.trace:
        before, after = (number(float(view.trace["forget"].nanmean())) for view in (first, now))
        return f"; the mean of its forget gates went from {before} to {after}"
    return ""


def recurrent_stretch(view: View) -> float:
    """Largest singular value of the top layer's recurrent weights: by how much they stretch a state at most."""
    weights = view.model.stack.layer_parameters(view.trace.layers - 1)["weight_hh"]
    return float(torch.linalg.matrix_norm(weights.detach().double(), ord=2))
