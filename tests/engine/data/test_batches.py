"""Streams for training and chunks for evaluation: what is predicted, how often, in which order."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.config import ConfigError
from engine.data.batches import IGNORED, Streams, evaluation_chunks, fit_batches, most_streams

SIZES = {"length": st.integers(2, 200), "streams": st.integers(1, 12), "chunk": st.integers(1, 20)}


def numbered(length):
    """A text in which each token is its own place, so that a batch shows where it was read."""
    return torch.arange(length)


def test_hello_is_always_hell_to_ello():
    streams = Streams(torch.tensor([1, 0, 2, 2, 3]), streams=1, chunk=4, seed=7)
    assert streams.steps_per_epoch == 1
    for step in (0, 1, 2, 1000):
        batch = streams.batch(step)
        assert batch.inputs[:, 0].tolist() == [1, 0, 2, 2]
        assert batch.targets[:, 0].tolist() == [0, 2, 2, 3]
        assert batch.fresh


@given(**SIZES, seed=st.integers(0, 5), epoch=st.integers(0, 3))
def test_an_epoch_makes_every_prediction_and_few_twice(length, streams, chunk, seed, epoch):
    if streams * chunk > length - 1:
        return
    reader = Streams(numbered(length), streams, chunk, seed)
    seen: Counter[int] = Counter()
    for turn in range(reader.steps_per_epoch):
        batch = reader.batch(epoch * reader.steps_per_epoch + turn)
        assert batch.inputs.shape == batch.targets.shape == (chunk, streams)
        assert batch.inputs.dtype == batch.targets.dtype == torch.int64
        assert torch.equal(batch.targets, batch.inputs + 1)  # so the last token is never followed by the first
        assert batch.fresh == (turn == 0)
        assert batch.predictions == chunk * streams
        seen.update(batch.inputs.flatten().tolist())
    assert set(seen) == set(range(length - 1))
    assert max(seen.values()) <= 2


def test_a_stream_goes_on_where_its_last_batch_ended():
    reader = Streams(numbered(1001), streams=4, chunk=10, seed=3)
    for step in range(reader.steps_per_epoch - 1):
        last, following = reader.batch(step).inputs[-1], reader.batch(step + 1).inputs[0]
        assert torch.equal((last + 1) % 1000, following)


def test_a_batch_is_a_function_of_its_step_alone():
    tokens = torch.randint(0, 50, (5_000,), generator=torch.Generator().manual_seed(0))
    one, other = (Streams(tokens, streams=8, chunk=16, seed=5) for _ in range(2))
    in_order = [one.batch(step).inputs for step in range(100)]
    backwards = [other.batch(step).inputs for step in reversed(range(100))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(in_order, backwards, strict=True))


def test_each_epoch_and_each_seed_cuts_the_text_elsewhere():
    one, other = (Streams(numbered(10_001), streams=4, chunk=10, seed=seed) for seed in (1, 2))
    firsts = [one.batch(epoch * one.steps_per_epoch).inputs[0, 0].item() for epoch in range(20)]
    assert len(set(firsts)) > 15
    assert other.batch(0).inputs[0, 0].item() != firsts[0]


def test_batches_leave_the_global_random_state_alone(global_random_state_unchanged):
    Streams(numbered(100), streams=2, chunk=5, seed=1).batch(33)


@pytest.mark.parametrize(
    ("length", "streams", "chunk", "advice"),
    [
        (101, 4, 64, "set data.streams to at most 1"),
        (1000, 32, 64, "set data.streams to at most 15"),
        (40, 2, 64, "data.streams to 1 and data.chunk to at most 39"),
    ],
)
def test_a_text_too_short_is_refused_with_what_fits(length, streams, chunk, advice):
    with pytest.raises(ConfigError, match=advice):
        Streams(numbered(length), streams, chunk, seed=0)


@given(length=st.integers(2, 500), chunk=st.integers(1, 100))
def test_the_most_streams_fit_and_one_more_does_not(length, chunk):
    most = most_streams(length, chunk)
    assert most * chunk <= length - 1 < (most + 1) * chunk


@given(**SIZES)
def test_evaluation_predicts_every_token_but_the_first_exactly_once(length, streams, chunk):
    seen = []
    previous = None
    for number, batch in enumerate(evaluation_chunks(numbered(length), streams, chunk)):
        counted = batch.targets != IGNORED
        assert batch.fresh == (number == 0)
        assert batch.predictions == counted.sum()
        assert batch.inputs.shape == batch.targets.shape
        assert len(batch.inputs) <= chunk
        assert ((batch.inputs >= 0) & (batch.inputs < length)).all()
        assert torch.equal(batch.inputs[counted] + 1, batch.targets[counted])
        if previous is not None:  # each stream goes on where it was
            assert torch.equal(previous[counted[0]] + 1, batch.inputs[0][counted[0]])
        previous = batch.inputs[-1]
        seen += batch.targets[counted].tolist()
    assert sorted(seen) == list(range(1, length))


def test_only_the_very_last_timestep_of_an_evaluation_has_ignored_targets():
    batches = list(evaluation_chunks(numbered(103), streams=4, chunk=10))
    assert all((batch.targets != IGNORED).all() for batch in batches[:-1])
    assert (batches[-1].targets[:-1] != IGNORED).all()
    assert sum(batch.predictions for batch in batches) == 102


def test_a_single_token_has_nothing_to_evaluate():
    assert list(evaluation_chunks(numbered(1), streams=4, chunk=10)) == []


@given(
    st.integers(2, 5_000),
    st.integers(1, 1_024),
    st.integers(1, 1_024),
    st.sets(st.sampled_from(["streams", "chunk"])),
)
def test_a_fitted_batch_fits_and_leaves_alone_what_was_given(
    tokens: int, streams: int, chunk: int, given_ones: set[str]
) -> None:
    wished = {"streams": streams, "chunk": chunk}
    smallest = {name: wished[name] if name in given_ones else 1 for name in wished}
    if smallest["streams"] * smallest["chunk"] > tokens - 1:
        with pytest.raises(ConfigError, match="too few"):
            fit_batches(tokens, streams, chunk, given_ones)
        return
    fitted = dict(zip(wished, fit_batches(tokens, streams, chunk, given_ones), strict=True))
    assert fitted["streams"] * fitted["chunk"] <= tokens - 1
    assert all(fitted[name] == wished[name] for name in given_ones)
    if streams * chunk <= tokens - 1:
        assert fitted == wished
    elif "streams" not in given_ones and fitted["chunk"] == chunk:
        assert 2 * (fitted["streams"] + 1) * chunk > tokens - 1, "no more was taken away than needed"


@pytest.mark.parametrize(
    ("tokens", "fitted"),
    [(2_049, (32, 64)), (2_048, (16, 64)), (1_801, (16, 64)), (65, (1, 64)), (64, (1, 32)), (2, (1, 1))],
)
def test_streams_are_halved_first_and_then_the_chunk(tokens: int, fitted: tuple[int, int]) -> None:
    assert fit_batches(tokens, 32, 64) == fitted
