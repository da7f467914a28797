"""What leaves the page: the script records what the page shows, and the table has its numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.shell.directory import RunDirectory
from engine.trace import Change
from engine.training.checkpoint import Checkpoint
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.inside.view import View, look
from playground.state import Selection
from playground.text import number
from playground.views.unrolled import changes, downloads
from playground.views.unrolled.picture import picture

Look = Callable[..., View]


@pytest.fixture
def view(own_recordings: None) -> Look:
    """Looks into a starter run: `view("tales-gru", t=4)`."""
    return lambda run, **place: look(snapshot_of(run), Selection(**{"probe": "They ate", "t": 3, **place}))


def _saved(view: View, folder: Path) -> None:
    """The run's checkpoint as the shell would have saved it."""
    saved = Checkpoint.from_bytes(services.store().checkpoint(view.run.id, view.step))
    directory = RunDirectory(folder / "my-run")
    directory.create(saved.config)
    directory.save(saved)


def _printed(script: str, capsys: pytest.CaptureFixture[str]) -> list[list[float]]:
    """The numbers of each line that the script prints."""
    capsys.readouterr()
    exec(script, {})
    said = [line.rpartition(": ")[2].strip("[]") for line in capsys.readouterr().out.splitlines()]
    return [[float(number) for number in line.split(", ")] for line in said]


@pytest.mark.parametrize("notation", ["ng", "pytorch"])
@pytest.mark.parametrize(("run", "of"), [("tales-lstm", "sum"), ("tales-gru", 6), ("hello-rnn", "sum")])
def test_the_script_prints_the_numbers_of_the_picture(
    view: Look,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run: str,
    of: str | int,
    notation: str,
) -> None:
    found = view(run, probe="" if run == "hello-rnn" else "They ate", context="", t=2, notation=notation)
    _saved(found, tmp_path)
    monkeypatch.chdir(tmp_path)
    script = downloads.code(found, of, changes.Fitted((), (), ()))  # type: ignore[arg-type]
    loss, pull, carried = _printed(script, capsys)
    shown = picture(found, of)  # type: ignore[arg-type]
    assert shown.gradient is not None
    assert loss == pytest.approx([float(shown.losses[2])], rel=1e-3)
    assert pull == pytest.approx(shown.gradient.norms[:, 3].tolist(), rel=1e-3)  # the first is the initial state's
    assert number(pull[0]) == number(float(shown.gradient.norms[0, 3])), "as the picture prints it"
    assert carried == pytest.approx(shown.gradient.carried[:, 2].tolist(), rel=1e-3)
    assert ("t = 3" in script) is (shown.first == 1), "as the page calls it"


def test_the_script_records_what_the_page_shows(view: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = view("tales-gru", step=250, context="Once upon a time. ")
    _saved(found, tmp_path)
    monkeypatch.chdir(tmp_path)
    fitted = changes.Fitted((Change("update", 0, 2, 7, 0.0),), ((5, 4),), ())
    names: dict[str, Any] = {}
    exec(downloads.code(found, 6, fitted), names)
    assert names["trace"].target == 6
    torch.testing.assert_close(names["trace"]["hidden"], found.trace["hidden"])
    expected = changes.applied(found, fitted)
    torch.testing.assert_close(names["changed"]["hidden"], expected["hidden"])
    torch.testing.assert_close(names["changed"].losses, expected.losses, equal_nan=True)


def test_the_table_has_a_row_for_each_timestep(view: Look) -> None:
    found = view("tales-lstm")
    rows = downloads.rows(found, "sum")
    assert list(rows["t"]) == list(range(1, 9))
    assert list(rows["token"]) == list(found.probe.names)
    np.testing.assert_allclose(-np.log(rows["probability"][:-1].astype(float)), rows["loss_nats"][:-1], rtol=1e-4)
    np.testing.assert_allclose(rows["hidden_norm_layer_1"], found.trace["hidden"][0].norm(dim=-1), rtol=1e-5)
    carried = found.carried("sum")[0]
    assert rows["gradient_carried_layer_1"].tolist() == pytest.approx(carried.tolist())
    assert not rows["gradient_carried_layer_1"].equals(rows["gradient_norm_layer_1"])
    assert {"cell_norm_layer_1", "hidden_change_layer_1", "gradient_norm_layer_1"} <= {*rows.columns}
