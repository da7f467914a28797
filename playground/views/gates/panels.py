"""The heatmaps: units by timesteps for every gate, state, candidate and weighted sum of the chosen layer."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from engine.analysis.unit_order import ORDERS, unit_order
from engine.trace import Target, Trace
from playground import notation
from playground.access.cache import BoundedCache
from playground.components.heatmap import Axis, Heatmaps, Panel
from playground.inside.view import View
from playground.notation import first_index
from playground.text import number, visible
from playground.views.gates import quantities
from playground.views.gates.settings import SHOWN, settings
from playground.views.gates.text import tokens_axis

_ORDERS: BoundedCache = BoundedCache(64)
"""Orders of the units by similarity take longer than all else that is drawn."""


def panels(view: View) -> Heatmaps:
    """The heatmaps of a view, as the settings are."""
    wanted = settings.current()
    names = quantities.shown(view, wanted.sums)
    target = _target(view)
    values = _values(view, target)
    base = first_index(view.notation)
    return Heatmaps(
        panels=[_panel(view, name, values[name][view.layer], target) for name in names],
        columns=tokens_axis(view),
        rows=Axis(
            "unit",
            view.trace.units,
            "unit",
            view.unit,
            base,
            "unit {}",
            names={unit: found.name for (layer, unit), found in view.findings.items() if layer == view.layer},
            order=order(view),
        ),
        about=_about(view, len(names)),
        file=f"gates-{view.run.id}-{view.step}-layer-{view.layer + base}-{wanted.show}",
    )


def order(view: View) -> list[int]:
    """Which unit stands in each row: by the values of the quantity that colours the text, whatever is drawn."""
    by = next(order for order in ORDERS if order == settings.current().sort)
    quantity = quantities.chosen(view, settings.current().quantity)
    key = (view.loaded.key, view.probe.key, view.context.key, view.layer, quantity, by)
    found: list[int] = _ORDERS.get(key, lambda: unit_order(view.trace[quantity][view.layer], by).tolist())
    return found


def _target(view: View) -> Target | None:
    """Of which loss gradients are drawn; None where values are."""
    show = settings.current().show
    if show == "here":
        there = view.trace.nearest_loss(view.t)
        return "sum" if there is None else there
    return "sum" if show == "sum" else None


def _values(view: View, target: Target | None) -> Trace | Mapping[str, Tensor]:
    """(layer, time, unit) for each quantity: values, or gradients with respect to them."""
    if target is None:
        return view.trace
    grad = view.gradient(target).grad
    assert grad is not None
    return grad


def _panel(view: View, name: str, values: Tensor, target: Target | None) -> Panel:
    """One panel; `values` (time, unit)."""
    block = name.removesuffix("_pre")
    cell = view.cell
    term = (
        notation.term(name, view.notation, cell=cell)
        if block == name
        else notation.block_term(block, view.notation, cell)
    )
    words = quantities.in_words(view, name)
    if target is not None:
        words = f"∂L/∂ {words}"
    return Panel(
        name=words,
        values=values.T,
        gate=target is None and quantities.is_gate(cell, name),
        symbol=term.symbol if block == name and target is None and not term.complement else None,
    )


def _about(view: View, count: int) -> str:
    loss = "" if settings.current().show == "values" else f" The numbers are {SHOWN[settings.current().show]}."
    return (
        f"{count} heatmaps of layer {view.layer + first_index(view.notation)} of {visible(view.run.name)}: "
        f"{number(view.trace.units)} units by {number(view.trace.length)} timesteps.{loss}"
    )
