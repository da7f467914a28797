"""An equation taken apart: operators, functions and quantities, each quantity with the key of its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.notation.symbols import Symbol, symbol

BEFORE = "_before"
"""Ends the key of a state as the timestep found it: "hidden_before" is h_{t-1}."""

_SIGNS = {"": "·", r"\odot": "⊙", "-": "−", r"\bmod": "mod", r"[\text{next}]": "[next]"}


@dataclass(frozen=True)
class Part:
    """One piece of an equation; the LaTeX of all pieces, put together, is the equation's.

    Keys of quantities, where their values are found:
        states and gates: as the trace names them; with `BEFORE` a state of the timestep before; "keep" is 1 - update
        clock, periods: which timestep a clockwork says it is, and the period of each unit
        cell_below: the cell state of the layer below
        input: what the layer reads, x_t, or the state of the layer below
        forget_pre, ...: what goes into a gate's activation function, as the trace names it
        weight_hh:forget, weight_ih:forget, bias:forget: the rows of one block of the parameters;
            weight:forget is both weights side by side, as they act on [h; x]
        peephole_forget, bias_candidate: parameters that have no blocks
        hidden_top, weight_out, bias_out, logits, probabilities, target_probability, loss: of the output layer
    """

    kind: Literal["operator", "function", "quantity"]
    latex: str
    key: str = ""

    @property
    def symbol(self) -> Symbol:
        """A quantity's letter with its marks."""
        return symbol(self.latex.strip())

    @property
    def text(self) -> str:
        """The piece in running text; a product of a matrix and a vector is a dot."""
        if self.kind == "operator":
            sign = self.latex.strip()
            return _SIGNS.get(sign, sign)
        return self.symbol.text


Parts = tuple[Part, ...]

EQUALS = Part("operator", " = ")
PLUS = Part("operator", " + ")
MINUS = Part("operator", " - ")
TIMES = Part("operator", r" \odot ")
APPLIED = Part("operator", " ")  # a matrix to a vector
OPEN = Part("operator", "(")
CLOSE = Part("operator", ")")
ONE = Part("operator", "1")
MODULO = Part("operator", r" \bmod ")
IS_ZERO = Part("operator", " = 0]")


def bracketed(inside: Parts) -> Parts:
    """In round brackets."""
    return (OPEN, *inside, CLOSE)


def latex(parts: Parts) -> str:
    """The LaTeX of pieces in a row."""
    return "".join(part.latex for part in parts)


@dataclass(frozen=True)
class Equation:
    """One equation of a cell.

    Attributes:
        left: key of the quantity that it gives
        parts: all of it, from the left
        pre: key of the weighted sum that its activation function is applied to; empty where there is none
        summed: the right side once more, with that sum as one quantity: "σ(sum)"
    """

    left: str
    parts: Parts
    pre: str = ""
    summed: Parts = ()

    @property
    def latex(self) -> str:
        """The equation as one line of LaTeX."""
        return latex(self.parts)

    @property
    def text(self) -> str:
        """The equation in running text."""
        return " ".join(part.text for part in self.parts)
