"""Texts written behind the page: the same as in front of it, shared, stopped, bounded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from engine.config import Config
from engine.data import Vocabulary
from engine.data.vocabulary import CharVocabulary, WordVocabulary
from engine.decoding.sampling import sample
from engine.models.language_model import LanguageModel
from playground.access import writing
from playground.access.models import Loaded
from playground.access.writing import BusyError, Request, WritingJob, WritingPool
from playground.runs.records import Run, StoreError

ENDLESS = 1_000_000_000
"""Tokens that no machine writes while a test waits."""

LETTERS = CharVocabulary("\n abcdefghij")
WORDS = WordVocabulary(["<unk>", "<eos>", "the", "cat", "sat", ".", '"'])


def _loaded(vocabulary: Vocabulary = LETTERS) -> Loaded:
    config = Config().with_values(units=8, embedding=4)
    model = LanguageModel(config.model, len(vocabulary), seed=3).requires_grad_(False)
    return Loaded(Run("run", "A run", "finished", config), 7, "version", model, vocabulary, 1_000)


def _request(**values: object) -> Request:
    return replace(Request(("run", 7, "version"), "abc", length=60), **values)


def _over(job: WritingJob) -> WritingJob:
    end = time.monotonic() + 120
    while job.active and time.monotonic() < end:
        time.sleep(0.002)
    assert not job.active
    return job


@pytest.fixture
def pool() -> Iterator[WritingPool]:
    made = WritingPool(workers=1, waiting=3, kept=5)
    yield made
    made.close()


class Gate:
    """A model that is not there until the gate opens."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded, self.opened, self.reached = loaded, threading.Event(), threading.Event()

    def __call__(self) -> Loaded:
        self.reached.set()
        assert self.opened.wait(120)
        return self.loaded


def _write(pool: WritingPool, request: Request, load: Callable[[], Loaded] | None = None, **how: bool) -> WritingJob:
    loaded = _loaded()
    return pool.write(request, loaded.vocabulary, load or (lambda: loaded), **how)


def test_a_text_is_what_the_sampler_writes(pool: WritingPool) -> None:
    job = _over(_write(pool, _request(seed=5, temperature=0.7, top_k=4, top_p=0.9)))
    loaded = _loaded()
    start = [int(token) for token in LETTERS.encode("abc")]
    expected = sample(loaded.model, start, length=60, seed=5, temperature=0.7, top_k=4, top_p=0.9)
    assert job.tokens == list(expected)
    assert job.text() == LETTERS.decode(job.tokens)
    assert job.status == writing.DONE
    assert len(job.bits()) == len(job.chances) == 60
    assert all(bits > 0 for bits in job.bits())


def test_a_forced_token_leaves_what_stands_before_it(pool: WritingPool) -> None:
    free = _over(_write(pool, _request()))
    other = (free.tokens[20] + 1) % len(LETTERS)
    forced = _over(_write(pool, _request(forced=((20, other),))))
    assert forced.tokens[:20] == free.tokens[:20]
    assert forced.tokens[20] == other


def test_unknown_words_are_never_written_and_the_end_is_said(pool: WritingPool) -> None:
    loaded = _loaded(WORDS)
    endings = set()
    for seed in range(12):
        request = _request(prompt="the cat", seed=seed, temperature=2.0, length=40, past_end=False)
        job = _over(pool.write(request, WORDS, lambda: loaded))
        assert WORDS.unknown not in job.tokens
        assert WORDS.end not in job.tokens
        assert (job.status == writing.ENDED) == (job.written < 40)
        endings.add(job.status)
    assert writing.ENDED in endings


def test_past_the_end_lines_follow_each_other(pool: WritingPool) -> None:
    loaded = _loaded(WORDS)
    job = _over(pool.write(_request(prompt="the", temperature=2.0, length=80), WORDS, lambda: loaded))
    assert job.written == 80
    assert WORDS.end in job.tokens
    assert "\n" in job.text()
    assert "".join(job.pieces) == WORDS.decode([*job.start, *job.tokens])[len(job.prompt) :]


def test_the_same_request_is_written_once_for_everybody(pool: WritingPool) -> None:
    first = _over(_write(pool, _request()))
    assert _write(pool, _request()) is first
    again = _over(_write(pool, _request(), fresh=True))
    assert again is not first
    assert again.tokens == first.tokens


def test_a_stopped_text_keeps_what_was_written(pool: WritingPool) -> None:
    job = _write(pool, _request(length=ENDLESS))
    while job.written < 5:
        time.sleep(0.001)
    stopped = pool.stop(job)
    assert stopped.status == writing.STOPPED
    assert 5 <= stopped.written < ENDLESS
    assert len(stopped.text()) == stopped.written
    assert _over(job).tokens[: stopped.written] == stopped.tokens
    assert job.written < ENDLESS
    assert _write(pool, _request(length=ENDLESS)) is not job, "what was stopped is begun anew when asked for"


def test_who_stops_a_shared_text_stops_it_for_nobody_else(pool: WritingPool) -> None:
    gate = Gate(_loaded())
    mine = _write(pool, _request(), gate)
    theirs = _write(pool, _request())
    assert theirs is mine
    stopped = pool.stop(mine)
    gate.opened.set()
    assert stopped.status == writing.STOPPED
    assert _over(theirs).status == writing.DONE


def test_a_waiting_text_has_a_place_and_can_be_stopped(pool: WritingPool) -> None:
    gate = Gate(_loaded())
    first = _write(pool, _request(), gate)
    assert gate.reached.wait(120)
    second, third = (_write(pool, _request(seed=seed)) for seed in (2, 3))
    assert (pool.position(second), pool.position(third)) == (0, 1)
    assert pool.stop(second).status == second.status == writing.STOPPED
    assert pool.position(third) == 0
    gate.opened.set()
    assert _over(first).status == _over(third).status == writing.DONE
    assert second.written == 0


def test_a_text_whose_model_is_still_read_stops_at_once(pool: WritingPool) -> None:
    gate = Gate(_loaded())
    job = _write(pool, _request(length=ENDLESS), gate)
    assert gate.reached.wait(120)
    assert pool.stop(job).status == writing.STOPPED
    assert _write(pool, _request(length=ENDLESS)) is not job
    gate.opened.set()
    assert _over(job).written <= 1


def test_more_than_may_wait_is_refused_by_a_sentence(pool: WritingPool) -> None:
    gate = Gate(_loaded())
    _write(pool, _request(), gate)
    assert gate.reached.wait(120)
    for seed in (2, 3, 4):
        _write(pool, _request(seed=seed))
    with pytest.raises(BusyError, match=r"queue for generation is full \(3 texts\)"):
        _write(pool, _request(seed=5))
    gate.opened.set()


def test_only_the_last_texts_are_kept(pool: WritingPool) -> None:
    texts = [_over(_write(pool, _request(seed=seed, length=3))) for seed in range(8)]
    assert _write(pool, _request(seed=7, length=3)) is texts[7]
    assert _write(pool, _request(seed=0, length=3)) is not texts[0]


def test_a_model_that_cannot_be_had_fails_its_text_and_no_other(pool: WritingPool) -> None:
    def gone() -> Loaded:
        raise StoreError("This checkpoint is damaged: choose another.")

    failed = _over(_write(pool, _request(seed=9), gone))
    assert (failed.status, failed.message) == (writing.FAILED, "This checkpoint is damaged: choose another.")
    assert _over(_write(pool, _request(seed=10))).status == writing.DONE


def test_weights_that_ran_away_get_a_sentence(pool: WritingPool) -> None:
    loaded = _loaded()
    loaded.model.head_weight.fill_(float("nan"))
    failed = _over(_write(pool, _request(), lambda: loaded))
    assert failed.status == writing.FAILED
    assert "not finite" in failed.message


def test_an_empty_prompt_starts_after_a_line_end(pool: WritingPool) -> None:
    job = _over(_write(pool, _request(prompt="", length=3)))
    assert (job.prompt, job.start) == ("", [LETTERS.symbols.index("\n")])


def test_a_closed_pool_has_ended_its_threads() -> None:
    pool = WritingPool(workers=1)
    job = _write(pool, _request(length=ENDLESS))
    while not job.written:
        time.sleep(0.001)
    pool.close()
    assert job.status == writing.STOPPED
    assert not any(thread.is_alive() for thread in pool._pool._threads)
