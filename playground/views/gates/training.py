"""The drill-down "Along training": the chosen unit on the same text at every step whose weights are kept."""

from __future__ import annotations

import torch

from playground.components.heatmap import Axis, Heatmaps, Panel, chosen, heatmaps
from playground.inside import select_in
from playground.inside.view import View
from playground.notation import first_index, term
from playground.views.gates import asked, quantities
from playground.views.gates.settings import settings
from playground.views.gates.text import tokens_axis

_KEY = "gates.training"


def panel(view: View) -> None:
    """A row for each training step, a column for each token."""
    quantity = quantities.chosen(view, settings.current().quantity)
    found = asked.result(
        view,
        "unit_along_training",
        **asked.read(view),
        quantity=quantity,
        layer=view.layer,
        unit=view.unit,
    )
    if found is None:
        return
    base, steps = first_index(view.notation), found["steps"]
    words = f"{quantities.in_words(view, quantity)} of unit {view.unit + base}"
    named = term(quantity, view.notation, cell=view.cell) if not quantity.endswith("_pre") else None
    data = Heatmaps(
        panels=[
            Panel(
                words,
                torch.tensor(found["values"]),
                quantities.is_gate(view.cell, quantity),
                named.symbol if named is not None and not named.complement else None,
            )
        ],
        columns=tokens_axis(view),
        rows=Axis(
            "training step",
            len(steps),
            "row",
            steps.index(view.step) if view.step in steps else None,
            form="step {}",
            texts=[f"{step:,}" for step in steps],
            numbered=False,
        ),
        about=f"The {words} along the input text, a row for each training step whose weights are kept.",
        file=f"along-training-{view.run.id}-unit-{view.unit + base}",
    )
    heatmaps(data, key=_KEY, on_choose=lambda: _chosen(view, data, steps))


def _chosen(view: View, data: Heatmaps, steps: list[int]) -> None:
    place = chosen(_KEY, data)
    if "row" in place:
        place["step"] = steps[place.pop("row")]
    select_in(view, **place)
