"""Weights before the first step, drawn from a generator of their own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from engine.cells import Cell
from engine.config import ModelConfig
from engine.models.stack import RecurrentStack


def initialise_stack(stack: RecurrentStack, config: ModelConfig, generator: torch.Generator) -> None:
    """Fill all layers of a stack in place: those that read forward from the bottom up, then the others."""
    for layers in (stack.layers, stack.reverse):
        for cell, parameters in zip(stack.cells, layers, strict=False):  # `reverse` is empty where all read forward
            assert isinstance(parameters, nn.ParameterDict)
            initialise_layer(cell, parameters, config, generator)


@torch.no_grad()
def initialise_layer(cell: Cell, parameters: nn.ParameterDict, config: ModelConfig, generator: torch.Generator) -> None:
    """Fill one recurrent layer in place.

    "pytorch":    everything uniform in ±1/sqrt(units), as `torch.nn.RNNBase` has it
    "orthogonal": each block of the recurrent weights orthogonal (Saxe et al. 2014), the rest as above; of a cell with
                  modules that is each module's own part, and all between them zero
    "identity":   each recurrent block the identity and biases zero (Le, Jaitly and Hinton 2015)

    The recurrent weights are then multiplied by the gain, and the forget gate's bias is set. Peephole
    weights start at zero, so that a peephole LSTM starts as an LSTM; so do, for good, weights between units that do not
    hear each other.
    """
    bound = 1.0 / math.sqrt(cell.units)
    for name, values in parameters.items():
        if name.startswith("peephole"):
            values.zero_()
        else:
            values.uniform_(-bound, bound, generator=generator)
    recurrent = parameters["weight_hh"]
    if config.initialisation == "orthogonal":
        for block in recurrent.split(cell.units):
            within = [block[module, module] for module in cell.modules]
            drawn = [nn.init.orthogonal_(torch.empty_like(part), generator=generator) for part in within]
            block.copy_(torch.block_diag(*drawn))
    if config.initialisation == "identity":
        for block in recurrent.split(cell.units):
            nn.init.eye_(block)
        for name in ("bias", "bias_candidate"):
            if name in parameters:
                parameters[name].zero_()
    there = cell.connections()
    if there is not None:
        recurrent.mul_(there)
    recurrent.mul_(config.gain)
    if "forget" in cell.blocks and "bias" in parameters:
        parameters["bias"][cell.rows("forget")].fill_(config.forget_bias)


@torch.no_grad()
def initialise_output(
    weight: Tensor, bias: Tensor | None, generator: torch.Generator, counts: Tensor | None = None
) -> None:
    """Fill the output layer in place, uniform in ±1/sqrt(units), as `torch.nn.Linear` has it.

    With `counts` (vocabulary,) the bias is the log of each token's smoothed frequency instead, so that the first
    guess is a unigram model and the first steps need not be spent on learning it.
    """
    bound = 1.0 / math.sqrt(weight.shape[1])
    weight.uniform_(-bound, bound, generator=generator)
    if bias is None:
        return
    bias.uniform_(-bound, bound, generator=generator)
    if counts is not None:
        smoothed = counts.double() + 1.0
        bias.copy_((smoothed / smoothed.sum()).log())
