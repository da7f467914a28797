"""The equations of a cell found again in its drawing: which piece of which equation writes which node.

An equation is read as an expression and matched with the computation graph, operation by operation. Equations and
drawing are written apart from each other; where they differ, this says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playground.diagrams.diagram import Diagram, Node
from playground.diagrams.expression import Expression, read, sides
from playground.notation import Equation, Part
from playground.notation.parts import PLUS


class SpellingError(ValueError):
    """An equation that is not what is drawn."""


@dataclass(frozen=True)
class Place:
    """A stretch of an equation that writes the value of a node.

    Attributes:
        equation: which, counted from 0
        node: name of the node
        parts: which pieces of the equation, counted from 0
        own: those of them that write its operation, or its name: not what it reads
    """

    equation: int
    node: str
    parts: frozenset[int]
    own: frozenset[int]


def spell(diagram: Diagram, equations: list[Equation]) -> list[Place]:
    """Where each node of a drawing stands in its cell's equations, the whole before its pieces.

    Raises:
        SpellingError: an equation that is not what is drawn
    """
    return [place for number, equation in enumerate(equations) for place in _spelled(diagram, number, equation)]


def names(diagram: Diagram, equations: list[Equation], places: list[Place]) -> dict[str, tuple[Part, ...]]:
    """How each node's value is written: by its name where it has one, else by what it is computed from.

    A node that no equation writes, such as a vector joined from two where a notation multiplies them one by one, is
    written as its inputs in brackets. A value that leaves has the name it had inside.
    """
    found: dict[str, tuple[Part, ...]] = {}
    for place in sorted(
        places, key=lambda place: len(place.parts), reverse=True
    ):  # the shortest way stays, and the last
        found[place.node] = _written(equations[place.equation].parts, sorted(place.parts))
    for node in diagram.nodes:
        if node.name not in found and node.operation == "join":
            found[node.name] = _joined([found[wire.source] for wire in node.inputs])
        elif node.operation == "out":
            found[node.name] = found[node.inputs[0].source]
    return found


def _written(parts: tuple[Part, ...], places: list[int]) -> tuple[Part, ...]:
    """Pieces of an equation; where others stood between them, they were terms of a sum."""
    found: list[Part] = []
    for before, place in zip([places[0] - 1, *places], places, strict=False):
        found += [PLUS] * (place > before + 1) + [parts[place]]
    return tuple(found)


def _joined(inputs: list[tuple[Part, ...]]) -> tuple[Part, ...]:
    first, *others = inputs
    rest = [part for other in others for part in (Part("operator", "; "), *other)]
    return (Part("operator", "["), *first, *rest, Part("operator", "]"))


def _spelled(diagram: Diagram, number: int, equation: Equation) -> Iterator[Place]:
    for expression in map(read, sides(equation.parts)):
        found = _match(diagram, diagram[equation.left], expression)
        if found is None:
            raise SpellingError(f"The drawing does not compute what this equation says: {equation.text}")
        for name, parts, own in found:
            yield Place(number, name, parts, own)


_Found = list[tuple[str, frozenset[int], frozenset[int]]]
_FUNCTIONS = {r"\sigma": "sigmoid", r"\tanh": "tanh", r"\mathrm{ReLU}": "relu"}


def _match(diagram: Diagram, node: Node, expression: Expression) -> _Found | None:
    """What an expression writes if it is what a node computes; None if it is not."""
    whole: _Found = [(node.name, expression.parts, expression.own)]
    if expression.kind == "quantity":
        return whole if expression.key == node.name else None
    if expression.kind == "one_minus":
        other = _turned(diagram, node)
        return _with(whole, None if other is None else _match(diagram, other, expression.inside[0]))
    if expression.kind == "function":
        if node.operation != _FUNCTIONS[expression.key]:
            return None
        return _with(whole, _match(diagram, _sources(diagram, node)[0], expression.inside[0]))
    if expression.kind == "turn":
        is_turn = node.operation == "turn"
        return _with(whole, _match(diagram, _sources(diagram, node)[0], expression.inside[0])) if is_turn else None
    if expression.kind == "join":
        return (
            _with(whole, _match_all(diagram, _sources(diagram, node), expression)) if node.operation == "join" else None
        )
    if expression.kind == "times":
        return _match_times(diagram, node, expression, whole)
    return _match_sum(diagram, node, expression)


def _with(whole: _Found, pieces: _Found | None) -> _Found | None:
    return None if pieces is None else whole + pieces


def _sources(diagram: Diagram, node: Node) -> list[Node]:
    return [diagram[wire.source] for wire in node.inputs]


def _turned(diagram: Diagram, node: Node) -> Node | None:
    """The node whose value is one minus this one's."""
    if node.operation == "one_minus":
        return _sources(diagram, node)[0]
    return next((reader for reader in diagram.readers(node.name) if reader.operation == "one_minus"), None)


def _match_all(diagram: Diagram, nodes: list[Node], expression: Expression) -> _Found | None:
    """Each input of an operation with one piece of an expression, in order."""
    if len(nodes) != len(expression.inside):
        return None
    found: _Found = []
    for node, piece in zip(nodes, expression.inside, strict=True):
        matched = _match(diagram, node, piece)
        if matched is None:
            return None
        found += matched
    return found


def _match_times(diagram: Diagram, node: Node, expression: Expression, whole: _Found) -> _Found | None:
    if node.operation == "diagonal":
        weight, seen = expression.inside
        if (weight.kind, weight.key) != ("quantity", node.weights[0]):
            return None
        own = expression.own | weight.parts
        return _with([(node.name, expression.parts, own)], _match(diagram, _sources(diagram, node)[0], seen))
    if node.operation != "times":
        return None
    sources = _sources(diagram, node)
    return _with(
        whole, _match_all(diagram, sources, expression) or _match_all(diagram, list(reversed(sources)), expression)
    )


def _match_sum(diagram: Diagram, node: Node, expression: Expression) -> _Found | None:
    """A sum with what is added up in the drawing, in any order; a product there brings its bias along."""
    addends = list(expression.inside) if expression.kind == "sum" else [expression]
    own, found = expression.own, []
    inner = {term.name: [each.name for each in _terms(diagram, term)] for term in _partial_sums(diagram, node)}
    for term in _terms(diagram, node):
        is_product = term.operation == "product"
        matched = _match_product(diagram, term, addends) if is_product else _match_one(diagram, term, addends)
        if matched is None:
            return None
        if term is node:
            own, matched = own | matched[0][2], matched[1:]
        found += matched
    if addends:
        return None
    written = {name: parts for name, parts, _ in reversed(found)}
    partial = [
        (name, frozenset().union(*(written[term] for term in terms)), frozenset[int]()) for name, terms in inner.items()
    ]
    return [(node.name, expression.parts, own), *partial, *found]


def _match_one(diagram: Diagram, node: Node, addends: list[Expression]) -> _Found | None:
    """A node with the first of several expressions that writes it, which is taken away."""
    for addend in addends:
        if addend.kind in ("sum", "applied"):  # sums and products of weights are taken apart elsewhere
            continue
        matched = _match(diagram, node, addend)
        if matched is not None:
            addends.remove(addend)
            return matched
    return None


def _terms(diagram: Diagram, node: Node) -> list[Node]:
    """What a node adds up; the node itself where it adds nothing."""
    if node.operation != "plus":
        return [node]
    return [term for source in _sources(diagram, node) for term in _terms(diagram, source)]


def _partial_sums(diagram: Diagram, node: Node) -> list[Node]:
    """The sums that a sum of several terms is made of."""
    inner = (
        [source for source in _sources(diagram, node) if source.operation == "plus"] if node.operation == "plus" else []
    )
    return [*inner, *(deeper for source in inner for deeper in _partial_sums(diagram, source))]


def _match_product(diagram: Diagram, node: Node, addends: list[Expression]) -> _Found | None:
    """A product of weights, written as one on the joined vector or as one on each; and its bias. Takes them away."""
    (source,) = _sources(diagram, node)
    pieces = _sources(diagram, source) if source.operation == "join" else [source]
    wanted: Mapping[str, Node] = {
        f"{name}:{node.block}": piece for name, piece in zip(node.weights, pieces, strict=True)
    }
    taken: list[Expression] = []
    inner: _Found = []
    for addend in [addend for addend in addends if addend.kind == "applied"]:
        read_from = source if addend.key == f"weight:{node.block}" else wanted.get(addend.key)
        matched = None if read_from is None else _match(diagram, read_from, addend.inside[0])
        if matched is not None:
            taken.append(addend)
            inner += matched
    if {addend.key for addend in taken} not in ({f"weight:{node.block}"}, set(wanted)):
        return None
    biases = (f"bias:{node.block}",) if node.bias == "bias" else (node.bias,)
    taken += [addend for addend in addends if addend.kind == "quantity" and addend.key in biases]
    for addend in taken:
        addends.remove(addend)
    parts = frozenset().union(*(addend.parts for addend in taken))
    own = frozenset().union(*(addend.own for addend in taken))
    return [(node.name, parts, own), *inner]
