"""From a draft to queued runs: the names that they get."""

from __future__ import annotations

import pytest

from engine import PRESETS
from engine.cells import CELLS
from engine.config import Config, ConfigError
from playground.frame import services
from playground.parts.launch import _check, _check_branch, describe, rival_names, unused_name
from playground.runs.records import LimitError
from playground.state.draft import Draft


def test_a_run_is_named_by_its_cell_size_and_text() -> None:
    assert describe(Config().with_values(cell="gru", units=96, layers=2)) == "GRU 2 × 96 on Tales"
    assert describe(Config().with_values(level="word")) == "LSTM 128 on Tales, words"
    assert describe(Config().with_values(corpus="own:" + "0" * 64)).endswith("on own text")


@pytest.mark.parametrize("cell", CELLS)
def test_a_name_fits_its_place(cell: str) -> None:
    assert len(describe(Config().with_values(cell=cell, corpus="python-docs"))) <= 60


def test_rivals_of_different_cells_are_named_by_them() -> None:
    names = rival_names(tuple(Config().with_values(cell=cell) for cell in ("rnn", "gru", "lstm")))
    assert names == [CELLS[cell].title for cell in ("rnn", "gru", "lstm")]


def test_rivals_of_one_cell_are_named_by_what_differs() -> None:
    names = rival_names(tuple(Config().with_values(learning_rate=rate) for rate in (0.01, 0.1)))
    assert names == ["LSTM (learning rate 0.01)", "LSTM (learning rate 0.1)"]


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if len(preset.configs) > 1])
def test_the_rivals_of_an_experiment_have_names_of_their_own(name: str) -> None:
    names = rival_names(PRESETS[name].configs)
    assert len(set(names)) == len(names)


def test_equal_rivals_are_told_apart_by_their_letters() -> None:
    assert rival_names((Config(), Config())) == ["LSTM (A)", "LSTM (B)"]


def test_a_name_that_is_taken_gets_the_next_number() -> None:
    assert unused_name("First words", {"Hello"}) == "First words"
    assert unused_name("First words", {"First words"}) == "First words (2)"
    assert unused_name("First words", {"First words", "First words (2)"}) == "First words (3)"


@pytest.mark.usefixtures("idle_trainer")
@pytest.mark.parametrize(
    ("changed", "named"),
    [({"units": 48}, "units"), ({"cell": "gru"}, "cell"), ({"corpus": "python-docs"}, "vocabulary")],
)
def test_a_branch_that_cannot_take_its_weights_is_refused_before_it_is_made(changed: dict, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        _check_branch(Config().with_values(**changed), Config())


@pytest.mark.usefixtures("idle_trainer")
def test_a_branch_may_change_its_training() -> None:
    _check_branch(Config().with_values(learning_rate=0.1, dropout=0.2, chunk=16), Config())


@pytest.mark.usefixtures("idle_trainer")
@pytest.mark.parametrize("limit", ["UNROLLED_MAX_MEMORY_MB", "UNROLLED_MAX_STORE_MB"])
def test_a_run_that_there_is_no_room_for_is_refused_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    draft = Draft((Config(),))
    services.store().put_text("x" * 1_000_000)
    _check(draft)
    monkeypatch.setenv(limit, "1")
    services.settings.clear()
    services.store.clear()
    with pytest.raises(LimitError, match=limit):
        _check(draft)
