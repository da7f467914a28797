"""The contract of a recurrent cell: its equations, and nothing else.

A cell says which blocks of rows its weight matrices have, which states it carries, which gates it
opens, and how one timestep follows from the last. Layers, directions, dropout, recording, kernels
and gradients are written once, for all cells, elsewhere.

Every quantity on the way passes through a `tap` where it is born: `forget = tap("forget", ...)`. A tap that
records keeps it; one that asks "what if" hands another value back, and all that follows is computed from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from engine.config import ConfigError, OptionValue

State = tuple[Tensor, ...]
Parameters = Mapping[str, Tensor]
Tap = Callable[[str, Tensor], Tensor]


@dataclass(frozen=True)
class Gate:
    """One quantity a cell computes on its way, as it is recorded and drawn."""

    name: str
    low: float
    high: float
    meaning: str


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
    """Base of all cells. A subclass states its class variables and `step`.

    Parameters of one layer, by name (`blocks` counts the rows in units):
        weight_ih: (blocks x units, inputs), the weights on the input x_t
        weight_hh: (blocks x units, units), the weights on the hidden state h_{t-1}
        bias:      (blocks x units), left out where the model has no biases
    """

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]
    state_names: ClassVar[tuple[str, ...]] = ("hidden",)
    options: ClassVar[Mapping[str, Option]] = {}
    gates: tuple[Gate, ...]
    blocks: tuple[str, ...]

    def __init__(self, units: int, options: Mapping[str, OptionValue] | None = None) -> None:
        self.units = units
        self.chosen = self.check_options(options or {})

    @classmethod
    def check_options(cls, given: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """All options of this cell with the `given` ones in place.

        Raises:
            ConfigError: an option this cell does not have, or a value it does not take.
        """
        for key, value in given.items():
            if key not in cls.options:
                known = ", ".join(cls.options) or "it has none"
                raise ConfigError(f"The cell {cls.name!r} has no option {key!r} (options: {known}).")
            if value not in cls.options[key].choices:
                choices = ", ".join(map(str, cls.options[key].choices))
                raise ConfigError(f"The option {key!r} of {cls.name!r} is {value!r}; choose one of {choices}.")
        return {key: option.default for key, option in cls.options.items()} | dict(given)

    def parameter_shapes(self, inputs: int, bias: bool) -> dict[str, tuple[int, ...]]:
        """Name and shape of each parameter of one layer that reads `inputs` values a timestep."""
        rows = len(self.blocks) * self.units
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, self.units)}
        if bias:
            shapes["bias"] = (rows,)
        return shapes

    @property
    def quantities(self) -> tuple[str, ...]:
        """Everything that a timestep computes, by name: states, gates, and for each block of rows its weighted sum,
        `<block>_pre`, before the activation function."""
        gates = tuple(gate.name for gate in self.gates)
        return self.state_names + gates + tuple(f"{block}_pre" for block in self.blocks)

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        """One timestep.

        Args:
            projected: (batch, blocks x units), `W_ih x_t + b`, already multiplied out for all timesteps
            state: (batch, units) for each name in `state_names`, at t - 1
            parameters: as `parameter_shapes` names them
            tap: called once with each of `quantities`, name and value (batch, units), where it is born; what it
                returns is used from there on

        Returns:
            the state at t
        """
        raise TypeError(f"The cell {type(self).__name__} has no step: write its equations there.")

    def initial_state(self, batch: int, like: Tensor) -> State:
        """A zero state, (batch, units) for each state name."""
        return tuple(like.new_zeros(batch, self.units) for _ in self.state_names)

    def rows(self, block: str) -> slice:
        """The rows of `weight_ih`, `weight_hh` and `bias` that belong to `block`."""
        first = self.blocks.index(block) * self.units
        return slice(first, first + self.units)


def unit_gate(name: str, meaning: str) -> Gate:
    """A logistic gate, between 0 and 1."""
    return Gate(name, 0.0, 1.0, meaning)


def candidate_gate(meaning: str = "what could be written") -> Gate:
    """A tanh candidate, between -1 and 1."""
    return Gate("candidate", -1.0, 1.0, meaning)
