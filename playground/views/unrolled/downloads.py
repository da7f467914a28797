"""What can be taken away: the numbers along the probe, the chart that is open, and the same recording in Python."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from engine.analysis import activity
from engine.trace import UNKNOWN, Target
from playground.charts.export import export
from playground.inside.view import View
from playground.notation import first_index
from playground.parts.downloads import chart_buttons, file_button
from playground.parts.drill_downs import DrillDown
from playground.views.unrolled import changes
from playground.views.unrolled.changes import Fitted
from playground.views.unrolled.settings import settings


def downloads(view: View, drill_down: DrillDown[View]) -> None:
    """Files of what is on the page, and how to record the same elsewhere; neither is made before it is opened."""
    of = settings.current().of
    with st.container(horizontal=True):
        files = st.popover("Download", icon=":material/download:", key="unrolled.files", on_change="rerun")
    source = st.expander(
        "Show the code: these numbers in Python", icon=":material/code:", key="unrolled.code", on_change="rerun"
    )
    if files.open:
        with files:
            _files(view, of, drill_down)
    if source.open:
        with source:
            st.caption("For a run saved with `python -m engine train --save my-run`.")
            st.code(code(view, of, changes.made(view)[0]), language="python", wrap_lines=True)


def _files(view: View, of: Target, drill_down: DrillDown[View]) -> None:
    name = f"{view.run.id}-{view.step}"
    st.caption("Per timestep: tokens, losses, norms of states and gradients")
    file_button("CSV", lambda: export({}, rows(view, of), "csv"), f"{name}-timesteps.csv", page="unrolled")
    for chart in drill_down.charts(view):
        chart_buttons(chart, name, page="unrolled")
    st.caption("The network, the arithmetic and the cell have download buttons of their own.")


def rows(view: View, of: Target) -> pd.DataFrame:
    """One row for each timestep; norms of states and gradients for each layer, and of what the gradient carries on to
    the timestep before. Timesteps as the notation has them."""
    trace, carried = view.gradient(of), view.carried(of)
    base = first_index(view.notation)
    chances, wanted = trace.log_probabilities.double().exp(), trace.targets.tolist()
    likely, odds = trace.top(1)
    found = {
        "t": range(base, base + trace.length),
        "token": list(view.probe.names),
        "next": ["" if token == UNKNOWN else view.vocabulary.display(token) for token in wanted],
        "probability": [float(chances[t, token]) if token != UNKNOWN else None for t, token in enumerate(wanted)],
        "loss_nats": trace.losses.tolist(),
        "likeliest": [view.vocabulary.display(token) for token in likely[:, 0].tolist()],
        "its_probability": odds[:, 0].tolist(),
    }
    for layer in range(trace.layers):
        for state in view.cell.state_names:
            found[f"{state}_norm_layer_{layer + base}"] = activity.norms(trace, state)[layer].tolist()
            found[f"{state}_change_layer_{layer + base}"] = activity.change(trace, state)[layer].tolist()
        found[f"gradient_norm_layer_{layer + base}"] = activity.gradient_norms(trace)[layer].tolist()
        found[f"gradient_carried_layer_{layer + base}"] = carried[layer].tolist()
    return pd.DataFrame(found)


_CODE = """import torch

import engine
from engine.analysis.recurrence import carried_norms
from engine.shell.directory import RunDirectory

checkpoint = RunDirectory("my-run").load({step})
model, vocabulary = engine.restored(checkpoint)

tokens = {tokens}
trace = engine.record(model, tokens, gradient={of!r}{state})

t = {t}  # {counted}
s = {names}  # the state of a layer: {words}
gradient = torch.stack([trace.grad[name] for name in s])  # (state, layer, time, unit), of {losses}

print("loss at t, nats (NaN where the next token is unknown):", float(trace.losses[t]))
print("‖∂L/∂s‖ at t, by layer:", torch.linalg.vector_norm(gradient, dim=(0, 3))[:, t].tolist())
print("norm carried on to t - 1, by layer:", carried_norms(model, trace)[:, t].tolist())
"""

_CHANGED = """
# Everything above is for the pass without changes, as are the gradients in the picture.
changed = engine.record(model, {tokens}, changes={changes}{state})
print("loss at t after the changes:", float(changed.losses[t]))
"""


def code(view: View, of: Target, fitted: Fitted) -> str:
    """A Python script that prints what the page shows of the chosen timestep."""
    base, names = first_index(view.notation), view.cell.state_names
    state = f", state=engine.warm(model, {view.context.tokens.tolist()})" if len(view.context) else ""
    script = _CODE.format(
        step=view.step,
        tokens=view.probe.tokens.tolist(),
        of=of,
        state=state,
        t=view.t,
        counted="counted from 0"
        if base == 0
        else f"counted from 0; on the page, where the first is 1, t = {view.t + 1}",
        names=names,
        words="hidden state and cell state" if "cell" in names else "the hidden state",
        losses="the sum of all losses" if of == "sum" else f"the loss at t = {of}, counted from 0",
    )
    if not (fitted.changes or fitted.tokens):
        return script
    tokens = view.probe.tokens.tolist()
    for time, token in fitted.tokens:
        tokens[time] = token
    changes = f"{[*fitted.changes]}".replace("Change(", "engine.Change(")
    return script + _CHANGED.format(tokens=tokens, changes=changes, state=state)
