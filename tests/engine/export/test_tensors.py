"""model.safetensors: the weights under clear names, and the vocabulary."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load

from engine.config import ConfigError
from engine.export import weights
from engine.training.checkpoint import CheckpointError

from .checkpoints import VOCABULARIES, make_checkpoint


def test_names_say_what_each_weight_is() -> None:
    assert sorted(load(weights(make_checkpoint(cell="gru", layers=2)))) == [
        "embedding",
        *(f"layers.{n}.{part}" for n in (0, 1) for part in ("bias", "bias_candidate", "weight_hidden", "weight_input")),
        "output.bias",
        "output.weight",
    ]
    assert sorted(load(weights(make_checkpoint(cell="rnn", bias=False, embedding=0)))) == [
        "layers.0.weight_hidden",
        "layers.0.weight_input",
        "output.weight",
    ]


def test_values_are_the_checkpoints_in_float32() -> None:
    checkpoint = make_checkpoint()
    exact, half = load(weights(checkpoint)), load(weights(checkpoint.weights_only(half=True)))
    assert torch.equal(exact["layers.0.weight_input"], checkpoint.tensors["model.stack.layers.0.weight_ih"])
    assert {tensor.dtype for tensor in half.values()} == {torch.float32}
    assert torch.equal(half["embedding"], checkpoint.tensors["model.embedding"].half().float())


def test_a_running_average_is_what_is_exported() -> None:
    plain = make_checkpoint()
    average = {name.replace("model.", "average."): values + 1 for name, values in plain.tensors.items()}
    averaged = replace(plain, tensors={**plain.tensors, **average})
    assert torch.equal(load(weights(averaged))["embedding"], plain.tensors["model.embedding"] + 1)


@pytest.mark.parametrize("name", list(VOCABULARIES))
def test_the_vocabulary_stands_in_the_metadata(name: str) -> None:
    raw = weights(make_checkpoint(name))
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert tuple(json.loads(header["__metadata__"]["vocabulary"])) == VOCABULARIES[name].symbols


def test_weights_that_do_not_fit_are_refused() -> None:
    plain = make_checkpoint()
    missing = {name: values for name, values in plain.tensors.items() if name != "model.embedding"}
    with pytest.raises(CheckpointError, match="embedding"):
        weights(replace(plain, tensors=missing))
    with pytest.raises(CheckpointError, match="shape"):
        weights(replace(plain, config=plain.config.with_values(units=6)))
    with pytest.raises(ConfigError, match="elman"):
        weights(replace(plain, config=plain.config.with_values(cell="elman")))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_have_diverged_are_refused(value: float) -> None:
    plain = make_checkpoint()
    bias = plain.tensors["model.head_bias"].clone()
    bias[1] = value
    with pytest.raises(CheckpointError, match=r"output\.bias at step 7 .* diverged"):
        weights(replace(plain, tensors={**plain.tensors, "model.head_bias": bias}))
