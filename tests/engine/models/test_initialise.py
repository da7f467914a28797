"""Weights before the first step."""

from __future__ import annotations

import math

import pytest
import torch

from engine.cells import CELLS
from engine.config import ModelConfig
from engine.models.language_model import LanguageModel

UNITS = 12


def layer(**values) -> dict[str, torch.Tensor]:
    """Of the upper one of two, which has whatever its cell can have."""
    config = ModelConfig(**{"units": UNITS, "layers": 2, "embedding": 5, **values})
    return dict(LanguageModel(config, 9, seed=4).stack.layer_parameters(1))


@pytest.mark.parametrize("cell", CELLS)
def test_as_pytorch_does_all_is_uniform_within_one_over_the_root_of_the_units(cell: str) -> None:
    bound = 1 / math.sqrt(200)
    for name, values in layer(cell=cell, units=200, forget_bias=0.0).items():
        if not name.startswith("peephole"):
            assert values.abs().max() <= bound
            assert values.abs().max() > 0.9 * bound
        if name.startswith("weight"):  # those that there are: a clockwork's modules do not hear faster ones
            assert values[values != 0].std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("cell", CELLS)
def test_each_orthogonal_block_keeps_lengths(cell: str) -> None:
    for block in layer(cell=cell, initialisation="orthogonal")["weight_hh"].split(UNITS):
        assert torch.allclose(block @ block.T, torch.eye(UNITS), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_identity_blocks_start_with_biases_of_zero(cell: str) -> None:
    found = layer(cell=cell, initialisation="identity", forget_bias=0.0)
    for block in found["weight_hh"].split(UNITS):
        assert torch.equal(block, torch.eye(UNITS))
    assert not any(values.any() for name, values in found.items() if name.startswith("bias"))


@pytest.mark.parametrize("initialisation", ["pytorch", "orthogonal", "identity"])
def test_the_gain_multiplies_the_recurrent_weights_alone(initialisation: str) -> None:
    plain, larger = (layer(initialisation=initialisation, gain=gain) for gain in (1.0, 3.0))
    for name in plain:
        factor = 3.0 if name == "weight_hh" else 1.0
        assert torch.allclose(larger[name], factor * plain[name])


@pytest.mark.parametrize("cell", CELLS)
def test_the_forget_bias_goes_to_the_forget_gate_alone(cell: str) -> None:
    without, found = layer(cell=cell, forget_bias=0.0)["bias"], layer(cell=cell, forget_bias=2.5)["bias"]
    blocks = CELLS[cell](UNITS).blocks
    for number, name in enumerate(blocks):
        rows = slice(number * UNITS, (number + 1) * UNITS)
        if name == "forget":
            assert (found[rows] == 2.5).all()
        else:
            assert torch.equal(found[rows], without[rows])


@pytest.mark.parametrize("cell", ["lstm-peephole", "lstm-depth-gated"])
def test_peepholes_start_shut(cell: str) -> None:
    found = layer(cell=cell)
    peepholes = [values for name, values in found.items() if name.startswith("peephole")]
    assert peepholes
    assert not any(values.any() for values in peepholes)


def test_the_first_guess_is_how_often_each_token_occurs() -> None:
    counts = torch.tensor([0, 3, 96])
    bias = LanguageModel(ModelConfig(units=4), 3, seed=1, counts=counts).head_bias
    assert bias is not None
    assert torch.softmax(bias, dim=0).tolist() == pytest.approx([1 / 102, 4 / 102, 97 / 102])
    plain = LanguageModel(ModelConfig(units=4, output_bias="random"), 3, seed=1, counts=counts).head_bias
    assert plain is not None
    assert plain.abs().max() <= 1 / math.sqrt(4)


def test_what_the_first_guess_is_changes_no_other_weight() -> None:
    counts = torch.tensor([5, 3, 96])
    one, other = (
        LanguageModel(ModelConfig(units=4, output_bias=kind), 3, seed=1, counts=counts).state_dict()
        for kind in ("frequencies", "random")
    )
    assert [name for name in one if not torch.equal(one[name], other[name])] == ["head_bias"]


def test_an_embedding_is_normal() -> None:
    embedding = LanguageModel(ModelConfig(units=4, embedding=200), 300, seed=1).embedding
    assert embedding is not None
    assert embedding.mean().item() == pytest.approx(0, abs=0.02)
    assert embedding.std().item() == pytest.approx(1, abs=0.02)
