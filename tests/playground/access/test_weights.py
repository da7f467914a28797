"""The shelf of models: right weights, read once, bounded by bytes, errors as sentences."""

from __future__ import annotations

import pytest
import torch

from engine.config import Config
from engine.data.vocabulary import CharVocabulary
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from playground.access.weights import LIVE, Loaded, ModelError, Place, Shelf, nearest
from playground.runs.records import Run

VOCABULARY = CharVocabulary("abcd")
CONFIG = Config().with_values(units=4, embedding=0)


def _model(seed: int) -> LanguageModel:
    return LanguageModel(CONFIG.model, len(VOCABULARY), seed=seed)


def _raw(step: int) -> bytes:
    return Checkpoint(
        step=step,
        full=False,
        config=CONFIG,
        corpus_sha256="0" * 64,
        vocabulary=VOCABULARY.to_json(),
        planned_steps=10,
        tensors={f"model.{name}": tensor for name, tensor in _model(step).state_dict().items()},
    ).to_bytes()


def _place(step: int) -> Place:
    return Place(Run("run", "A run", "finished", CONFIG), step, f"hash {step}")


def _take(shelf: Shelf, step: int, read: list[int]) -> Loaded:
    def raw() -> bytes:
        read.append(step)
        return _raw(step)

    return shelf.take(_place(step), raw)


def test_a_model_has_the_weights_of_its_step() -> None:
    loaded = _take(Shelf(), 5, [])
    assert loaded.key == ("run", 5, "hash 5")
    for name, tensor in _model(5).state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], tensor)


def test_a_model_is_read_once_while_there_is_room() -> None:
    shelf, read = Shelf(), []
    assert _take(shelf, 1, read) is _take(shelf, 1, read)
    assert read == [1]


def test_the_model_not_asked_for_longest_goes_first() -> None:
    read: list[int] = []
    size = _take(Shelf(), 0, []).bytes
    shelf = Shelf(limit=2 * size)
    for step in (1, 2, 1, 3):
        _take(shelf, step, read)
    assert read == [1, 2, 3]
    assert shelf.bytes() == 2 * size
    _take(shelf, 1, read)
    _take(shelf, 2, read)
    assert read == [1, 2, 3, 2]


def test_a_model_beyond_the_bound_is_kept_alone() -> None:
    shelf, read = Shelf(limit=1), []
    _take(shelf, 1, read)
    _take(shelf, 1, read)
    _take(shelf, 2, read)
    assert read == [1, 2]
    assert shelf.known("run", 1, "hash 1") is None


def test_live_versions_do_not_push_all_other_models_off_the_shelf() -> None:
    read: list[int] = []
    size = _take(Shelf(), 0, []).bytes
    shelf = Shelf(limit=8 * size)
    _take(shelf, 1, read)
    for step in range(2, 12):
        shelf.take(Place(_place(step).run, step, LIVE), lambda step=step: _raw(step))
    assert shelf.known("run", 1, "hash 1") is not None
    assert [step for step in range(2, 12) if shelf.known("run", step, LIVE)] == [10, 11]


def test_weights_that_are_not_finite_are_known_as_such() -> None:
    loaded = _take(Shelf(), 1, [])
    assert loaded.finite
    broken = _take(Shelf(), 2, [])
    with torch.no_grad():
        next(iter(broken.model.parameters()))[0, 0] = torch.nan
    assert not broken.finite


def test_a_damaged_checkpoint_is_named() -> None:
    with pytest.raises(ModelError, match=r"A run at step 3 cannot be used: .*cut short"):
        Shelf().take(_place(3), lambda: b"nonsense")


@pytest.mark.parametrize(("wanted", "found"), [(0, 1), (6, 4), (7, 4), (8, 10), (99, 10), (4, 4)])
def test_the_nearest_kept_step_stands_in(wanted: int, found: int) -> None:
    assert nearest(wanted, [1, 4, 10]) == found
