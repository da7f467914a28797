"""Recurrent cells: the contract, one file per family, and the registry of their names."""

from collections.abc import Mapping

from engine.cells.cell import Cell, Gate, Option, Parameters, State, Tap, untapped
from engine.cells.clockwork import ClockworkRNN
from engine.cells.gru import GRU, ResetBeforeGRU, SimplifiedGRU
from engine.cells.lstm import LSTM, CoupledLSTM, CourseLSTM, DepthGatedLSTM, PeepholeLSTM
from engine.cells.rnn import RNN
from engine.config import OptionValue

CELLS: dict[str, type[Cell]] = {
    cell.name: cell
    for cell in (
        RNN,
        ClockworkRNN,
        SimplifiedGRU,
        ResetBeforeGRU,
        GRU,
        LSTM,
        CourseLSTM,
        PeepholeLSTM,
        CoupledLSTM,
        DepthGatedLSTM,
    )
}


def stacked(name: str, units: int, layers: int, options: Mapping[str, OptionValue] | None = None) -> list[Cell]:
    """A cell for each of several layers, from the bottom up. The lowest is another one where the cell needs one below.

    Raises:
        KeyError: a cell that does not exist
        ConfigError: an option that the cell does not have, or a value it does not take
    """
    cells = [CELLS[name](units, options) for _ in range(layers)]
    return [cells[0].lowest(), *cells[1:]]


__all__ = ["CELLS", "Cell", "Gate", "Option", "Parameters", "State", "Tap", "stacked", "untapped"]
