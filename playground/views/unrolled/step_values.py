"""The values of an equation's quantities at one timestep, small enough to be drawn, by the keys of their `Part`s.

Layers, timesteps and units count from 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.analysis.past import over_time
from engine.cells.equations import Complement, Parameter, Quantity
from playground.components.arithmetic import Axis, Matrix, Vector
from playground.components.packing import full_scale

if TYPE_CHECKING:
    from playground.inside.view import View

MOST_DOTS = 64
"""Dots on a side of a weight matrix's picture; where there are more weights, a dot is the mean of several."""

MOST_VALUES = 512
"""Values of a vector over the vocabulary that are all shown; of a longer one the largest `LARGEST` are."""

LARGEST = 64


def reads_tokens(view: View) -> bool:
    """Whether the layer's input is a one-hot vector over the vocabulary."""
    return view.layer == 0 and view.model.embedding is None


def vector(view: View, key: str) -> Vector:
    """The vector that a key stands for, with its scale.

    Raises:
        KeyError: a key of no vector of this cell
    """
    if key in ("logits", "probabilities", "bias_out"):
        return _over_tokens(view, key)
    if key == "input":
        return _input(view)
    if key == "hidden_top":
        top = view.trace["hidden"][-1]  # (time, units)
        return Vector(top[view.t], top.shape[1], "unit", largest(top))
    if key == "clock":
        assert view.trace.clock is not None
        return Vector(view.trace.clock[view.t : view.t + 1], 1, "unit", largest(view.trace.clock))
    value = view.cell.values[key]
    if isinstance(value, Parameter) or key == "periods":
        fixed = parameter(view, key) if isinstance(value, Parameter) else view.cell.periods
        return Vector(fixed, len(fixed), "unit", largest(fixed))
    values = recorded(view, key)
    return Vector(values[view.t], values.shape[1], "unit", *_scale(view, key, values))


def matrix(view: View, key: str) -> Matrix:
    """The weight matrix that a key stands for, as a picture of at most `MOST_DOTS` dots a side.

    Raises:
        KeyError: a key of no weight matrix
    """
    name, _, block = key.partition(":")
    if name == "weight_out":
        return _picture([view.model.head_weight], "token", "unit")
    rows = view.cell.rows(block)
    weights = view.model.stack.layer_parameters(view.layer)
    inputs: Axis = "token" if reads_tokens(view) else "input"
    if name == "weight":  # as it acts on [h; x]
        return _picture([weights["weight_hh"][rows], weights["weight_ih"][rows]], "unit", inputs)
    return _picture([weights[name][rows]], "unit", "unit" if name == "weight_hh" else inputs)


def parameter(view: View, key: str) -> Tensor:
    """A bias or a peephole of the layer, (units)."""
    name, _, block = key.partition(":")
    values = view.model.stack.layer_parameters(view.layer)[name]
    return values[view.cell.rows(block)] if block else values


def top_state(view: View) -> Tensor:
    """What the output layer reads at the timestep, (units)."""
    return view.trace["hidden"][-1, view.t]


def logits(view: View) -> Tensor:
    """Scores of all tokens at the timestep, (vocabulary)."""
    return F.linear(top_state(view), view.model.head_weight, view.model.head_bias)


def largest(values: Tensor) -> float:
    """The largest size of a finite value, 1 where there is none but zero."""
    sizes = values[values.isfinite()].abs()
    return float(sizes.max()) or 1.0 if sizes.numel() else 1.0


def is_recorded(view: View, key: str) -> bool:
    """Whether a key is that of a quantity that stands in the trace, or of one minus such a one."""
    value = view.cell.values.get(key)
    return key in view.trace or isinstance(value.of if isinstance(value, Complement) else value, Quantity)


def recorded(view: View, key: str) -> Tensor:
    """A state, gate or weighted sum of the layer at every timestep, (time, units)."""
    value = view.cell.values[key]
    if isinstance(value, Complement) and isinstance(value.of, Quantity):
        return 1 - over_time(value.of, view.trace, view.layer)
    return over_time(value if isinstance(value, Quantity) else Quantity(key), view.trace, view.layer)


def _scale(view: View, key: str, values: Tensor) -> tuple[float, bool]:
    """Where the colour is at its fullest, and whether it is a gate's. A state has one scale before and after."""
    value = view.cell.values[key]
    gate = value.of if isinstance(value, Complement) else value
    ranges = {each.name: (each.low, each.high) for each in view.cell.gates}
    if isinstance(gate, Quantity) and ranges.get(gate.name) == (0, 1):
        return 1.0, True
    if isinstance(value, Quantity) and value.name in view.trace.initial and value.at != "below":
        values = view.trace[value.name][view.layer]
        values = torch.cat((values, view.trace.initial[value.name][view.layer].unsqueeze(0)))
    return full_scale(values), False


def _input(view: View) -> Vector:
    if view.layer:
        below = view.trace["hidden"][view.layer - 1]  # (time, units)
        return Vector(below[view.t], below.shape[1], "input", largest(below))
    inputs = view.trace.inputs  # (time, width)
    if not reads_tokens(view):
        return Vector(inputs[view.t], inputs.shape[1], "input", largest(inputs))
    values, places = _shown(inputs[view.t])
    return Vector(values, inputs.shape[1], "token", 1.0, places=places)


def _over_tokens(view: View, key: str) -> Vector:
    """A vector over the vocabulary. Of a large one the likeliest tokens are shown, the same in all three."""
    scores = logits(view)
    if key == "logits":
        values = scores
    elif key == "probabilities":
        values = view.trace.log_probabilities[view.t].exp()
    elif view.model.head_bias is not None:
        values = view.model.head_bias
    else:
        raise KeyError(key)
    _, places = _shown(scores, by_size=False)
    shown = values if places is None else values[list(places)]
    return Vector(shown, len(values), "token", largest(values), key == "probabilities", places)


def _shown(values: Tensor, by_size: bool = True) -> tuple[Tensor, tuple[int, ...] | None]:
    """All values, or of a long vector the largest, in the vector's order."""
    if len(values) <= MOST_VALUES:
        return values, None
    chosen = (values.abs() if by_size else values).topk(LARGEST).indices.sort().values
    return values[chosen], tuple(chosen.tolist())


def _picture(parts: list[Tensor], row_axis: Axis, column_axis: Axis) -> Matrix:
    """One matrix, or two side by side, as dots that are means of equally many weights (fewer at the far edges)."""
    rows = parts[0].shape[0]
    dot = (-(-rows // MOST_DOTS), -(-max(part.shape[1] for part in parts) // MOST_DOTS))
    shown = [_averaged(part.float(), dot) for part in parts]
    values = torch.cat(shown, dim=1)
    columns = sum(part.shape[1] for part in parts)
    joined = shown[0].shape[1] if len(parts) > 1 else None
    return Matrix(values, rows, columns, dot, full_scale(values), joined, row_axis, column_axis)


def _averaged(weights: Tensor, dot: tuple[int, int]) -> Tensor:
    if dot == (1, 1):
        return weights
    return F.avg_pool2d(weights[None, None], dot, ceil_mode=True, count_include_pad=False)[0, 0]
