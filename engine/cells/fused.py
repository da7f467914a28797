"""PyTorch's own kernels (cuDNN on CUDA, oneDNN for the LSTM on CPU), on the parameters of our cells."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from engine.cells.cell import Cell, Parameters, State
from engine.cells.gru import GRU
from engine.cells.lstm import LSTM, CourseLSTM, PeepholeLSTM
from engine.cells.rnn import RNN

_KERNELS: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "lstm": torch.lstm,
    "gru": torch.gru,
    "rnn_tanh": torch.rnn_tanh,
    "rnn_relu": torch.rnn_relu,
}


def kernel_of(cell: Cell) -> str | None:
    """The name of PyTorch's kernel that computes this cell, or None where it has none."""
    if isinstance(cell, LSTM):
        return "lstm"
    if isinstance(cell, GRU):
        return "gru"
    if isinstance(cell, RNN) and cell.activation in ("tanh", "relu"):
        return f"rnn_{cell.activation}"
    if isinstance(cell, CourseLSTM) and cell.output_tanh and not cell.relevance_gate:
        return "lstm"
    if isinstance(cell, PeepholeLSTM) and not cell.peepholes:
        return "lstm"
    return None


def run(cell: Cell, inputs: Tensor, state: State, parameters: Parameters) -> tuple[Tensor, State]:
    """One layer over a sequence; see `engine.cells.kernels.run_layer`.

    Raises:
        ValueError: PyTorch has no kernel for this cell.
    """
    name = kernel_of(cell)
    if name is None:
        raise ValueError(f"PyTorch has no fused kernel for the cell {cell.name!r}: choose 'packed' or 'plain'.")
    weights = _weights(parameters)
    if not inputs.is_floating_point():
        inputs = one_hot(inputs, weights[0].shape[1]).to(weights[0].dtype)  # (time, batch, inputs)
    before = tuple(part.unsqueeze(0) for part in state)  # one layer: (1, batch, units)
    outputs, *after = _KERNELS[name](
        inputs,
        before if name == "lstm" else before[0],
        weights,
        len(weights) == 4,  # has biases
        1,  # layers
        0.0,  # dropout
        torch.is_grad_enabled(),  # training: keep what the backward pass needs
        False,  # bidirectional
        False,  # batch first
    )
    return outputs, tuple(part.squeeze(0) for part in after)


def _weights(parameters: Parameters) -> list[Tensor]:
    """W_ih, W_hh and, with biases, b_ih and b_hh, as PyTorch's kernels want them.

    Our cells have one bias vector; the second is zero, but for the part of the GRU's that is multiplied by
    its reset gate. On CUDA the four lie in one piece of memory, one after the other: cuDNN would otherwise
    copy them together itself, and warn of it at every call.
    """
    weights = [parameters["weight_ih"], parameters["weight_hh"]]
    if "bias" in parameters:
        bias = parameters["bias"]
        weights += [bias, torch.zeros_like(bias)]
        if "bias_candidate" in parameters:
            candidate = parameters["bias_candidate"]
            weights[3] = torch.cat((bias.new_zeros(2 * len(candidate)), candidate))
    if weights[0].is_cuda:
        pieces = torch.cat([weight.flatten() for weight in weights]).split([weight.numel() for weight in weights])
        weights = [piece.view_as(weight) for piece, weight in zip(pieces, weights, strict=True)]
    return weights
