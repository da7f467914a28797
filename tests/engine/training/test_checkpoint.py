"""Checkpoints: whole in and whole out, and a sentence for whatever does not belong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

import engine
from engine.config import Config
from engine.data import Corpus, Vocabulary, prepare
from engine.training.checkpoint import CHECKPOINT_LIMIT, Best, Checkpoint, CheckpointError, keep

MakeConfig = Callable[..., Config]


@pytest.fixture(scope="module")
def full(tiny: MakeConfig, story_corpus: Corpus) -> Checkpoint:
    """Of a run with everything in it: averaging, changes, an evaluation behind it."""
    training = engine.train(tiny(averaging=0.9, dropout=0.1), story_corpus, device="cpu")
    for event in training.events():
        if event.step == 3 and not training.changes:
            training.change("learning_rate", 0.03)
        if event.step == 7:
            break
    return training.checkpoint()


def same(one: Checkpoint, other: Checkpoint) -> bool:
    tensors_equal = one.tensors.keys() == other.tensors.keys() and all(
        torch.equal(value, other.tensors[name]) and value.dtype == other.tensors[name].dtype
        for name, value in one.tensors.items()
    )
    return tensors_equal and replace(one, tensors={}) == replace(other, tensors={})


def with_header(checkpoint: Checkpoint, **changed: Any) -> bytes:
    """The checkpoint's bytes with entries of its header replaced, or taken out where the value is an ellipsis."""
    raw = checkpoint.to_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["unrolled"])
    header = {key: value for key, value in (header | changed).items() if value is not ...}
    return save(dict(checkpoint.tensors), metadata={"unrolled": json.dumps(header)})


# ---------------------------------------------------------------------- in and out


def test_bytes_give_the_same_checkpoint_back(full: Checkpoint) -> None:
    back = Checkpoint.from_bytes(full.to_bytes())
    assert same(back, full)
    assert back.changes == ((3, "learning_rate", 0.03),)
    assert back.best.step in (1, 5)


def test_a_run_that_was_never_evaluated_has_no_best_on_either_side(full: Checkpoint) -> None:
    fresh = replace(full, best=Best(), val_loss=None, evaluated_at=0)
    assert same(Checkpoint.from_bytes(fresh.to_bytes()), fresh)
    never_better = replace(full, best=Best(since=3))
    assert Checkpoint.from_bytes(never_better.to_bytes()).best == Best(0, math.inf, 3)


def test_the_best_of_an_older_checkpoint_compares_by_its_loss(full: Checkpoint) -> None:
    older = Checkpoint.from_bytes(with_header(full, best=[4, 2.5, 1]))
    assert older.best == Best(4, 2.5, 1, compared=2.5)
    partial = replace(full, best=Best(4, 2.5, 1, compared=2.25))
    assert Checkpoint.from_bytes(partial.to_bytes()).best == partial.best


def test_no_pickle_is_in_it(full: Checkpoint) -> None:
    raw = full.to_bytes()
    length = int.from_bytes(raw[:8], "little")
    described = json.loads(raw[8 : 8 + length])
    assert set(described) == {"__metadata__", *full.tensors}
    assert 8 + length + sum(value.nbytes for value in full.tensors.values()) == len(raw)


def test_a_checkpoint_is_a_copy(tiny: MakeConfig, story_corpus: Corpus) -> None:
    training = engine.train(tiny(), story_corpus, device="cpu")
    events = training.events()
    next(event for event in events if event.step == 2)
    saved = training.checkpoint()
    kept = {name: value.clone() for name, value in saved.tensors.items()}
    next(event for event in events if event.step == 4)
    assert all(torch.equal(value, kept[name]) for name, value in saved.tensors.items())


def test_the_vocabulary_travels_along(full: Checkpoint, story_corpus: Corpus) -> None:
    assert Vocabulary.from_json(full.vocabulary) == story_corpus.vocabulary


def test_weights_alone_are_those_that_are_evaluated_and_samples_come_from(full: Checkpoint) -> None:
    weights = full.weights_only()
    assert not weights.full
    assert {name.split(".")[0] for name in weights.tensors} == {"model"}
    assert torch.equal(weights.weights()["head_weight"], full.part("average")["head_weight"])
    assert not torch.equal(weights.weights()["head_weight"], full.part("model")["head_weight"])


def test_half_precision_takes_half_the_room_and_stays_close(full: Checkpoint) -> None:
    whole, half = full.weights_only(), Checkpoint.from_bytes(full.weights_only(half=True).to_bytes())
    assert sum(v.nbytes for v in half.tensors.values()) * 2 == sum(v.nbytes for v in whole.tensors.values())
    for name, value in half.tensors.items():
        assert value.dtype == torch.float16
        assert torch.allclose(value.float(), whole.tensors[name], atol=2e-3, rtol=1e-3)


# ---------------------------------------------------------------------- damaged


def test_a_checkpoint_cut_short_anywhere_is_refused(full: Checkpoint) -> None:
    raw = full.to_bytes()
    for length in (*range(0, 64), *range(64, len(raw), 997), len(raw) - 1):
        with pytest.raises(CheckpointError):
            Checkpoint.from_bytes(raw[:length])


def test_bytes_after_the_end_are_refused(full: Checkpoint) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.from_bytes(full.to_bytes() + b"more")


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda rest: (40).to_bytes(8, "little") + rest))
def test_random_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.from_bytes(raw)


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_header_is_refused_or_read_but_never_breaks(full: Checkpoint, data: st.DataObject) -> None:
    raw = bytearray(replace(full, tensors={}).to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(8, len(raw) - 1))] = data.draw(st.integers(32, 126))
    with suppress(CheckpointError):
        Checkpoint.from_bytes(bytes(raw))


def test_a_safetensors_file_of_someone_else_is_refused() -> None:
    for metadata in (None, {"format": "pt"}):
        with pytest.raises(CheckpointError):
            Checkpoint.from_bytes(save({"weight": torch.zeros(3)}, metadata=metadata))
    with pytest.raises(CheckpointError, match="not written by Unrolled"):
        Checkpoint.from_bytes(save({"weight": torch.zeros(3)}, metadata={"format": "pt"}))


def test_a_newer_format_says_to_update(full: Checkpoint) -> None:
    with pytest.raises(CheckpointError, match=r"format 2.*update"):
        Checkpoint.from_bytes(with_header(full, format=2))


@pytest.mark.parametrize(
    "changed",
    [
        {"step": "3"},
        {"step": -1},
        {"step": math.inf},
        {"step": 1.5},
        {"step": ...},
        {"full": "yes"},
        {"vocabulary": ["a"]},
        {"corpus_sha256": None},
        {"planned_steps": None},
        {"seconds": "long"},
        {"seconds": [1]},
        {"sums": [1.0]},
        {"sums": 5},
        {"best": [1]},
        {"best": ["a", "b", "c"]},
        {"best": {"step": 1}},
        {"changes": [[1, "learning_rate"]]},
        {"changes": [[1, 2, 3.0]]},
        {"changes": 5},
        {"val_loss": "low"},
        {"config": ...},
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_is_refused(changed: dict, full: Checkpoint) -> None:
    with pytest.raises(CheckpointError, match="header is damaged"):
        Checkpoint.from_bytes(with_header(full, **changed))


def test_a_config_that_cannot_stand_is_refused_by_name(full: Checkpoint) -> None:
    config = full.config.to_dict()
    config["model"]["units"] = -1
    with pytest.raises(CheckpointError, match=r"model\.units"):
        Checkpoint.from_bytes(with_header(full, config=config))


# ---------------------------------------------------------------------- of something else


def test_the_same_name_with_another_text_is_refused_by_the_corpus_name(full: Checkpoint, story_corpus: Corpus) -> None:
    changed = replace(story_corpus, sha256="0" * 64)
    with pytest.raises(CheckpointError, match=r"The corpus 'story\.txt' has changed"):
        engine.train(full.config, changed, device="cpu", checkpoint=full)


def test_weights_alone_cannot_be_continued(full: Checkpoint, story_corpus: Corpus) -> None:
    with pytest.raises(CheckpointError, match=r"weights only.*branch"):
        engine.train(full.config, story_corpus, device="cpu", checkpoint=full.weights_only())


def test_a_run_of_other_settings_is_refused_by_their_names(full: Checkpoint, story_corpus: Corpus) -> None:
    config = full.config.with_values(learning_rate=0.5, streams=2)
    with pytest.raises(CheckpointError, match=r"data\.streams, training\.learning_rate.*branch"):
        engine.train(config, story_corpus, device="cpu", checkpoint=full)


def test_a_branch_on_another_vocabulary_is_refused(full: Checkpoint, tiny: MakeConfig) -> None:
    config = tiny(level="word")
    with pytest.raises(CheckpointError, match="vocabulary"):
        engine.train(config, prepare(config.data), device="cpu", checkpoint=full, branch=True)


@pytest.mark.parametrize("values", [{"units": 9}, {"layers": 2}, {"cell": "gru"}, {"embedding": 5}, {"bias": False}])
def test_a_branch_to_a_model_of_another_shape_is_refused(
    values: dict, full: Checkpoint, tiny: MakeConfig, story_corpus: Corpus
) -> None:
    with pytest.raises(CheckpointError, match=r"[uU]se the same"):
        engine.train(tiny(**values), story_corpus, device="cpu", checkpoint=full, branch=True)


@pytest.mark.parametrize("prefix", ["state.0.1", "average.head_weight", "model.head_weight"])
def test_a_full_one_that_lacks_a_part_is_refused(prefix: str, full: Checkpoint, story_corpus: Corpus) -> None:
    broken = replace(full, tensors={name: value for name, value in full.tensors.items() if name != prefix})
    with pytest.raises(CheckpointError):
        engine.train(full.config, story_corpus, device="cpu", checkpoint=broken)


@pytest.mark.parametrize("name", ["state.0.1", "optimizer.head_weight/exp_avg", "average.head_weight"])
def test_a_part_of_another_shape_is_refused(name: str, full: Checkpoint, story_corpus: Corpus) -> None:
    broken = replace(full, tensors={**full.tensors, name: torch.zeros(3, 3)})
    with pytest.raises(CheckpointError):
        engine.train(full.config, story_corpus, device="cpu", checkpoint=broken)


# ---------------------------------------------------------------------- which to keep


@given(
    st.sets(st.integers(0, 5_000), min_size=1, max_size=90),
    st.data(),
    st.integers(4, 50),
)
def test_never_more_than_the_limit_and_the_first_newest_and_best_among_them(
    steps: set[int], data: st.DataObject, limit: int
) -> None:
    newest = max(steps)
    best = data.draw(st.none() | st.sampled_from(sorted(steps)))
    kept = keep(steps, newest=newest, best=best, limit=limit)
    assert kept <= steps
    assert len(kept) == min(limit, len(steps))
    assert {min(steps), newest} <= kept
    assert best is None or best in kept


@given(st.sets(st.integers(0, 300), min_size=1, max_size=60), st.sets(st.integers(0, 300), max_size=8))
def test_what_is_required_stays_whatever_the_limit(steps: set[int], required: set[int]) -> None:
    assert required & steps <= keep(steps, newest=max(steps), best=None, limit=3, required=required)


def test_a_long_run_keeps_its_beginning() -> None:
    """Thinned as it grows, one checkpoint after another, it still has steps of every size."""
    kept: set[int] = set()
    for step in [0, 1, 2, 4, 8, 16, 32, *range(50, 20_000, 50)]:
        kept = keep(kept | {step}, newest=step, best=None)
    assert len(kept) == CHECKPOINT_LIMIT
    assert {0, 1, 2, 4, 8, 16, 32} <= kept
    ordered = sorted(kept)
    assert max((later + 1) / (earlier + 1) for earlier, later in pairwise(ordered)) <= 2.2
