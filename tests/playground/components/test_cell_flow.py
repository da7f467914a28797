"""What goes to the browser of one step of a cell, and what may come back."""

from __future__ import annotations

import base64
import itertools
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import engine
from engine import LanguageModel, ModelConfig
from engine.cells import CELLS
from playground.components.cell_flow import Flow, fits
from playground.components.choice import fitting
from playground.components.packing import plain
from playground.inside.view import View
from playground.notation import NOTATIONS
from playground.views.unrolled.cell_flow import cell_flow


def flow(cell: str = "lstm", *, notation: str = "ng", nan: bool = False, **settings: Any) -> Flow:
    """One step of a small model of its own."""
    made = LanguageModel(ModelConfig(cell=cell, **{"units": 6, "embedding": 5, **settings}), 4, seed=5)
    made.requires_grad_(False)
    if nan:
        made.stack.layer_parameters(0)["weight_hh"].fill_(float("nan"))
    loaded: Any = SimpleNamespace(model=made, vocabulary=None)
    some: Any = SimpleNamespace(name="a run", names=("<b>", "b", "c"))
    trace = engine.record(made, [1, 0, 2])
    return cell_flow(View(some, (0,), 7, False, loaded, some, some, trace, 1, 0, 2, notation))


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


@pytest.mark.parametrize(("cell", "notation"), [*zip(CELLS, itertools.cycle(NOTATIONS), strict=False)])
def test_all_of_it_is_plain_json(cell: str, notation: str) -> None:
    data = plain(flow(cell, notation=notation))
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_nan_is_carried_as_a_word_and_in_the_values() -> None:
    stream = plain(flow(nan=True))["streams"]["forget"]
    assert (stream["norm"], stream["mean"], stream["nan"]) == ("NaN", "NaN", 6)
    assert np.isnan(unpacked(stream["values"])).all()


@pytest.mark.parametrize("cell", CELLS)
def test_every_wire_tag_and_fork_is_of_a_value_that_is_sent(cell: str) -> None:
    data = plain(flow(cell))
    layout, sent = data["layout"], set(data["streams"])
    assert {node["name"] for node in layout["nodes"]} == sent
    assert {tag["of"] for tag in layout["tags"]} <= sent
    assert {name for wire in layout["wires"] for name in wire[:2]} <= sent
    assert {name for name, _ in (*layout["forks"], *layout["crossings"])} <= sent
    assert {name for node in layout["nodes"] for name in node["reads"]} <= sent


def test_the_layout_stays_while_the_place_moves() -> None:
    one = flow()
    assert plain(one)["layout"] == plain(flow())["layout"]
    assert plain(one)["layout"] != plain(flow(notation="plain"))["layout"]


def test_weights_stand_on_the_products_as_the_notation_has_them() -> None:
    def labels(notation: str, cell: str = "lstm", **settings: Any) -> dict[str, list[list[str]]]:
        nodes = plain(flow(cell, notation=notation, **settings))["layout"]["nodes"]
        return {node["name"]: [["_".join(sign[:2]) for sign in row] for row in node["labels"]] for node in nodes}

    assert labels("ng")["forget_pre"] == [["W_f"], ["b_f"]]
    assert labels("pytorch")["forget_pre"] == [["W_if", "W_hf"], ["b_f"]]
    assert labels("ng", bias=False)["forget_pre"] == [["W_f"]]
    assert labels("cs231n", "lstm-peephole")["peep_output"] == [["p_o"]]
    assert labels("cs231n", "rnn")["recurrent"] == [["W_hh"]]
    assert labels("cs231n", "rnn")["projected"] == [["W_xh"], ["b_h"]]


def test_a_piece_of_an_equation_knows_the_wire_it_stands_for() -> None:
    equations = plain(flow())["layout"]["equations"]
    (cell,) = [equation for equation in equations if equation["left"] == "cell"]
    written = [(part["text"], part["own"]) for part in cell["parts"]]
    assert written == [
        ("c⟨t⟩", "cell"),
        ("=", ""),
        ("Γ(f)", "forget"),
        ("⊙", "kept"),
        ("c⟨t−1⟩", "cell_before"),
        ("+", "cell"),
        ("Γᵤ", "update"),
        ("⊙", "written"),
        ("c̃⟨t⟩", "candidate"),
    ]
    assert cell["parts"][2]["within"] == ["cell", "kept", "forget"]


def test_what_leaves_is_the_value_from_inside() -> None:
    nodes = {node["name"]: node for node in plain(flow())["layout"]["nodes"]}
    assert nodes["hidden_out"]["value"] == "hidden"
    assert nodes["forget"]["value"] == "forget"
    assert nodes["hidden_out"]["written"] == nodes["hidden"]["written"]


def test_every_node_says_what_it_is_and_does() -> None:
    for cell in CELLS:
        for node in plain(flow(cell))["layout"]["nodes"]:
            assert node["meaning"], (cell, node["name"])
            assert node["does"], (cell, node["name"])


def test_a_unit_that_is_chosen_in_the_panel_is_told() -> None:
    assert fitting({"unit": 3, "count": 1}, fits(flow())) == {"unit": 3}


@pytest.mark.parametrize(
    "word", [None, {}, "3", {"unit": 6}, {"unit": -1}, {"unit": True}, {"unit": "1"}, {"unit": 1.0}]
)
def test_a_word_that_cannot_be_changes_nothing(word: Any) -> None:
    assert fitting(word, fits(flow())) == {}
