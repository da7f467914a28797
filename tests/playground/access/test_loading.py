"""Which weights a selection means: those of a step, the newest saved, or those in the live slot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from playground import state
from playground.access import lens, loading, weights
from playground.access.weights import ModelError
from playground.frame import services
from playground.runs.reader import REFRESH_SECONDS
from playground.runs.records import RunNotFoundError


@pytest.fixture(autouse=True)
def own_shelf(idle_trainer: object) -> Iterator[None]:
    """Models of this test alone."""
    loading.shelf.clear()
    yield
    loading.shelf.clear()


@pytest.fixture
def save() -> Callable[..., None]:
    """Saves weights for a step of a run: as a checkpoint, or in its live slot."""

    def saved(run: str, step: int, *, live: bool = False) -> None:
        config = services.store().run(run).config
        vocabulary = lens.corpus(config.data).vocabulary
        tensors = LanguageModel(config.model, len(vocabulary), seed=step).state_dict()
        checkpoint = Checkpoint(
            step=step,
            full=False,
            config=config,
            corpus_sha256="0" * 64,
            vocabulary=vocabulary.to_json(),
            planned_steps=100,
            tensors={f"model.{name}": tensor for name, tensor in tensors.items()},
        )
        (services.store().put_live if live else services.store().put_checkpoint)(run, checkpoint)
        time.sleep(2 * REFRESH_SECONDS)  # the reader asks the store no more often than that

    return saved


@pytest.fixture
def run() -> str:
    """A run that waits to be trained."""
    return services.store().create_run(services.store().run("hello-rnn").config, name="Training")


def _newest(run: str) -> tuple[int, bool]:
    loaded = loading.load(loading.snapshot(run), state.NEWEST)
    return loaded.step, loaded.version == weights.LIVE


def test_without_a_choice_it_is_the_first_starter_run() -> None:
    assert loading.snapshot("").run.id == lens.DEFAULT_RUN


def test_a_run_that_is_not_there_is_said() -> None:
    with pytest.raises(RunNotFoundError, match="nope"):
        loading.snapshot("nope")


def test_the_newest_weights_are_the_live_ones_while_they_are_newer(run: str, save: Callable[..., None]) -> None:
    with pytest.raises(ModelError, match=r"Training has saved no weights yet \(queued\)"):
        _newest(run)
    save(run, 2, live=True)
    assert _newest(run) == (2, True)
    save(run, 5)
    assert _newest(run) == (5, False)
    save(run, 7, live=True)
    assert _newest(run) == (7, True)
    services.store().record(run, status="finished")
    time.sleep(2 * REFRESH_SECONDS)
    assert _newest(run) == (5, False), "a run that has ended is what it has saved"


def test_a_step_is_the_one_that_was_asked_for(run: str, save: Callable[..., None]) -> None:
    save(run, 2)
    save(run, 7, live=True)
    assert loading.load(loading.snapshot(run), 2).step == 2
    with pytest.raises(ModelError, match="keeps no weights at step 3"):
        loading.load(loading.snapshot(run), 3)


def test_weights_are_read_once(run: str, save: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    save(run, 2, live=True)
    first = loading.load(loading.snapshot(run), state.NEWEST)
    monkeypatch.setattr(services.store(), "live", None)
    assert loading.load(loading.snapshot(run), state.NEWEST) is first
