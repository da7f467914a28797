"""The drill-down "Unit search": all units ranked by how well they tell a hypothesis, and the best shown on the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
import torch

from playground import state
from playground.charts.unit_scores import unit_scores_frame, unit_scores_spec
from playground.components.unit_text import Line, unit_text
from playground.frame.charts import draw_chart
from playground.inside.view import View
from playground.notation import first_index
from playground.text import escape_markdown, number
from playground.views.gates import asked, hypotheses, text
from playground.views.gates.settings import settings

SHOWN = 12
"""Units in the chart."""

_OFFERED = 3


def panel(view: View) -> None:
    """The hypothesis, the ranking in a sentence and a chart, and the best units on held-out text."""
    name = hypotheses.choose("search")
    if name is None:
        return
    found = asked.result(view, "unit_search", hypothesis=name, tokens=asked.TOKENS)
    if found is None:
        return
    st.markdown(f"**{escape_markdown(sentence(view, found))}**")
    draw_chart(frame(view, found), unit_scores_spec(), key="gates.search.scores")
    _offer(view, found["scores"][:_OFFERED], name)
    _passage(view, found)


def sentence(view: View, found: Mapping[str, Any]) -> str:
    """The best unit, its score and the baseline."""
    best, base = found["scores"][0], first_index(view.notation)
    where = f" of layer {best['layer'] + base}" if view.trace.layers > 1 else ""
    clear = "clearly above" if found["found"] else "not clearly above"
    return (
        f"Unit {best['unit'] + base}{where} tracks “{found['title']}” best: its {_state(best)} ranks "
        f"{number(100 * best['score'])}% of token pairs correctly, {clear} the baseline of "
        f"{number(100 * found['baseline'])}%."
    )


def _state(one: Mapping[str, Any]) -> str:
    return f"{one['quantity']} state"


def frame(view: View, found: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of the chart."""
    base = first_index(view.notation)
    return unit_scores_frame(
        names=[_name(view, one, base) for one in found["scores"][:SHOWN]],
        scores=[one["score"] for one in found["scores"][:SHOWN]],
        states=[_state(one) for one in found["scores"][:SHOWN]],
        baseline=found["baseline"],
    )


def _name(view: View, one: Mapping[str, Any], base: int) -> str:
    layer = f", layer {one['layer'] + base}" if view.trace.layers > 1 else ""
    return f"unit {one['unit'] + base}{layer}"


def _offer(view: View, best: Sequence[Mapping[str, Any]], hypothesis: str) -> None:
    """The best units as buttons that choose them."""
    base = first_index(view.notation)
    with st.container(horizontal=True, vertical_alignment="center", key="gates-search-offer"):
        st.caption("Look at", width="content")
        for one in best:
            st.button(
                _name(view, one, base).capitalize(),
                key=f"gates.search.{one['layer']}.{one['unit']}",
                type="primary" if (one["layer"], one["unit"]) == (view.layer, view.unit) else "secondary",
                on_click=look_at,
                args=(one,),
            )


def look_at(one: Mapping[str, Any]) -> None:
    """Choose a unit, and the state in which it was found."""
    state.select(layer=one["layer"], unit=one["unit"])
    settings.change(quantity=one["quantity"])


def _passage(view: View, found: Mapping[str, Any]) -> None:
    """The chosen unit along a stretch of held-out text, if it is among the best, else the best of all."""
    base, shown = first_index(view.notation), found["passage"]
    best = found["scores"][: len(shown["values"])]
    mine = next((at for at, one in enumerate(best) if (one["layer"], one["unit"]) == (view.layer, view.unit)), 0)
    one = best[mine]
    named = f"{_state(one)} of {_name(view, one, base)}"
    data = text.passage(
        shown["pieces"],
        Line(f"{one['unit'] + base}", named, torch.tensor(shown["values"][mine]), gate=False),
        shown["holds"],
        found["title"],
        units=view.trace.units,
        file=f"passage-{view.run.id}-{view.step}",
    )
    unit_text(data, key="gates.search.passage")
    held = f"{found['held_out']:,} held-out tokens"
    st.caption(
        f"Scored on {held}; sign and threshold fitted on {found['fitted']:,} tokens of training text. Score: the share "
        "of pairs of tokens with different labels that the unit orders right (area under the ROC curve); 50% is "
        f"chance. Baseline: the best of as many units of untrained networks ({number(100 * found['untrained'])}%) and "
        f"of all units against labels of other places ({number(100 * found['shuffled'])}%). The hypothesis holds at "
        f"{number(100 * found['share'])}% of the held-out tokens."
    )
