"""The drill-down "Weight gradient": what each timestep adds to the gradient of a weight that all of them use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from engine.analysis import gradient_contributions
from engine.trace import Target
from playground import notation
from playground.charts.next_token import percent
from playground.charts.weight_gradient import contributions_frame, contributions_spec
from playground.frame.charts import draw_chart
from playground.inside.view import View
from playground.notation import first_index
from playground.parts.downloads import ChartFile
from playground.state import link
from playground.text import escape_markdown, number
from playground.views.unrolled import blocks, losses
from playground.views.unrolled.settings import MEASURES, WEIGHTS, settings

_ALL = ""
"""Stands for all blocks of rows together."""

_LAST = 5
"""The sentence tells how much of a gradient so many last timesteps make."""


def panel(view: View) -> None:
    """The choice of a loss and a weight, how its gradient comes about in a sentence, and a bar for each timestep."""
    of = settings.current().of
    _choose(view, of)
    st.latex(equation(view, of))
    values = contributions_of(view, of)
    st.markdown(f"**{escape_markdown(sentence(view, of, values))}**")
    draw_chart(frame(view, values), contributions_spec(measure()), key="unrolled.shares")


def charts(view: View) -> list[ChartFile]:
    """The chart, to download."""
    of = settings.current().of
    return [
        ChartFile(
            "Weight gradient",
            "weight-gradient",
            contributions_spec(measure()),
            lambda: frame(view, contributions_of(view, of)),
        )
    ]


def measure() -> str:
    """What is drawn of each share: a key of `weight_gradient.TITLES`."""
    chosen = settings.current()
    return "element" if chosen.element is not None else chosen.measure


def contributions_of(view: View, of: Target) -> np.ndarray:
    """What each timestep adds, (time), in the measure that is chosen."""
    chosen = settings.current()
    trace = view.gradient(of)
    if chosen.element is not None:
        row, column = element(view)
        return np.asarray(
            gradient_contributions.element_contributions(view.cell, trace, view.layer, chosen.weight, row, column)
        )
    found = gradient_contributions.contributions(view.cell, trace, view.layer, chosen.weight, _block(view))
    return np.asarray(found.along if chosen.measure == "along" else found.norms)


def frame(view: View, values: np.ndarray) -> pd.DataFrame:
    """The rows of the chart."""
    return contributions_frame(
        values=values, names=view.probe.names, first=first_index(view.notation), chosen=view.t, measure=measure()
    )


# ---------------------------------------------------------------------- which weight


def _block(view: View) -> str | None:
    """The block of rows that is looked at; None for all."""
    return blocks.chosen(view) if settings.current().block else None


def _rows(view: View) -> tuple[str, ...]:
    """The blocks that have rows in the chosen weight."""
    return view.cell.recurrent_blocks if settings.current().weight == "weight_hh" else view.cell.blocks


def columns(view: View) -> int:
    """How many values a row of the chosen weight has."""
    weight = settings.current().weight
    if weight == "bias":
        return 1
    return view.trace.units if weight == "weight_hh" or view.layer else view.trace.inputs.shape[1]


def fit(view: View) -> None:
    """Say so where the settings name a weight that the model does not have."""
    if settings.current().weight == "bias" and not view.model.config.bias:
        settings.correct("This model has no biases: the recurrent weights are shown.", weight="weight_hh", element=None)
    wanted = settings.current()
    if wanted.look == "shares" and wanted.block and wanted.block not in _rows(view):
        named = blocks.named(view, wanted.block)
        settings.correct(
            f"{named} has no recurrent weights: those of all other blocks are shown.", block="", element=None
        )
    if settings.current().element is None:
        return
    row, column = settings.current().element or (0, 0)
    unit, place = min(row, view.trace.units - 1), min(column, columns(view) - 1)
    if (unit, place) != (row, column):
        base = first_index(view.notation)
        asked = f"{row + base}, {column + base}{link.zero_based_note('element', f'{row}:{column}', base)}"
        settings.correct(
            f"There is no weight {asked} here: the nearest is {unit + base}, {place + base}.", element=(unit, place)
        )


def element(view: View) -> tuple[int, int]:
    """Row, in the whole parameter, and column of the one weight that is looked at."""
    row, column = settings.current().element or (0, 0)
    return view.cell.rows(blocks.chosen(view)).start + row, column


def _choose(view: View, of: Target) -> None:
    has_bias = view.model.config.bias
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        losses.choose(view, of)
        _control(
            "Weight",
            "weight",
            [name for name in WEIGHTS if name != "bias" or has_bias],
            lambda name: "$b$" if name == "bias" else f"${notation.term(name, view.notation).latex}$",
        )
        alone = settings.current().element is not None
        if len(view.cell.blocks) > 1:  # one weight stands in one block's rows
            _control(
                "Rows of",
                "block",
                [*_rows(view)] if alone else [_ALL, *_rows(view)],
                lambda name: blocks.latex(view, name) if name else "all",
                shown=blocks.chosen(view) if alone else None,
            )
        if not alone:
            _control("Contribution", "measure", list(MEASURES), lambda name: MEASURES[name])
        _choose_element(view)


def _control(
    label: str, name: str, options: list[str], says: Callable[[str], str], *, shown: str | None = None
) -> None:
    """The choice of a setting; `shown` is the option that it stands at, where that is another than it says."""
    standing = getattr(settings.current(), name) if shown is None else shown
    st.segmented_control(
        label,
        options,
        default=standing,
        required=True,
        format_func=says,
        **settings.widget(name, "shares", labels=(says(standing),)),
    )


def _choose_element(view: View) -> None:
    """One weight alone, by its row and column."""
    base = first_index(view.notation)
    chosen = settings.current().element
    key = settings.key("element")
    st.toggle("Single weight", chosen is not None, key=key, on_change=_toggle_element, args=(key, view.unit))
    if chosen is None:
        return
    for name, place, most in (("to unit", 0, view.trace.units), (_from(view), 1, columns(view))):
        field = settings.key(f"element.{place}.{base}")  # numbers of another notation are others
        st.number_input(
            name,
            base,
            most - 1 + base,
            min(chosen[place], most - 1) + base,
            key=field,
            width=130,
            on_change=_set_element,
            args=(field, place, base),
            disabled=most == 1,
        )


def _from(view: View) -> str:
    below = settings.current().weight == "weight_ih" and view.layer == 0
    return "from input" if below else "from unit"


def _toggle_element(key: str, unit: int) -> None:
    settings.change(element=(unit, 0) if st.session_state[key] else None)


def _set_element(key: str, place: int, base: int) -> None:
    chosen = settings.current().element
    if chosen is not None and key in st.session_state:
        pair = [*chosen]
        pair[place] = int(st.session_state[key]) - base
        settings.change(renew=False, element=(pair[0], pair[1]))


# ---------------------------------------------------------------------- in words


def equation(view: View, of: Target) -> str:
    """That a shared weight's gradient is a sum over time, in the notation."""
    weight = settings.current().weight
    name = "b" if weight == "bias" else notation.term(weight, view.notation).latex
    place = settings.current().element
    if place is not None:
        name += f"[{place[0] + first_index(view.notation)}, {place[1] + first_index(view.notation)}]"
    loss = r"\mathcal{L}" if of == "sum" else rf"\mathcal{{L}}_{{{of + first_index(view.notation)}}}"
    share = rf"\left.\frac{{\partial {loss}}}{{\partial {name}}}\right|_t"
    return rf"\frac{{\partial {loss}}}{{\partial {name}}} = \sum_t {share}"


def sentence(view: View, of: Target, values: np.ndarray) -> str:
    """How the gradient comes about, with numbers."""
    base = first_index(view.notation)
    if not np.isfinite(values).all():
        return "The gradient is NaN or infinite at some timesteps: the weights at this step, or a loss, are not finite."
    if not values.any():
        return "No timestep contributes: there is no loss here, or no gradient reaches this weight."
    end = view.trace.length if of == "sum" else of + 1
    kind = measure()
    biggest = int(np.argmax(np.abs(values)))
    read = f"t = {biggest + base}, where ‘{view.probe.names[biggest]}’ is read"
    if kind == "element":
        total, largest = float(values.sum()), float(values[biggest])
        way = ", of opposite sign" if total * largest < 0 else ""
        return (
            f"The contributions add up to {number(total)}: gradient descent {'raises' if total < 0 else 'lowers'} this "
            f"weight. The largest is that of {read}: {number(largest)}{way}."
        )
    if kind == "norm":
        return f"The largest contribution is that of {read}: {number(float(values[biggest]))}."
    few = min(_LAST, end)
    last = float(values[max(0, end - few) : end].sum())
    against = int((values < 0).sum())
    said = f"The largest contribution, {_percent(float(values[biggest]))}, is that of {read}"
    if end > few:
        which = f"the last {few} steps" if of == "sum" else f"the {few} steps up to t = {of + base}"
        said += f"; {which} contribute {_percent(last)} of the gradient"
    return f"{said}. {against} of {len(values)} contributions point{'s' if against == 1 else ''} against the total."


def _percent(share: float) -> str:
    return f"-{percent(-share)}" if share < 0 else percent(share)
