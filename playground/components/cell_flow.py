"""The panel in which one step of a cell is followed: its drawing with live values on the wires, and its equations.

Layers, timesteps and units count from 0.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.cells import Cell
from engine.cells.equations import BEFORE
from playground import theme
from playground.components import choice
from playground.components.component import Component
from playground.components.packing import plain, plain_fields
from playground.diagrams import Diagram, Matched
from playground.diagrams.geometry import BARE_TAG, NAMED_TAG, crossings, forks, routes, size
from playground.diagrams.meanings import action, meaning
from playground.notation import Formula, Part


@dataclass(frozen=True, eq=False)
class Drawn:
    """A cell's drawing with its equations in a notation: what stays as long as cell, notation and layer do.

    Attributes:
        cell: with its options as they are set
        diagram: the drawing
        matched: where its values stand in the cell's equations
        equations: written, in the order in which they are computed
        names: how each node's value is written
    """

    cell: Cell
    diagram: Diagram
    matched: Matched
    equations: tuple[Formula, ...]
    names: Mapping[str, tuple[Part, ...]]


@dataclass(frozen=True, eq=False)
class Stream:
    """The vector that went along a wire.

    Attributes:
        values: those that are shown, (places), float32
        first: the place of the first of them in the whole
        length: of the whole
        norm, mean: of the whole
        nan: how many of all are no numbers
        full: the size at which the colour is at its fullest
        gate: whether all values are between 0 and 1, on a scale of their own
        by_unit: whether a place is a unit of the layer; else it is one of the values that are read
    """

    values: np.ndarray
    first: int
    length: int
    norm: float
    mean: float
    nan: int
    full: float
    gate: bool
    by_unit: bool


@dataclass(frozen=True, eq=False)
class Flow:
    """One step of the cell that a view looks at.

    Attributes:
        drawn: the drawing
        streams: by node
        reads: the token that is read, made visible; empty above the bottom layer
        first: what the notation calls place 0 in time, depth and units
    """

    drawn: Drawn
    streams: Mapping[str, Stream]
    run: str
    step: int
    notation: str
    t: int
    layer: int
    layers: int
    unit: int
    units: int
    reads: str
    first: int


_PANEL = Component("cell_flow/panel", style=("shared/signs", "cell_flow/panel"))


def cell_flow_panel(flow: Flow, *, key: str, on_choose: Callable[[], None]) -> None:
    """The panel.

    Args:
        flow: the step that is shown
        key: of the widget
        on_choose: called when the visitor chooses a unit; `chosen(key, flow)` is which
    """
    _PANEL(plain(flow), key=key, on_choose=on_choose)


def chosen(key: str, flow: Flow) -> dict[str, int]:
    """What the visitor last chose in the panel `key`, as `playground.state.select` takes it."""
    return choice.chosen(key, fits(flow))


def fits(flow: Flow) -> choice.Fits:
    """What can be chosen in the panel."""
    return {"unit": choice.place(flow.units)}


@plain.register
def _(flow: Flow) -> dict[str, Any]:
    cell = flow.drawn.cell.name
    return {**plain_fields(flow, "drawn"), "layout": layout(flow.drawn, flow.layer), "family": theme.family(cell)}


@functools.lru_cache(maxsize=256)
def layout(shown: Drawn, layer: int) -> dict[str, Any]:
    """The drawing and its equations: what is built anew only where cell, notation or layer change."""
    plan = shown.diagram
    return {
        "title": shown.cell.title,
        "size": plain(plan.size),
        "frame": plain(plan.frame),
        "nodes": [_node(shown, node.name, layer) for node in plan.nodes],
        "wires": plain(list(routes(plan))),
        "crossings": plain([(over, point) for _, over, point in crossings(plan)]),
        "forks": plain([(node.name, point) for node in plan.nodes for point in forks(plan, node.name)]),
        "tags": _tags(plan),
        "equations": _equations(shown),
    }


def _node(shown: Drawn, name: str, layer: int) -> dict[str, Any]:
    plan = shown.diagram
    node = plan[name]
    return {
        "name": name,
        "value": _value(plan, name),
        "operation": node.operation,
        "at": list(node.at),
        "size": list(size(node)),
        "labels": _labels(shown, name),
        "reads": [wire.source for wire in node.inputs],
        "written": plain(shown.names[name]),
        "meaning": meaning(shown.cell, node, layer),
        "does": action(plan, node),
        "caption": _captions(name),
    }


def _captions(name: str) -> list[str]:
    """What stands under a place where a wire comes in or goes out, line by line."""
    if name.endswith(BEFORE):
        return ["previous step"]
    return {"hidden_out": ["next step,", "and above"], "cell_out": ["next step"]}.get(name, [])


def _value(plan: Diagram, name: str) -> str:
    """The node whose value this is: what leaves the cell is a value from inside."""
    node = plan[name]
    return node.inputs[0].source if node.operation == "out" else name


def _labels(shown: Drawn, name: str) -> list[list[Any]]:
    """What stands on a product's shape: its weights, and its bias. Each a row of symbols."""
    parts = [part for equation in shown.equations for part in equation.parts]
    own = [part for part in parts if shown.matched.within(part.within)[-1:] == [name]]
    weights = [part for part in own if part.key.startswith(("weight", "peephole"))]
    biases = [part for part in own if part.key.startswith("bias")]
    return [[plain(part.symbol) for part in row] for row in (weights, biases) if row]


def _tags(plan: Diagram) -> list[dict[str, Any]]:
    return [
        {
            "of": _value(plan, tag.of),
            "at": list(tag.at),
            "size": list(NAMED_TAG if tag.named else BARE_TAG),
            "named": tag.named,
        }
        for tag in plan.tags
    ]


def _equations(shown: Drawn) -> list[dict[str, Any]]:
    """Each equation in pieces; each piece with the nodes it belongs to, the whole first, and the one it stands for."""
    found: list[dict[str, Any]] = []
    for equation in shown.equations:
        parts = []
        for part in equation.parts:
            within = shown.matched.within(part.within)
            parts.append({**plain(part), "within": within, "own": within[-1] if within else ""})
        found.append({"left": equation.left, "text": equation.text, "parts": parts})
    return found
