"""What is shown on the wires of a cell's drawing is what the recorded pass had there."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import LanguageModel, ModelConfig
from engine.cells import CELLS
from engine.trace import UNKNOWN, Change
from playground.inside.view import View
from playground.notation import NOTATIONS
from playground.views.unrolled.cell_flow import MOST_VALUES, Flow, cell_flow

TOKENS = [1, 0, 2, 3]


def view(
    cell: str = "lstm", *, tokens: list[int] = TOKENS, place: Any = None, notation: str = "ng", **model: Any
) -> View:
    """A small model of its own over a few tokens, looked at in its top layer."""
    made = LanguageModel(ModelConfig(cell=cell, **{"units": 6, "embedding": 5, **model}), 4, seed=5)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    where = {"t": 2, "layer": made.config.layers - 1, "unit": 1, **(place or {})}
    loaded: Any = SimpleNamespace(model=made.requires_grad_(False), vocabulary=None)
    probe: Any = SimpleNamespace(names=tuple("abcdefgh"[: len(tokens)]))
    run: Any = SimpleNamespace(name="a run")
    trace = engine.record(made, tokens)
    return View(run, (0, 7), 7, False, loaded, probe, probe, trace, **where, notation=notation)


def every_variant() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, kind in CELLS.items():
        choices = [option.choices for option in kind.options.values()]
        found += [(name, dict(zip(kind.options, chosen, strict=True))) for chosen in itertools.product(*choices)]
    return found


def values(flow: Flow, name: str) -> np.ndarray:
    return flow.streams[name].values


@pytest.mark.parametrize(("cell", "options"), every_variant())
def test_every_wire_carries_what_was_recorded_and_the_rest_adds_up(cell: str, options: dict[str, Any]) -> None:
    for layer in (0, 1):
        assert_adds_up(cell, options, layer)


def assert_adds_up(cell: str, options: dict[str, Any], layer: int) -> None:
    seen = view(cell, options=options, layers=2, place={"layer": layer})
    flow = cell_flow(seen)
    for state in seen.cell.state_names:
        np.testing.assert_array_equal(values(flow, f"{state}_out"), seen.trace[state][layer, 2].numpy())
        np.testing.assert_array_equal(values(flow, f"{state}_before"), seen.trace[state][layer, 1].numpy())
    for name in set(seen.trace) & set(flow.streams):
        np.testing.assert_array_equal(values(flow, name), seen.trace[name][layer, 2].numpy())
    read = seen.trace["hidden"][0, 2] if layer else seen.trace.inputs[2]
    np.testing.assert_array_equal(values(flow, "input"), read.numpy())
    together = {"plus": np.add, "times": np.multiply}
    for node in flow.drawn.diagram.nodes:
        if node.operation in together:
            left, right = (values(flow, wire.source) for wire in node.inputs)
            expected = together[node.operation](left, right)
            np.testing.assert_allclose(values(flow, node.name), expected, atol=1e-5, err_msg=node.name)


def test_the_first_timestep_finds_the_initial_state() -> None:
    warm = view(place={"t": 0})
    np.testing.assert_array_equal(values(cell_flow(warm), "cell_before"), np.zeros(6))


def test_a_value_that_was_put_in_place_flows_on() -> None:
    plain = view("gru")
    changed = engine.record(plain.model, TOKENS, changes=[Change("update", 0, 2, 1, 1.0)])
    flow = cell_flow(plain, changed)
    assert values(flow, "update")[1] == 1.0
    assert values(flow, "keep")[1] == 0.0
    assert values(flow, "kept")[1] == 0.0
    np.testing.assert_array_equal(values(flow, "hidden"), changed["hidden"][0, 2].numpy())
    assert values(cell_flow(plain), "keep")[1] > 0.0


def test_an_unknown_token_is_read_as_zeros() -> None:
    flow = cell_flow(view(tokens=[1, 0, UNKNOWN, 3]))
    assert not values(flow, "input").any()


def test_the_token_is_named_in_the_bottom_layer_alone() -> None:
    assert cell_flow(view(layers=2, place={"layer": 0})).reads == "c"
    assert cell_flow(view(layers=2)).reads == ""


def test_gates_have_a_scale_of_their_own_and_what_is_added_up_has_one() -> None:
    flow = cell_flow(view())
    assert {name for name, stream in flow.streams.items() if stream.gate} == {"forget", "update", "output"}
    scales = {name: flow.streams[name].full for name in ("cell", "cell_before", "kept", "written", "cell_out")}
    assert len(set(scales.values())) == 1
    assert flow.streams["shown"].full == 1.0


def test_one_minus_a_gate_is_a_gate() -> None:
    for cell in ("gru", "gru-simplified"):
        streams = cell_flow(view(cell)).streams
        assert (streams["keep"].gate, streams["keep"].full) == (True, 1.0)


def test_what_is_read_is_no_unit() -> None:
    flow = cell_flow(view(units=5))  # as many units as the embedding has dimensions
    assert [name for name, stream in flow.streams.items() if not stream.by_unit] == ["input", "joined"]


def test_a_whole_vector_is_summed_up_from_all_of_its_values() -> None:
    seen = view()
    stream = cell_flow(seen).streams["forget"]
    recorded = seen.trace["forget"][0, 2].double().numpy()
    assert stream.norm == pytest.approx(float(np.linalg.norm(recorded)))
    assert stream.mean == pytest.approx(float(recorded.mean()))
    assert (stream.length, stream.first, stream.nan) == (6, 0, 0)


def test_of_a_long_vector_the_part_around_the_chosen_unit_is_shown() -> None:
    units = MOST_VALUES + 8
    flow = cell_flow(view("rnn", units=units, place={"unit": units - 1}))
    stream = flow.streams["hidden"]
    assert (stream.first, len(stream.values), stream.length) == (MOST_VALUES, 8, units)


def test_of_a_long_one_hot_input_the_part_with_the_token_is_shown() -> None:
    made = LanguageModel(ModelConfig(cell="rnn", units=3, embedding=0), MOST_VALUES + 20, seed=1).requires_grad_(False)
    token = MOST_VALUES + 5
    loaded: Any = SimpleNamespace(model=made, vocabulary=None)
    some: Any = SimpleNamespace(name="a run", names=("x",))
    trace = engine.record(made, [token])
    stream = cell_flow(View(some, (0,), 0, False, loaded, some, some, trace, 0, 0, 0, "ng")).streams["input"]
    assert stream.first + int(stream.values.argmax()) == token


def test_weights_that_are_no_numbers_give_nan_on_the_wires_that_they_reach() -> None:
    broken = view()
    broken.model.stack.layer_parameters(0)["weight_hh"][0].fill_(float("nan"))
    broken = view_again(broken)
    flow = cell_flow(broken)
    assert flow.streams["update_pre"].nan == 6  # the broken unit's state has come round to all
    assert flow.streams["input"].nan == 0


def view_again(seen: View) -> View:
    return View(**{**vars(seen), "trace": engine.record(seen.model, TOKENS)})


@pytest.mark.parametrize("notation", NOTATIONS)
def test_names_follow_the_notation(notation: str) -> None:
    flow = cell_flow(view(notation=notation))
    wanted = {"ng": "Γ(f)", "cs231n": "f", "pytorch": "f", "plain": "forget"}
    assert " ".join(part.text for part in flow.drawn.names["forget"]) == wanted[notation]
    assert flow.first == (0 if notation == "pytorch" else 1)


def test_layers_are_numbered_where_there_are_several() -> None:
    several = cell_flow(view(layers=2)).drawn
    assert several.names["hidden"][0].text == "a[2]⟨t⟩"
    assert several.names["input"][0].text == "a[1]⟨t⟩"
    assert cell_flow(view()).drawn.names["hidden"][0].text == "a⟨t⟩"
