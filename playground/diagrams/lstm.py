"""The LSTM and its kin: the cell state runs along the top, the hidden state along the bottom.

A new cell of this family takes a `Sketch.column` for each of its gates, and says where its own operations stand.
Whatever is drawn is computed: `playground.diagrams.evaluation` knows no cell by name.
"""

from __future__ import annotations

from dataclasses import replace

from engine.cells import Cell
from playground.diagrams.diagram import Diagram, Point, Wire
from playground.diagrams.sketch import MARGIN, Rows, Sketch

_ROWS = Rows()
_JOIN = 140.0
"""Where the hidden state and the input become one vector."""


def lstm(cell: Cell) -> Diagram:
    """c = f ⊙ c_{t-1} + i ⊙ g,  h = o ⊙ tanh(c)."""
    return _plain(squashed=True)


def _plain(*, squashed: bool) -> Diagram:
    forget, update, candidate, output, shown = 196.0, 296.0, 396.0, 496.0, 588.0
    sketch = Sketch(_ROWS)
    _enter(sketch)
    for block, x in (("forget", forget), ("update", update), ("output", output)):
        sketch.column(block, x)
    sketch.column("candidate", candidate, activation="tanh")
    _remember(sketch, forget, update, candidate)
    return _show(sketch, output, shown, squashed=squashed)


def lstm_coupled(cell: Cell) -> Diagram:
    """i = 1 - f: one gate decides both what is forgotten and what is written."""
    forget, turned, candidate, output, shown = 196.0, 276.0, 392.0, 492.0, 584.0
    sketch = Sketch(_ROWS)
    _enter(sketch)
    for block, x in (("forget", forget), ("output", output)):
        sketch.column(block, x)
    sketch.column("candidate", candidate, activation="tanh")
    sketch.put("update", "one_minus", (turned, _ROWS.meet), Wire("forget", "upright"))
    sketch.above("update", (turned + candidate) / 2, _ROWS.meet, named=True)
    _forget(sketch, forget, (forget + candidate) / 2)
    _write(sketch, Wire("update"), candidate)
    return _show(sketch, output, shown)


def lstm_course(cell: Cell) -> Diagram:
    """The two switches of courses: a relevance gate before the candidate, and no tanh before the output."""
    squashed = bool(cell.chosen["output_tanh"])
    return _with_relevance_gate(squashed=squashed) if cell.chosen["relevance_gate"] else _plain(squashed=squashed)


def _with_relevance_gate(*, squashed: bool) -> Diagram:
    """c̃ = tanh(W [r ⊙ h_{t-1}; x] + b): memory and input go on, each along a row of its own, to a second joint."""
    forget, update, relevance, seen, candidate, output, shown = 196.0, 296.0, 396.0, 476.0, 592.0, 692.0, 784.0
    past, source = 516.0, 568.0
    sketch = Sketch(replace(_ROWS, source=648.0))
    _enter(sketch, past)
    for block, x in (("forget", forget), ("update", update), ("relevance", relevance), ("output", output)):
        sketch.column(block, x)
    sketch.put("seen", "times", (seen, past), Wire("relevance", "across"), "hidden_before")
    along = Wire("input", via=((_JOIN, source), (candidate, source)))
    sketch.put("joined_seen", "join", (candidate, past), "seen", along)
    sketch.column("candidate", candidate, joined=Wire("joined_seen"), activation="tanh")
    sketch.beside("relevance", seen, _ROWS.activation + 38, named=True)
    sketch.above("seen", (seen + candidate) / 2, past)
    sketch.beside("joined_seen", candidate, (past + _ROWS.shared) / 2 - 1)
    _remember(sketch, forget, update, candidate)
    return _show(sketch, output, shown, squashed=squashed, past=past, bottom=source + 20)


_PEEPHOLES = 124.0
"""The row along which the old cell state goes to the peepholes that are further on."""
_ASIDE = 64.0
"""So far to the left of its gate a peephole comes down."""


def lstm_peephole(cell: Cell) -> Diagram:
    """Gates that see the cell state through one weight for each unit; each peephole can be shut."""
    peeps = {gate: bool(cell.chosen[f"peephole_{gate}"]) for gate in ("forget", "update", "output")}
    if not any(peeps.values()):
        return lstm(cell)
    forget = 196.0 + 48 * peeps["forget"]
    update = forget + 100 + 48 * peeps["update"]
    candidate = update + 100
    output = candidate + 100 + 48 * peeps["output"]
    fork = forget - _ASIDE
    sketch = Sketch(Rows(meet=208.0, activation=320.0, weights=472.0, shared=534.0, source=632.0))
    _enter(sketch)
    if peeps["forget"]:
        _peep(sketch, "forget", forget, Wire("cell_before", "across"))
    if peeps["update"]:
        _peep(sketch, "update", update, Wire("cell_before", via=_to_peephole(sketch, fork, update)))
    for block, x in (("forget", forget), ("update", update), ("output", output)):
        if not peeps[block]:
            sketch.column(block, x)
    sketch.column("candidate", candidate, activation="tanh")
    _remember(sketch, forget, update, candidate)
    if peeps["output"]:
        new = cell.chosen["output_sees"] == "new"
        old = Wire("cell_before", via=_to_peephole(sketch, fork, output))
        _peep(sketch, "output", output, Wire("cell", "across") if new else old)
    return _show(sketch, output, output + 92)


def _to_peephole(sketch: Sketch, fork: float, x: float) -> tuple[Point, ...]:
    return ((fork, sketch.rows.highway), (fork, _PEEPHOLES), (x - _ASIDE, _PEEPHOLES))


def _peep(sketch: Sketch, block: str, x: float, seen: Wire) -> None:
    """A gate's column with a peephole: its weighted sum has one more term."""
    rows = sketch.rows
    adds = rows.activation + 72
    sketch.column(block, x, pre=f"{block}_weighted")
    peephole = (f"peephole_{block}",)
    at, meaning = (x - _ASIDE, rows.activation), "the peephole: what the gate reads of the cell state"
    sketch.put(f"peep_{block}", "diagonal", at, seen, weights=peephole, meaning=meaning)
    sketch.put(f"{block}_pre", "plus", (x, adds), f"{block}_weighted", Wire(f"peep_{block}", "upright"))
    sketch.put(block, "sigmoid", (x, rows.activation), f"{block}_pre")
    sketch.beside(f"{block}_weighted", x, adds + 38)
    sketch.beside(f"{block}_pre", x, adds - 36)
    sketch.beside(f"peep_{block}", x - _ASIDE - 2, rows.activation + 36)


def lstm_depth_gated(cell: Cell) -> Diagram:
    """c = f ⊙ c_{t-1} + d ⊙ c_below + i ⊙ g: the layer below hands up what it keeps, through a gate that sees it."""
    forget, depth, below, update, candidate, output, shown = 196.0, 352.0, 488.0, 548.0, 648.0, 748.0, 840.0
    first, second, source = 474.0, 392.0, 680.0  # where the gate's weighted sum takes in what its peepholes see
    sketch = Sketch(Rows(meet=208.0, activation=320.0, weights=560.0, shared=622.0, source=760.0))
    _enter(sketch)
    sketch.enter_below(below, "cell_below", meaning="cell state of the layer below at this timestep")
    sketch.column("forget", forget)
    _depth_gate(sketch, forget - _ASIDE, depth, (first, second, source))
    for block, x in (("update", update), ("output", output)):
        sketch.column(block, x)
    sketch.column("candidate", candidate, activation="tanh")
    _take_in(sketch, forget, depth, candidate)
    sketch.beside("update", update, sketch.rows.gate_tag, named=True)
    _write(sketch, Wire("update", "upright"), candidate, to="gathered")
    return _show(sketch, output, shown, bottom=source + 20)


def _depth_gate(sketch: Sketch, fork: float, x: float, heights: tuple[float, float, float]) -> None:
    """The gate's column: weights on the input, and peepholes on its own cell state and on that of the layer below."""
    rows, (first, second, source) = sketch.rows, heights
    on_input = Wire("input", via=((_JOIN, source), (x, source)))
    weighted = "the input part of the gate"
    sketch.weights("depth_weighted", "depth", (x, rows.weights), on_input, "weight_ih", meaning=weighted)
    own, other = (
        f"the peephole: what the gate reads of {whose} cell state" for whose in ("its own layer's", "the layer below's")
    )
    at, seen = (x - _ASIDE, rows.activation), Wire("cell_before", via=_to_peephole(sketch, fork, x))
    sketch.put("peep_depth", "diagonal", at, seen, weights=("peephole_depth",), meaning=own)
    adds = Wire("peep_depth", "upright")
    sketch.put(
        "depth_seen",
        "plus",
        (x, first),
        "depth_weighted",
        adds,
        meaning="the input part of the gate plus its first peephole",
    )
    at, seen = (x + _ASIDE, rows.activation), Wire("cell_below", "upright")
    sketch.put("peep_below", "diagonal", at, seen, weights=("peephole_below",), meaning=other)
    sketch.put("depth_pre", "plus", (x, second), "depth_seen", Wire("peep_below", "upright"))
    sketch.put("depth", "sigmoid", (x, rows.activation), "depth_pre")
    sketch.beside("peep_depth", x - _ASIDE - 2, rows.activation + 36)
    sketch.beside("peep_below", x + _ASIDE, rows.activation + 36)
    sketch.beside("depth_pre", x, second - 36)
    sketch.beside("depth_seen", x, (first + second) / 2)
    sketch.beside("depth_weighted", x, (first + rows.weights - 9) / 2)


def _take_in(sketch: Sketch, forget: float, depth: float, candidate: float) -> None:
    """f ⊙ c_{t-1} + d ⊙ c_below."""
    rows, below = sketch.rows, Wire("cell_below", "upright")
    taken = "what is added of the layer below's cell state"
    both = "what is kept of the old cell state plus what is added from below"
    sketch.put("taken_in", "times", (depth, rows.meet), "depth", below, meaning=taken)
    _forget(sketch, forget, (forget + depth) / 2)
    sketch.put("gathered", "plus", (depth, rows.highway), "kept", "taken_in", meaning=both)
    sketch.beside("depth", depth, rows.gate_tag, named=True)
    sketch.beside("taken_in", depth, (rows.meet + _PEEPHOLES) / 2)
    sketch.above("gathered", (depth + candidate) / 2, rows.highway)


def _enter(sketch: Sketch, past: float | None = None) -> None:
    """Both memories from the left, the input from below, and the vector that they are joined to.

    `past`: the hidden state's own row, where it goes on to another reader
    """
    shared, fork = sketch.rows.shared, _JOIN - 28
    sketch.enter("cell_before", sketch.rows.highway)
    sketch.enter("hidden_before", past or shared)
    sketch.enter_below(_JOIN)
    to_join = Wire("hidden_before", via=((fork, past), (fork, shared)) if past else ())
    sketch.put("joined", "join", (_JOIN, shared), to_join, "input")
    sketch.below("joined", _JOIN + 20, shared)


def _remember(sketch: Sketch, forget: float, update: float, candidate: float) -> None:
    """c_t = f ⊙ c_{t-1} + i ⊙ g, with a column of its own for each."""
    _forget(sketch, forget, update)
    sketch.beside("update", update, sketch.rows.gate_tag, named=True)
    _write(sketch, Wire("update", "upright"), candidate)


def _forget(sketch: Sketch, forget: float, middle: float) -> None:
    """f ⊙ c_{t-1}; its tag stands at `middle`."""
    sketch.put("kept", "times", (forget, sketch.rows.highway), "forget", "cell_before")
    sketch.beside("forget", forget, sketch.rows.gate_tag, named=True)
    sketch.above("kept", middle, sketch.rows.highway)


def _write(sketch: Sketch, update: Wire, candidate: float, to: str = "kept") -> None:
    """What is written, and on the highway its sum with what comes along there."""
    rows = sketch.rows
    sketch.put("written", "times", (candidate, rows.meet), update, "candidate")
    sketch.put("cell", "plus", (candidate, rows.highway), to, "written")
    sketch.beside("candidate", candidate, rows.gate_tag, named=True)
    sketch.beside("written", candidate, (rows.meet + _PEEPHOLES) / 2)


def _show(
    sketch: Sketch,
    output: float,
    x: float,
    *,
    squashed: bool = True,
    past: float | None = None,
    bottom: float | None = None,
) -> Diagram:
    """h_t = o ⊙ tanh(c_t), which goes down and out; c_t goes straight on."""
    rows, width = sketch.rows, x + 68 + MARGIN
    meet = rows.meet + 12
    seen = Wire("cell", "across")
    if squashed:
        sketch.put("shown", "tanh", (x, rows.highway + 52), seen)
        sketch.beside("shown", x, (rows.highway + 68 + meet - 14) / 2)
        seen = Wire("shown")
    sketch.put("hidden", "times", (x, meet), Wire("output", "upright"), seen)
    sketch.beside("output", output, rows.gate_tag + 3, named=True)
    sketch.leave("cell", width, rows.highway)
    sketch.leave("hidden", width, past or rows.shared, down=x)
    return sketch.done(width, bottom or rows.shared + 40)
