"""One timestep's arithmetic: the equations of the cell and the output layer, with the live values of every quantity.

Layers, timesteps and units count from 0. Quantities go by the keys of `playground.notation.Part`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.analysis.sums import weighted_sum
from engine.trace import UNKNOWN
from playground.components.arithmetic import Arithmetic, Likely, Matrix, Vector
from playground.notation import Formula, first_index, formulas, output_formulas
from playground.views.unrolled import step_values

if TYPE_CHECKING:
    from playground.inside.view import View

FEW_UNITS, FEW_TOKENS = 4, 8
"""Up to so many units and tokens, every number of the step is written out."""

LIKELIEST = 6
"""Next tokens that are listed with their probabilities."""


def arithmetic(view: View) -> Arithmetic:
    """The arithmetic of the timestep, layer and unit that a view has chosen."""
    equations, outputs = _equations(view)
    vectors, matrices = _vectors(view, [*equations, *outputs]), _matrices(view, [*equations, *outputs])
    target = int(view.trace.targets[view.t])
    return Arithmetic(
        run=view.run.name,
        step=view.step,
        cell=view.cell.name,
        notation=view.notation,
        first=first_index(view.notation),
        t=view.t,
        layer=view.layer,
        unit=view.unit,
        layers=view.trace.layers,
        units=view.trace.units,
        names=tuple(view.probe.names),
        reads=_reads(view),
        target=None if target == UNKNOWN else view.vocabulary.display(target),
        equations=equations,
        outputs=outputs,
        vectors=vectors,
        matrices=matrices,
        numbers=_numbers(view),
        tokens=_tokens(view, vectors.values()),
        sums={
            f"{block}_pre": weighted_sum(view.model, view.trace, view.layer, view.t, block, view.unit)
            for block in view.cell.blocks
        },
        likeliest=_likeliest(view),
        weights=_weights(view),
        every_number=_few(view),
    )


def _equations(view: View) -> tuple[list[Formula], list[Formula]]:
    """The cell's, and the output layer's. Layers are numbered where there are several."""
    several, top = view.trace.layers > 1, view.trace.layers - 1
    bias = view.model.config.bias
    of_cell = formulas(view.cell, view.notation, bias=bias, t=view.t, layer=view.layer if several else None)
    of_output = output_formulas(
        view.notation,
        bias=bias,
        t=view.t,
        layer=top if several else None,
        cell=view.cell,
        key="hidden" if view.layer == top else "hidden_top",
    )
    return of_cell, of_output


def _keys(equations: Iterable[Formula]) -> list[str]:
    """Keys of all quantities in the equations, of what they give and of their weighted sums, in order, each once."""
    found = [part.key for equation in equations for part in (*equation.parts, *equation.summed) if part.key]
    given = [key for equation in equations for key in (equation.left, equation.pre) if key]
    return list(dict.fromkeys([*found, *given]))


def _vectors(view: View, equations: Iterable[Formula]) -> dict[str, Vector]:
    keys = _keys(equations)
    return {key: step_values.vector(view, key) for key in keys if not _is_number(key) and not _is_matrix(key)}


def _matrices(view: View, equations: Iterable[Formula]) -> dict[str, Matrix]:
    few = _few(view)
    return {key: replace(step_values.matrix(view, key), exact=few) for key in _keys(equations) if _is_matrix(key)}


def _is_matrix(key: str) -> bool:
    return key.startswith("weight")


def _is_number(key: str) -> bool:
    return key in ("loss", "target_probability", "clock")


def _numbers(view: View) -> dict[str, float]:
    """The loss in nats and the probability of the token that follows, where it is known; and what a clock says."""
    loss, clock = float(view.trace.losses[view.t]), view.trace.clock
    found = {} if clock is None else {"clock": float(clock[view.t])}
    if view.trace.targets[view.t] != UNKNOWN:
        found |= {"target_probability": math.exp(-loss), "loss": loss}
    return found


def _reads(view: View) -> str:
    if view.layer:
        return "state"
    if view.trace.tokens[view.t] == UNKNOWN:
        return "unknown"
    return "one-hot" if step_values.reads_tokens(view) else "embedding"


def _tokens(view: View, vectors: Iterable[Vector]) -> dict[int, str]:
    """Names of all tokens that a vector shows."""
    shown: set[int] = set()
    for vector in vectors:
        if vector.axis == "token":
            shown.update(vector.places or range(vector.length))
    return {token: view.vocabulary.display(token) for token in sorted(shown)}


def _likeliest(view: View) -> list[Likely]:
    """The likeliest next tokens; where the target is not among them, it stands last."""
    tokens, _ = view.trace.top(LIKELIEST)  # (time, rank)
    chances = view.trace.log_probabilities[view.t].exp()
    target = int(view.trace.targets[view.t])
    chosen = tokens[view.t].tolist()
    if target != UNKNOWN and target not in chosen:
        chosen.append(target)
    return [Likely(token, view.vocabulary.display(token), float(chances[token]), token == target) for token in chosen]


def _weights(view: View) -> int:
    """Numbers that are the same at every timestep: the layer's, and the output layer's."""
    model = view.model
    inputs = model.stack.layer_parameters(view.layer)["weight_ih"].shape[1]
    head = model.head_weight.numel() + (0 if model.head_bias is None else model.head_bias.numel())
    return view.cell.parameter_count(inputs, model.config.bias) + head


def _few(view: View) -> bool:
    inputs = view.trace.units if view.layer else view.trace.inputs.shape[1]
    return view.trace.units <= FEW_UNITS and max(view.model.vocabulary_size, inputs) <= FEW_TOKENS
