"""One unit's weighted sums at one timestep, down to the numbers.

Nothing is written out: which quantity stands where and with what value is said, so that a page can name the
quantities in the notation of any course.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from engine.analysis.past import Past, direction_of, inputs_of, past_of
from engine.cells.equations import HIDDEN, INPUT
from engine.models.language_model import LanguageModel
from engine.models.stack import RecurrentStack
from engine.trace import Direction, StackTrace

_PAST = HIDDEN.before.key


class Term(NamedTuple):
    """One product of a weighted sum.

    Attributes:
        source: what the weight multiplies, by the key that it has in the cell's equations: a value of the layer's
            "input", of its "hidden_before", or of a state that a diagonal weight sees, "cell_before" or "cell_below"
        place: which value of it, counted from 0
        weight, value, product: the numbers
        gate: where a gate acts on the hidden state before the product, the gate's value: `value` is already
            multiplied by it
    """

    source: str
    place: int
    weight: float
    value: float
    product: float
    gate: float | None = None


@dataclass(frozen=True)
class Sum:
    """One unit's weighted sum, taken apart.

        total = scale x (part("hidden_before") + product_bias) + bias + the parts from all other sources

    Attributes:
        block, unit: whose sum
        terms: hidden state first, then input, then diagonal weights; of a one-hot input only the one that is on
        bias: None where the model has none
        before: name of the gate that multiplies the hidden state before the product: each term has its value
        after: name of the gate that multiplies the recurrent part, the product's own bias included
        scale: that gate's value; 1.0 where there is none
        product_bias: what is added to the recurrent part before that gate multiplies it; None where nothing is
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
    total: float
    recorded: float

    def part(self, source: str) -> float:
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
    read = _terms(INPUT.key, parameters["weight_ih"][row], inputs_of(trace, layer)[t].double(), sparse=layer == 0)
    recurrent_terms = _hidden_terms(past, parameters, row, direction, layer, t)[cell.units_read_by(unit)]
    others = [*read, *_peephole_terms(past, parameters, direction, layer, t, unit)]
    bias = float(parameters["bias"][row]) if "bias" in parameters else None
    product_bias = float(parameters[past.product_bias][unit]) if past.product_bias and bias is not None else None
    scale = float(past.scale(direction, layer)[t, unit])
    plain = sum([term.product for term in others], start=bias or 0.0)
    recurrent = sum([term.product for term in recurrent_terms], start=product_bias or 0.0)
    return Sum(
        block=block,
        unit=unit,
        terms=(*recurrent_terms, *others),
        bias=bias,
        before=past.before,
        after=past.after,
        scale=scale,
        product_bias=product_bias,
        total=plain + scale * recurrent,
        recorded=float(direction[f"{block}_pre"][layer, t, unit]),
    )


def _terms(source: str, weights: Tensor, values: Tensor, *, sparse: bool = False) -> list[Term]:
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
    terms = _terms(_PAST, parameters["weight_hh"][row], past.seen(direction, layer)[t])
    if past.before is None:
        return terms
    gates = direction[past.before][layer, t].tolist()
    return [term._replace(gate=gate) for term, gate in zip(terms, gates, strict=True)]


def _peephole_terms(
    past: Past, parameters: Mapping[str, Tensor], direction: Direction, layer: int, t: int, unit: int
) -> list[Term]:
    found = []
    for peephole in past.peepholes:
        weight, value = float(parameters[peephole.parameter][unit]), float(peephole.seen(direction, layer)[t, unit])
        found.append(Term(peephole.sees.key, unit, weight, value, weight * value))
    return found
