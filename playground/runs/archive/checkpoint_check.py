"""Checking the checkpoints of a run archive: they belong to the run, have its config's weights, and are finite.

No model is built: names and shapes follow from the config, and are compared with the header of the safetensors file.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.cells import CELLS
from engine.config import Config, ConfigError, TrainingConfig
from engine.models.language_model import parameter_shapes
from engine.training.checkpoint import Checkpoint, CheckpointError
from engine.training.optimizers import OPTIMIZERS
from engine.training.run import ADJUSTABLE
from playground.runs.archive.layout import MAX_CHANGES, MAX_SECONDS, printable, reason_of, refused

Shapes = Mapping[str, tuple[int, ...]]

_OTHER = "Import the file exactly as it was exported."
_EXACT = (torch.float32,)
_KEPT = (torch.float32, torch.float16)
_STATE = (torch.float32, torch.bfloat16)
_PICKLED = (b"\x80", b"PK\3\4")  # how pickles, and zip files of pickles as torch.save makes them, begin


@dataclass(frozen=True)
class ExpectedRun:
    """What all checkpoints of a run must agree with."""

    config: Config
    corpus_sha256: str
    vocabulary: str
    """as JSON"""
    vocabulary_size: int
    last_step: int
    planned_steps: int | None
    """the plan that the run had at first; None where a limit in seconds set it"""
    most_steps: int
    """that such a limit can be converted to"""


def read_checkpoint(member: str, raw: bytes) -> Checkpoint:
    """The checkpoint in a member's bytes. Raises RunArchiveError: not safetensors of ours."""
    try:
        return Checkpoint.from_bytes(raw)
    except CheckpointError as error:
        if raw.startswith(_PICKLED):
            raise refused(
                member,
                "is a pickle file, which can run code when it is loaded; it was not loaded",
                "Weights are read from safetensors files only.",
            ) from None
        raise refused(member, f"cannot be read: {printable(str(error))}") from None


def check_checkpoint(member: str, checkpoint: Checkpoint, step: int, full: bool, run: ExpectedRun) -> None:
    """Refuse a checkpoint that is not the run's at `step`.

    Raises:
        RunArchiveError: says what belongs to another run, or which tensor is invalid
    """
    _check_header(member, checkpoint, step, full, run)
    _check_changes(member, checkpoint)
    _check_tensors(member, checkpoint, run)


def is_finite(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint has neither NaN nor infinity where an imported one must not."""
    numbers = (checkpoint.seconds, checkpoint.train_seconds, *checkpoint.sums, checkpoint.val_loss or 0.0)
    return all(-MAX_SECONDS <= number <= MAX_SECONDS for number in numbers) and all(
        _holds_numbers(tensor, infinite=name.startswith("optimizer.")) for name, tensor in checkpoint.tensors.items()
    )


def _holds_numbers(tensor: Tensor, infinite: bool) -> bool:
    """Whether a tensor has no NaN and no infinity, which `infinite` allows: squared gradients may overflow."""
    return not bool(tensor.isnan().any() if infinite else (~tensor.isfinite()).any())


def _check_header(member: str, checkpoint: Checkpoint, step: int, full: bool, run: ExpectedRun) -> None:
    checks = {
        f"step {checkpoint.step:,}": checkpoint.step == step,
        "full" if checkpoint.full else "not full": checkpoint.full == full,
        "another run's config": checkpoint.config == run.config,
        "another text's hash": checkpoint.corpus_sha256 == run.corpus_sha256,
        "another vocabulary": checkpoint.vocabulary == run.vocabulary,
        f"{checkpoint.planned_steps:,} planned steps": _is_plan(checkpoint.planned_steps, run),
        f"an end at step {checkpoint.extended_to:,}": _is_end(checkpoint, run),
    }
    for what, same in checks.items():
        if not same:
            raise refused(member, f"has {what} in its header, which does not match this run and step", _OTHER)
    best = checkpoint.best
    numbers = (checkpoint.seconds, checkpoint.train_seconds, *checkpoint.sums, checkpoint.val_loss or 0.0)
    fits = max(checkpoint.evaluated_at, best.step, best.since, checkpoint.steps_above) <= step
    if (
        not fits
        or not all(-MAX_SECONDS <= number <= MAX_SECONDS for number in numbers)
        or math.isnan(best.loss + best.compared)
    ):
        raise refused(member, "has numbers in its header that are impossible at its step")


def _is_plan(steps: int, run: ExpectedRun) -> bool:
    """Whether a checkpoint may have planned so many steps; 0 if a plan in seconds was not yet converted."""
    return steps <= run.most_steps if run.planned_steps is None else steps in (0, run.planned_steps)


def _is_end(checkpoint: Checkpoint, run: ExpectedRun) -> bool:
    """Whether a checkpoint of a run that was extended may end where it says; 0 if it was not."""
    return checkpoint.extended_to == 0 or checkpoint.step <= checkpoint.extended_to <= run.last_step


def _check_changes(member: str, checkpoint: Checkpoint) -> None:
    if len(checkpoint.changes) > MAX_CHANGES:
        raise refused(member, f"has more than {MAX_CHANGES:,} changes")
    for step, key, value in checkpoint.changes:
        if key not in ADJUSTABLE or step > checkpoint.step:
            raise refused(member, f"has an impossible change of {printable(key)} at step {step:,}")
        if key == "clip_threshold" and value == 0:
            continue
        try:
            checkpoint.config.with_values(**{f"training__{key}": value})
        except ConfigError as error:
            raise refused(member, f"has an invalid change: {reason_of(error)}") from None


def _check_tensors(member: str, checkpoint: Checkpoint, run: ExpectedRun) -> None:
    shapes = parameter_shapes(run.config.model, run.vocabulary_size)
    parts = {prefix: checkpoint.part(prefix) for prefix in ("model", "average", "optimizer", "state")}
    if sum(map(len, parts.values())) != len(checkpoint.tensors):
        known = {f"{prefix}.{name}" for prefix, tensors in parts.items() for name in tensors}
        unknown = min(set(checkpoint.tensors) - known)
        raise refused(member, f"has an unknown tensor {printable(unknown)}")
    averaged = bool(run.config.training.averaging)
    kinds = _EXACT if checkpoint.full else _KEPT
    _check_part(member, "weight", parts["model"], shapes, kinds)
    if parts["average"] or (checkpoint.full and averaged):
        _check_part(member, "averaged weight", parts["average"], shapes if averaged else {}, kinds)
    if checkpoint.full:
        _check_part(member, "carried state", parts["state"], _state_shapes(run.config), _STATE)
    elif parts["optimizer"] or parts["state"]:
        raise refused(member, "has an optimiser state or a carried state but is not marked as full")
    if parts["optimizer"]:
        slots = _slot_shapes(run.config.training, shapes)
        _check_part(member, "optimiser state", parts["optimizer"], slots, _EXACT, infinite=True)


def _check_part(
    member: str,
    what: str,
    tensors: Mapping[str, Tensor],
    shapes: Shapes,
    kinds: tuple[torch.dtype, ...],
    infinite: bool = False,
) -> None:
    """Check names, shapes, types and values of one part."""
    if set(tensors) != set(shapes):
        name = min(set(tensors) ^ set(shapes))
        problem = "lacks" if name in shapes else "has"
        raise refused(
            member,
            f"{problem} the {what} {printable(name)}, contrary to its config: it belongs to another model",
            _OTHER,
        )
    for name, tensor in tensors.items():
        if tensor.dtype not in kinds:
            wanted = " or ".join(str(kind).removeprefix("torch.") for kind in kinds)
            found = str(tensor.dtype).removeprefix("torch.")
            raise refused(member, f"has the {what} {name} as {found}; {wanted} is expected", _OTHER)
        if tuple(tensor.shape) != shapes[name]:
            raise refused(
                member, f"has the {what} {name} with shape {_shape(tensor.shape)}, not {_shape(shapes[name])}", _OTHER
            )
        if not _holds_numbers(tensor, infinite):
            raise refused(
                member,
                f"has NaN or infinite values in the {what} {name}",
                "Export the run again from an earlier checkpoint.",
            )


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"


def _state_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    cell = CELLS[config.model.cell](config.model.units, config.model.options)
    parts = cell.initial_state(config.data.streams, torch.empty(0))
    return {
        f"{layer}.{part}": tuple(value.shape)
        for layer in range(config.model.layers)
        for part, value in enumerate(parts)
    }


def _slot_shapes(config: TrainingConfig, shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Shapes of the optimiser's state, by `WEIGHT/SLOT`."""
    slots = _slots(config.optimizer, bool(config.momentum))
    return {f"{name}/{slot}": () if scalar else shape for name, shape in shapes.items() for slot, scalar in slots}


@functools.lru_cache(maxsize=32)
def _slots(optimizer: str, momentum: bool) -> tuple[tuple[str, bool], ...]:
    """Name of each tensor of an optimiser's state for one weight, and whether it is a scalar, found by one step."""
    config = TrainingConfig(optimizer=optimizer, momentum=0.9 if momentum else 0.0)
    weight = nn.Parameter(torch.zeros(2))
    rule = OPTIMIZERS[optimizer].build([{"params": [weight], "weight_decay": 0.0}], config, False)
    weight.grad = torch.zeros(2)
    rule.step()
    kept = rule.state.get(weight, {})
    return tuple((slot, value.dim() == 0) for slot, value in kept.items() if isinstance(value, Tensor))
