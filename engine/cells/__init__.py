"""Recurrent cells: the contract, one file per family, and the registry of their names."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.cells.cell import Cell, Gate, Option, Parameters, State, Tap, untapped
from engine.cells.clockwork import ClockworkRNN
from engine.cells.gru import GRU, ResetBeforeGRU, SimplifiedGRU
from engine.cells.lstm import LSTM, CoupledLSTM, CourseLSTM, PeepholeLSTM
from engine.cells.rnn import RNN

CELLS: Mapping[str, type[Cell]] = MappingProxyType(
    {
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
        )
    }
)

__all__ = ["CELLS", "Cell", "Gate", "Option", "Parameters", "State", "Tap", "untapped"]
