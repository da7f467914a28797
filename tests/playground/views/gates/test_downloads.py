"""What leaves the page Gates: the script finds what the page shows, and the table has its numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.shell.directory import RunDirectory
from engine.training.checkpoint import Checkpoint
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.inside.view import View, look
from playground.state import Selection
from playground.views.gates import downloads


@pytest.fixture
def view(own_recordings: None) -> View:
    """The starter LSTM's quotation unit on a short text."""
    return look(snapshot_of("tales-lstm"), Selection(probe='"Go," he said.', context="It was late. ", t=3))


def test_the_script_prints_the_unit_and_the_ranking_of_the_page(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = Checkpoint.from_bytes(services.store().checkpoint(view.run.id, view.step))
    directory = RunDirectory(tmp_path / "my-run")
    directory.create(saved.config)
    directory.save(saved)
    monkeypatch.chdir(tmp_path)
    exec(downloads.code(view), {})
    values, first, *others, verdict = capsys.readouterr().out.splitlines()
    printed = [float(number) for number in values.partition("[")[2].strip("]").split(", ")]
    assert printed == pytest.approx(view.trace["cell"][0, :, 23].tolist(), rel=1e-4)
    assert first == "layer 0, unit 23 (cell): 0.994"
    assert len(others) == 4
    assert verdict == "baseline 0.676, clearly above it: True"


def test_the_table_has_a_row_for_each_timestep_and_unit(view: View) -> None:
    rows = downloads.rows(view)
    assert len(rows) == view.trace.length * view.trace.units
    mine = rows[(rows["unit"] == 24) & (rows["t"] == 5)].iloc[0]
    assert mine["token"] == view.probe.names[4]
    assert mine["forget"] == pytest.approx(float(view.trace["forget"][0, 4, 23]))
    assert mine["candidate_pre"] == pytest.approx(float(view.trace["candidate_pre"][0, 4, 23]))
    np.testing.assert_allclose(rows["hidden"], view.trace["hidden"][0].flatten(), rtol=1e-6)
