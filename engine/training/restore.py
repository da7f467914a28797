"""Weights, optimiser and carried state, to and from named tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.models.stack import StackState
from engine.training.checkpoint import CheckpointError


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy `weights` into `model`, whatever their floating type.

    Raises:
        CheckpointError: a weight is missing, left over, or of another shape
    """
    expected = model.state_dict()
    if set(expected) != set(weights):
        names = ", ".join(sorted(set(expected) ^ set(weights))[:4])
        raise CheckpointError(
            f"These weights belong to another model: {names} do not match. Use the same cell and number of layers."
        )
    for name, target in expected.items():
        if target.shape != weights[name].shape:
            raise CheckpointError(
                f"The weight {name} has shape {tuple(weights[name].shape)} in the checkpoint and {tuple(target.shape)} "
                "in the model: use the same number of hidden units and layers, and the same embedding size."
            )
        if not weights[name].is_floating_point():
            raise CheckpointError(
                f"The weight {name} is of type {weights[name].dtype}; weights must be floating-point numbers."
            )
    with torch.no_grad():
        for name, target in expected.items():
            target.copy_(weights[name])


def optimizer_tensors(optimizer: Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """What the optimiser remembers of each weight, by `optimizer.WEIGHT/SLOT`."""
    tensors = {}
    for name, parameter in model.named_parameters():
        for slot, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{name}/{slot}"] = value
    return tensors


def restore_optimizer(optimizer: Optimizer, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give the optimiser back what `optimizer_tensors` took.

    Raises:
        CheckpointError: a tensor of a weight that the model does not have, or of another shape
    """
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, _, slot = key.rpartition("/")
        if name not in parameters:
            raise CheckpointError(f"The optimiser state in this checkpoint has a weight {name!r} that the model lacks.")
        parameter = parameters[name]
        if value.shape not in ((), parameter.shape):
            raise CheckpointError(
                f"This checkpoint is damaged: the optimiser's {slot} of the weight {name} has shape "
                f"{tuple(value.shape)}, the weight {tuple(parameter.shape)}. Use another full checkpoint."
            )
        # Step counters stay scalars of their own; everything else lies beside its weight.
        device = parameter.device if value.dim() or parameter.device.type == "cuda" else torch.device("cpu")
        optimizer.state[parameter][slot] = value.to(device, copy=True)


def state_tensors(state: StackState) -> dict[str, Tensor]:
    """The carried state by `state.LAYER.PART`, each (streams, units)."""
    return {f"state.{layer}.{part}": value for layer, parts in enumerate(state) for part, value in enumerate(parts)}


def state_from(tensors: Mapping[str, Tensor], like: StackState) -> StackState:
    """The carried state that `state_tensors` took, on the device and in the shape of `like`.

    Raises:
        CheckpointError: a part is missing or of another shape
    """
    return tuple(
        tuple(_state_part(tensors, f"{layer}.{part}", value) for part, value in enumerate(parts))
        for layer, parts in enumerate(like)
    )


def _state_part(tensors: Mapping[str, Tensor], name: str, like: Tensor) -> Tensor:
    if name not in tensors:
        raise CheckpointError(f"This checkpoint lacks the carried state {name}: use another full checkpoint.")
    if tensors[name].shape != like.shape:
        raise CheckpointError(
            f"The carried state {name} has shape {tuple(tensors[name].shape)} in the checkpoint and "
            f"{tuple(like.shape)} in the run: use the same batch size and number of hidden units, or start a branch."
        )
    return tensors[name].to(like.device)
