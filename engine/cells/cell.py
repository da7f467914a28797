"""The contract of a recurrent cell: its equations, and nothing else.

A cell says which blocks of rows its weight matrices have, which states it carries, which gates it opens, and how one
timestep follows from the last: in a `step`, and as data in `equations`. Layers, directions, dropout, recording, kernels
and gradients are written once, for all cells, elsewhere.

Every quantity on the way passes through a `tap` where it is born: `forget = tap("forget", ...)`. A tap that
records keeps it; one that asks "what if" hands another value back, and all that follows is computed from that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from engine.cells.equations import Equation, Expression, Named, Parameter, Quantity
from engine.config import ConfigError, OptionValue

State = tuple[Tensor, ...]
"""What one timestep hands to the next: (batch, units) for each of a cell's states, and of a cell that keeps time its
clock, (batch, 1)."""

Parameters = Mapping[str, Tensor]
Tap = Callable[[str, Tensor], Tensor]


@dataclass(frozen=True)
class Gate:
    """One quantity a cell computes on its way, as it is recorded and drawn. Where no course has a letter for it,
    `letter` is what formulas call it: by default its first."""

    name: str
    low: float
    high: float
    meaning: str
    letter: str = ""


@dataclass(frozen=True)
class Option:
    """A switch that a cell offers in `config.model.options`."""

    default: OptionValue
    choices: tuple[OptionValue, ...]
    meaning: str


def untapped(name: str, value: Tensor) -> Tensor:
    """The tap that does nothing."""
    return value


class Cell:
    """Base of all cells. A subclass states its class variables, `equations` and `step`.

    Parameters of one layer, by name (`blocks` counts the rows in units):
        weight_ih: (blocks x units, inputs), the weights on the input x_t
        weight_hh: (recurrent blocks x units, units), the weights on the hidden state h_{t-1}
        bias:      (blocks x units), left out where the model has no biases
    """

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]
    state_names: ClassVar[tuple[str, ...]] = ("hidden",)
    options: ClassVar[Mapping[str, Option]] = {}
    below: ClassVar[str] = ""
    """the state of the layer below, at the same timestep, that the step asks for; empty where it asks for none"""
    remark: ClassVar[str] = ""
    """what its equations leave unsaid, in a sentence or two; shown below them"""
    gates: tuple[Gate, ...]
    blocks: tuple[str, ...]
    equations: tuple[Equation, ...]
    """what `step` computes, in its order; every block's weighted sum is named in one of them, "forget_pre", ..."""
    clock_size: int = 0
    """timesteps after which the clock starts over, of a cell whose step asks which timestep it is; 0 of all others"""
    periods: Tensor
    """of each unit, in timesteps, (units); of a cell that keeps time"""

    def __init__(self, units: int, options: Mapping[str, OptionValue] | None = None) -> None:
        self.units = units
        self.chosen = self.check_options(options or {})
        self.modules: tuple[slice, ...] = (slice(0, units),)
        """groups of units, in order: a unit reads the states of its own group and of those after it, and no others"""

    @property
    def trains_with(self) -> Mapping[str, float]:
        """Settings that a run of this cell needs in place of the common defaults, by `section__name`; see
        `engine.cells.with_cell`. They depend on its switches."""
        return {}

    def lowest(self) -> Cell:
        """The cell of the lowest layer of a stack of this one: one that asks for nothing below. By default this one."""
        return self

    @classmethod
    def check_options(cls, given: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """All options of this cell with the `given` ones in place.

        Raises:
            ConfigError: an option this cell does not have, or a value it does not take.
        """
        for key, value in given.items():
            if key not in cls.options:
                known = ", ".join(cls.options) or "none"
                raise ConfigError(f"The cell {cls.name!r} has no option {key!r} (options: {known}).")
            if value not in cls.options[key].choices:
                choices = ", ".join(map(str, cls.options[key].choices))
                raise ConfigError(f"The option {key!r} of {cls.name!r} is {value!r}; choose one of {choices}.")
        return {key: option.default for key, option in cls.options.items()} | dict(given)

    def parameter_shapes(self, inputs: int, bias: bool) -> dict[str, tuple[int, ...]]:
        """Name and shape of each parameter of one layer that reads `inputs` values a timestep."""
        rows, recurrent_rows = len(self.blocks) * self.units, len(self.recurrent_blocks) * self.units
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (recurrent_rows, self.units)}
        if bias:
            shapes["bias"] = (rows,)
        return shapes

    @property
    def recurrent_blocks(self) -> tuple[str, ...]:
        """The blocks that see the hidden state at t - 1, first among all blocks: those with rows in `weight_hh`."""
        return self.blocks

    def parameter_count(self, inputs: int, bias: bool) -> int:
        """Number of trained values of one layer: without the recurrent weights between units that are not
        connected, which are always zero."""
        whole = sum(math.prod(shape) for shape in self.parameter_shapes(inputs, bias).values())
        connected = sum((module.stop - module.start) * (self.units - module.start) for module in self.modules)
        return whole - len(self.recurrent_blocks) * (self.units**2 - connected)

    def connections(self) -> Tensor | None:
        """Which recurrent weights there are, in the shape of `weight_hh` as 1 and 0; None where every unit reads every
        other."""
        if len(self.modules) == 1:
            return None
        connected = torch.zeros(self.units, self.units)
        for module in self.modules:
            connected[module, module.start :] = 1.0
        return connected.repeat(len(self.recurrent_blocks), 1)

    def units_read_by(self, unit: int) -> slice:
        """The units whose states at t - 1 a unit reads."""
        return slice(next(module.start for module in self.modules if unit < module.stop), self.units)

    @property
    def carried(self) -> tuple[str, ...]:
        """Names of all that one timestep hands to the next, in the order of `State`."""
        return (*self.state_names, *(("clock",) if self.clock_size else ()))

    @property
    def quantities(self) -> tuple[str, ...]:
        """Everything that a timestep computes, by name: states, gates, and for each block of rows its weighted sum,
        `<block>_pre`, before the activation function."""
        gates = tuple(gate.name for gate in self.gates)
        return self.state_names + gates + tuple(f"{block}_pre" for block in self.blocks)

    @cached_property
    def definitions(self) -> Mapping[str, Expression]:
        """What every value is computed from that goes by a name: gates, states, weighted sums, and the rest."""
        inside = (each for equation in self.equations for each in equation.right.walk() if isinstance(each, Named))
        return {each.name: each.of for each in inside} | {equation.left: equation.right for equation in self.equations}

    @cached_property
    def values(self) -> Mapping[str, Expression]:
        """Every quantity and parameter of the equations by its key, and what has a name of its own."""
        leaves = (each for equation in self.equations for each in (Quantity(equation.left), *equation.right.walk()))
        return {**self.definitions, **{each.key: each for each in leaves if isinstance(each, Quantity | Parameter)}}

    def same_as(self, quantity: str) -> str:
        """The state that a gate is but another name for, as an RNN's candidate is; else the quantity itself."""
        whole = (each.left for each in self.equations if isinstance(each.right, Named) and each.right.name == quantity)
        return next(whole, quantity)

    def gate_of(self, block: str) -> str:
        """The gate or state that a block of rows makes; a block that is none makes the complement of one."""
        if block in (gate.name for gate in self.gates):
            return self.same_as(block)
        return next(each.name for each in self.definitions[block].walk() if isinstance(each, Quantity))

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        """One timestep.

        Args:
            projected: (batch, blocks x units), `W_ih x_t + b`, already multiplied out for all timesteps
            state: (batch, units) for each name in `state_names`, at t - 1; then, of a cell that keeps time, what its
                clock says at t, (batch, 1), and of one with a `below` that state of the layer below at t, (batch,
                units)
            parameters: as `parameter_shapes` names them
            tap: called once with each of `quantities`, name and value (batch, units), where it is born; what it
                returns is used from there on

        Returns:
            the state at t, and what the clock says at t + 1
        """
        raise TypeError(f"The cell {type(self).__name__} has no step method: write its equations there.")

    def initial_state(self, batch: int, like: Tensor) -> State:
        """A zero state: (batch, units) for each state name, and (batch, 1) for a clock, which counts from 0."""
        states = tuple(like.new_zeros(batch, self.units) for _ in self.state_names)
        return (*states, like.new_zeros(batch, 1)) if self.clock_size else states

    def rows(self, block: str) -> slice:
        """The rows of `weight_ih`, `weight_hh` and `bias` that belong to `block`."""
        first = self.blocks.index(block) * self.units
        return slice(first, first + self.units)


def unit_gate(name: str, meaning: str, letter: str = "") -> Gate:
    """A logistic gate, between 0 and 1."""
    return Gate(name, 0.0, 1.0, meaning, letter)


def candidate_gate(meaning: str = "candidate for the new value of the state") -> Gate:
    """A tanh candidate, between -1 and 1."""
    return Gate("candidate", -1.0, 1.0, meaning)
