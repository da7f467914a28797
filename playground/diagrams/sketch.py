"""A drawing in the making, and what most cells are made of: a column of weights and activation for each gate.

highway      ──────×──────   the state that is kept
                   │
activation         σ
                   │
weights           W, b
                   │
shared       ──────┴──────   [state before; input]
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.diagrams.diagram import Diagram, Node, Operation, Point, Tag, Wire
from playground.diagrams.geometry import BARE_TAG, NAMED_TAG

BOTH = ("weight_hh", "weight_ih")
"""The parameters that multiply [state before; input]."""

MARGIN = 96.0
"""Room outside the cell on the left and on the right, for what comes in and what goes out."""

_BESIDE = 8.0
"""Between an upright wire and its tag; over and under a wire that runs across it is the same."""


@dataclass(frozen=True)
class Rows:
    """How far down the rows of a drawing lie; `source` is where the input comes from."""

    highway: float = 84.0
    meet: float = 200.0
    activation: float = 312.0
    weights: float = 396.0
    shared: float = 458.0
    source: float = 556.0

    @property
    def gate_tag(self) -> float:
        """The middle of the tags between the activation functions and where their values are used."""
        return (self.meet + self.activation) / 2 - 3

    @property
    def weighted_tag(self) -> float:
        """The middle of the tags between weights and activation functions."""
        return (self.activation + self.weights - 5) / 2


class Sketch:
    """Nodes and tags of a drawing, put down one after the other, in an order in which they can be computed."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._nodes: list[Node] = []
        self._tags: list[Tag] = []

    def put(
        self,
        name: str,
        operation: Operation,
        at: Point,
        *inputs: Wire | str,
        block: str = "",
        weights: tuple[str, ...] = (),
        bias: str = "",
        width: float = 0.0,
        meaning: str = "",
    ) -> None:
        """A node; straight wires are given by their source alone."""
        wires = tuple(Wire(item) if isinstance(item, str) else item for item in inputs)
        self._nodes.append(Node(name, operation, at, wires, block, weights, bias, width, meaning))

    def weights(
        self,
        name: str,
        block: str,
        at: Point,
        source: Wire | str,
        *weights: str,
        bias: str = "bias",
        width: float = 0.0,
        meaning: str = "",
    ) -> None:
        """The product of one block of weights with a vector, and its bias."""
        names = weights or BOTH
        self.put(name, "product", at, source, block=block, weights=names, bias=bias, width=width, meaning=meaning)

    def column(
        self, block: str, x: float, *, joined: Wire | None = None, activation: Operation = "sigmoid", pre: str = ""
    ) -> None:
        """Weights and activation function of one block of rows, and the tag of the weighted sum between them.

        Args:
            block: which, and what the activation function's value is called
            x: of the column
            joined: the way to the weights of what they multiply; by default along the shared line
            activation: the function
            pre: what the weights' product is called where it is not yet the weighted sum
        """
        rows, pre = self.rows, pre or f"{block}_pre"
        meaning = "" if pre == f"{block}_pre" else "the weighted sum, before the peephole is added"
        self.weights(pre, block, (x, rows.weights), joined or Wire("joined", "across"), meaning=meaning)
        if pre == f"{block}_pre":
            self.put(block, activation, (x, rows.activation), pre)
            self.beside(pre, x, rows.weighted_tag)

    def beside(self, of: str, x: float, middle: float, *, named: bool = False) -> None:
        """A tag to the right of an upright wire, its middle at that height."""
        _, height = NAMED_TAG if named else BARE_TAG
        self._tags.append(Tag(of, (x + _BESIDE, middle - height / 2), named))

    def above(self, of: str, middle: float, y: float, *, named: bool = False) -> None:
        """A tag over a wire that runs across, its middle there."""
        width, height = NAMED_TAG if named else BARE_TAG
        self._tags.append(Tag(of, (middle - width / 2, y - height - _BESIDE), named))

    def below(self, of: str, left: float, y: float) -> None:
        """A small tag under a wire that runs across."""
        self._tags.append(Tag(of, (left, y + _BESIDE - 1)))

    def enter(self, of: str, y: float) -> None:
        """A value that comes in from the left."""
        self.put(of, "in", (10, y))
        self.above(of, 16 + NAMED_TAG[0] / 2, y, named=True)

    def enter_below(self, x: float, of: str = "input", *, meaning: str = "") -> None:
        """The input, or another value, which comes in from below."""
        self.put(of, "in", (x, self.rows.source), meaning=meaning)
        self.beside(of, x, self.rows.source - 26, named=True)

    def leave(self, of: str, width: float, y: float, *, down: float | None = None) -> None:
        """A value that goes out to the right; `down` is where its wire comes down from, if it does."""
        way = Wire(of) if down is None else Wire(of, via=((down, y),))
        self.put(f"{of}_out", "out", (width - 10, y), way)
        self.above(f"{of}_out", width - 16 - NAMED_TAG[0] / 2, y, named=True)

    def done(self, width: float, bottom: float, top: float = 34.0) -> Diagram:
        """The drawing; the cell's outline goes from `top` to `bottom`."""
        frame = (MARGIN, top, width - 2 * MARGIN, bottom - top)
        return Diagram(tuple(self._nodes), tuple(self._tags), (width, self.rows.source + 12), frame)
