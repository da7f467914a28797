"""A drawing can be read: nothing lies on anything else, and wires cross only where they must."""

from __future__ import annotations

import itertools

import pytest

from engine.cells import CELLS
from playground.diagrams import diagram
from playground.diagrams.diagram import Diagram, Node, Tag, Wire
from playground.diagrams.geometry import Box, box, crossings, forks, route, routes, segments, tag_box


def drawn_boxes(drawn: Diagram) -> list[tuple[str, Box]]:
    shapes = [(item.name, box(item)) for item in drawn.nodes if item.operation not in ("in", "out")]
    return shapes + [(f"tag of {tag.of}", tag_box(tag)) for tag in drawn.tags]


def stretch(one: tuple[float, float], other: tuple[float, float]) -> Box:
    return Box(min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1]))


def test_no_two_shapes_or_tags_touch(drawn: Diagram) -> None:
    for (name, one), (other_name, other) in itertools.combinations(drawn_boxes(drawn), 2):
        assert not one.overlaps(other, apart=2), f"{name} and {other_name}"


def test_no_wire_runs_through_a_shape_or_a_tag(drawn: Diagram) -> None:
    boxes = drawn_boxes(drawn)
    for source, target, points in routes(drawn):
        for segment in segments(points):
            for name, room in boxes:
                if name not in (source, target):
                    assert not stretch(*segment).overlaps(room, apart=3), f"{source} to {target} through {name}"


def test_no_two_wires_of_different_values_run_along_each_other(drawn: Diagram) -> None:
    every = [(source, stretch(*segment)) for source, _, points in routes(drawn) for segment in segments(points)]
    for (source, one), (other_source, other) in itertools.combinations(every, 2):
        alike = (one.left == one.right) == (other.left == other.right)
        if source != other_source and alike:
            assert not one.overlaps(other, apart=10), f"{source} beside {other_source} at {one}"


def test_everything_lies_on_the_plane(drawn: Diagram) -> None:
    width, height = drawn.size
    for name, room in drawn_boxes(drawn):
        assert min(room.left, room.top) >= 0, name
        assert (max(room.right, width), max(room.bottom, height)) == (width, height), name


def test_operations_lie_inside_the_cell_and_what_comes_and_goes_outside(drawn: Diagram) -> None:
    left, top, width, height = drawn.frame
    for item in drawn.nodes:
        room = box(item)
        inside = left < room.left and room.right < left + width and top < room.top and room.bottom < top + height
        assert inside == (item.operation not in ("in", "out")), item.name


def test_no_tag_lies_on_the_edge_of_the_cell(drawn: Diagram) -> None:
    left, top, width, height = drawn.frame
    for tag in drawn.tags:
        room = tag_box(tag)
        inside = left < room.left and room.right < left + width and top < room.top and room.bottom < top + height
        outside = not room.overlaps(Box(left, top, left + width, top + height))
        assert outside if drawn[tag.of].operation in ("in", "out") else inside, tag.of


def test_every_value_is_written_once(drawn: Diagram) -> None:
    # What leaves is written where it leaves, under the name it leaves by.
    leaving = {item.inputs[0].source for item in drawn.nodes if item.operation == "out"}
    assert sorted(tag.of for tag in drawn.tags) == sorted({item.name for item in drawn.nodes} - leaving)


# As drawn on paper: a clock's line crosses the shared line; the input crosses the old state's line where that goes on
# to a reset or relevance gate, the shared line crosses the relevance gate's detour, and peepholes cross the gates'
# lines. A depth gate has a peephole that passes one gate; what it reads of the input and below crosses the shared line.
UNAVOIDED = {
    "rnn": 0,
    "rnn-clockwork": 1,
    "gru-simplified": 0,
    "gru-reset-before": 1,
    "gru": 1,
    "lstm": 0,
    "lstm-coupled": 0,
    "lstm-depth-gated": 3,
}


@pytest.mark.parametrize("name", UNAVOIDED)
def test_wires_cross_only_where_they_must(name: str) -> None:
    assert len(crossings(diagram(CELLS[name](3)))) == UNAVOIDED[name]


def test_the_relevance_gate_costs_three_crossings_and_each_peephole_as_many_as_gates_it_passes() -> None:
    count = {}
    for options in ({"relevance_gate": False}, {"relevance_gate": True}):
        count[options["relevance_gate"]] = len(crossings(diagram(CELLS["lstm-course"](3, options))))
    assert count == {False: 0, True: 3}
    shut = {"peephole_update": False, "peephole_forget": False, "peephole_output": False}
    peephole = CELLS["lstm-peephole"]
    assert crossings(diagram(peephole(3, shut))) == []
    assert crossings(diagram(peephole(3, shut | {"peephole_forget": True}))) == []
    assert len(crossings(diagram(peephole(3, shut | {"peephole_update": True})))) == 1
    assert crossings(diagram(peephole(3, shut | {"peephole_output": True}))) == []
    old = shut | {"peephole_output": True, "output_sees": "old"}
    assert len(crossings(diagram(peephole(3, old)))) == 2


def test_a_value_that_goes_two_ways_parts_at_a_fork() -> None:
    lstm = diagram(CELLS["lstm"](3))
    assert len(forks(lstm, "joined")) == 3
    assert forks(lstm, "cell") == [(lstm["shown"].at[0], lstm["cell"].at[1])]
    assert forks(lstm, "forget") == []


def crossed() -> Diagram:
    nodes = (
        Node("input", "in", (0, 50)),
        Node("cell_before", "in", (50, 0)),
        Node("tanh", "tanh", (150, 50), (Wire("input"),)),
        Node("sigmoid", "sigmoid", (50, 150), (Wire("cell_before"),)),
    )
    return Diagram(nodes, (), (200, 200), (0, 0, 200, 200))


def test_a_crossing_is_found_where_it_is() -> None:
    assert crossings(crossed()) == [("input", "cell_before", (50, 50))]


def test_a_wire_begins_and_ends_at_the_edges_of_its_shapes() -> None:
    drawn = crossed()
    assert route(drawn, drawn["tanh"].inputs[0], drawn["tanh"]) == ((0, 50), (127, 50))


def test_a_wire_that_runs_askew_is_refused() -> None:
    drawn = crossed()
    askew = Node("shown", "tanh", (100, 100), (Wire("input"),))
    with pytest.raises(ValueError, match="askew"):
        route(drawn, askew.inputs[0], askew)


def test_a_node_that_reads_what_is_computed_later_is_refused() -> None:
    nodes = (Node("tanh", "tanh", (0, 0), (Wire("input"),)), Node("input", "in", (9, 9)))
    with pytest.raises(ValueError, match="'tanh' reads 'input'"):
        Diagram(nodes, (), (10, 10), (0, 0, 10, 10))


def test_a_tag_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="names 'forget'"):
        Diagram((), (Tag("forget", (0, 0)),), (10, 10), (0, 0, 10, 10))


def test_no_wire_passes_over_one_and_under_another(drawn: Diagram) -> None:
    """So that drawing those that pass over last draws every crossing right."""
    found = crossings(drawn)
    assert not {under for under, _, _ in found} & {over for _, over, _ in found}
