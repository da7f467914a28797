"""Which kernel runs a layer: fused, packed or plain. All compute the same, from the same parameters.

- fused: PyTorch's own kernel for the whole sequence, where it has one
- packed: our loop over time with hand-written derivatives and packed recurrent weights
- plain: our loop over a cell's `step`, with autograd's derivatives; any cell, device and precision
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from engine.cells import fused, loop, packed
from engine.cells.cell import Cell, Parameters, State

Kernel = Literal["fused", "packed", "plain"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)
LARGEST_ONE_HOT = 256  # tokens; with more, looking columns up beats multiplying by vectors of zeros

_RUN_LINKED = {"packed": packed.run_linked, "plain": loop.run_linked}
_RUN = {"fused": fused.run, "packed": packed.run, "plain": loop.run}


def supports(cell: Cell, kernel: Kernel) -> bool:
    """Whether `kernel` can run this cell."""
    if kernel == "fused":
        return fused.kernel_of(cell) is not None
    return kernel == "plain" or type(cell) in packed.PASSES


def choose(cell: Cell, device_type: str, *, one_hot: bool, inputs: int, linked: bool = False) -> Kernel:
    """The fastest kernel for a layer, by the table below, which holds what was measured.

    Args:
        cell: whose equations are to run
        device_type: "cpu", "cuda" or "mps"
        one_hot: whether the inputs are token ids
        inputs: how many values a timestep's input has, or how many tokens there are
        linked: whether it is to run by `run_linked`
    """
    torch_has_it = fused.kernel_of(cell)
    if device_type == "cuda":  # cuDNN runs a sequence in a few launches; a loop takes a dozen a timestep
        order: tuple[Kernel, ...] = ("fused", "packed")
    elif device_type == "mps":  # out= variants on views are not dependable there
        order = ("fused",)
    elif torch_has_it == "lstm":  # oneDNN's, the one fused kernel on CPU
        order = ("fused", "packed")
    else:  # PyTorch's GRU and RNN on CPU are loops like ours, with slower products and derivatives
        order = ("packed",)
    if linked or (one_hot and inputs > LARGEST_ONE_HOT):
        # PyTorch's kernels give no cell states but the last, and they alone want the vectors written out.
        order = tuple(kernel for kernel in order if kernel != "fused")
    return next((kernel for kernel in order if supports(cell, kernel)), "plain")


def run_layer(cell: Cell, inputs: Tensor, state: State, parameters: Parameters, kernel: Kernel) -> tuple[Tensor, State]:
    """One layer over a sequence.

    Args:
        cell: whose equations to run
        inputs: (time, batch, inputs), or (time, batch) int64 token ids, which stand for one-hot vectors
        state: (batch, units) for each of the cell's state names, before the first timestep
        parameters: as `cell.parameter_shapes` names them
        kernel: as `choose` says

    Returns:
        the hidden states, (time, batch, units), and the state after the last timestep; differentiable in the
        inputs, the state and the parameters

    Raises:
        ValueError: the cell asks for the layer below, or the kernel cannot run it
    """
    if cell.below:
        raise ValueError(f"The cell {cell.name!r} needs the {cell.below} state of the layer below: use run_linked.")
    if len(inputs) == 1 and not torch.is_grad_enabled():
        kernel = "plain"  # one step of a sample: any preparation takes longer than the step
    return _RUN[kernel](cell, inputs, state, parameters)


def run_linked(
    cell: Cell, inputs: Tensor, state: State, parameters: Parameters, kernel: Kernel, below: Tensor | None = None
) -> tuple[State, State]:
    """One layer of a stack whose layers ask for more of the one below than its hidden states.

    Args:
        cell, inputs, state, parameters: as for `run_layer`
        kernel: as `choose` says for a linked layer: "packed" or "plain"
        below: the state of the layer below that the cell asks for, (time, batch, units)

    Returns:
        every state over time, (time, batch, units) each, and the state after the last timestep; differentiable in
        the inputs, the state, the parameters and `below`
    """
    if len(inputs) == 1 and not torch.is_grad_enabled():
        kernel = "plain"
    return _RUN_LINKED[kernel](cell, inputs, state, parameters, below)
