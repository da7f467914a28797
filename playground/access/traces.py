"""Recorded passes, made once for all visitors of an app process, and kept up to a number of bytes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

import engine
from engine.analysis.recurrence import carried_norms
from engine.models.stack import StackState
from engine.trace import Change, Target, Trace
from playground.access.cache import BoundedCache
from playground.access.models import Loaded
from playground.access.probes import Probe

KEPT_BYTES = 96_000_000
"""Traces, what their gradients carry, and states after a context, kept in memory; what was not asked for longest
goes first."""

TAPE_BYTES = 48_000_000
"""Passes kept with their graph, for the gradient of another loss."""


def _bytes(kept: Trace | StackState | Tensor) -> int:
    if isinstance(kept, Trace):
        return kept.bytes()
    if isinstance(kept, Tensor):
        return kept.numel() * kept.element_size()
    return sum(part.numel() * part.element_size() for layer in kept for part in layer)


recordings: BoundedCache = BoundedCache(KEPT_BYTES, _bytes)
"""Traces, what their gradients carry, and states after a context."""

tapes: BoundedCache[engine.Tape] = BoundedCache(TAPE_BYTES, engine.Tape.bytes)
"""Passes whose gradients can still be asked for: of the views that are open now."""


def trace(
    loaded: Loaded,
    probe: Probe,
    context: Probe,
    gradient: Target | None = None,
    changes: Sequence[Change] = (),
) -> Trace:
    """One recorded pass of a probe, from the state that reading the context leaves.

    Args:
        loaded: the model
        probe: at least one token
        context: what is read before; the state is zero where it has no token
        gradient: also the gradient of the loss at this timestep, counted from 0, or of their sum
        changes: values put in place of what the model computes
    """
    key = (loaded.key, probe.key, context.key, tuple(changes))

    def recorded() -> Trace:
        tape = tapes.get(key, lambda: _tape(loaded, probe, context, changes))
        return tape.trace if gradient is None else tape.gradient(gradient)

    return recordings.get(("trace", *key, gradient), recorded)


def carried(loaded: Loaded, probe: Probe, context: Probe, gradient: Target) -> Tensor:
    """What that gradient carries from each timestep to the one before, (layer, time): norms, in float64."""

    def computed() -> Tensor:
        return carried_norms(loaded.model, trace(loaded, probe, context, gradient))

    return recordings.get(("carried", loaded.key, probe.key, context.key, gradient), computed)


def _tape(loaded: Loaded, probe: Probe, context: Probe, changes: Sequence[Change]) -> engine.Tape:
    state = _warmed(loaded, context)
    return engine.tape(loaded.model, torch.tensor(probe.tokens), state=state, changes=changes)


def _warmed(loaded: Loaded, context: Probe) -> StackState | None:
    """The state after the context; None where there is none."""
    if not len(context):
        return None
    key = ("state", loaded.key, context.key)
    return recordings.get(key, lambda: engine.warm(loaded.model, torch.tensor(context.tokens)))
