"""A formula taken apart: operators, functions and quantities, each with what it is a piece of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from engine.cells.equations import Expression
from playground.notation.symbols import Symbol

_LATEX = {
    "=": " = ",
    "+": " + ",
    "−": " - ",
    "⊙": r" \odot ",
    "·": " ",  # a matrix applied to a vector
    ",": ", ",
    ";": "; ",
    "mod": r" \bmod ",
    "= 0]": " = 0]",
    "[next]": r"[\text{next}]",
    "σ": r"\sigma",
    "tanh": r"\tanh",
    "ReLU": r"\mathrm{ReLU}",
    "softmax": r"\mathrm{softmax}",
    "log": r"\log ",
}


class Part(NamedTuple):
    """One piece of a formula; the LaTeX of all pieces, put together, is the formula's.

    Keys of quantities are those of the cell's equations: "hidden_before", "forget_pre", "bias:forget", and of weights
    "weight_hh:forget", or "weight:forget" where both stand side by side, as they act on [h; x]. Of the output layer:
    hidden_top, weight_out, bias_out, logits, probabilities, target_probability, loss.

    Attributes:
        kind: what it is
        sign: of an operator or function, in running text; a product of a matrix and a vector is a dot
        key: of a quantity
        symbol: of a quantity
        within: what it is a piece of in the cell's equation, the whole first; it writes the last of them
    """

    kind: Literal["operator", "function", "quantity"]
    sign: str = ""
    key: str = ""
    symbol: Symbol | None = None
    within: tuple[Expression, ...] = ()

    @property
    def text(self) -> str:
        """The piece in running text."""
        return self.symbol.text if self.symbol else self.sign

    @property
    def latex(self) -> str:
        """The piece as LaTeX."""
        return self.symbol.latex if self.symbol else _LATEX.get(self.sign, self.sign)

    def data(self) -> dict[str, Any]:
        """As the browser gets it."""
        if self.symbol:
            return {"kind": self.kind, "key": self.key, "symbol": self.symbol.data(), "text": self.text}
        return {"kind": self.kind, "text": self.text}


Parts = tuple[Part, ...]


def operator(sign: str, within: tuple[Expression, ...] = ()) -> Part:
    return Part("operator", sign, within=within)


def quantity(symbol: Symbol, key: str, within: tuple[Expression, ...] = ()) -> Part:
    return Part("quantity", "", key, symbol, within)


@dataclass(frozen=True)
class Formula:
    """One equation, written.

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
        """The formula as one line of LaTeX."""
        return "".join(part.latex for part in self.parts)

    @property
    def text(self) -> str:
        """The formula in running text."""
        return " ".join(part.text for part in self.parts)
