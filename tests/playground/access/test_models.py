"""Which weights a selection means, read once, bounded by bytes, errors as sentences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine.config import Config
from engine.data.vocabulary import CharVocabulary
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from playground import state
from playground.access import corpora, models
from playground.access.cache import BoundedCache
from playground.access.models import ModelError, WeightsSource, build, nearest_step
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.runs.records import Run

pytestmark = pytest.mark.usefixtures("own_recordings")

VOCABULARY = CharVocabulary("abcd")
CONFIG = Config().with_values(units=4, embedding=0)


@pytest.fixture
def save() -> Callable[..., None]:
    """Saves weights for a step of a run: as a checkpoint, or in its live slot."""

    def saved(run: str, step: int, *, live: bool = False) -> None:
        config = services.store().run(run).config
        vocabulary = corpora.corpus(config.data).vocabulary
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

    return saved


@pytest.fixture
def run() -> str:
    """A run that waits to be trained."""
    return services.store().create_run(services.store().run("hello-rnn").config, name="Training")


def _newest(run: str) -> tuple[int, bool]:
    loaded = models.load(snapshot_of(run), state.NEWEST)
    return loaded.step, loaded.version == models.LIVE


def test_the_newest_weights_are_the_live_ones_while_they_are_newer(run: str, save: Callable[..., None]) -> None:
    with pytest.raises(ModelError, match=r"Training has no checkpoint yet \(queued\)"):
        _newest(run)
    save(run, 2, live=True)
    assert _newest(run) == (2, True)
    save(run, 5)
    assert _newest(run) == (5, False)
    save(run, 7, live=True)
    assert _newest(run) == (7, True)
    services.store().record(run, status="finished")
    assert _newest(run) == (5, False), "a run that has ended is what it has saved"


def test_a_step_is_the_one_that_was_asked_for(run: str, save: Callable[..., None]) -> None:
    save(run, 2)
    save(run, 7, live=True)
    assert models.load(snapshot_of(run), 2).step == 2
    with pytest.raises(ModelError, match="has no checkpoint at step 3"):
        models.load(snapshot_of(run), 3)


def test_weights_are_read_once(run: str, save: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    save(run, 2, live=True)
    first = models.load(snapshot_of(run), state.NEWEST)
    monkeypatch.setattr(services.store(), "live", None)
    assert models.load(snapshot_of(run), state.NEWEST) is first


def test_live_versions_do_not_push_other_models_out(
    run: str, save: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(run, 1)
    saved = models.load(snapshot_of(run), 1)
    monkeypatch.setattr(models, "live_models", BoundedCache(2 * saved.bytes, lambda loaded: loaded.bytes))
    for step in range(2, 6):
        save(run, step, live=True)
        assert _newest(run) == (step, True)
    assert models.in_memory(saved.key) is saved
    assert [step for step in range(2, 6) if models.in_memory((run, step, models.LIVE))] == [4, 5]


def _model(seed: int) -> LanguageModel:
    return LanguageModel(CONFIG.model, len(VOCABULARY), seed=seed)


def _source(step: int) -> WeightsSource:
    return WeightsSource(Run("run", "A run", "finished", CONFIG), step, f"hash {step}")


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


def test_a_model_has_the_weights_of_its_step_and_their_size() -> None:
    loaded = build(_source(5), _raw(5))
    assert loaded.key == ("run", 5, "hash 5") == _source(5).key
    for name, tensor in _model(5).state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], tensor)
    assert loaded.bytes == 4 * sum(parameter.numel() for parameter in loaded.model.parameters())


def test_weights_that_are_not_finite_are_known_as_such() -> None:
    assert build(_source(1), _raw(1)).finite
    broken = build(_source(2), _raw(2))
    with torch.no_grad():
        next(iter(broken.model.parameters()))[0, 0] = torch.nan
    assert not broken.finite


def test_a_damaged_checkpoint_is_named() -> None:
    with pytest.raises(ModelError, match=r"A run at step 3 cannot be used: .*truncated"):
        build(_source(3), b"nonsense")


@pytest.mark.parametrize(("wanted", "found"), [(0, 1), (6, 4), (7, 4), (8, 10), (99, 10), (4, 4)])
def test_the_nearest_kept_step_stands_in(wanted: int, found: int) -> None:
    assert nearest_step(wanted, [1, 4, 10]) == found
