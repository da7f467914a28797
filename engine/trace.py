"""Trace: what one recorded pass of a probe through a model holds, named and shaped. It never holds the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

UNKNOWN = -1
"""Stands for a token that the vocabulary has no symbol for: the model reads a zero vector there, and nothing is
expected of it."""

LONGEST_PROBE = 500
"""Tokens of a probe at most."""

Target = Literal["sum"] | int
"""What is differentiated: the sum of all losses, or the loss at one timestep, counted from 0."""


@dataclass(frozen=True)
class Change:
    """One value that is put in place of what the model computes; everything after it follows from it.

    Attributes:
        quantity: a state, a gate or a weighted sum, as the trace names it
        layer, time, unit: where, each counted from 0
        value: what stands there instead
        reverse: whether it stands in the second direction of a bidirectional stack
    """

    quantity: str
    layer: int
    time: int
    unit: int
    value: float
    reverse: bool = False


@dataclass(frozen=True, eq=False)
class Direction:
    """All that a stack computed in one direction: states, gates and pre-activations by name.

    Keys are the cell's state names ("hidden", "cell"), its gates ("forget", "candidate", ...) and, for each block of
    rows of its weights, what goes into the activation function: "forget_pre", "candidate_pre", ... (a GRU's block
    "keep" is z = 1 - update).

    Attributes:
        values: (layer, time, unit) for each name, on the CPU; time t is the same token in either direction. NaN in a
            layer that has no such quantity, as the lowest of depth-gated ones has no depth gate
        initial: the state before the first token that is read, (layer, unit) for each state name
        grad: the gradient with respect to each of `values`, under the same names; None where it was not asked for.
            It is the whole effect of a value: what follows from it in later timesteps and layers too
        initial_grad: the same for `initial`
        backward: whether the sequence was read from its last token to its first
        clock: of cells that keep time, what their clock said at each timestep, (time); None of others
    """

    values: Mapping[str, Tensor]
    initial: Mapping[str, Tensor]
    grad: Mapping[str, Tensor] | None = None
    initial_grad: Mapping[str, Tensor] | None = None
    backward: bool = field(default=False, kw_only=True)
    clock: Tensor | None = field(default=None, kw_only=True)

    def __getitem__(self, name: str) -> Tensor:
        return self.values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    @property
    def layers(self) -> int:
        """Number of stacked layers."""
        return self["hidden"].shape[0]

    @property
    def length(self) -> int:
        """Number of timesteps."""
        return self["hidden"].shape[1]

    @property
    def units(self) -> int:
        """Units in each layer."""
        return self["hidden"].shape[2]

    def before(self, state: str) -> Tensor:
        """A state as each timestep found it, (layer, time, unit): `initial` where reading began, else the one that
        the timestep read just before left behind."""
        first = self.initial[state].unsqueeze(1)  # (layer, 1, unit)
        if self.backward:
            return torch.cat((self[state][:, 1:], first), dim=1)
        return torch.cat((first, self[state][:, :-1]), dim=1)

    def bytes(self) -> int:
        """Memory that the numbers take."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self._held())

    def _held(self) -> Iterator[Tensor]:
        for named in (self.values, self.initial, self.grad, self.initial_grad):
            yield from (named or {}).values()


@dataclass(frozen=True, eq=False, kw_only=True)
class StackTrace(Direction):
    """One recorded pass of a stack over a sequence of vectors: its forward direction, and the other within.

    Attributes:
        inputs: (time, width), the vectors that the bottom layer reads
        inputs_grad: the gradient with respect to `inputs`
        reverse: the second direction of a bidirectional stack, in reading order: its time t is the same token
    """

    inputs: Tensor
    inputs_grad: Tensor | None = None
    reverse: Direction | None = None

    def _held(self) -> Iterator[Tensor]:
        yield from super()._held()
        yield self.inputs
        if self.inputs_grad is not None:
            yield self.inputs_grad
        if self.reverse is not None:
            yield from self.reverse._held()


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace(StackTrace):
    """One recorded pass of a language model over a probe.

    `trace["forget"]` is (layer, time, unit), `trace.grad["forget"]` the gradient of `target` with respect to it. The
    `inputs` are embeddings or one-hot vectors, and zero where a token is unknown.

    Attributes:
        tokens: (time), ids; `UNKNOWN` for what the vocabulary has no symbol for
        targets: (time), the token that follows each; `UNKNOWN` where none is known, as after the last
        losses: (time), -log p(target), in nats; NaN where there is no target
        log_probabilities: (time, vocabulary), in nats, of the next token
        target: what `grad` is the gradient of; None without gradients
    """

    tokens: Tensor
    targets: Tensor
    losses: Tensor
    log_probabilities: Tensor
    target: Target | None = None

    def top(self, count: int) -> tuple[Tensor, Tensor]:
        """The likeliest next tokens and their probabilities, (time, count) each, the likeliest first."""
        count = min(count, self.log_probabilities.shape[1])
        values, tokens = self.log_probabilities.topk(count, dim=1)
        return tokens, values.exp()

    def nearest_loss(self, t: int) -> int | None:
        """The last timestep up to `t` that has a loss, else the first that has; None where there is no loss at all."""
        judged = (self.targets != UNKNOWN).nonzero().flatten().tolist()
        return max((time for time in judged if time <= t), default=judged[0]) if judged else None

    def _held(self) -> Iterator[Tensor]:
        yield from super()._held()
        yield from (self.tokens, self.targets, self.losses, self.log_probabilities)
