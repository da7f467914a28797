"""One unit's arithmetic at one timestep, down to the numbers: its weighted sums, its gates, its new state.

Nothing is written out: which quantity stands where and with what value is said, so that a page can name the
quantities in the notation of any course.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from engine.analysis.activations import ACTIVATIONS, activation_of, output_activation
from engine.analysis.past import Past, direction_of, inputs_of, past_of
from engine.cells import Cell
from engine.cells.lstm import CoupledLSTM
from engine.models.language_model import LanguageModel
from engine.models.stack import RecurrentStack
from engine.trace import Direction, StackTrace

Source = Literal["input", "hidden", "peephole", "below"]


@dataclass(frozen=True, slots=True)
class Term:
    """One product of a weighted sum.

    Attributes:
        source: what the weight multiplies: a value of the layer's input, of its hidden state at t - 1, or through a
            peephole of its cell state, or of the one "below"
        index: which value of it, counted from 0
        weight, value, product: the numbers
        gate: where a gate acts on the hidden state before the product, the gate's value: `value` is already
            multiplied by it
    """

    source: Source
    index: int
    weight: float
    value: float
    product: float
    gate: float | None = None


@dataclass(frozen=True)
class Sum:
    """One unit's weighted sum, taken apart.

        total = part("input") + bias + scale x (part("hidden") + product_bias) + part("peephole")
                + part("below")

    Attributes:
        block, unit: whose sum
        terms: input first, then hidden, then peepholes; of a one-hot input only the one that is on
        bias: None where the model has none
        before: name of the gate that multiplies the hidden state before the product: each term has its value
        after: name of the gate that multiplies the recurrent part, the product's own bias included
        scale: that gate's value; 1.0 where there is none
        product_bias: what is added to the recurrent part before that gate multiplies it; None where nothing is
        peephole_past: whether the peephole sees the cell state at t - 1 rather than at t
        total: what all comes to
        recorded: the trace's value: another one where a value was put in its place
    """

    block: str
    unit: int
    terms: tuple[Term, ...]
    bias: float | None
    before: str | None
    after: str | None
    scale: float
    product_bias: float | None
    peephole_past: bool
    total: float
    recorded: float

    def part(self, source: Source) -> float:
        """What the terms from one source add up to."""
        return sum((term.product for term in self.terms if term.source == source), start=0.0)


def weighted_sum(
    model: LanguageModel | RecurrentStack,
    trace: StackTrace,
    layer: int,
    t: int,
    block: str,
    unit: int,
    *,
    reverse: bool = False,
) -> Sum:
    """What goes into one unit's activation function.

    Args:
        model: whose pass the trace is
        trace: of a probe through it
        layer, t, unit: counted from 0
        block: of the cell's `blocks`
        reverse: in the second direction of a bidirectional stack

    Raises:
        ValueError: a block or direction that is not there
    """
    stack = model.stack if isinstance(model, LanguageModel) else model
    cell, direction = stack.cells[layer], direction_of(trace, reverse=reverse)
    past = past_of(cell, block)
    parameters = {name: weight.detach() for name, weight in stack.layer_parameters(layer, reverse=reverse).items()}
    row = cell.rows(block).start + unit
    terms = (
        *_terms("input", parameters["weight_ih"][row], inputs_of(trace, layer)[t].double(), sparse=layer == 0),
        *_hidden_terms(past, parameters, row, direction, layer, t)[cell.heard_by(unit)],
        *_peephole_terms(past, parameters, direction, layer, t, unit),
    )
    bias = float(parameters["bias"][row]) if "bias" in parameters else None
    product_bias = float(parameters[past.product_bias][unit]) if past.product_bias and bias is not None else None
    scale = float(past.scale(direction, layer)[t, unit])
    plain = sum((term.product for term in terms if term.source != "hidden"), start=bias or 0.0)
    recurrent = sum((term.product for term in terms if term.source == "hidden"), start=product_bias or 0.0)
    return Sum(
        block=block,
        unit=unit,
        terms=terms,
        bias=bias,
        before=past.before,
        after=past.after,
        scale=scale,
        product_bias=product_bias,
        peephole_past=any(peephole.sees == "old" for peephole in past.peepholes),
        total=plain + scale * recurrent,
        recorded=float(direction[f"{block}_pre"][layer, t, unit]),
    )


def _terms(source: Source, weights: Tensor, values: Tensor, *, sparse: bool = False) -> list[Term]:
    """A term for each weight. `sparse`: of a one-hot vector only for the value that is on; of a zero one for none."""
    places = torch.arange(len(values))
    if sparse and values.count_nonzero() <= 1 and set(values.unique().tolist()) <= {0.0, 1.0}:
        places = values.nonzero().flatten()
    numbers = zip(places.tolist(), weights[places].tolist(), values[places].tolist(), strict=True)
    return [Term(source, place, weight, value, weight * value) for place, weight, value in numbers]


def _hidden_terms(
    past: Past, parameters: Mapping[str, Tensor], row: int, direction: Direction, layer: int, t: int
) -> list[Term]:
    if not past.recurrent:
        return []
    terms = _terms("hidden", parameters["weight_hh"][row], past.seen(direction, layer)[t])
    if past.before is None:
        return terms
    gates = direction[past.before][layer, t].tolist()
    return [replace(term, gate=gate) for term, gate in zip(terms, gates, strict=True)]


def _peephole_terms(
    past: Past, parameters: Mapping[str, Tensor], direction: Direction, layer: int, t: int, unit: int
) -> list[Term]:
    found = []
    for peephole in past.peepholes:
        weight, value = float(parameters[peephole.parameter][unit]), float(peephole.seen(direction, layer)[t, unit])
        source: Source = "below" if peephole.sees == "below" else "peephole"
        found.append(Term(source, unit, weight, value, weight * value))
    return found


@dataclass(frozen=True, slots=True)
class Factor:
    """One number of a product.

    Attributes:
        quantity: as the trace names it: a state, a gate or a weighted sum
        value: the number that stands in the product, after all that follows
        past: whether it is the quantity at t - 1 rather than at t
        function: the name of the activation function that it goes through here
        complement: whether it is 1 minus that
        below: whether it is the quantity in the layer below
    """

    quantity: str
    value: float
    past: bool = False
    function: str | None = None
    complement: bool = False
    below: bool = False


@dataclass(frozen=True)
class Equation:
    """One unit's value of a quantity, as a sum of products of others.

    Attributes:
        quantity: what is computed
        terms: the products that are added up
        value: what they give
        recorded: the trace's value: another one where a value was put in its place
    """

    quantity: str
    terms: tuple[tuple[Factor, ...], ...]
    value: float
    recorded: float


def gate_sums(cell: Cell, trace: StackTrace, layer: int, t: int, unit: int, *, reverse: bool = False) -> list[Equation]:
    """From one unit's weighted sums to its gates and candidate, in the order of the cell's blocks. A gate that a clock
    opens has no sum.

    Layer, t and unit count from 0. Raises ValueError for a direction that is not there.
    """
    at = _Place(direction_of(trace, reverse=reverse), layer, t, unit)
    found = []
    for block in cell.blocks:
        turned = block == "keep"  # z, which keeps the old state: the gate that is recorded is 1 - z
        factor = at.factor(f"{block}_pre", function=activation_of(cell, block), complement=turned)
        found.append(at.equation("update" if turned else block, (factor,)))
    if isinstance(cell, CoupledLSTM):
        found.append(at.equation("update", (at.factor("forget", complement=True),)))
    return found


def state_sum(cell: Cell, trace: StackTrace, layer: int, t: int, unit: int, *, reverse: bool = False) -> list[Equation]:
    """From one unit's gates to its new state: c_t = f c_{t-1} + i g, then h_t = o tanh(c_t); one equation a state.

    Layer, t and unit count from 0. Raises ValueError for a direction that is not there.
    """
    at = _Place(direction_of(trace, reverse=reverse), layer, t, unit)
    written = (at.factor("update"), at.factor("candidate")) if "update" in trace else (at.factor("candidate"),)
    if "cell" in cell.state_names:
        kept = (at.factor("forget"), at.factor("cell", past=True))
        function = output_activation(cell)
        shown = at.factor("cell", function=None if function == "identity" else function)
        taken_in = [(at.factor("depth"), at.factor("cell", below=True))] if cell.below else []
        remembered = at.equation("cell", kept, written, *taken_in)
        return [remembered, at.equation("hidden", (at.factor("output"), shown))]
    if "update" in trace:
        kept = (at.factor("update", complement=True), at.factor("hidden", past=True))
        return [at.equation("hidden", written, kept)]
    return [at.equation("hidden", written)]


@dataclass(frozen=True)
class _Place:
    """One unit at one timestep of a trace."""

    direction: Direction
    layer: int
    t: int
    unit: int

    def factor(
        self,
        quantity: str,
        *,
        past: bool = False,
        function: str | None = None,
        complement: bool = False,
        below: bool = False,
    ) -> Factor:
        values = self.direction.before(quantity) if past else self.direction[quantity]
        value = float(values[self.layer - below, self.t, self.unit])
        if function is not None:
            value = float(ACTIVATIONS[function].function(np.array(value)))
        return Factor(quantity, 1.0 - value if complement else value, past, function, complement, below)

    def equation(self, quantity: str, *terms: tuple[Factor, ...]) -> Equation:
        value = sum(math.prod(factor.value for factor in term) for term in terms)
        recorded = float(self.direction[quantity][self.layer, self.t, self.unit])
        return Equation(quantity, terms, value, recorded)
