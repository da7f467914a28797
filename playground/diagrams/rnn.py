"""The simple recurrent network: one sum, one activation function."""

from __future__ import annotations

from collections.abc import Mapping

from engine.cells import Cell
from playground.diagrams.diagram import Diagram, Operation
from playground.diagrams.sketch import MARGIN, Rows, Sketch

_ACTIVATIONS: Mapping[str, Operation] = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid"}


def rnn(cell: Cell) -> Diagram:
    """h_t = g(W_h h_{t-1} + W_x x_t + b). Where g is the identity, the sum itself goes out."""
    activation = _ACTIVATIONS.get(str(cell.chosen["activation"]))
    recurrent, adds, squash = 196.0, 332.0, 464.0
    rows = Rows(highway=100.0, weights=198.0, source=300.0)
    y, total = rows.highway, "candidate_pre" if activation else "hidden"
    width = (squash if activation else adds) + 76 + MARGIN
    sketch = Sketch(rows)
    sketch.enter("hidden_before", y)
    sketch.enter_below(adds)
    sketch.weights("recurrent", "candidate", (recurrent, y), "hidden_before", "weight_hh", bias="")
    sketch.weights("projected", "candidate", (adds, rows.weights), "input", "weight_ih")
    sketch.put(total, "plus", (adds, y), "recurrent", "projected")
    sketch.above("recurrent", (recurrent + adds + 20) / 2, y)
    sketch.beside("projected", adds, (y + rows.weights - 6) / 2)
    if activation:
        sketch.put("hidden", activation, (squash, y), total)
        sketch.above(total, (adds + squash) / 2 - 4, y)
    sketch.leave("hidden", width, y)
    return sketch.done(width, rows.weights + 44, top=26.0)
