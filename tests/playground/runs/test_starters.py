import json
from pathlib import Path

import pytest

from engine.training.checkpoint import Checkpoint
from playground.runs import starters
from playground.runs.records import Finding, StoreError
from playground.runs.starters import MAX_BYTES, STARTERS, TOLERANCE
from playground.runs.store.starter_files import FOLDER, ORDER, StarterRun, StarterRuns


def test_every_starter_run_is_shipped_and_they_are_small() -> None:
    assert tuple(StarterRuns(FOLDER)) == ORDER
    assert set(STARTERS) == set(ORDER)
    assert starters.size(FOLDER) <= MAX_BYTES


@pytest.mark.parametrize("run_id", ORDER)
def test_a_starter_run_is_whole_and_of_its_config(run_id: str) -> None:
    starter = StarterRuns(FOLDER)[run_id]
    run = starter.run
    title, config = STARTERS[run_id]
    assert (run.id, run.name, run.config, run.status, run.starter) == (run_id, title, config, "finished", True)
    update = starter.delta()
    assert update.metrics[-1].step == run.step == run.planned_steps
    assert update.evaluations
    assert len(update.samples) == len(update.evaluations)
    infos = update.checkpoints
    assert infos is not None
    steps = [info.step for info in infos]
    assert steps[0] == 0
    assert steps[1] <= 4, "the first changes can be seen"
    assert len(steps) >= 9
    assert steps[-1] == run.step
    assert not any(info.full for info in infos), "a starter run is never trained on: its weights are enough"
    for info in infos:
        checkpoint = Checkpoint.from_bytes(starter.checkpoint(info.step))
        assert (checkpoint.step, checkpoint.full, checkpoint.config) == (info.step, info.full, config)
        assert checkpoint.corpus_sha256 == run.corpus_sha256


def test_a_starter_run_can_be_made_again_bit_for_bit(tmp_path: Path) -> None:
    made = starters.make("hello-rnn", tmp_path)
    assert (tmp_path / "hello-rnn" / "run.json").is_file()
    same, said = starters.check("hello-rnn", tmp_path)
    assert same
    assert said == "bit for bit the same"
    starter = StarterRuns(FOLDER)["hello-rnn"]
    assert made.run.val_loss == pytest.approx(starter.run.val_loss, abs=TOLERANCE)


def test_units_that_ship_with_a_name_are_in_the_file_of_their_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [Finding(0, 1, "hidden", "after l", "the letter before is l", 0.75, None, 500, 1.5)]
    monkeypatch.setattr(starters, "findings", lambda checkpoint, hypotheses: named)
    made = starters.make("hello-rnn", tmp_path)
    assert made.rows(Finding) == made.delta().findings == named


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    made = starters.make("hello-rnn", tmp_path)
    (tmp_path / "hello-rnn" / "step-000001.safetensors").write_bytes(b"not what it was")
    with pytest.raises(StoreError, match=r"step-000001\.safetensors .*damaged"):
        made.checkpoint(1)
    with pytest.raises(StoreError, match="no checkpoint at step 77"):
        made.checkpoint(77)


def test_a_run_further_off_than_the_tolerance_is_told(tmp_path: Path) -> None:
    starters.make("hello-rnn", tmp_path)
    path = tmp_path / "hello-rnn" / "run.json"
    plain = json.loads(path.read_text())
    plain["run"]["val_loss"] += 1.0
    plain["checkpoints"] = {name: values[:-1] for name, values in plain["checkpoints"].items()}
    path.write_text(json.dumps(plain))
    assert StarterRun(path.parent).run.val_loss == plain["run"]["val_loss"]
    close, said = starters.check("hello-rnn", tmp_path)
    assert not close
    assert "apart" in said


@pytest.mark.parametrize("run_id", list(starters.TELLS))
def test_the_units_that_ship_with_a_name_are_those_that_a_search_finds(run_id: str) -> None:
    starter = StarterRuns(FOLDER)[run_id]
    checkpoint = Checkpoint.from_bytes(starter.checkpoint(starter.run.step))
    again = starters.findings(checkpoint, starters.TELLS[run_id])
    shipped = starter.rows(Finding)
    assert [(one.place, one.quantity, one.hypothesis) for one in again] == [
        (one.place, one.quantity, one.hypothesis) for one in shipped
    ]
    assert {one.hypothesis for one in shipped} == set(starters.TELLS[run_id]), "each has such a unit"
    for mine, kept in zip(again, shipped, strict=True):
        assert mine.score == pytest.approx(kept.score, abs=0.01)
        assert kept.score is not None
        assert kept.baseline is not None
        assert kept.score > kept.baseline + 0.15, "well above what chance reaches"
