"""The equations of a cell as data: small expression trees over its named quantities.

A cell states them once, beside its `step`: `Equation("cell", FORGET * CELL.before + UPDATE * CANDIDATE)`. The formulas
in every notation, the arithmetic of one unit and what lights up in the cell's drawing follow from them. Equal
expressions have equal values. A test holds the equations of every cell equal to its `step`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

BEFORE = "_before"
"""Ends the key of a state as the timestep found it: "hidden_before" is h_{t-1}."""


@dataclass(frozen=True)
class Expression:
    """What can be computed within one timestep, a vector. `*` is unit by unit, and `1 - x` the complement."""

    @property
    def inside(self) -> tuple[Expression, ...]:
        """What it is made of, in order."""
        return ()

    def walk(self) -> Iterator[Expression]:
        """Itself and all that is in it, the whole before its pieces."""
        yield self
        for piece in self.inside:
            yield from piece.walk()

    def __add__(self, other: Expression) -> Plus:
        return Plus((*addends(self), *addends(other)))

    def __mul__(self, other: Expression) -> Times:
        return Times((self, other))

    def __rsub__(self, one: Literal[1]) -> Complement:
        return Complement(self)


@dataclass(frozen=True)
class Quantity(Expression):
    """A value by name: a state or gate as the trace names it, "input", which is what the layer reads, or of a cell that
    keeps time "clock" and "periods". A state may be that of the timestep before, or of the layer below."""

    name: str
    at: Literal["", "before", "below"] = ""

    @property
    def before(self) -> Quantity:
        return replace(self, at="before")

    @property
    def below(self) -> Quantity:
        return replace(self, at="below")

    @property
    def key(self) -> str:
        return f"{self.name}_{self.at}" if self.at else self.name


@dataclass(frozen=True)
class Parameter(Expression):
    """One learned number for each unit: a bias, or a diagonal weight. A bias that the model does not have is left out.

    Attributes:
        name: as the cell's `parameter_shapes` has it
        block: whose rows of it, where every block of rows has some
        sign, word: what to write for it where no course has a name for it: "w_c", and in words its subscript
    """

    name: str
    block: str = ""
    sign: str = field(default="", compare=False)
    word: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        return f"{self.name}:{self.block}" if self.block else self.name

    @property
    def is_bias(self) -> bool:
        return self.name.startswith("bias")


@dataclass(frozen=True)
class Join(Expression):
    """Vectors one after the other: [h_{t-1}; x_t]."""

    vectors: tuple[Expression, ...]

    @property
    def inside(self) -> tuple[Expression, ...]:
        return self.vectors


@dataclass(frozen=True)
class Product(Expression):
    """One block of rows of the weights times a vector; one name of `weights` for each vector that it is joined from."""

    block: str
    weights: tuple[str, ...]
    of: Expression

    @property
    def inside(self) -> tuple[Expression, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Plus(Expression):
    """A sum, unit by unit."""

    terms: tuple[Expression, ...]

    @property
    def inside(self) -> tuple[Expression, ...]:
        return self.terms


@dataclass(frozen=True)
class Times(Expression):
    """A product, unit by unit."""

    factors: tuple[Expression, ...]

    @property
    def inside(self) -> tuple[Expression, ...]:
        return self.factors


@dataclass(frozen=True)
class Complement(Expression):
    """One minus a value."""

    of: Expression

    @property
    def inside(self) -> tuple[Expression, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Applied(Expression):
    """A function of each value by itself: "sigmoid", "tanh", "relu" or "identity"."""

    function: str
    to: Expression

    @property
    def inside(self) -> tuple[Expression, ...]:
        return (self.to,)


@dataclass(frozen=True)
class Turn(Expression):
    """1 for each unit whose period divides the clock, else 0."""

    clock: Expression
    periods: Expression

    @property
    def inside(self) -> tuple[Expression, ...]:
        return (self.clock, self.periods)


@dataclass(frozen=True)
class Named(Expression):
    """An expression whose value goes by a name of its own: "forget_pre" is the weighted sum of the block "forget"."""

    name: str
    of: Expression

    @property
    def inside(self) -> tuple[Expression, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Equation:
    """A gate or state, by name, and what it is."""

    left: str
    right: Expression


def addends(expression: Expression) -> tuple[Expression, ...]:
    """What is added up; the expression itself where nothing is."""
    return expression.terms if isinstance(expression, Plus) else (expression,)


# ---------------------------------------------------------------------- what most cells are made of

HIDDEN, CELL, INPUT, CANDIDATE = map(Quantity, ("hidden", "cell", "input", "candidate"))
UPDATE, FORGET, OUTPUT = map(Quantity, ("update", "forget", "output"))


def sigmoid(of: Expression) -> Applied:
    return Applied("sigmoid", of)


def tanh(of: Expression) -> Applied:
    return Applied("tanh", of)


def bias(block: str) -> Parameter:
    return Parameter("bias", block)


def on_past(block: str) -> Product:
    """W_hh h_{t-1} of one block."""
    return Product(block, ("weight_hh",), HIDDEN.before)


def on_input(block: str) -> Product:
    """W_ih x_t of one block."""
    return Product(block, ("weight_ih",), INPUT)


def weighted(block: str, *more: Expression, past: Expression = HIDDEN.before) -> Named:
    """W [h_{t-1}; x_t] + b, and more before the bias: what goes into a block's activation function."""
    both = Product(block, ("weight_hh", "weight_ih"), Join((past, INPUT)))
    return Named(f"{block}_pre", Plus((both, *more, bias(block))))


def elman() -> Named:
    """W_hh h_{t-1} + W_ih x_t + b, the weighted sum of a cell with one block of rows."""
    return Named("candidate_pre", on_past("candidate") + on_input("candidate") + bias("candidate"))


def gate(block: str, *more: Expression) -> Equation:
    """A logistic gate, σ(W [h_{t-1}; x_t] + b)."""
    return Equation(block, sigmoid(weighted(block, *more)))


def candidate(past: Expression = HIDDEN.before) -> Equation:
    """tanh(W [h_{t-1}; x_t] + b)."""
    return Equation("candidate", tanh(weighted("candidate", past=past)))


def mixed(share: Quantity = UPDATE) -> Equation:
    """One memory, new and old in shares that make up one: h_t = u ⊙ c̃ + (1 - u) ⊙ h_{t-1}."""
    return Equation("hidden", share * CANDIDATE + Named("keep", 1 - share) * HIDDEN.before)
