"""A step of a cell, computed from its drawing: what is drawn is what is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine.cells import Cell
from playground.diagrams.diagram import Diagram, Node

Vector = np.ndarray
"""(units), or as long as the input; float64."""


def evaluate(
    diagram: Diagram,
    cell: Cell,
    known: Mapping[str, Vector],
    parameters: Mapping[str, np.ndarray],
) -> dict[str, Vector]:
    """The value of every node, in float64.

    Args:
        diagram: the drawing of this cell
        cell: says which rows of the weights belong to which block
        known: by name the values that come from outside: "input" (inputs), for each state "hidden_before" or
            "cell_before" (units), where the cell keeps time "clock" (1), and where it asks for the layer below
            "cell_below" (units); and any other that is to be taken as it is instead of being computed
        parameters: of the layer, by the names that the cell gives them

    Raises:
        KeyError: a value that comes from outside is not given
    """
    values: dict[str, Vector] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for node in diagram.nodes:
            if node.operation == "in" or node.name in known:
                values[node.name] = np.asarray(known[node.name], dtype=np.float64)
            else:
                read = [values[wire.source] for wire in node.inputs]
                values[node.name] = _computed(node, read, cell, parameters)
    return values


def _computed(node: Node, read: Sequence[Vector], cell: Cell, parameters: Mapping[str, np.ndarray]) -> Vector:
    if node.operation == "product":
        return _product(node, read[0], cell, parameters)
    if node.operation == "diagonal":
        return parameters[node.weights[0]] * read[0]
    if node.operation == "turn":
        return np.equal(read[0] % cell.periods.numpy(), 0).astype(np.float64)
    return _FUNCTIONS[node.operation](*read)


def _product(node: Node, vector: Vector, cell: Cell, parameters: Mapping[str, np.ndarray]) -> Vector:
    rows = cell.rows(node.block)
    weight = np.concatenate(
        [parameters[name][rows].astype(np.float64) for name in node.weights], axis=1
    )  # (units, joined inputs)
    product = weight @ vector
    if node.bias not in parameters:
        return product
    bias = parameters[node.bias]
    return product + (bias[rows] if len(bias) > cell.units else bias)


def _sigmoid(z: Vector) -> Vector:
    return 1.0 / (1.0 + np.exp(-z))


_FUNCTIONS: Mapping[str, Callable[..., Vector]] = {
    "out": lambda value: value,
    "join": lambda *vectors: np.concatenate(vectors),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "times": lambda left, right: left * right,
    "plus": lambda left, right: left + right,
    "one_minus": lambda value: 1.0 - value,
}
