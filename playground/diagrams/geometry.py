"""Where things lie on the plane of a drawing: boxes, the corners of wires, forks, and where wires cross."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from playground.diagrams.diagram import Diagram, Node, Point, Tag, Wire

SIZES: Mapping[str, Point] = {
    "in": (0, 0),
    "out": (0, 0),
    "join": (28, 28),
    "product": (68, 46),
    "diagonal": (46, 32),
    "sigmoid": (46, 32),
    "tanh": (46, 32),
    "relu": (46, 32),
    "times": (28, 28),
    "plus": (28, 28),
    "one_minus": (28, 28),
    "turn": (84, 32),
}
"""Width and height of each operation's shape."""

NAMED_TAG: Point = (64, 48)
BARE_TAG: Point = (48, 27)

Segment = tuple[Point, Point]


@dataclass(frozen=True)
class Box:
    """A rectangle with its sides along the axes."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box, apart: float = 0.0) -> bool:
        """Whether the two come nearer to each other than `apart`."""
        across = self.left < other.right + apart and other.left < self.right + apart
        return across and self.top < other.bottom + apart and other.top < self.bottom + apart


def size(node: Node) -> Point:
    """Width and height of a node's shape."""
    width, height = SIZES[node.operation]
    return node.width or width, height


def box(node: Node) -> Box:
    """The room that a node's shape takes."""
    (x, y), (width, height) = node.at, size(node)
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def tag_box(tag: Tag) -> Box:
    """The room that a tag takes."""
    width, height = NAMED_TAG if tag.named else BARE_TAG
    return Box(tag.at[0], tag.at[1], tag.at[0] + width, tag.at[1] + height)


def route(diagram: Diagram, wire: Wire, target: Node) -> tuple[Point, ...]:
    """The corners of a wire from the edge of its source to the edge of its target.

    Raises:
        ValueError: a stretch that does not run along an axis
    """
    source = diagram[wire.source]
    first, last = source.at, target.at
    corners = {"": wire.via, "across": ((last[0], first[1]),), "upright": ((first[0], last[1]),)}[wire.bend]
    points = [first, *corners, last]
    for one, other in pairwise(points):
        if (one[0] == other[0]) == (one[1] == other[1]):
            raise ValueError(f"The wire from {wire.source!r} to {target.name!r} is askew from {one} to {other}.")
    points[0] = _edge(source, points[1])
    points[-1] = _edge(target, points[-2])
    return tuple(points)


def _edge(node: Node, towards: Point) -> Point:
    """Where a wire that leaves a node's centre along an axis comes out of its shape."""
    (x, y), (width, height) = node.at, size(node)
    if towards[0] == x:
        return (x, y + (height / 2 if towards[1] > y else -height / 2))
    return (x + (width / 2 if towards[0] > x else -width / 2), y)


def routes(diagram: Diagram) -> Iterator[tuple[str, str, tuple[Point, ...]]]:
    """Every wire: name of its source, name of its target, and its corners."""
    for target in diagram.nodes:
        for wire in target.inputs:
            yield wire.source, target.name, route(diagram, wire, target)


def segments(points: tuple[Point, ...]) -> Iterator[Segment]:
    """The straight stretches between corners."""
    yield from pairwise(points)


def forks(diagram: Diagram, name: str) -> list[Point]:
    """Where the wires that carry one value part: a dot stands there."""
    ways = [points for source, _, points in routes(diagram) if source == name]
    found: list[Point] = []
    for place, one in enumerate(ways):
        for other in ways[:place]:
            parting = _parting(one, other)
            if parting is not None and parting not in found:
                found.append(parting)
    return found


def _parting(one: tuple[Point, ...], other: tuple[Point, ...]) -> Point | None:
    """The last point that two ways from the same node share; None where they share nothing but the node."""
    if one[0] != other[0]:
        return None
    shared = one[0]
    for first, second in zip(segments(one), segments(other), strict=False):
        if _direction(first) != _direction(second):
            break
        shared = first[1] if _length(first) <= _length(second) else second[1]
        if first[1] != second[1]:
            break
    return None if shared == one[0] else shared


def _direction(segment: Segment) -> tuple[int, int]:
    (x, y), (to_x, to_y) = segment
    return (to_x > x) - (to_x < x), (to_y > y) - (to_y < y)


def _length(segment: Segment) -> float:
    (x, y), (to_x, to_y) = segment
    return abs(to_x - x) + abs(to_y - y)


def crossings(diagram: Diagram) -> list[tuple[str, str, Point]]:
    """Where wires of different values cross: the value whose wire runs across, the one whose wire is upright, where."""
    every = [(source, segment) for source, _, points in routes(diagram) for segment in segments(points)]
    upright = [(source, segment) for source, segment in every if segment[0][0] == segment[1][0]]
    found = set()
    for name, across in every:
        for other, up in upright:
            place = (up[0][0], across[0][1])
            if name != other and across[0][1] == across[1][1] and _on(place, across) and _on(place, up):
                found.add((name, other, place))
    return sorted(found)


def _on(place: Point, segment: Segment) -> bool:
    room = Box(*map(min, *segment), *map(max, *segment))
    return room.left <= place[0] <= room.right and room.top <= place[1] <= room.bottom
