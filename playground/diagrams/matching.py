"""A drawing read as the expressions that it computes, and found again in its cell's equations.

Drawing and equations are written apart from each other; where they differ, this says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.cells import Cell
from engine.cells.equations import (
    Applied,
    Complement,
    Expression,
    Join,
    Named,
    Parameter,
    Plus,
    Product,
    Quantity,
    Times,
    Turn,
    addends,
)
from playground.diagrams.diagram import Diagram, Node


class MismatchError(ValueError):
    """A drawing that does not compute its cell's equations."""


@dataclass(frozen=True)
class Matched:
    """Where the values of a drawing stand in its cell's equations.

    Attributes:
        values: what each node's value is, by name where the equations have one for it
        nodes: for an expression of the equations, in any order of its terms, the nodes that it is a piece of, the whole
            first, and the one that computes it last; see `normal`
    """

    values: Mapping[str, Expression]
    nodes: Mapping[Expression, tuple[str, ...]]

    def within(self, chain: Sequence[Expression]) -> list[str]:
        """The nodes that a piece of an equation belongs to, from what it is a piece of: the whole first."""
        found = [name for expression in chain for name in self.nodes.get(normal(expression), ())]
        return [name for at, name in enumerate(found) if name not in found[at + 1 :]]


def match(diagram: Diagram, cell: Cell) -> Matched:
    """Each value of a drawing with its expression in the cell's equations.

    Raises:
        MismatchError: a drawing that does not compute what an equation says
    """
    reader = _Reader(diagram, cell)
    for equation in cell.equations:
        if equation.left not in diagram or normal(reader.computed[equation.left]) != normal(equation.right):
            raise MismatchError(f"The drawing of {cell.title} does not compute {equation.left!r} as its equations do.")
    written = [each for equation in cell.equations for each in (Quantity(equation.left), *equation.right.walk())]
    tree = {normal(each): each for each in written}
    values = {name: _as_written(value, tree) for name, value in reader.read.items()}
    nodes: dict[Expression, tuple[str, ...]] = {}
    for node in reversed(diagram.nodes):  # a sum before what it adds up
        if node.operation != "out":
            for key in _keys(normal(reader.computed[node.name]), normal(reader.read[node.name]), tree):
                nodes[key] = (*nodes.get(key, ()), node.name)
    return Matched(values, nodes)


def normal(expression: Expression) -> Expression:
    """The same without names, and with what is added or multiplied in one order: equal where the values must be."""
    match expression:
        case Named(_, of) | Applied("identity", of):
            return normal(of)
        case Plus(terms):
            return Plus(tuple(sorted((each for term in terms for each in addends(normal(term))), key=repr)))
        case Times(factors):
            return Times(tuple(sorted(map(normal, factors), key=repr)))
        case Complement(of):
            return Complement(normal(of))
        case Applied(function, to):
            return Applied(function, normal(to))
        case Join(vectors):
            return Join(tuple(map(normal, vectors)))
        case Product(block, weights, Join(vectors)):  # joined or each by itself: the same product
            products = [Product(block, (name,), of) for name, of in zip(weights, vectors, strict=True)]
            return normal(Plus(tuple(products)))
        case Product(block, weights, of):
            return Product(block, weights, normal(of))
    return expression


def _keys(computed: Expression, read: Expression, tree: Mapping[Expression, Expression]) -> set[Expression]:
    """What a node stands for in the equations; where they do not have its sum as such, all that is added up in it."""
    if computed in tree or read in tree:
        return {computed, read}
    terms = set(addends(computed))
    return {key for key in tree if terms.issuperset(addends(key))}


def _as_written(value: Expression, tree: Mapping[Expression, Expression]) -> Expression:
    """An expression in the order of the equations; a part of one of their sums too."""
    found = tree.get(normal(value))
    if found is not None or not isinstance(value, Plus):
        return found or value
    terms = set(addends(normal(value)))
    whole = next((each for key, each in tree.items() if terms.issubset(addends(key))), value)
    return Plus(tuple(term for term in addends(whole) if terms.issuperset(addends(normal(term)))))


class _Reader:
    """Reads a drawing, node by node.

    Attributes:
        computed: what each node computes
        read: what the nodes after it read: its name, where an equation gives it one
    """

    def __init__(self, diagram: Diagram, cell: Cell) -> None:
        self._diagram = diagram
        self._given = {equation.left for equation in cell.equations}
        self._outside = {
            each.key: each
            for equation in cell.equations
            for each in equation.right.walk()
            if isinstance(each, Quantity)
        }
        self.computed: dict[str, Expression] = {}
        self.read: dict[str, Expression] = {}
        for node in diagram.nodes:
            self.computed[node.name] = self._compute(node)
            self.read[node.name] = self._named(node)

    def _named(self, node: Node) -> Expression:
        if node.name in self._given:
            return Quantity(node.name)
        turned = [each.name for each in self._diagram.readers(node.name) if each.operation == "one_minus"]
        given = next((name for name in turned if name in self._given), None)
        return self.computed[node.name] if given is None else 1 - Quantity(given)

    def _compute(self, node: Node) -> Expression:
        if node.operation == "in":
            if node.name not in self._outside:
                raise MismatchError(f"No equation reads {node.name!r}, which comes into the drawing.")
            return self._outside[node.name]
        sources = [self.read[wire.source] for wire in node.inputs]
        match node.operation:
            case "join":
                return Join(tuple(sources))
            case "product":
                product = Product(node.block, node.weights, sources[0])
                bias = Parameter(node.bias, node.block if node.bias == "bias" else "")
                return product + bias if node.bias else product
            case "diagonal":
                return Parameter(node.weights[0]) * sources[0]
            case "times":
                return sources[0] * sources[1]
            case "plus":
                return sources[0] + sources[1]
            case "one_minus":
                source = node.inputs[0].source
                return 1 - (sources[0] if source in self._given else self.computed[source])
            case "turn":
                return Turn(sources[0], self._outside["periods"])
            case "out":
                return sources[0]
        return Applied(node.operation, sources[0])
