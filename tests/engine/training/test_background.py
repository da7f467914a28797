"""Work on a thread: whoever waits for it is asked again and again, and may leave."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from engine.analysis.text_facts import text_facts
from engine.config import DataConfig
from engine.data import Corpus, prepare
from engine.training.background import in_background
from engine.training.evaluation import SLICE_SECONDS


@pytest.fixture(scope="module")
def long_text(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two million characters by words, a fifth of them unknown."""
    path = tmp_path_factory.mktemp("texts") / "long.txt"
    line = "the cat sat on the mat, and number {:x} said: so it is!  "
    path.write_text("".join(line.format(number * 2_654_435_761 % 2**32) for number in range(33_000)))
    return prepare(DataConfig(corpus=f"file:{path}", level="word", vocabulary_limit=1_000))


def test_there_is_a_slice_at_least_every_50_ms_and_then_the_result() -> None:
    started = time.perf_counter()
    *slices, result = in_background(lambda: time.sleep(10 * SLICE_SECONDS) or "done")
    assert result == "done"
    assert set(slices) == {None}
    assert len(slices) >= (time.perf_counter() - started) / SLICE_SECONDS - 1


def test_whoever_leaves_is_not_held_up() -> None:
    gate = threading.Event()
    started = time.perf_counter()
    work = in_background(lambda: gate.wait(30))
    assert next(work) is None
    work.close()  # type: ignore[attr-defined]
    assert time.perf_counter() - started < 5
    gate.set()


def test_what_goes_wrong_is_raised_where_the_result_is_awaited() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_background(lambda: 1 / 0))


def test_the_facts_of_a_long_text_leave_the_loop_its_turns(long_text: Corpus) -> None:
    started = time.perf_counter()
    *slices, facts = in_background(partial(text_facts, long_text))
    seconds = time.perf_counter() - started
    assert facts == text_facts(long_text)
    assert seconds > 4 * SLICE_SECONDS, "else the text is too short to tell"
    assert len(slices) >= seconds / SLICE_SECONDS - 1, "on average a slice lasts no longer than it may"
