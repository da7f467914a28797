"""Where pages get their numbers: the same for everyone who looks, and true to the store."""

from __future__ import annotations

import math
import time

import pytest

from engine.config import Config, ConfigError
from engine.models.language_model import parameter_count
from engine.training.estimate import MachineSpeed
from playground.access import lens
from playground.frame import services
from playground.runs.records import RunNotFoundError
from playground.runs.store.starter_files import ORDER

pytestmark = pytest.mark.usefixtures("idle_trainer")


def _beaten(run_id: str) -> dict[str, float]:
    """The lines to beat, which are computed behind the page."""
    run = lens.watched(run_id)[0].run
    end = time.monotonic() + 60
    while not lens.lines_to_beat(run) and time.monotonic() < end:
        time.sleep(0.05)
    return lens.lines_to_beat(run)


def test_without_a_choice_the_first_starter_run_is_watched() -> None:
    (snapshot,) = lens.watched("")
    assert snapshot.run.id == ORDER[0]


def test_a_run_that_is_not_there_is_named() -> None:
    with pytest.raises(RunNotFoundError, match="nope"):
        lens.watched("nope")


def test_a_race_is_watched_as_a_whole_in_its_order() -> None:
    configs = tuple(Config().with_values(cell=cell) for cell in ("rnn", "gru", "lstm"))
    runs = services.store().create_race(configs, names=["a", "b", "c"])
    assert [snapshot.run.id for snapshot in lens.watched(runs[1])] == list(runs)


@pytest.mark.parametrize("run_id", ORDER)
def test_the_claim_of_every_starter_run_has_its_number(run_id: str) -> None:
    claim = lens.claim(lens.watched(run_id))
    assert any(character.isdigit() for character in claim)
    assert claim.endswith(".")


def test_a_run_that_has_not_begun_claims_nothing() -> None:
    run = services.store().create_run(Config())
    assert "nothing yet" in lens.claim(lens.watched(run))


def test_the_lines_to_beat_begin_with_a_uniform_guess_over_the_vocabulary() -> None:
    beaten = _beaten("tales-lstm")
    vocabulary = len(lens.corpus(Config().data).vocabulary)
    assert beaten["uniform"] == pytest.approx(math.log(vocabulary))
    assert beaten["uniform"] > beaten["1-gram"] > beaten["2-gram"] > beaten["3-gram"]


def test_two_visitors_of_the_same_moment_share_one_set_of_frames() -> None:
    snapshots = lens.watched("tales-gru")
    assert lens.live_frames(snapshots, "nats", "step") is lens.live_frames(snapshots, "nats", "step")


def test_bits_per_character_of_a_word_model_are_fewer_than_its_bits_per_word() -> None:
    words, letters = (lens.watched(run)[0].run for run in ("tales-words", "tales-lstm"))
    assert lens.characters_per_token(words) > 3
    assert lens.characters_per_token(letters) == 1


@pytest.mark.parametrize("path", ["/etc/passwd", "requirements.txt"])
def test_no_file_of_the_server_is_ever_read(path: str) -> None:
    with pytest.raises(ConfigError, match="does not read files of its server"):
        lens.corpus(Config().with_values(corpus=f"file:{path}").data)


def test_what_is_expected_of_a_run_counts_its_parameters() -> None:
    config = Config().with_values(units=40)
    expected = lens.expected(config, 63)
    assert expected.parameters == parameter_count(config.model, 63)
    assert expected.seconds == pytest.approx(expected.steps / expected.steps_per_second)


def test_a_model_worse_than_guessing_is_said_to_be() -> None:
    run = services.store().create_run(Config(), name="bad")
    services.store().record(run, best_loss=9.0, best_step=3)
    _beaten(run)
    assert "no better than blind guessing" in lens.claim(lens.watched(run))


def test_rivals_that_are_level_have_no_leader() -> None:
    runs = services.store().create_race((Config(), Config()), names=["a", "b"])
    for run in runs:
        services.store().record(run, best_loss=2.0, best_step=3)
    assert lens.claim(lens.watched(runs[0])).startswith("Nobody leads")


def test_a_busy_moment_does_not_make_the_machine_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = iter([MachineSpeed(1e-4, 1e10), MachineSpeed(5e-2, 1e7)])
    monkeypatch.setattr(lens, "measure_machine", lambda: next(measured))
    monkeypatch.setattr(lens, "_MACHINE_SECONDS", -1.0)
    machine = lens._Machine()
    assert machine.now() == machine.now() == MachineSpeed(1e-4, 1e10)
