"""Putting a run together: corpus, loop and sampler."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import engine
from engine.config import Config, ConfigError
from engine.data import Corpus, TextError, prepare
from engine.data.text import fingerprint
from engine.start import continuation, prompt_tokens, sampler
from engine.training.events import Sampled, Working

MakeConfig = Callable[..., Config]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def words(tiny: MakeConfig) -> Corpus:
    return prepare(tiny(level="word").data)


def test_train_finds_the_corpus_that_the_config_names(tiny: MakeConfig, story_corpus: Corpus) -> None:
    assert engine.train(tiny(), device="cpu").corpus.sha256 == story_corpus.sha256


def test_a_text_of_the_users_own_is_asked_for_by_its_hash(tiny: MakeConfig) -> None:
    text = "to be or not to be, that is the question. " * 20
    config = tiny(corpus=f"own:{fingerprint(text)}")
    training = engine.train(config, device="cpu", own={fingerprint(text): text}.__getitem__)
    assert training.corpus.train_text == text[: int(0.9 * len(text))]
    with pytest.raises(TextError):
        engine.train(config, device="cpu")


def test_a_config_that_cannot_stand_is_refused_before_anything_is_read(tiny: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="no-such-cell"):
        engine.train(tiny(cell="no-such-cell", corpus="file:/nowhere.txt"), device="cpu")


def test_a_prompt_keeps_the_characters_that_the_model_knows(story_corpus: Corpus) -> None:
    prompt, tokens = prompt_tokens("then 漢字 the", story_corpus.vocabulary)
    assert prompt == "then  the"
    assert story_corpus.vocabulary.decode(tokens) == prompt


@pytest.mark.parametrize("given", ["", "漢字"])
def test_without_a_prompt_a_text_starts_on_a_new_line(given: str, story_corpus: Corpus) -> None:
    prompt, tokens = prompt_tokens(given, story_corpus.vocabulary)
    assert prompt == ""
    assert story_corpus.vocabulary.decode(tokens) == "\n"


def test_without_a_prompt_words_start_after_a_line_end(words: Corpus) -> None:
    assert prompt_tokens("  ", words.vocabulary) == ("", [words.vocabulary.end])


def test_a_vocabulary_without_line_ends_starts_on_its_first_symbol() -> None:
    hello = prepare(Config().with_values(corpus="hello", streams=1, chunk=4).data)
    assert prompt_tokens("", hello.vocabulary) == ("", [0])


def test_words_go_on_from_a_prompt_with_a_space_where_one_belongs(words: Corpus) -> None:
    vocabulary = words.vocabulary
    prompt, start = prompt_tokens("the man", vocabulary)
    written = [int(token) for token in vocabulary.encode("and the man, too")]
    assert prompt + continuation(prompt, start, written, vocabulary) == vocabulary.decode([*start, *written])
    assert continuation(prompt, start, written, vocabulary).startswith(" and")
    comma = [int(token) for token in vocabulary.encode(", and")]
    assert continuation(prompt, start, comma, vocabulary).startswith(",")
    assert continuation("", [vocabulary.end], written, vocabulary).startswith("and")


def test_the_sampler_writes_in_slices_and_then_the_whole_text(
    tiny: MakeConfig, story_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.start.SLICE_SECONDS", 0.0)
    config = tiny(sampling__prompt="the", sampling__length=9)
    model = engine.train(config, story_corpus, device="cpu").model
    *slices, (prompt, text) = sampler(config.sampling, story_corpus)(model)
    assert slices == [None] * 9
    assert (prompt, len(text)) == ("the", 9)


def test_weights_that_ran_away_end_the_sample_and_not_the_run(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(sampling__prompt="the")
    model = engine.train(config, story_corpus, device="cpu").model
    with torch.no_grad():
        model.head_weight.fill_(math.nan)
    assert list(sampler(config.sampling, story_corpus)(model)) == [("the", "")]


def test_samples_never_hold_the_unknown_word(tiny: MakeConfig) -> None:
    config = tiny(level="word", vocabulary_limit=12, sampling__length=60, sampling__temperature=5.0, steps=1)
    corpus = prepare(config.data)
    assert (corpus.train == corpus.vocabulary.unknown).float().mean() > 0.3
    samples = [event for event in engine.train(config, corpus, device="cpu").events() if isinstance(event, Sampled)]
    assert samples
    assert all("<unk>" not in event.text for event in samples)


def test_every_sample_of_a_run_starts_alike(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(learning_rate=1e-8, sampling__prompt="the")
    events = engine.train(config, story_corpus, device="cpu").events()
    samples = [(event.prompt, event.text) for event in events if isinstance(event, Sampled)]
    assert len(samples) == 3
    assert len(set(samples)) == 1, "the same model writes the same text from the same seed"


def test_somebody_who_listens_is_asked_often(tiny: MakeConfig, story_corpus: Corpus) -> None:
    """Between two events there is no more than one slice of work, so that a stop is answered at once."""
    config = tiny(steps=2_100, evaluations=1, units=2, streams=1, chunk=1, sampling__length=0)
    steps = []
    for event in engine.train(config, story_corpus, device="cpu").events():
        if isinstance(event, Working):
            steps.append(event.step)
        if event.step >= 110:
            break
    assert steps == [101, 103, 104, 106, 107, 109, 110]


def test_importing_the_engine_leaves_the_random_state_alone() -> None:
    code = """
import random, numpy, torch
before = random.getstate(), numpy.random.get_state()[1].tobytes(), torch.get_rng_state()
import engine, engine.shell.main, engine.shell.bench, engine.training.estimate
assert random.getstate() == before[0]
assert numpy.random.get_state()[1].tobytes() == before[1]
assert torch.equal(torch.get_rng_state(), before[2])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
