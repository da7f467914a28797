"""The equations of a cell and of the output layer written in a notation, piece by piece, from the cell's own trees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.cells import Cell
from engine.cells.equations import (
    Applied,
    Complement,
    Equation,
    Expression,
    Join,
    Named,
    Parameter,
    Plus,
    Product,
    Quantity,
    Times,
    Turn,
)
from playground.notation.parts import Formula, Part, Parts, operator, quantity
from playground.notation.symbols import Symbol
from playground.notation.terms import Index, check, complement_of, in_formula, letter

_FUNCTIONS = {"tanh": "tanh", "relu": "ReLU", "sigmoid": "σ"}

# Where weights on the past and on the input stand apart: what stands below them, beside the gate's letter.
_APART = {
    "ng": {"weight_hh": "{}a", "weight_ih": "{}x"},
    "cs231n": {"weight_hh": "h{}", "weight_ih": "x{}"},
    "pytorch": {"weight_hh": "h{}", "weight_ih": "i{}"},
    "plain": {"weight_hh": "{},past", "weight_ih": "{},input"},
}

Within = tuple[Expression, ...]


def formulas(
    cell: Cell, notation: str, *, bias: bool = True, t: int | None = None, layer: int | None = None
) -> list[Formula]:
    """The equations of a cell, in the order in which they are computed.

    Args:
        cell: with its options as they are set
        notation: a key of `NOTATIONS`
        bias: whether the model has biases
        t: timestep, counted from 0; None writes the general t
        layer: counted from 0; None leaves it out. The input of a layer above the first is the state of the one below

    Raises:
        ValueError: an unknown notation.
    """
    check(notation)
    write = _Writer(notation, cell, bias, t, layer)
    return [write.formula(equation) for equation in cell.equations]


def written(expression: Expression, cell: Cell, notation: str, *, bias: bool = True, layer: int | None = None) -> Parts:
    """One expression over a cell's quantities.

    Raises:
        ValueError: an unknown notation.
    """
    check(notation)
    return _Writer(notation, cell, bias, None, layer)(expression)


def output_formulas(
    notation: str,
    *,
    bias: bool = True,
    t: int | None = None,
    layer: int | None = None,
    cell: Cell | None = None,
    key: str = "hidden",
) -> list[Formula]:
    """The output layer: scores of all tokens, their probabilities, and the loss.

    Args:
        notation, bias, t: as for `formulas`
        layer: the top layer, counted from 0; None leaves it out
        cell: of the top layer, where its family matters
        key: where the values of the top layer's state are found

    Raises:
        ValueError: an unknown notation.
    """
    check(notation)
    symbols = {name: in_formula(name, notation, None, t, cell) for name in ("logits", "probabilities", "loss")}
    scores, shares, loss = (quantity(symbol, name) for name, symbol in symbols.items())
    below = quantity(in_formula("hidden", notation, layer, t, cell), key)
    weight = quantity(letter("weight_out", notation), "weight_out")
    name = {"pytorch": "head", "plain": "scores"}.get(notation, "y")
    plus_bias = (operator("+"), quantity(Symbol("b", name), "bias_out")) if bias else ()
    target = shares._replace(key="target_probability")
    equals, log, softmax = operator("="), Part("function", "log"), Part("function", "softmax")
    return [
        Formula("logits", (scores, equals, weight, operator("·"), below, *plus_bias)),
        Formula("probabilities", (shares, equals, softmax, operator("("), scores, operator(")"))),
        Formula("loss", (loss, equals, operator("−"), log, target, operator("[next]"))),
    ]


@dataclass(frozen=True)
class _Writer:
    """Writes expressions in one notation, at one timestep and layer or in general.

    Attributes:
        sums: whether weighted sums are written out, and not as "sum"
    """

    notation: str
    cell: Cell
    bias: bool
    t: int | None = None
    layer: int | None = None
    sums: bool = True

    def formula(self, equation: Equation) -> Formula:
        key, left, right = equation.left, self(Quantity(equation.left)), equation.right
        if isinstance(right, Complement) and complement_of(equation.left, self.notation, self.cell):
            left, right = self(1 - Quantity(equation.left)), right.of  # 1 - z = 1 - σ(...) is z = σ(...)
            key = left[0].key
        if (self.cell.family, self.notation, equation.left) == ("gru", "ng", "hidden"):  # the memory is the activation
            also = quantity(in_formula("hidden", "ng", self.layer, self.t, None), key, left[0].within)
            left = (also, operator("="), *left)
        pre = next((each.name for each in right.walk() if isinstance(each, Named) and _is_sum(each)), "")
        summed = replace(self, sums=False)(right) if pre else ()
        parts = (*left, operator("="), *self(right))
        return Formula(key, parts, pre, summed if len(summed) > 1 else ())

    def __call__(self, expression: Expression, within: Within = ()) -> Parts:
        """The pieces of an expression that is itself a piece of others."""
        here = (*within, expression)
        match expression:
            case Quantity():
                return self._quantity(expression, here)
            case Parameter():
                return (quantity(self._parameter(expression), expression.key, here),)
            case Product():
                return self._product(expression, here)
            case Named(name, _) if not self.sums and _is_sum(expression):
                return (quantity(Symbol("sum"), name, here),)
            case Named(_, of) | Applied("identity", of):
                return self(of, here)
            case Plus(terms):
                there = [term for term in terms if self.bias or not (isinstance(term, Parameter) and term.is_bias)]
                return _between("+", (self._piece(term, here, (Complement, Quantity)) for term in there), here)
            case Times(factors):
                return _between("⊙", (self._piece(factor, here) for factor in factors), here)
            case Complement(of):
                return self._complement(of, here)
            case Applied(function, to):
                return (Part("function", _FUNCTIONS[function], within=here), *_round(self(to, here), here))
            case Join(vectors):
                comma = "," if self.notation == "ng" else ";"
                inside = _between(comma, (self(vector, here) for vector in vectors), here)
                return (operator("[", here), *inside, operator("]", here))
            case Turn(clock, periods):
                inside = _between("mod", (self(clock, here), self(periods, here)), here)
                return (operator("[", here), *inside, operator("= 0]", here))
        raise TypeError(f"There is no notation for {expression}.")

    def _piece(self, expression: Expression, within: Within, kinds: tuple[type, ...] = (Expression,)) -> Parts:
        """A factor or term, in brackets where it is of several pieces that would come apart."""
        parts, bare = self(expression, within), expression.of if isinstance(expression, Named) else expression
        whole = len(parts) == 1 or isinstance(bare, Applied | Join | Turn) or not isinstance(bare, kinds)
        return parts if whole else _round(parts, within)

    def _quantity(self, of: Quantity, here: Within) -> Parts:
        if complement_of(of.name, self.notation, self.cell):
            return (operator("1", here), operator("−", here), *self._complement(of, (*here, 1 - of)))
        name = of.name
        time: Index = self.t
        layer: Index = self.layer
        if of.at == "below":
            layer = ("below" if self.notation == "plain" else "l−1") if self.layer is None else self.layer - 1
        elif name == "input":
            name, layer = ("hidden", self.layer - 1) if self.layer else (name, None)
        if of.at == "before":
            time = "t−1" if self.t is None else self.t - 1
        return (quantity(in_formula(name, self.notation, layer, time, self.cell), of.key, here),)

    def _complement(self, of: Expression, here: Within) -> Parts:
        key = complement_of(of.name, self.notation, self.cell) if isinstance(of, Quantity) else ""
        if isinstance(of, Quantity) and key:
            return (quantity(letter(of.name, self.notation, self.cell), key, here),)
        return (operator("1", here), operator("−", here), *self._piece(of, here))

    def _product(self, product: Product, here: Within) -> Parts:
        """Of two vectors, weights on them joined; in PyTorch's notation, weights on each of them."""
        block, joined = product.block, isinstance(product.of, Join)
        if joined and self.notation != "pytorch":
            weight = quantity(Symbol("W", self._below(block)), f"weight:{block}", here)
            return (weight, operator("·", here), *self(product.of, here))
        vectors, inner = (product.of.inside, (*here, product.of)) if joined else ((product.of,), here)
        weights = [quantity(self._weight(name, block), f"{name}:{block}", here) for name in product.weights]
        applied = [
            (weight, operator("·", here), *self._piece(vector, inner))
            for weight, vector in zip(weights, vectors, strict=True)
        ]
        return _between("+", reversed(applied), here)

    def _weight(self, name: str, block: str) -> Symbol:
        """Weights on one vector alone."""
        if len(self.cell.blocks) == 1:
            return letter(name, self.notation)
        if block not in self.cell.recurrent_blocks and self.notation != "pytorch":
            return Symbol("W", self._below(block))
        return Symbol("W", _APART[self.notation][name].format(self._below(block)))

    def _parameter(self, parameter: Parameter) -> Symbol:
        kind, _, block = parameter.name.partition("_")
        if parameter.sign:
            base, _, below = parameter.sign.partition("_")
            return Symbol(base, parameter.word if self.notation == "plain" else below)
        if parameter.is_bias:  # of a block, or of its product with the past alone
            below = self._below(parameter.block or block)
            return Symbol("b", below if parameter.block else _APART[self.notation]["weight_hh"].format(below))
        return Symbol(kind[0], self._below(block) if block in self.cell.blocks else block)

    def _below(self, block: str) -> str:
        """What stands below a block's weights: the letter of the gate that its rows make."""
        if len(self.cell.blocks) == 1:
            return "hidden" if self.notation == "plain" else letter("hidden", self.notation, self.cell).base
        symbol = letter(self.cell.gate_of(block), self.notation, self.cell, brief=True)
        return symbol.sub or symbol.base.rstrip("\u0302\u0303")


def _is_sum(expression: Expression) -> bool:
    """Whether it is a block's weighted sum."""
    return isinstance(expression, Named) and expression.name.endswith("_pre")


def _between(sign: str, pieces: Iterable[Parts], within: Within) -> Parts:
    """Pieces with a sign between them."""
    first, *others = pieces
    return (*first, *(part for other in others for part in (operator(sign, within), *other)))


def _round(inside: Parts, within: Within) -> Parts:
    """In round brackets."""
    return (operator("(", within), *inside, operator(")", within))
