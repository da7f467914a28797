"""What moves in a trace: by hand on small ones, by brute force on real ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from engine.analysis.activity import change, fading, gradient_norms, norms, reach
from engine.models.language_model import LanguageModel
from engine.models.recording import record
from engine.trace import Direction, Trace

Models = Callable[..., LanguageModel]
Traces = Callable[..., Trace]


def direction(hidden: list, initial: list | None = None, **settings) -> Direction:
    """One direction from its hidden states, (layer, time, unit)."""
    values = torch.tensor(hidden, dtype=torch.float32)
    first = torch.zeros_like(values[:, 0]) if initial is None else torch.tensor(initial, dtype=torch.float32)
    return Direction({"hidden": values}, {"hidden": first}, **settings)


def with_gradients(by_time: list[float], target: int | str = 0) -> Trace:
    """A trace of one layer and unit with this gradient at each timestep."""
    grad = torch.tensor(by_time, dtype=torch.float32).reshape(1, -1, 1)
    tokens = torch.zeros(len(by_time), dtype=torch.int64)
    return Trace(
        {"hidden": torch.zeros_like(grad)},
        {"hidden": torch.zeros(1, 1)},
        {"hidden": grad},
        inputs=torch.zeros(len(by_time), 1),
        tokens=tokens,
        targets=tokens,
        losses=torch.zeros(len(by_time)),
        log_probabilities=torch.zeros(len(by_time), 2),
        target=target,  # type: ignore[arg-type]
    )


def test_norms_and_change_by_hand() -> None:
    trace = direction([[[3, 4], [3, 4], [-3, -4], [0, 0], [0, 0]]], [[3, 0]])
    assert norms(trace).tolist() == [[5, 5, 5, 0, 0]]
    assert change(trace)[0].tolist() == [0.5, 0, 1, 1, 0]


def test_a_direction_that_reads_from_the_end_changes_from_the_next_timestep() -> None:
    trace = direction([[[1.0], [3.0]]], [[3.0]], backward=True)
    assert change(trace)[0].tolist() == [0.5, 0]


def test_norms_and_change_are_those_of_each_state(
    make_model: Models, traced: Traces, one_of_each: tuple[str, dict]
) -> None:
    model = make_model(*one_of_each)
    trace = traced(model, None)
    for state in model.stack.cells[0].state_names:
        for layer in range(2):
            past = trace.initial[state][layer]
            for t in range(trace.length):
                now = trace[state][layer, t]
                expected = (now - past).norm() / (now.norm() + past.norm())
                assert float(norms(trace, state)[layer, t]) == pytest.approx(float(now.norm()), rel=1e-12)
                assert float(change(trace, state)[layer, t]) == pytest.approx(float(expected), rel=1e-12)
                past = now


def test_gradient_norms_are_over_all_states_of_a_layer(
    make_model: Models, traced: Traces, one_of_each: tuple[str, dict]
) -> None:
    model = make_model(*one_of_each)
    trace = traced(model, 4)
    assert trace.grad is not None
    found = gradient_norms(trace)
    for layer in range(2):
        for t in range(trace.length):
            squares = [float(trace.grad[s][layer, t].square().sum()) for s in model.stack.cells[0].state_names]
            assert float(found[layer, t]) == pytest.approx(math.sqrt(sum(squares)), rel=1e-12, abs=1e-300)


def test_a_gradient_near_the_limits_of_float32_has_a_norm() -> None:
    assert gradient_norms(with_gradients([1e30, 1e-30]))[0].tolist() == pytest.approx([1e30, 1e-30], rel=1e-6)


def test_fading_begins_at_the_target_and_goes_back() -> None:
    assert fading(with_gradients([1.0, 2.0, 8.0, 4.0, 0.0], target=3)).tolist() == [1.0, 2.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("by_time", "target", "expected"),
    [
        ([1.0, 1.0, 1.0, 1.0], 3, 3),
        ([0.0, 0.2, 0.5, 1.0], 3, 2),
        ([1.0, 0.0, 0.5, 1.0], 3, 1),  # it has faded, whatever comes before
        ([9.0, 9.0, 0.01, 1.0], 3, 0),
        ([5.0, 5.0, 1.0, 9.0], 2, 2),  # it explodes
        ([1.0], 0, 0),
        ([1.0, 1.0, 0.0], 2, 0),
        ([math.nan, 1.0, 1.0], 2, 1),
        ([1.0, 1.0, math.nan], 2, 0),
    ],
)
def test_a_gradient_reaches_as_far_as_it_stays_above_a_tenth(by_time: list[float], target: int, expected: int) -> None:
    assert reach(with_gradients(by_time, target)) == expected


def test_how_much_counts_as_reaching_can_be_chosen() -> None:
    trace = with_gradients([0.0625, 0.25, 0.5, 1.0], 3)
    assert [reach(trace, share) for share in (0.6, 0.5, 0.25, 0.06)] == [0, 1, 2, 3]


def test_all_layers_count(make_model: Models, traced: Traces) -> None:
    trace = traced(make_model(), 5)
    by_time = gradient_norms(trace).square().sum(0).sqrt()
    torch.testing.assert_close(fading(trace), by_time[:6].flip(0) / by_time[5])


def test_a_sum_of_losses_has_no_one_place_to_fade_from(make_model: Models, traced: Traces) -> None:
    for target in ("sum", None):
        with pytest.raises(ValueError, match="record the trace with its timestep"):
            reach(traced(make_model(), target))


def test_without_gradients_it_says_how_to_get_them(make_model: Models, traced: Traces) -> None:
    with pytest.raises(ValueError, match="record it with gradient"):
        gradient_norms(traced(make_model(), None))


@pytest.mark.filterwarnings("error")
def test_weights_that_are_no_numbers_give_none_and_no_complaint(make_model: Models) -> None:
    model = make_model()
    for parameter in model.parameters():
        parameter.data.fill_(math.nan)
    trace = record(model, [1, 2, 3], gradient=1)
    assert norms(trace).isnan().all()
    assert change(trace).isnan().all()
    assert gradient_norms(trace)[:, :2].isnan().all()
    assert reach(trace) == 0
