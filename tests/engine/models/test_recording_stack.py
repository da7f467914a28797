"""Stacks without a language model around them, in one direction and in two."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from engine import Change, ConfigError, record_stack

TIME, WIDTH = 3, 4


def assert_close(found, expected, tolerance=1e-10):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance, equal_nan=True)


def sequence():
    return torch.randn(TIME, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def state_of(stack):
    """A state to start from that is not zero, for each layer and direction; where there are clocks, they say 1."""
    random = torch.Generator().manual_seed(2)
    return tuple(
        tuple(
            torch.ones_like(part) if name == "clock" else torch.randn(part.shape, generator=random, dtype=part.dtype)
            for name, part in zip(stack.cells[0].carried, layer, strict=True)
        )
        for layer in stack.initial_state(1)
    )


def weighted_sum(outputs):
    random = torch.Generator().manual_seed(3)
    return (outputs * torch.randn(outputs.shape, generator=random, dtype=outputs.dtype)).sum()


def directions(trace):
    return (trace,) if trace.reverse is None else (trace, trace.reverse)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_equals_the_stacks_own_pass(make_stack, variant, bidirectional):
    stack = make_stack(*variant, bidirectional=bidirectional)
    state = state_of(stack)
    trace = record_stack(stack, sequence(), state)
    with torch.no_grad():
        outputs, final = stack(sequence()[:, None], state)
    assert_close(torch.cat([part["hidden"][-1] for part in directions(trace)], dim=-1), outputs[:, 0], 1e-6)
    for number, part in enumerate(directions(trace)):
        depth, end = part.layers, 0 if part.backward else -1
        for i, name in enumerate(stack.cells[0].state_names):
            here = slice(number * depth, (number + 1) * depth)
            assert_close(part[name][:, end], torch.cat([layer[i] for layer in final[here]]), 1e-6)
            assert_close(part.initial[name], torch.cat([layer[i] for layer in state[here]]))


def test_every_quantity_and_gradient_is_that_of_the_equations(make_stack, variant, by_the_equations):
    stack = make_stack(*variant, bidirectional=True)
    state = state_of(stack)
    trace = record_stack(stack, sequence(), state, loss=weighted_sum)

    inputs = [row.requires_grad_() for row in sequence()]
    starts = [[part[0].clone().requires_grad_() for part in layer] for layer in state]
    below, layers = inputs, []
    for layer in range(2):
        under = layers[-1] if layers else (None, None)
        forward = by_the_equations(*variant, stack.layer_parameters(layer), below, starts[layer], under[0])
        weights = stack.layer_parameters(layer, reverse=True)
        turned = under[1] and under[1][::-1]
        backward = by_the_equations(*variant, weights, below[::-1], starts[2 + layer], turned)[::-1]
        layers.append((forward, backward))
        below = [torch.cat((one["hidden"], other["hidden"])) for one, other in zip(forward, backward, strict=True)]
    weighted_sum(torch.stack(below)).backward()

    for number, part in enumerate(directions(trace)):
        for name, layer in itertools.product(part, range(2)):
            if name not in stack.cells[layer].quantities:  # the lowest layer has no depth gate
                assert part[name][layer].isnan().all()
                continue
            own = [timestep[name] for timestep in layers[layer][number]]
            assert_close(part[name][layer], torch.stack(own).detach())
            assert_close(part.grad[name][layer], torch.stack([value.grad for value in own]))
        for i, name in enumerate(part.initial):
            own = [layer[i].grad for layer in starts[2 * number : 2 * number + 2]]
            assert_close(part.initial_grad[name], torch.stack(own))
    assert_close(trace.inputs, sequence())
    assert_close(trace.inputs_grad, torch.stack([row.grad for row in inputs]))


def test_gradients_are_those_of_finite_differences_in_both_directions(make_stack, variant):
    stack, epsilon = make_stack(*variant, bidirectional=True), 1e-5
    state = state_of(stack)
    trace = record_stack(stack, sequence(), state, loss=weighted_sum)
    direction = torch.randn(trace.units, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def loss(part, name, layer, time, step):
        values = part[name][layer, time] + step * direction
        changes = [
            Change(name, layer, time, unit, value, reverse=part.backward) for unit, value in enumerate(values.tolist())
        ]
        again = record_stack(stack, sequence(), state, changes=changes)
        return weighted_sum(torch.cat([one["hidden"][-1] for one in directions(again)], dim=-1))

    places = itertools.product(directions(trace), trace, range(trace.layers))
    for (part, name, layer), time in zip(places, itertools.cycle(range(TIME)), strict=False):
        if name not in stack.cells[layer].quantities:
            continue
        slope = (loss(part, name, layer, time, epsilon) - loss(part, name, layer, time, -epsilon)) / (2 * epsilon)
        assert_close(part.grad[name][layer, time] @ direction, slope, 1e-7)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_both_directions_are_those_of_the_module_of_torch(make_stack, cell):
    stack = make_stack(cell, bidirectional=True, bias=False)
    module = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](
        WIDTH, 3, num_layers=2, bias=False, bidirectional=True, dtype=torch.float64
    )
    with torch.no_grad():
        for layer, reverse in itertools.product(range(2), (False, True)):
            for name, weight in stack.layer_parameters(layer, reverse=reverse).items():
                getattr(module, f"{name}_l{layer}{'_reverse' * reverse}").copy_(weight)
    inputs = sequence().requires_grad_()
    outputs, _ = module(inputs)
    weighted_sum(outputs).backward()
    trace = record_stack(stack, sequence(), loss=weighted_sum)
    assert_close(torch.cat((trace["hidden"][1], trace.reverse["hidden"][1]), dim=-1), outputs.detach())
    assert_close(trace.inputs_grad, inputs.grad)


def test_the_state_before_a_timestep_is_the_one_that_was_read_just_before(make_stack):
    stack = make_stack("gru", layers=1, bidirectional=True)
    state = state_of(stack)
    trace = record_stack(stack, sequence(), state)
    with torch.no_grad():
        for part, (hidden,) in zip(directions(trace), state, strict=True):
            weights = stack.layer_parameters(0, reverse=part.backward)
            cell = stack.cells[0]
            before = part.before("hidden")[0]  # (time, units)
            assert_close(before[-1 if part.backward else 0], hidden[0])
            (after,) = cell.step(sequence() @ weights["weight_ih"].T + weights["bias"], (before,), weights)
            assert_close(part["hidden"][0], after)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_change_in_one_direction_leaves_that_layers_other_direction_alone(make_stack, reverse):
    stack = make_stack("lstm", layers=1, bidirectional=True)
    plain = record_stack(stack, sequence())
    changed = record_stack(stack, sequence(), changes=[Change("hidden", 0, 1, 2, 0.25, reverse=reverse)])
    touched, untouched = directions(changed)[reverse], directions(changed)[not reverse]
    before, same = directions(plain)[reverse], directions(plain)[not reverse]
    assert torch.equal(untouched["hidden"], same["hidden"])
    assert touched["hidden"][0, 1, 2] == 0.25
    moved = (touched["hidden"] != before["hidden"]).any(dim=-1)[0].tolist()
    assert moved == ([True, True, False] if reverse else [False, True, True])


def test_a_stack_that_reads_forward_alone_has_no_reverse_direction(make_stack):
    stack = make_stack()
    assert record_stack(stack, sequence()).reverse is None
    with pytest.raises(ConfigError, match="unidirectional: there is no reverse direction"):
        record_stack(stack, sequence(), changes=[Change("hidden", 0, 0, 0, 0.0, reverse=True)])


def test_without_a_loss_there_are_no_gradients(make_stack):
    trace = record_stack(make_stack(bidirectional=True), sequence())
    assert trace.grad is trace.initial_grad is trace.inputs_grad is trace.reverse.grad is None


def test_precision_is_the_stacks_own_or_the_one_asked_for(make_stack):
    stack = make_stack().float()
    assert record_stack(stack, sequence())["cell"].dtype == torch.float32
    assert record_stack(stack, sequence(), dtype=torch.float64)["cell"].dtype == torch.float64
