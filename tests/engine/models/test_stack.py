"""Stacked layers, and dropout between them."""

from __future__ import annotations

import pytest
import torch

from engine.cells import CELLS, stacked
from engine.cells.kernels import run_linked
from engine.models.stack import RecurrentStack, detached, drop


def make_stack(cell: str = "lstm", layers: int = 3, dropout: float = 0.0, inputs: int = 4) -> RecurrentStack:
    stack = RecurrentStack(stacked(cell, 5, layers), inputs, dropout=dropout)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.uniform_(-0.5, 0.5, generator=random)
    return stack


def sequence(inputs: int = 4) -> torch.Tensor:
    return torch.randn(6, 2, inputs, generator=torch.Generator().manual_seed(1))  # (time, batch, inputs)


@pytest.mark.parametrize("cell", CELLS)
def test_each_layer_reads_the_one_below(cell: str) -> None:
    stack = make_stack(cell)
    outputs, state = stack(sequence(), stack.initial_state(2))
    below, states = sequence(), ()
    for layer, own in enumerate(stack.cells):
        asked = states[own.state_names.index(own.below)] if own.below else None
        parameters, start = stack.layer_parameters(layer), own.initial_state(2, below)
        states, last = run_linked(own, below, start, parameters, "plain", asked)
        below = states[0]
        for ours, theirs in zip(state[layer], last, strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)
    assert torch.allclose(outputs, below, atol=1e-6)


def test_the_first_state_is_zero_for_every_stream_and_layer() -> None:
    state = make_stack().initial_state(7)
    assert [[part.shape for part in layer] for layer in state] == [[(7, 5), (7, 5)]] * 3
    assert not any(part.any() for layer in state for part in layer)


def test_dropout_falls_between_layers_alone() -> None:
    stack = make_stack(layers=1, dropout=0.5)
    plain, _ = stack(sequence(), stack.initial_state(2))
    dropped, _ = stack(sequence(), stack.initial_state(2), torch.Generator().manual_seed(0))
    assert torch.equal(plain, dropped)
    two = make_stack(layers=2, dropout=0.5)
    plain, _ = two(sequence(), two.initial_state(2))
    dropped, _ = two(sequence(), two.initial_state(2), torch.Generator().manual_seed(0))
    assert not torch.allclose(plain, dropped)


def test_one_mask_serves_all_timesteps_and_the_mean_is_kept() -> None:
    values = torch.ones(5, 200, 100)
    dropped = drop(values, 0.25, torch.Generator().manual_seed(0))
    assert all(torch.equal(dropped[0], later) for later in dropped)
    assert dropped.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)


def test_a_share_of_nothing_drops_nothing_and_draws_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    values = sequence()
    assert drop(values, 0.0, generator) is values
    assert torch.equal(generator.get_state(), before)


def test_a_detached_state_has_the_same_values_and_no_history() -> None:
    stack = make_stack()
    _, state = stack(sequence(), stack.initial_state(2))
    assert state[0][0].requires_grad
    cut = detached(state)
    for ours, theirs in zip(state, cut, strict=True):
        assert all(map(torch.equal, ours, theirs))
        assert not any(part.requires_grad for part in theirs)
