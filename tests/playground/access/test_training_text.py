"""What a training text tells, computed behind the page."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from engine.config import Config
from playground.access import corpora, training_text
from playground.access.runs import snapshot_of
from playground.access.training_text import Copied, Missing
from playground.frame import services
from playground.runs.records import Run, StoreError

Value = TypeVar("Value")

pytestmark = pytest.mark.usefixtures("idle_trainer")


def _computed(ask: Callable[[], Value | None]) -> Value:
    """What is computed behind the page, once it is there."""
    end = time.monotonic() + 60
    while (found := ask()) is None and time.monotonic() < end:
        time.sleep(0.02)
    assert found is not None
    return found


@pytest.fixture
def lost() -> Run:
    """A run whose text is gone."""
    return services.store().run(services.store().create_run(Config().with_values(corpus=f"own:{'0' * 64}")))


def test_the_lines_to_beat_begin_with_a_uniform_guess_over_the_vocabulary() -> None:
    beaten = _computed(lambda: training_text.lines_to_beat(snapshot_of("tales-lstm").run))
    vocabulary = len(corpora.corpus(Config().data).vocabulary)
    assert beaten["uniform"] == pytest.approx(math.log(vocabulary))
    assert beaten["uniform"] > beaten["1-gram"] > beaten["2-gram"] > beaten["3-gram"]


def test_what_is_copied_is_found_again() -> None:
    run = snapshot_of("tales-lstm").run
    text = corpora.corpus(run.config.data).train_text[1_000:1_100]
    found = _computed(lambda: training_text.copied(run, f"zzz{text}zzz"))
    assert isinstance(found, Copied)
    assert text in found.longest
    assert found.share == pytest.approx(len(found.longest) / 106)


def test_without_the_text_nothing_is_beaten_and_it_is_said_why(lost: Run) -> None:
    assert _computed(lambda: training_text.lines_to_beat(lost)) == {}
    for ask in (training_text.ngrams, lambda run: training_text.copied(run, "a text")):
        found = _computed(lambda ask=ask: ask(lost))
        assert isinstance(found, Missing)
        assert "upload" in found.why


def test_a_store_that_cannot_be_read_for_a_while_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = services.store().put_text("Frogs sing at night, and then they sleep. " * 100)
    run = services.store().run(services.store().create_run(Config().with_values(corpus=f"own:{digest}")))

    def unreadable(_: str) -> str:
        raise StoreError("The store is locked.")

    with monkeypatch.context() as patch:
        patch.setattr(services.store(), "text", unreadable)
        with pytest.raises(StoreError, match="locked"):
            _computed(lambda: training_text.ngrams(run))
    found = _computed(lambda: training_text.ngrams(run))
    assert not isinstance(found, Missing), found.why
    assert set(found) == {1, 2, 3}


def test_a_fault_is_logged_and_said(
    lost: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(training_text, "corpus", lambda data: 1 // 0)
    training_text._ngrams.clear()
    found = _computed(lambda: training_text.ngrams(lost))
    assert isinstance(found, Missing)
    assert "see the log of the app" in found.why
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
    training_text._ngrams.clear()
