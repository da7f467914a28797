"""What a unit keeps of its state, and its half-life."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from engine.analysis.memory import half_lives, kept
from engine.cells import CELLS


@pytest.mark.parametrize("name", [name for name in CELLS if kept(CELLS[name](3)) is not None])
def test_the_share_that_is_kept_is_how_far_the_state_follows_what_it_was(name: str) -> None:
    """With the gates held, the state moves by the kept share of what is added to the state before."""
    cell = CELLS[name](4)
    share = kept(cell)
    assert share is not None
    generator = torch.Generator().manual_seed(1)
    shapes = cell.parameter_shapes(4, bias=True)
    parameters = {key: torch.randn(shape, generator=generator, dtype=torch.float64) for key, shape in shapes.items()}
    projected = torch.randn(1, len(cell.blocks) * 4, generator=generator, dtype=torch.float64)
    state = tuple(torch.randn(1, 4, generator=generator, dtype=torch.float64) for _ in cell.state_names)
    extra = tuple(torch.ones(1, 1, dtype=torch.float64) for _ in range(bool(cell.clock_size)))
    below = (torch.randn(1, 4, generator=generator, dtype=torch.float64),) if cell.below else ()
    place = cell.state_names.index(share.state)
    held: dict[str, torch.Tensor] = {}

    def run(tap: Callable, states: tuple) -> torch.Tensor:
        return cell.step(projected, (*states, *extra, *below), parameters, tap)[place]

    def keep(gate: str, value: torch.Tensor) -> torch.Tensor:
        held[gate] = value
        return value

    gates = {gate.name for gate in cell.gates}
    first = run(keep, state)
    moved = tuple(part + 0.25 if at == place else part for at, part in enumerate(state))
    again = run(lambda gate, value: held[gate] if gate in gates else value, moved)
    torch.testing.assert_close(again - first, 0.25 * share.share(held))


def test_a_cell_that_computes_its_state_anew_keeps_nothing_of_it() -> None:
    assert kept(CELLS["rnn"](3)) is None


@pytest.mark.parametrize(
    ("name", "gate", "complement"),
    [("lstm", "forget", False), ("gru", "update", True), ("rnn-clockwork", "update", True)],
)
def test_which_gate_keeps(name: str, gate: str, complement: bool) -> None:
    share = kept(CELLS[name](4))
    assert share is not None
    assert (share.gate, share.complement) == (gate, complement)


def test_a_constant_share_halves_after_its_half_life() -> None:
    half_life = half_lives(torch.full((50, 1), 0.9))[0]
    assert 0.9 ** float(half_life) == pytest.approx(0.5)


def test_it_is_the_product_of_the_shares_that_counts() -> None:
    """0.5 and 1 in turn: what is stored is halved every two timesteps."""
    shares = torch.tensor([[0.5], [1.0]] * 20)
    assert float(half_lives(shares)) == pytest.approx(2.0)


def test_what_is_always_kept_is_never_forgotten_and_what_is_wiped_out_once_is_gone_at_once() -> None:
    found = half_lives(torch.tensor([[1.0, 1.0], [1.0, 0.0]]))
    assert found.tolist() == [math.inf, 0.0]


def test_what_is_no_number_has_no_half_life() -> None:
    assert half_lives(torch.tensor([[0.5], [math.nan]])).isnan().all()
