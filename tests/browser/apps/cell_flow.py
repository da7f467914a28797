"""A page with nothing on it but the flow inside a cell, what it has told, and a button that goes on to other weights.

Its link says how it is: `cell`, `notation`, `units`, `layers`, `nan` where the weights are no numbers.
"""

import json
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

sys.path[0] = str(Path(__file__).resolve().parents[3])

import streamlit as st

from engine import LanguageModel, ModelConfig, record
from playground.components.cell_flow import cell_flow_panel, told
from playground.inside.view import View
from playground.views.unrolled.cell_flow import Flow, cell_flow

KEY = "flow"
TEXT = "hello, world"

st.set_page_config(layout="wide")
asked = st.query_params
now = st.session_state
for name, value in {"seed": 1, "unit": 1, "notation": asked.get("notation", "ng")}.items():
    now.setdefault(name, value)


def flow_now() -> Flow:
    """One step of a model with weights of its own."""
    settings = {"units": int(asked.get("units", 24)), "layers": int(asked.get("layers", 1)), "embedding": 8}
    model = LanguageModel(ModelConfig(cell=asked.get("cell", "lstm"), **settings), len(TEXT), seed=now.seed)
    model.requires_grad_(False)
    if asked.get("nan"):
        model.stack.layer_parameters(0)["weight_hh"].fill_(float("nan"))
    trace = record(model, range(len(TEXT)))
    loaded = SimpleNamespace(model=model, vocabulary=None)
    some = SimpleNamespace(name="a run", names=tuple(TEXT))
    top = settings["layers"] - 1
    return cell_flow(View(some, (0,), now.seed, False, loaded, some, some, trace, 4, top, now.unit, now.notation))


def take(flow: Flow) -> None:
    """Take what the panel has told, as a page does."""
    now.unit = told(KEY, flow).get("unit", now.unit)


def learn() -> None:
    """Other weights, as from the next training step."""
    now.seed += 1


def rename() -> None:
    """Another notation."""
    now.notation = "pytorch"


@st.fragment
def frame() -> None:
    """The panel, and what the app knows of it."""
    flow = flow_now()
    cell_flow_panel(flow, key=KEY, on_choose=partial(take, flow))
    hidden = [float(value) for value in flow.streams["hidden"].values]
    st.code(json.dumps({"unit": now.unit, "seed": now.seed, "hidden": hidden}), language=None)


if not st.toggle("Without the panel"):
    frame()
st.button("Next step", on_click=learn)
st.button("PyTorch", on_click=rename)
