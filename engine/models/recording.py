"""One recorded pass of a probe through a model: every state, gate and weighted sum, and gradients on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.config import ConfigError
from engine.models import passes
from engine.models.language_model import LanguageModel
from engine.models.stack import RecurrentStack, StackState, detached
from engine.trace import LONGEST_PROBE, UNKNOWN, Change, StackTrace, Target, Trace

SomeTrace = TypeVar("SomeTrace", bound=StackTrace)

_GRAPH = 7
"""Memory that a pass takes with its graph, in that of its trace alone; 5 to 7 were measured on 2 x 128 units."""


@torch.inference_mode(False)  # what is returned are ordinary tensors, wherever this is called
def record(
    model: LanguageModel,
    tokens: Iterable[int] | Tensor,
    *,
    state: StackState | None = None,
    gradient: Target | None = None,
    changes: Sequence[Change] = (),
    dtype: torch.dtype | None = None,
) -> Trace:
    """A probe through a model, with everything that was computed on the way.

    The model is left as it is, and so are the global random state and what is differentiated elsewhere.

    Args:
        model: whose pass to record; nothing is dropped out
        tokens: the probe, (time) token ids, 1 to `LONGEST_PROBE` of them. For `UNKNOWN` the model reads a zero
            vector, and where it is the next token nothing is expected
        state: of one stream, to start from; see `warm`. Without one the pass starts from the zero state
        gradient: what to differentiate with respect to every quantity: "sum", the sum of all losses, or the loss at
            one timestep, counted from 0. A value that was put in place is a constant: the gradient with respect to
            it is there, and none travels on to what it replaced
        changes: values to put in place of those the model computes
        dtype: precision of the pass, by default the model's own; torch.float64 for checking

    Raises:
        ConfigError: a probe that cannot be read, a state of another model, a timestep that has no loss, or a change
            of something that does not exist
    """
    read = _checked_tokens(tokens, model.vocabulary_size)
    if gradient is not None:
        _check_gradient(gradient, _targets(read))
        return tape(model, read, state=state, changes=changes, dtype=dtype).gradient(gradient)
    return _pass(model, read, state, changes, dtype, differentiable=False)[0]


@torch.inference_mode(False)
def tape(
    model: LanguageModel,
    tokens: Iterable[int] | Tensor,
    *,
    state: StackState | None = None,
    changes: Sequence[Change] = (),
    dtype: torch.dtype | None = None,
) -> Tape:
    """The pass that `record` makes, kept so that the gradients of one loss after the other can be asked of it: each
    costs the way back alone. Arguments and errors are those of `record`."""
    read = _checked_tokens(tokens, model.vocabulary_size)
    return Tape(*_pass(model, read, state, changes, dtype, differentiable=True), stack=model.stack)


class Tape:
    """One recorded pass with the graph that gradients travel through. Any thread may ask; the weights are not in it.

    Attributes:
        trace: the pass, without gradients
    """

    def __init__(self, trace: Trace, kept: passes.Kept, losses: Tensor, *, stack: RecurrentStack) -> None:
        """`losses` (time) are those of the trace, as autograd knows them."""
        self.trace = trace
        self._kept, self._losses, self._stack = kept, losses, stack
        self._turn = threading.Lock()  # the graph is walked by one thread at a time

    @torch.inference_mode(False)
    def gradient(self, of: Target) -> Trace:
        """The trace with the gradient of a loss with respect to every quantity. What it holds besides is the trace's.

        Args:
            of: "sum", the sum of all losses, or the loss at one timestep, counted from 0

        Raises:
            ConfigError: a timestep that has no loss
        """
        _check_gradient(of, self.trace.targets)
        known = self.trace.targets != UNKNOWN
        with self._turn, _grad_enabled(True):
            found = self._kept.gradients(self._losses[known].sum() if of == "sum" else self._losses[of])
        return replace(_with_gradients(self.trace, self._stack, found), target=of)

    def bytes(self) -> int:
        """Memory that it takes, about: the graph holds what every operation read and gave."""
        return _GRAPH * self.trace.bytes()


def _pass(
    model: LanguageModel,
    read: Tensor,
    state: StackState | None,
    changes: Sequence[Change],
    dtype: torch.dtype | None,
    *,
    differentiable: bool,
) -> tuple[Trace, passes.Kept, Tensor]:
    """The trace of a probe (time), what autograd knows of it, and the losses (time)."""
    targets = _targets(read)
    vectors = _vectors(model, read, dtype)  # (time, width)
    _check_changes(changes, model.stack, vectors)
    known = targets != UNKNOWN
    with _grad_enabled(differentiable):
        kept, hidden = passes.run(model.stack, vectors, _start(model.stack, state), changes)
        log_probabilities = _log_probabilities(model, hidden)
        losses = torch.full_like(log_probabilities[:, 0], torch.nan)  # (time)
        losses[known] = -log_probabilities[known, targets[known]]
    trace = Trace(
        **vars(_stack_trace(model.stack, kept)),
        tokens=read,
        targets=targets,
        losses=_numbers(losses),
        log_probabilities=_numbers(log_probabilities),
    )
    return trace, kept, losses


@torch.inference_mode(False)
def record_stack(
    stack: RecurrentStack,
    inputs: Tensor,
    state: StackState | None = None,
    *,
    loss: Callable[[Tensor], Tensor] | None = None,
    changes: Sequence[Change] = (),
    dtype: torch.dtype | None = None,
) -> StackTrace:
    """A sequence of vectors through a stack, in one direction or two, with everything computed on the way.

    Args:
        stack: whose pass to record; nothing is dropped out
        inputs: (time, width), what the bottom layer reads
        state: of one stream, to start from, as `stack.initial_state(1)` has it; by default zero
        loss: makes a scalar of the top layer's outputs, (time, directions x units); without it there are no gradients
        changes, dtype: as `record` has them

    Raises:
        ConfigError: a state of another stack, or a change of something that does not exist
    """
    weight = next(stack.parameters())
    vectors = inputs.to(weight.device, dtype or weight.dtype)
    _check_changes(changes, stack, vectors)
    with _grad_enabled(loss is not None):
        kept, outputs = passes.run(stack, vectors, _start(stack, state), changes)
        found = _stack_trace(stack, kept)
        if loss is None:
            return found
        return _with_gradients(found, stack, kept.gradients(loss(outputs)))


@torch.no_grad()
def warm(model: LanguageModel, tokens: Iterable[int] | Tensor) -> StackState:
    """The state of one stream after a context, to record a probe from. The context may have any length, and none.

    Raises:
        ConfigError: a token that the vocabulary does not have
    """
    state = model.initial_state(1)
    for chunk in _as_ids(tokens, model.vocabulary_size).split(LONGEST_PROBE):
        if len(chunk):
            _, state = model.stack(_vectors(model, chunk).unsqueeze(1), state)
    return detached(state)


@contextmanager
def _grad_enabled(enabled: bool) -> Iterator[None]:
    """Gradients on or off inside, whatever they are outside; without them, at the least cost."""
    with torch.inference_mode(not enabled), torch.set_grad_enabled(enabled):
        yield


def _stack_trace(stack: RecurrentStack, kept: passes.Kept) -> StackTrace:
    return StackTrace(
        **vars(passes.direction(stack, kept)),
        inputs=_numbers(kept.inputs[:, 0]),
        reverse=passes.direction(stack, kept, reverse=True) if stack.bidirectional else None,
    )


def _with_gradients(trace: SomeTrace, stack: RecurrentStack, gradients: passes.Kept) -> SomeTrace:
    """The trace, which keeps its numbers, with those of the gradients beside them."""
    grad, initial_grad = passes.numbers(stack, gradients)
    reverse = trace.reverse
    if reverse is not None:
        values, initial = passes.numbers(stack, gradients, reverse=True)
        reverse = replace(reverse, grad=values, initial_grad=initial)
    inputs_grad = _numbers(gradients.inputs[:, 0])
    return replace(trace, grad=grad, initial_grad=initial_grad, inputs_grad=inputs_grad, reverse=reverse)


def _numbers(values: Tensor) -> Tensor:
    """A copy on the CPU that holds no graph."""
    return values.detach().cpu().clone()


def _start(stack: RecurrentStack, state: StackState | None) -> StackState:
    """The state to start from, of one stream."""
    zero = stack.initial_state(1)
    if state is None:
        return zero
    if [[part.shape for part in layer] for layer in state] != [[part.shape for part in layer] for layer in zero]:
        raise ConfigError("The initial state does not fit this model with a batch of one: make it with `warm`.")
    return state


def _vectors(model: LanguageModel, tokens: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """What the bottom layer reads for tokens (time): embeddings or one-hot vectors, (time, width); zero for
    `UNKNOWN`."""
    tokens = tokens.to(model.device)
    known = (tokens != UNKNOWN).unsqueeze(1)
    ids = tokens.clamp(min=0)
    if model.embedding is None:
        vectors = F.one_hot(ids, model.vocabulary_size).to(model.head_weight.dtype)
    else:
        vectors = F.embedding(ids, model.embedding.detach())
    return torch.where(known, vectors, 0.0).to(dtype or vectors.dtype)


def _log_probabilities(model: LanguageModel, hidden: Tensor) -> Tensor:
    """Of the next token, (time, vocabulary), for top hidden states (time, units)."""
    bias = None if model.head_bias is None else model.head_bias.detach().to(hidden)
    return F.log_softmax(F.linear(hidden, model.head_weight.detach().to(hidden), bias), dim=-1)


def _as_ids(tokens: Iterable[int] | Tensor, vocabulary_size: int) -> Tensor:
    """The tokens as (time) int64 on the CPU, each `UNKNOWN` or in the vocabulary."""
    given = torch.as_tensor(tokens if isinstance(tokens, Tensor) else list(tokens)).cpu()
    ids = given.to(torch.int64)
    if ids.dim() != 1 or (ids != given).any():
        raise ConfigError("The input must be a one-dimensional sequence of token ids, which are whole numbers.")
    wrong = ids[(ids < UNKNOWN) | (ids >= vocabulary_size)]
    if len(wrong):
        raise ConfigError(
            f"The token {int(wrong[0])} does not exist: the vocabulary has tokens 0 to {vocabulary_size - 1}, and "
            f"{UNKNOWN} stands for an unknown one."
        )
    return ids


def _checked_tokens(tokens: Iterable[int] | Tensor, vocabulary_size: int) -> Tensor:
    ids = _as_ids(tokens, vocabulary_size)
    if not len(ids):
        raise ConfigError("The input is empty: give at least one token.")
    if len(ids) > LONGEST_PROBE:
        raise ConfigError(f"The input has {len(ids):,} tokens; at most {LONGEST_PROBE} can be recorded. Shorten it.")
    return ids


def _targets(read: Tensor) -> Tensor:
    """The token that follows each of `read`, (time)."""
    return torch.cat((read[1:], torch.tensor([UNKNOWN])))


def _check_gradient(gradient: Target | None, targets: Tensor) -> None:
    if gradient is None or gradient == "sum":
        return
    last = len(targets) - 1
    if not isinstance(gradient, Integral) or not 0 <= gradient <= last:
        raise ConfigError(f'`gradient` must be "sum" or a timestep from 0 to {last}, not {gradient!r}.')
    if targets[gradient] == UNKNOWN:
        reason = "there is no token after the last" if gradient == last else "the next token is unknown"
        raise ConfigError(f"Timestep {gradient} has no loss: {reason}. Choose another, or the sum.")


def _check_changes(changes: Sequence[Change], stack: RecurrentStack, inputs: Tensor) -> None:
    """Every change must be of a value that the pass over `inputs` (time, width) computes, to one it can hold."""
    layers, units = len(stack.cells), stack.cells[0].units
    for change in changes:
        for name, place, count in (
            ("layer", change.layer, layers),
            ("timestep", change.time, len(inputs)),
            ("unit", change.unit, units),
        ):
            if not 0 <= place < count:
                raise ConfigError(f"There is no {name} {place} to change: counted from 0, the last is {count - 1}.")
        cell = stack.cells[change.layer]
        if change.quantity not in cell.quantities:
            raise ConfigError(
                f"The cell {cell.name!r} has no {change.quantity!r} to change: choose one of "
                f"{', '.join(cell.quantities)}."
            )
        if change.reverse and not stack.bidirectional:
            raise ConfigError("The model is unidirectional: there is no reverse direction to change.")
        if not abs(change.value) <= torch.finfo(inputs.dtype).max:  # so that NaN is refused as well
            raise ConfigError(f"{change.quantity} cannot be set to {change.value}: give a finite number.")
