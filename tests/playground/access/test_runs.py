"""The runs that are looked at: the default one, the chosen one, a race."""

from __future__ import annotations

import pytest

from engine.config import Config
from playground.access.runs import DEFAULT_RUN, snapshot_of, watched
from playground.frame import services
from playground.runs.records import RunNotFoundError
from playground.runs.store.starter_files import ORDER

pytestmark = pytest.mark.usefixtures("idle_trainer")


def test_without_a_choice_the_first_starter_run_is_watched() -> None:
    (snapshot,) = watched("")
    assert snapshot.run.id == snapshot_of("").run.id == DEFAULT_RUN == ORDER[0]


def test_a_run_that_is_not_there_is_named() -> None:
    with pytest.raises(RunNotFoundError, match="nope"):
        watched("nope")
    with pytest.raises(RunNotFoundError, match="nope"):
        snapshot_of("nope")


def test_a_race_is_watched_as_a_whole_in_its_order() -> None:
    configs = tuple(Config().with_values(cell=cell) for cell in ("rnn", "gru", "lstm"))
    runs = services.store().create_race(configs, names=["a", "b", "c"])
    assert [snapshot.run.id for snapshot in watched(runs[1])] == list(runs)
