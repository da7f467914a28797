"""The flow of one step inside each cell: drawings as data, which are computed from and so cannot show another equation.

Nothing here imports Streamlit. One file for each family holds its layouts.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.cells import Cell
from playground.diagrams.diagram import Diagram, Node, Tag, Wire
from playground.diagrams.evaluation import evaluate
from playground.diagrams.gru import clockwork, gru, gru_reset_before, gru_simplified
from playground.diagrams.lstm import lstm, lstm_coupled, lstm_course, lstm_depth_gated, lstm_peephole
from playground.diagrams.matching import Matched, MismatchError, match
from playground.diagrams.rnn import rnn

DIAGRAMS: dict[str, Callable[[Cell], Diagram]] = {
    "rnn": rnn,
    "rnn-clockwork": clockwork,
    "gru-simplified": gru_simplified,
    "gru-reset-before": gru_reset_before,
    "gru": gru,
    "lstm": lstm,
    "lstm-course": lstm_course,
    "lstm-peephole": lstm_peephole,
    "lstm-coupled": lstm_coupled,
    "lstm-depth-gated": lstm_depth_gated,
}
"""How each cell is drawn, by its name in `engine.cells.CELLS`."""


def diagram(cell: Cell) -> Diagram:
    """The drawing of one step of a cell, with its options as they are set.

    Raises:
        ValueError: a cell that has no drawing
    """
    if cell.name not in DIAGRAMS:
        raise ValueError(f"The cell {cell.name!r} has no drawing: add one to playground/diagrams.")
    return DIAGRAMS[cell.name](cell)


__all__ = [
    "DIAGRAMS",
    "Diagram",
    "Matched",
    "MismatchError",
    "Node",
    "Tag",
    "Wire",
    "diagram",
    "evaluate",
    "match",
]
