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
from playground.views.unrolled import changes, downloads

Look = Callable[..., View]


@pytest.fixture
def view(own_recordings: None) -> Look:
    """Looks into a starter run: `view("tales-gru", t=4)`."""
    return lambda run, **place: look(snapshot_of(run), Selection(**{"probe": "They ate", "t": 3, **place}))


def test_the_script_records_what_the_page_shows(view: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = view("tales-gru", step=250, context="Once upon a time. ")
    saved = Checkpoint.from_bytes(services.store().checkpoint("tales-gru", 250))
    directory = RunDirectory(tmp_path / "my-run")
    directory.create(saved.config)
    directory.save(saved)
    monkeypatch.chdir(tmp_path)
    fitted = changes.Fitted((Change("update", 0, 2, 7, 0.0),), ((5, 4),), ())
    names: dict[str, Any] = {}
    exec(downloads.code(found, 6, fitted), names)
    assert names["trace"].target == 6
    expected = changes.applied(found, fitted)
    torch.testing.assert_close(names["trace"]["hidden"], expected["hidden"])
    torch.testing.assert_close(names["trace"].losses, expected.losses, equal_nan=True)


def test_the_table_has_a_row_for_each_timestep(view: Look) -> None:
    found = view("tales-lstm")
    rows = downloads.rows(found, "sum")
    assert list(rows["t"]) == list(range(1, 9))
    assert list(rows["token"]) == list(found.probe.names)
    np.testing.assert_allclose(-np.log(rows["probability"][:-1].astype(float)), rows["loss_nats"][:-1], rtol=1e-4)
    np.testing.assert_allclose(rows["hidden_norm_layer_1"], found.trace["hidden"][0].norm(dim=-1), rtol=1e-5)
    assert {"cell_norm_layer_1", "hidden_change_layer_1", "gradient_norm_layer_1"} <= {*rows.columns}
