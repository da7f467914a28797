"""The panel in which one step of a cell is followed: its drawing with live values on the wires, and its equations."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
import torch

from engine.cells.equations import BEFORE
from playground import theme
from playground.components.assets import asset
from playground.diagrams import Diagram
from playground.diagrams.geometry import BARE_TAG, NAMED_TAG, crossings, forks, routes, size
from playground.diagrams.meanings import action, meaning
from playground.views.unrolled.cell_flow import Drawn, Flow, Stream
from playground.views.unrolled.packing import packed, rounded

_PARTS = ("drawing", "values", "equations", "card", "play")
_SCRIPTS = ("drawing", "signs", *(f"cell_flow/{part}" for part in _PARTS), "cell_flow/panel")

_CSS = (
    asset("cell_flow/panel.css")
    .replace("GATE", theme.GATE)
    .replace("NEGATIVE", theme.SIGNED_BLUE)
    .replace("POSITIVE", theme.SIGNED_ORANGE)
)

_PANEL = st.components.v2.component(
    "unrolled_cell_flow",
    html=asset("cell_flow/panel.html"),
    css=_CSS,
    js="".join(asset(f"{script}.js") for script in _SCRIPTS),
)


def cell_flow_panel(flow: Flow, *, key: str, on_choose: Callable[[], None]) -> None:
    """The panel.

    Args:
        flow: the step that is shown
        key: of the widget
        on_choose: called when the visitor chooses a unit; `told(key, flow)` is which
    """
    _PANEL(data={**drawn(flow), "heard": heard(key)}, key=key, on_chosen_change=on_choose)


def told(key: str, flow: Flow) -> dict[str, int]:
    """What the visitor last chose in the panel `key`, as `playground.state.select` takes it."""
    return changed(flow, _word(key))


def changed(flow: Flow, chosen: object) -> dict[str, int]:
    """What of a word from the browser can be. It comes from outside: what does not exist is left out."""
    unit = chosen.get("unit") if isinstance(chosen, Mapping) else None
    if not isinstance(unit, int) or isinstance(unit, bool) or not 0 <= unit < flow.units:
        return {}
    return {"unit": unit}


def heard(key: str) -> int:
    """The count of the last word that came from the panel `key`; 0 for none."""
    word = _word(key)
    count = word.get("count") if isinstance(word, Mapping) else None
    return count if isinstance(count, int) and count > 0 else 0


def _word(key: str) -> object:
    return (st.session_state.get(key) or {}).get("chosen")


def drawn(flow: Flow) -> dict[str, Any]:
    """The flow as the panel's script takes it. Texts are data; nothing of them becomes markup."""
    return {
        "layout": layout(flow.drawn, flow.layer),
        "streams": {name: _stream(stream) for name, stream in flow.streams.items()},
        "run": flow.run,
        "step": flow.step,
        "t": flow.t,
        "layer": flow.layer,
        "layers": flow.layers,
        "unit": flow.unit,
        "units": flow.units,
        "reads": flow.reads,
        "first": flow.first,
        "colors": theme.drawing_colors(flow.drawn.cell.name),
    }


@functools.lru_cache(maxsize=256)
def layout(shown: Drawn, layer: int) -> dict[str, Any]:
    """The drawing and its equations: what is built anew only where cell, notation or layer change."""
    plan = shown.diagram
    return {
        "title": shown.cell.title,
        "size": list(plan.size),
        "frame": list(plan.frame),
        "nodes": [_node(shown, name, layer) for name in [node.name for node in plan.nodes]],
        "wires": [[source, target, [list(point) for point in points]] for source, target, points in routes(plan)],
        "crossings": [[over, list(point)] for _, over, point in crossings(plan)],
        "forks": [[node.name, list(point)] for node in plan.nodes for point in forks(plan, node.name)],
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
        "written": [part.data() for part in shown.names[name]],
        "meaning": meaning(shown.cell, node, layer),
        "does": action(plan, node),
        "caption": _captions(name),
    }


def _captions(name: str) -> list[str]:
    """What stands under a place where a wire comes in or goes out, line by line."""
    if name.endswith(BEFORE):
        return ["step before"]
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
    return [[part.symbol.data() for part in row if part.symbol] for row in (weights, biases) if row]


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
            parts.append({**part.data(), "within": within, "own": within[-1] if within else ""})
        found.append({"left": equation.left, "text": equation.text, "parts": parts})
    return found


def _stream(stream: Stream) -> dict[str, Any]:
    return {
        "values": packed(torch.from_numpy(stream.values)),
        "first": stream.first,
        "length": stream.length,
        "norm": _number(stream.norm),
        "mean": _number(stream.mean),
        "nan": stream.nan,
        "full": rounded(stream.full),
        "gate": stream.gate,
        "by_unit": stream.by_unit,
    }


def _number(value: float) -> float | str:
    """A number as JSON can carry it: NaN and infinity are words there."""
    if abs(value) < float("inf"):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
