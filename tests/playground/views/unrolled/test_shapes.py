"""The gallery of task shapes: what is live is real, and what is not has no values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

import engine
from engine.models.language_model import LanguageModel
from playground.access import traces
from playground.access.runs import snapshot_of
from playground.components.packing import plain
from playground.inside.view import View, look
from playground.state import Selection
from playground.views.unrolled.shapes import SHOWN, Shape, shapes

pytestmark = pytest.mark.usefixtures("own_recordings")


def _view(run: str = "tales-lstm", **values: Any) -> View:
    return look(snapshot_of(run), Selection(run=run, **values))


def _named(view: View) -> dict[str, Shape]:
    return {shape.name: shape for shape in shapes(view).shapes}


def test_all_five_shapes_are_there_and_those_of_a_language_model_are_live() -> None:
    found = _named(_view())
    assert list(found) == ["one-to-one", "one-to-many", "many-to-one", "in-step", "encoder-decoder"]
    assert [name for name, shape in found.items() if shape.live] == ["one-to-many", "in-step"]


def test_a_shape_without_a_model_says_so_and_has_no_values() -> None:
    for shape in _named(_view()).values():
        if shape.live:
            continue
        assert shape.caption.startswith("Not available yet. It would ")
        assert all(cell.norm is None and cell.chance is None for cell in shape.cells)
        assert all((cell.reads or "") == (cell.says or "") == "" for cell in shape.cells)


def test_writing_reads_what_it_has_just_said() -> None:
    view = _view()
    cells = _named(view)["one-to-many"].cells
    assert len(cells) == SHOWN
    assert cells[0].reads == view.probe.names[0]
    assert [cell.reads for cell in cells[1:]] == [cell.says for cell in cells[:-1]]
    assert [cell.fed_back for cell in cells] == [False, *[True] * (SHOWN - 1)]


def test_what_is_written_is_always_the_likeliest_token_with_its_chance() -> None:
    view = _view("tales-gru")
    tokens = [int(view.trace.tokens[0])]
    for cell in _named(view)["one-to-many"].cells:
        trace = engine.record(view.model, tokens)
        best = int(trace.log_probabilities[-1].argmax())
        assert cell.says == view.vocabulary.display(best)
        assert cell.chance == pytest.approx(float(trace.log_probabilities[-1].max().exp()), rel=1e-3)
        assert cell.norm == pytest.approx(float(trace["hidden"][-1, -1].norm()), rel=1e-3)
        tokens.append(best)


@pytest.mark.parametrize(("t", "first"), [(0, 0), (12, 10), (26, 22)])
def test_in_step_shows_the_probe_around_the_chosen_timestep(t: int, first: int) -> None:
    view = _view(t=t)
    cells = _named(view)["in-step"].cells
    assert [cell.t for cell in cells] == list(range(first, first + SHOWN))
    best = view.trace.log_probabilities.argmax(dim=1)
    for cell in cells:
        assert cell.t is not None
        assert cell.reads == view.probe.names[cell.t]
        assert cell.says == view.vocabulary.display(int(best[cell.t]))
        assert cell.right == (int(best[cell.t]) == int(view.trace.targets[cell.t]))


def test_a_short_probe_shows_all_it_has() -> None:
    cells = _named(_view(probe="ab"))["in-step"].cells
    assert [cell.reads for cell in cells] == ["a", "b"]


def test_without_a_known_token_there_is_nothing_to_begin_with() -> None:
    shape = _named(_view(probe="€"))["one-to-many"]
    assert not shape.live
    assert "No token of the input text is in this model's vocabulary" in shape.caption
    assert all(cell.norm is None for cell in shape.cells)


def test_broken_weights_write_nothing_and_say_why() -> None:
    view = _view()
    model = LanguageModel(view.model.config, len(view.vocabulary), seed=0)
    model.load_state_dict({name: torch.full_like(value, torch.nan) for name, value in model.state_dict().items()})
    loaded = replace(view.loaded, model=model.requires_grad_(False), version="broken")
    found = _named(replace(view, loaded=loaded, trace=traces.trace(loaded, view.probe, view.context)))
    assert not found["one-to-many"].live
    assert found["one-to-many"].caption.endswith(".")
    assert all(cell.norm is None and cell.chance is None for cell in found["in-step"].cells)


@pytest.mark.parametrize("run", ["hello-rnn", "tales-words"])
def test_every_kind_of_run_has_a_gallery(run: str) -> None:
    data = plain(shapes(_view(run)))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
