"""Recorded passes, made once for all visitors of an app process, and kept up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
import torch

import engine
from engine.models.stack import StackState
from engine.trace import Change, Target, Trace
from playground.access.probing import Probe
from playground.access.weights import Loaded

KEPT_BYTES = 96_000_000
"""Traces, and states after a context, kept in memory; what was not asked for longest goes first."""

TAPE_BYTES = 48_000_000
"""Passes kept with their graph, for the gradient of another loss."""


@dataclass(frozen=True)
class _Entry:
    value: Any
    bytes: int


class Recordings:
    """What was computed last, up to a number of bytes; one result beyond the bound is kept alone.

    Whoever asks while another thread computes the same takes what that thread finds.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._computing: dict[Hashable, threading.Lock] = {}
        self._kept: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """The value of a key: as it is kept, or as `compute` gives it; `size` says how many bytes it takes."""
        with self._lock:
            turn = self._computing.setdefault(key, threading.Lock())
        try:
            with turn:
                found = self._known(key)
                if found is None:
                    value = compute()
                    found = _Entry(value, size(value))
                    self._put(key, found)
        finally:
            with self._lock:
                self._computing.pop(key, None)
        return found.value

    def bytes(self) -> int:
        """Bytes kept."""
        with self._lock:
            return sum(entry.bytes for entry in self._kept.values())

    def _known(self, key: Hashable) -> _Entry | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _put(self, key: Hashable, entry: _Entry) -> None:
        with self._lock:
            self._kept[key] = entry
            size = sum(kept.bytes for kept in self._kept.values())
            while len(self._kept) > 1 and size > self._limit:
                size -= self._kept.popitem(last=False)[1].bytes


@st.cache_resource(show_spinner=False)
def recordings() -> Recordings:
    """Those of this app process."""
    return Recordings()


@st.cache_resource(show_spinner=False)
def tapes() -> Recordings:
    """Passes of this app process whose gradients can still be asked for: of the views that are open now."""
    return Recordings(TAPE_BYTES)


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
        tape: engine.Tape = tapes().get(key, lambda: _tape(loaded, probe, context, changes), engine.Tape.bytes)
        return tape.trace if gradient is None else tape.gradient(gradient)

    return recordings().get(("trace", *key, gradient), recorded, Trace.bytes)


def _tape(loaded: Loaded, probe: Probe, context: Probe, changes: Sequence[Change]) -> engine.Tape:
    state = _warmed(loaded, context)
    return engine.tape(loaded.model, torch.tensor(probe.tokens), state=state, changes=changes)


def _warmed(loaded: Loaded, context: Probe) -> StackState | None:
    """The state after the context; None where there is none."""
    if not len(context):
        return None
    key = ("state", loaded.key, context.key)
    return recordings().get(key, lambda: engine.warm(loaded.model, torch.tensor(context.tokens)), _state_bytes)


def _state_bytes(state: StackState) -> int:
    return sum(part.numel() * part.element_size() for layer in state for part in layer)
