"""The flow of one step inside the cell: its drawing, with the vectors that really went along each wire.

Layers, timesteps and units count from 0.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.cells import CELLS
from engine.trace import Trace
from playground.components.cell_flow import Drawn, Flow, Stream
from playground.diagrams import Diagram, Node, diagram, evaluate, match
from playground.notation import first_index, formulas, written
from playground.views.unrolled import step_values

if TYPE_CHECKING:
    from playground.inside.view import View

MOST_VALUES = 512
"""Values of a vector that are shown; of a longer one, those around the chosen unit."""


def cell_flow(view: View, trace: Trace | None = None) -> Flow:
    """The step at the timestep, layer and unit that a view has chosen.

    Args:
        view: the run, the probe and the place
        trace: another pass of the same model over as many timesteps, such as one with values put in place; by default
            the view's own
    """
    if trace is not None:
        view = replace(view, trace=trace)
    config = view.model.config
    several = view.trace.layers > 1
    drawn = drawing(
        view.cell.name,
        tuple(sorted(view.cell.chosen.items())),
        view.notation,
        bias=config.bias,
        layer=view.layer if several else None,
    )
    return Flow(
        drawn=drawn,
        streams=_streams(view, drawn),
        run=view.run.name,
        step=view.step,
        notation=view.notation,
        t=view.t,
        layer=view.layer,
        layers=view.trace.layers,
        unit=view.unit,
        units=view.trace.units,
        reads="" if view.layer else view.probe.names[view.t],
        first=first_index(view.notation),
    )


@functools.lru_cache(maxsize=256)
def drawing(
    name: str, options: tuple[tuple[str, bool | str], ...], notation: str, *, bias: bool, layer: int | None
) -> Drawn:
    """A cell's drawing, spelled in a notation.

    Args:
        name: of the cell
        options: its switches and how they are set
        notation: a key of `playground.notation.NOTATIONS`
        bias: whether the model has biases
        layer: counted from 0; None leaves it out of the names
    """
    cell = CELLS[name](1, dict(options))
    drawn = diagram(cell)
    matched = match(drawn, cell)
    equations = formulas(cell, notation, bias=bias, layer=layer)
    names = {node: written(of, cell, notation, bias=bias, layer=layer) for node, of in matched.values.items()}
    return Drawn(cell, drawn, matched, tuple(equations), names)


def _streams(view: View, drawn: Drawn) -> dict[str, Stream]:
    parameters = view.model.stack.layer_parameters(view.layer)
    plain = {name: parameter.detach().cpu().numpy() for name, parameter in parameters.items()}
    # What was recorded is what is shown, also where a value was put in place of the computed one.
    values = evaluate(drawn.diagram, view.cell, _recorded(view, drawn), plain)
    scales = _Scales(view, drawn.diagram)
    return {name: _stream(view, drawn.diagram[name], value, *scales[name]) for name, value in values.items()}


def _recorded(view: View, drawn: Drawn) -> dict[str, np.ndarray]:
    """What the trace holds of this step, by the names of the drawing's nodes."""
    trace, layer, t = view.trace, view.layer, view.t
    found = {name: trace[name][layer, t] for name in trace}
    for node in drawn.diagram.nodes:
        if node.name not in ("input", "clock", *found) and step_values.is_recorded(view, node.name):
            found[node.name] = step_values.recorded(view, node.name)[t]
    found["input"] = trace["hidden"][layer - 1, t] if layer else trace.inputs[t]
    if trace.clock is not None:
        found["clock"] = trace.clock[t : t + 1]
    return {name: value.double().numpy() for name, value in found.items()}


class _Scales:
    """Where the colours of each value are at their fullest: the same at every timestep, and for what is added up."""

    def __init__(self, view: View, diagram: Diagram) -> None:
        self._view = view
        self._diagram = diagram
        self._found: dict[str, tuple[float, bool]] = {}

    def __getitem__(self, name: str) -> tuple[float, bool]:
        """The size at which the colour is at its fullest, and whether the value is a gate's."""
        if name not in self._found:
            self._found[name] = self._of(name)
        return self._found[name]

    def _of(self, name: str) -> tuple[float, bool]:
        node = self._diagram[name]
        if step_values.is_recorded(self._view, name):
            vector = step_values.vector(self._view, name)
            return vector.full, vector.gate
        if node.operation == "join":
            return max(self[wire.source][0] for wire in node.inputs), False
        if node.operation == "tanh":
            return 1.0, False
        if node.operation == "out":
            return self[node.inputs[0].source]
        reader = self._diagram.readers(name)[0]
        if reader.operation == "join":  # what a gate lets through of a state, on its way to the weights
            return next(self[wire.source] for wire in node.inputs if not self[wire.source][1])
        return self[reader.name]


def _stream(view: View, node: Node, values: np.ndarray, full: float, gate: bool) -> Stream:
    by_unit = node.operation != "join" and node.name not in ("input", "clock")
    first = view.unit // MOST_VALUES * MOST_VALUES if by_unit else _first_on(values)
    with np.errstate(over="ignore", invalid="ignore"):
        norm, mean = float(np.linalg.norm(values)), float(values.mean())
    shown = values[first : first + MOST_VALUES].astype(np.float32)
    return Stream(shown, first, len(values), norm, mean, int(np.isnan(values).sum()), full, gate, by_unit)


def _first_on(values: np.ndarray) -> int:
    """Where to begin in a long vector that is read: at the stretch in which the largest value lies."""
    sizes = np.nan_to_num(np.abs(values))
    return int(sizes.argmax()) // MOST_VALUES * MOST_VALUES if len(values) > MOST_VALUES else 0
