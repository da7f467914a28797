"""One unit's arithmetic, number by number, against what was recorded."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from engine.analysis.sums import Sum, weighted_sum
from engine.cells import CELLS, stacked
from engine.config import ModelConfig
from engine.models.language_model import LanguageModel
from engine.models.recording import record, record_stack
from engine.models.stack import RecurrentStack
from engine.trace import UNKNOWN, Change, Trace

Models = Callable[..., LanguageModel]
Traces = Callable[..., Trace]


def added_up(found: Sum) -> float:
    """The sum by its own docstring."""
    recurrent = found.part("hidden_before") + (found.product_bias or 0.0)
    others = {term.source for term in found.terms} - {"hidden_before"}
    return found.scale * recurrent + (found.bias or 0.0) + sum(found.part(source) for source in sorted(others))


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("embedding", [0, 4], ids=["one-hot", "embedding"])
def test_the_terms_add_up_to_what_was_recorded(
    make_model: Models, traced: Traces, variant: tuple[str, dict], embedding: int, bias: bool
) -> None:
    model = make_model(*variant, embedding=embedding, bias=bias)
    trace = traced(model, None)
    for layer, cell in enumerate(model.stack.cells):
        for t in (0, 2, 6):  # after the context, an unknown token, the last
            for block in cell.blocks:
                found = weighted_sum(model, trace, layer, t, block, 3)
                recorded = float(trace[f"{block}_pre"][layer, t, 3])
                assert found.total == pytest.approx(recorded, rel=1e-12, abs=1e-12)
                assert found.recorded == recorded
                assert added_up(found) == pytest.approx(found.total, rel=1e-12, abs=1e-12)
                assert all(term.product == term.weight * term.value for term in found.terms)
                assert (found.bias is not None) is bias


def test_in_float32_too(variant: tuple[str, dict]) -> None:
    model = LanguageModel(ModelConfig(cell=variant[0], options=variant[1], units=32, layers=2), 9, seed=3)
    trace = record(model, [1, 5, 8, 8, 0])
    for layer, cell in enumerate(model.stack.cells):
        for block in cell.blocks:
            for unit in (0, 31):
                found = weighted_sum(model, trace, layer, 4, block, unit)
                assert found.total == pytest.approx(found.recorded, abs=1e-5)


def test_weights_and_values_are_those_of_their_places(make_model: Models, traced: Traces) -> None:
    model = make_model("lstm")
    trace = traced(model, None)
    found = weighted_sum(model, trace, 1, 4, "forget", 2)
    row = model.stack.cells[1].rows("forget").start + 2
    parameters = model.stack.layer_parameters(1)
    for source, weight, values in (
        ("input", parameters["weight_ih"], trace["hidden"][0, 4]),
        ("hidden_before", parameters["weight_hh"], trace["hidden"][1, 3]),
    ):
        terms = [term for term in found.terms if term.source == source]
        assert [term.place for term in terms] == list(range(5))
        assert [term.weight for term in terms] == weight[row].tolist()
        assert [term.value for term in terms] == values.tolist()
    assert found.bias == parameters["bias"][row].item()


def test_the_first_timestep_sees_the_state_that_a_context_left(make_model: Models, traced: Traces) -> None:
    model = make_model("rnn")
    trace = traced(model, None)
    found = weighted_sum(model, trace, 0, 0, "candidate", 0)
    assert [term.value for term in found.terms if term.source == "hidden_before"] == trace.initial["hidden"][0].tolist()


def test_of_a_one_hot_input_the_one_term_that_is_on_stands(make_model: Models, traced: Traces) -> None:
    model = make_model("gru", embedding=0)
    trace = traced(model, None)
    for t, token in enumerate(trace.tokens.tolist()):
        terms = [term for term in weighted_sum(model, trace, 0, t, "reset", 1).terms if term.source == "input"]
        if token == UNKNOWN:
            assert terms == []
        else:
            assert [(term.place, term.value) for term in terms] == [(token, 1.0)]
            assert terms[0].weight == model.stack.layer_parameters(0)["weight_ih"][1, token].item()


def test_a_layer_above_shows_all_that_it_reads_even_zeros(make_model: Models, traced: Traces) -> None:
    model = make_model("rnn", {"activation": "relu"}, embedding=0)
    trace = traced(model, None)
    assert (trace["hidden"][0] == 0).any()
    for t in range(trace.length):
        terms = weighted_sum(model, trace, 1, t, "candidate", 0).terms
        assert sum(term.source == "input" for term in terms) == 5


def test_a_gate_after_the_product_multiplies_all_of_the_recurrent_part(make_model: Models, traced: Traces) -> None:
    model = make_model("gru")
    trace = traced(model, None)
    found = weighted_sum(model, trace, 0, 3, "candidate", 2)
    assert (found.before, found.after) == (None, "reset")
    assert found.scale == float(trace["reset"][0, 3, 2])
    assert found.product_bias == model.stack.layer_parameters(0)["bias_candidate"][2].item()
    other = weighted_sum(model, trace, 0, 3, "keep", 2)
    assert (other.after, other.scale, other.product_bias) == (None, 1.0, None)


@pytest.mark.parametrize(("cell", "gate"), [("gru-reset-before", "reset"), ("lstm-course", "relevance")])
def test_a_gate_before_the_product_stands_in_every_term(
    make_model: Models, traced: Traces, cell: str, gate: str
) -> None:
    model = make_model(cell)
    trace = traced(model, None)
    found = weighted_sum(model, trace, 0, 3, "candidate", 2)
    assert (found.before, found.after, found.scale) == (gate, None, 1.0)
    for term in found.terms:
        if term.source == "hidden_before":
            assert term.gate == float(trace[gate][0, 3, term.place])
            assert term.value == pytest.approx(term.gate * float(trace["hidden"][0, 2, term.place]))
        else:
            assert term.gate is None


@pytest.mark.parametrize(
    ("sees", "block", "source"),
    [("new", "output", "cell"), ("old", "output", "cell_before"), ("new", "forget", "cell_before")],
)
def test_a_peephole_sees_its_own_unit_of_the_cell_state(
    make_model: Models, traced: Traces, sees: str, block: str, source: str
) -> None:
    model = make_model("lstm-peephole", {"output_sees": sees})
    trace = traced(model, None)
    found = weighted_sum(model, trace, 1, 4, block, 3)
    (term,) = [term for term in found.terms if term.source == source]
    assert (term.place, term.weight) == (3, model.stack.layer_parameters(1)[f"peephole_{block}"][3].item())
    assert term.value == float(trace["cell"][1, 4 if source == "cell" else 3, 3])


@pytest.mark.parametrize("name", CELLS)
def test_both_directions_of_a_stack_add_up(name: str) -> None:
    stack = RecurrentStack(stacked(name, 3, 2), 4, bidirectional=True).double()
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.normal_(generator=random)
    trace = record_stack(stack, torch.randn(5, 4, generator=random, dtype=torch.float64))
    for reverse in (False, True):
        for layer, cell in enumerate(stack.cells):
            for t in (0, 2, 4):
                for block in cell.blocks:
                    found = weighted_sum(stack, trace, layer, t, block, 1, reverse=reverse)
                    assert found.total == pytest.approx(found.recorded, rel=1e-12, abs=1e-12)


def test_a_value_put_in_place_is_told_from_what_the_sum_comes_to(make_model: Models) -> None:
    model = make_model("lstm")
    trace = record(model, [1, 2, 3, 4], changes=[Change("forget_pre", 0, 2, 1, 5.0)])
    found = weighted_sum(model, trace, 0, 2, "forget", 1)
    assert found.recorded == 5.0
    assert found.total != pytest.approx(5.0)


def test_what_is_not_there_is_refused_by_name(make_model: Models, traced: Traces) -> None:
    model = make_model("gru")
    trace = traced(model, None)
    with pytest.raises(ValueError, match="'gru' has no block 'forget'; choose one of reset, keep, candidate"):
        weighted_sum(model, trace, 0, 0, "forget", 0)
    with pytest.raises(ValueError, match="is unidirectional"):
        weighted_sum(model, trace, 0, 0, "reset", 0, reverse=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("embedding", [0, 4])
def test_weights_that_are_no_numbers_give_none_and_no_complaint(make_model: Models, cell: str, embedding: int) -> None:
    model = make_model(cell, embedding=embedding)
    for parameter in model.parameters():
        parameter.data.fill_(math.nan)
    trace = record(model, [1, UNKNOWN, 3])
    for block in model.stack.cells[1].blocks:
        assert math.isnan(weighted_sum(model, trace, 1, 1, block, 0).total)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e38])
def test_weights_without_bounds_give_no_complaint(make_model: Models, value: float) -> None:
    model = make_model("lstm").float()
    for parameter in model.parameters():
        parameter.data.fill_(value)
    trace = record(model, [1, 2, 3])
    for block in model.stack.cells[1].blocks:
        weighted_sum(model, trace, 1, 2, block, 0)
