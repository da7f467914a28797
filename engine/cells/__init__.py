"""Recurrent cells: the contract, one file per family, and the registry of their names."""

from collections.abc import Mapping

from engine.cells.cell import Cell, Gate, Option, Parameters, State, Tap, untapped
from engine.cells.clockwork import ClockworkRNN
from engine.cells.gru import GRU, ResetBeforeGRU, SimplifiedGRU
from engine.cells.lstm import LSTM, CoupledLSTM, CourseLSTM, DepthGatedLSTM, PeepholeLSTM
from engine.cells.rnn import RNN
from engine.config import Config, ConfigError, OptionValue, locate

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


def with_cell(config: Config, name: str, options: Mapping[str, OptionValue] | None = None) -> Config:
    """`config` with another cell, or other switches of its cell, and the settings that this one needs to train.

    A config holds all settings in so many words, so that a stored one never changes its meaning. What a cell needs in
    place of a common default is therefore put in place here, when the cell is chosen. A setting that has neither the
    common default nor the value that the last cell asked for was chosen by somebody, and stays.
    """
    before, now = _trains_with(config.model.cell, config.model.options), _trains_with(name, options or {})
    changed: dict[str, float] = {}
    for key in {**before, **now}:
        section, item = locate(key)
        usual = getattr(getattr(Config(), section), item)
        if getattr(getattr(config, section), item) == before.get(key, usual):
            changed[key] = now.get(key, usual)
    return config.with_values(model__cell=name, model__options=options or {}, **changed)


def _trains_with(name: str, options: Mapping[str, OptionValue]) -> Mapping[str, float]:
    """What a cell needs; nothing where there is no such cell or switch, which `engine.validate` refuses."""
    try:
        return CELLS[name](1, options).trains_with
    except (KeyError, ConfigError):
        return {}


__all__ = ["CELLS", "Cell", "Gate", "Option", "Parameters", "State", "Tap", "stacked", "untapped", "with_cell"]
