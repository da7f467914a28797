"""The gated recurrent units: one memory, which runs along the top and is mixed with the candidate there.

So is that of the clockwork network, whose gate is a clock."""

from __future__ import annotations

from dataclasses import replace

from engine.cells import Cell
from playground.diagrams.diagram import Diagram, Wire
from playground.diagrams.sketch import MARGIN, Rows, Sketch

_ROWS = Rows()
_FORK, _JOIN = 112.0, 152.0
"""Where the memory turns down, and where it is joined with the input."""
_PAST, _SOURCE = 516.0, 568.0
"""The rows along which memory and input go to readers further on."""


def gru_simplified(cell: Cell) -> Diagram:
    """h = u ⊙ c̃ + (1 - u) ⊙ h_{t-1}."""
    update, candidate = 236.0, 372.0
    sketch = Sketch(_ROWS)
    _enter(sketch)
    sketch.column("update", update)
    sketch.column("candidate", candidate, activation="tanh")
    _mix(sketch, update, candidate)
    return _leave(sketch, candidate, _ROWS.shared + 40)


def clockwork(cell: Cell) -> Diagram:
    """h = u ⊙ c̃ + (1 - u) ⊙ h_{t-1}, with a gate that a clock opens: u is 1 in units whose turn it is."""
    update, candidate = 252.0, 392.0
    sketch = Sketch(_ROWS)
    _enter(sketch)
    counts = "the timestep, counted from 0 and starting over after the longest period"
    sketch.enter_below(update, "clock", meaning=counts)
    sketch.put("update", "turn", (update, _ROWS.activation), "clock")
    sketch.column("candidate", candidate, activation="tanh")
    _mix(sketch, update, candidate)
    return _leave(sketch, candidate, _ROWS.shared + 40)


def gru_reset_before(cell: Cell) -> Diagram:
    """c̃ = tanh(W [r ⊙ h_{t-1}; x] + b): the reset gate acts before the product."""
    update, reset, seen, candidate = 236.0, 344.0, 424.0, 544.0
    sketch = Sketch(replace(_ROWS, source=648.0))
    _enter(sketch)
    sketch.column("update", update)
    sketch.column("reset", reset)
    along = Wire("hidden_before", via=((_FORK, _ROWS.highway), (_FORK, _PAST)))
    sketch.put("seen", "times", (seen, _PAST), Wire("reset", "across"), along)
    sketch.put("joined_seen", "join", (candidate, _PAST), "seen", _source_to(candidate))
    sketch.column("candidate", candidate, joined=Wire("joined_seen"), activation="tanh")
    sketch.beside("reset", seen, _ROWS.activation + 38, named=True)
    sketch.above("seen", (seen + candidate) / 2, _PAST)
    sketch.beside("joined_seen", candidate, (_PAST + _ROWS.shared) / 2 - 1)
    _mix(sketch, update, candidate)
    return _leave(sketch, candidate, _SOURCE + 20)


def gru(cell: Cell) -> Diagram:
    """n = tanh(W x + b + r ⊙ (U h_{t-1} + b')): the reset gate acts after the product. z keeps, 1 - z writes."""
    keep, reset, past, now = 224.0, 328.0, 440.0, 552.0
    across = _ROWS.activation
    sketch = Sketch(replace(_ROWS, source=648.0))
    _enter(sketch)
    sketch.column("keep", keep)
    sketch.column("reset", reset)
    along = Wire("hidden_before", via=((_FORK, _ROWS.highway), (_FORK, _PAST), (past, _PAST)))
    wide = 100.0  # their names are long in plain words
    at = (past, _ROWS.weights)
    sketch.weights("candidate_past", "candidate", at, along, "weight_hh", bias="bias_candidate", width=wide)
    sketch.put("past_seen", "times", (past, across), "reset", "candidate_past")
    sketch.weights("candidate_input", "candidate", (now, _ROWS.weights), _source_to(now), "weight_ih", width=wide)
    sketch.put("candidate_pre", "plus", (now, across), "candidate_input", "past_seen")
    sketch.put("candidate", "tanh", (now, across - 66), "candidate_pre")
    sketch.above("reset", (reset + past) / 2 + 4, across, named=True)
    sketch.beside("candidate_past", past, _ROWS.weighted_tag)
    sketch.above("past_seen", (past + now) / 2, across)
    sketch.beside("candidate_input", now, _ROWS.weighted_tag)
    sketch.beside("candidate_pre", now, across - 32)
    _keep(sketch, keep, now)
    return _leave(sketch, now, _SOURCE + 20)


def _source_to(x: float) -> Wire:
    """The input's way to a place further on: along a row of its own."""
    return Wire("input", via=((_JOIN, _SOURCE), (x, _SOURCE)))


def _enter(sketch: Sketch) -> None:
    """The memory from the left, the input from below, and the vector that they are joined to."""
    rows = sketch.rows
    sketch.enter("hidden_before", rows.highway)
    sketch.enter_below(_JOIN)
    to_join = Wire("hidden_before", via=((_FORK, rows.highway), (_FORK, rows.shared)))
    sketch.put("joined", "join", (_JOIN, rows.shared), to_join, "input")
    sketch.below("joined", _JOIN + 24, rows.shared)


def _mix(sketch: Sketch, update: float, candidate: float) -> None:
    """h_t = u ⊙ c̃ + (1 - u) ⊙ h_{t-1}: the gate goes to the candidate, and turned over to the memory."""
    rows = sketch.rows
    turned = rows.highway + 68
    sketch.put("keep", "one_minus", (update, turned), "update")
    sketch.put("kept", "times", (update, rows.highway), "keep", "hidden_before")
    sketch.put("written", "times", (candidate, rows.meet), Wire("update", "upright"), "candidate")
    sketch.beside("update", update, rows.gate_tag, named=True)
    sketch.beside("keep", update, (rows.highway + turned) / 2)
    sketch.beside("candidate", candidate, rows.gate_tag, named=True)
    _add(sketch, update, candidate, rows.meet)


def _keep(sketch: Sketch, keep: float, candidate: float) -> None:
    """h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}: the gate goes to the memory, and turned over to the candidate."""
    rows = sketch.rows
    meet, turned = rows.meet - 46, 364.0
    sketch.put("update", "one_minus", (turned, meet), Wire("keep", "upright"))
    sketch.put("kept", "times", (keep, rows.highway), "keep", "hidden_before")
    sketch.put("written", "times", (candidate, meet), "update", "candidate")
    sketch.beside("keep", keep, rows.gate_tag, named=True)
    sketch.above("update", (turned + candidate) / 2, meet, named=True)
    sketch.beside("candidate", candidate, meet + 45, named=True)
    _add(sketch, keep, candidate, meet)


def _add(sketch: Sketch, first: float, last: float, meet: float) -> None:
    """What is kept and what is written make the new memory."""
    highway = sketch.rows.highway
    sketch.put("hidden", "plus", (last, highway), "kept", "written")
    sketch.above("kept", (first + last) / 2, highway)
    sketch.beside("written", last, (highway + meet) / 2)


def _leave(sketch: Sketch, last: float, bottom: float) -> Diagram:
    width = last + 88 + MARGIN
    sketch.leave("hidden", width, sketch.rows.highway)
    return sketch.done(width, bottom)
