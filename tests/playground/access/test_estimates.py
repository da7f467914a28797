"""What a run will take on this machine."""

from __future__ import annotations

import pytest

from engine.config import Config
from engine.data import prepare
from engine.models.language_model import parameter_count
from engine.training.estimate import MachineSpeed
from playground.access import estimates

pytestmark = pytest.mark.usefixtures("idle_trainer")


def test_what_is_expected_of_a_run_counts_its_parameters() -> None:
    config = Config().with_values(units=40)
    corpus = prepare(config.data)
    expected = estimates.expected(config, corpus)
    assert expected.parameters == parameter_count(config.model, len(corpus.vocabulary))
    updates = expected.steps / expected.steps_per_second
    assert updates < expected.seconds < updates * 4 / 3, "evaluations and samples take up to a quarter"


def test_a_busy_moment_does_not_make_the_machine_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = iter([MachineSpeed(1e-4, 1e10), MachineSpeed(5e-2, 1e7)])
    monkeypatch.setattr(estimates, "measure_machine", lambda: next(measured))
    monkeypatch.setattr(estimates, "_MACHINE_SECONDS", -1.0)
    machine = estimates._Machine()
    assert machine.now() == machine.now() == MachineSpeed(1e-4, 1e10)
