"""The panel in which one timestep's arithmetic is read: equations with live vectors, the weights, one unit's sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st
import torch

from engine.analysis.sums import Sum, Term
from playground import theme
from playground.components.assets import asset
from playground.notation import Formula
from playground.views.unrolled.arithmetic import Arithmetic
from playground.views.unrolled.packing import levels, packed, rounded
from playground.views.unrolled.step_values import Matrix, Vector

LARGEST_TERMS = 8
"""Products of one source that are shown at first, the largest of them."""

MOST_TERMS = 512
"""Products of one source that are sent; of more, what the smallest add up to."""

_PARTS = ("values", "equations", "chain", "sums", "export")
_SCRIPTS = ("drawing", "snapshot", "signs", *(f"arithmetic/{part}" for part in _PARTS), "arithmetic/panel")

_PANEL = st.components.v2.component(
    "unrolled_arithmetic",
    html=asset("arithmetic/panel.html"),
    css=asset("arithmetic/panel.css").replace("GATE", theme.GATE),
    js="".join(asset(f"{script}.js") for script in _SCRIPTS),
)


def arithmetic_panel(data: Arithmetic, *, key: str, on_choose: Callable[[], None]) -> None:
    """The panel.

    Args:
        data: what is computed at the chosen timestep
        key: of the widget
        on_choose: called when the visitor chooses a unit or a timestep; `told(key, data)` is which
    """
    _PANEL(data={**drawn(data), "heard": heard(key)}, key=key, on_chosen_change=on_choose)


def told(key: str, data: Arithmetic) -> dict[str, int]:
    """What the visitor last chose in the panel `key`, as `playground.state.select` takes it."""
    return changed(data, _word(key))


def changed(data: Arithmetic, chosen: object) -> dict[str, int]:
    """What of a word from the browser can be. It comes from outside: what does not exist is left out."""
    if not isinstance(chosen, Mapping):
        return {}
    counts = {"unit": data.units, "t": len(data.names), "layer": data.layers}
    return {name: chosen[name] for name, count in counts.items() if _place(chosen.get(name), count)}


def heard(key: str) -> int:
    """The count of the last word that came from the panel `key`; 0 for none."""
    word = _word(key)
    count = word.get("count") if isinstance(word, Mapping) else None
    return count if isinstance(count, int) and count > 0 else 0


def _word(key: str) -> object:
    return (st.session_state.get(key) or {}).get("chosen")


def _place(value: object, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


def drawn(data: Arithmetic) -> dict[str, Any]:
    """The arithmetic as the panel's script takes it. Texts are data; nothing of them becomes markup."""
    return {
        "run": data.run,
        "step": data.step,
        "cell": data.cell,
        "first": data.first,
        "t": data.t,
        "layer": data.layer,
        "unit": data.unit,
        "layers": data.layers,
        "units": data.units,
        "names": list(data.names),
        "reads": data.reads,
        "target": data.target,
        "weights": data.weights,
        "every_number": data.every_number,
        "equations": [_equation(equation) for equation in data.equations],
        "outputs": [_equation(equation) for equation in data.outputs],
        "vectors": {key: _vector(vector) for key, vector in data.vectors.items()},
        "matrices": {key: _matrix(matrix, data.every_number) for key, matrix in data.matrices.items()},
        "numbers": {key: _number(value) for key, value in data.numbers.items()},
        "tokens": {str(token): name for token, name in data.tokens.items()},
        "sums": {key: _sum(found) for key, found in data.sums.items()},
        "likeliest": [
            {"name": one.name, "share": _number(one.probability), "target": one.target} for one in data.likeliest
        ],
        "colors": theme.drawing_colors(data.cell),
    }


def _equation(equation: Formula) -> dict[str, Any]:
    return {
        "left": equation.left,
        "pre": equation.pre,
        "parts": [part.data() for part in equation.parts],
        "summed": [part.data() for part in equation.summed],
        "text": equation.text,
    }


def _vector(vector: Vector) -> dict[str, Any]:
    return {
        "values": packed(vector.values),
        "length": vector.length,
        "axis": vector.axis,
        "full": rounded(vector.full),
        "gate": vector.gate,
        "places": None if vector.places is None else list(vector.places),
    }


def _matrix(matrix: Matrix, exact: bool) -> dict[str, Any]:
    """`values` are all the numbers, where they are written out; else `levels` are colours."""
    return {
        "height": matrix.values.shape[0],
        "width": matrix.values.shape[1],
        "rows": matrix.rows,
        "columns": matrix.columns,
        "dot": list(matrix.dot),
        "full": rounded(matrix.full),
        "joined": matrix.joined,
        "row_axis": matrix.row_axis,
        "column_axis": matrix.column_axis,
        "values": packed(matrix.values) if exact else None,
        "levels": levels(matrix.values, matrix.full),
    }


def _sum(found: Sum) -> dict[str, Any]:
    sources = dict.fromkeys(term.source for term in found.terms)
    return {
        "block": found.block,
        "groups": {key: _terms([term for term in found.terms if term.source == key]) for key in sources},
        "bias": _number(found.bias),
        "before": found.before,
        "after": found.after,
        "scale": _number(found.scale),
        "product_bias": _number(found.product_bias),
        "total": _number(found.total),
        "recorded": _number(found.recorded),
    }


def _terms(terms: list[Term]) -> dict[str, Any]:
    """The products of one source, the largest first: (index, weight, value, product, gate) each."""
    ordered = sorted(terms, key=lambda term: -abs(term.product) if term.product == term.product else float("-inf"))
    nan = float("nan")
    numbers = [
        (term.place, term.weight, term.value, term.product, nan if term.gate is None else term.gate)
        for term in ordered[:MOST_TERMS]
    ]
    return {
        "count": len(terms),
        "terms": packed(torch.tensor(numbers)),
        "part": _number(_total(terms)),
        "shown": LARGEST_TERMS,
        "rest": _number(_total(ordered[LARGEST_TERMS:])),
        "rest_of_all": _number(_total(ordered[MOST_TERMS:])),
    }


def _total(terms: Iterable[Term]) -> float:
    return sum((term.product for term in terms), start=0.0)


def _number(value: float | None) -> float | str | None:
    """A number as JSON can carry it: NaN and infinity are words there."""
    if value is None or abs(value) < float("inf"):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
