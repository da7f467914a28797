"""The drawing of one step of a cell as data: operations placed on a plane, wires between them, tags on the wires.

A drawing is a computation graph first. Each node is one operation on whole vectors, and its value goes along every
wire that leaves it; `playground.diagrams.evaluation` computes the step from the drawing alone. Places are in pixels of
the drawing's own plane, x to the right and y downwards, and wires run along the two axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]

Operation = Literal[
    "in",  # a value that comes from outside: a state before the step, or the input
    "out",  # a value that leaves the cell
    "join",  # vectors one after the other
    "product",  # weights times a vector, plus a bias where the model has one
    "diagonal",  # one weight for each unit, times a vector
    "sigmoid",
    "tanh",
    "relu",
    "times",  # unit by unit
    "plus",
    "one_minus",
    "turn",  # 1 for each unit whose period divides the clock, else 0
]

Bend = Literal["", "across", "upright"]
"""How a wire turns its corner: across first and then up or down, or the other way round."""


@dataclass(frozen=True)
class Wire:
    """The way from a node to one that reads its value.

    Attributes:
        source: name of the node whose value it carries
        bend: how it gets there where one corner is enough
        via: its corners, in order, where it takes more than one
    """

    source: str
    bend: Bend = ""
    via: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Node:
    """One operation of the step; its value is a vector that goes by the node's name.

    Quantities that a trace records keep their names there: "forget", "forget_pre", "cell", "hidden", ... The states
    before the step are "hidden_before" and "cell_before".

    Attributes:
        name: of the node and of its value
        operation: what it does with its inputs, in their order
        at: its centre
        inputs: the wires that lead to it
        block: which rows of the weights a product takes
        weights: names of the parameters it multiplies by: one for each vector that its input was joined from
        bias: name of the parameter that a product adds, where the model has it
        width: of its shape, where the operation's own is too narrow for what stands on it
        meaning: what its value is, in a phrase, where that is not known by its name; see `diagrams.meanings`
    """

    name: str
    operation: Operation
    at: Point
    inputs: tuple[Wire, ...] = ()
    block: str = ""
    weights: tuple[str, ...] = ()
    bias: str = ""
    width: float = 0.0
    meaning: str = ""


@dataclass(frozen=True)
class Tag:
    """Where the value of a wire is written.

    Attributes:
        of: name of the node whose value it is
        at: its upper left corner
        named: whether it has room for the quantity's name above the number
    """

    of: str
    at: Point
    named: bool = False


@dataclass(frozen=True)
class Diagram:
    """One step of a cell.

    Attributes:
        nodes: in an order in which they can be computed
        tags: where the values stand, one for each wire that has its own
        size: width and height of the plane
        frame: the cell's outline: left, top, width, height. What comes from outside crosses it
    """

    nodes: tuple[Node, ...]
    tags: tuple[Tag, ...]
    size: Point
    frame: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        known: set[str] = set()
        for item in self.nodes:
            if item.name in known:
                raise ValueError(f"Two nodes are called {item.name!r}: give one of them another name.")
            missing = [wire.source for wire in item.inputs if wire.source not in known]
            if missing:
                raise ValueError(f"{item.name!r} reads {missing[0]!r}, which no node before it computes.")
            known.add(item.name)
        for tag in self.tags:
            if tag.of not in known:
                raise ValueError(f"A tag names {tag.of!r}, which no node computes.")

    def __getitem__(self, name: str) -> Node:
        """The node of that name. Raises KeyError."""
        for item in self.nodes:
            if item.name == name:
                return item
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(item.name == name for item in self.nodes)

    def readers(self, name: str) -> list[Node]:
        """The nodes that a value goes to."""
        return [item for item in self.nodes if any(wire.source == name for wire in item.inputs)]
