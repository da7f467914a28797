"""Putting a run together: the corpus, the loop, and the sampler that the loop is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from engine.analysis.text_facts import text_facts
from engine.config import Config, SamplingConfig
from engine.data import Corpus, TextFacts, Vocabulary, prepare
from engine.decoding.sampling import sample
from engine.decoding.writing import NotFiniteError
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from engine.training.evaluation import SLICE_SECONDS
from engine.training.restore import load_weights
from engine.training.run import Sampler, Training
from engine.validate import validate


def train(
    config: Config,
    corpus: Corpus | None = None,
    *,
    device: str = "auto",
    checkpoint: Checkpoint | None = None,
    branch: bool = False,
    own: Callable[[str], str] | None = None,
    facts: Callable[[], TextFacts] | None = None,
) -> Training:
    """A run of `config`, ready to be listened to: `for event in train(config).events(): ...`.

    Args:
        config: all settings
        corpus: the prepared text, if the caller has it already
        device: "auto", "cpu", "cuda" or "mps"
        checkpoint: where to go on from, exactly if it is full; or to branch from
        branch: a new run from the checkpoint's weights
        own: gives the text of an "own:HASH" corpus
        facts: gives the facts on the text, if several runs share them; else they are computed when they are needed

    Raises:
        ConfigError, TextError, DownloadError, CheckpointError: each says what to change
    """
    validate(config)
    corpus = corpus or prepare(config.data, own)
    if checkpoint is not None and reads_otherwise(checkpoint, config, corpus):
        corpus, facts = prepare(config.data, own, vocabulary=Vocabulary.from_json(checkpoint.vocabulary)), None
    return Training(
        config,
        corpus,
        facts=facts or partial(text_facts, corpus),
        device=device,
        sampler=sampler(config.sampling, corpus),
        checkpoint=checkpoint,
        branch=branch,
    )


def reads_otherwise(checkpoint: Checkpoint, config: Config, corpus: Corpus) -> bool:
    """Whether a checkpoint of this very text has other words: a vocabulary was once made from the whole text."""
    data, before = config.data, checkpoint.config.data
    same = (data.corpus, data.level, data.vocabulary_limit) == (before.corpus, before.level, before.vocabulary_limit)
    return same and data.level == "word" and checkpoint.vocabulary != corpus.vocabulary.to_json()


def sampler(config: SamplingConfig, corpus: Corpus) -> Sampler:
    """Writes the run's sample in slices: always from the same prompt and seed, at most 50 ms at a time."""
    prompt, start = prompt_tokens(config.prompt, corpus.vocabulary)

    def write(model: LanguageModel) -> Iterator[tuple[str, str] | None]:
        unknown = corpus.vocabulary.unknown
        written: list[int] = []
        slice_end = time.perf_counter() + SLICE_SECONDS
        tokens = sample(
            model,
            start,
            length=config.length,
            seed=config.seed,
            temperature=config.temperature,
            forbidden=() if unknown is None else (unknown,),
        )
        # Nothing can be sampled from a model that diverged. The loop finds that by itself, and says so.
        with suppress(NotFiniteError):
            for token in tokens:
                written.append(token)
                if time.perf_counter() >= slice_end:
                    yield None
                    slice_end = time.perf_counter() + SLICE_SECONDS
        yield prompt, continuation(prompt, start, written, corpus.vocabulary)

    return write


def continuation(prompt: str, start: list[int], written: list[int], vocabulary: Vocabulary) -> str:
    """What the tokens `written` after a prompt add to its text: among words, with the space that belongs between.

    `prompt` and `start` are as `prompt_tokens` gave them.
    """
    return "".join(map(continuing(prompt, start, vocabulary), written))


def continuing(prompt: str, start: list[int], vocabulary: Vocabulary) -> Callable[[int], str]:
    """A function that takes the tokens written after a prompt in turn, and gives what each adds: see `continuation`."""
    added = vocabulary.incremental_decoder()
    if prompt:
        for token in start:
            added(token)
    return added


def restored(checkpoint: Checkpoint) -> tuple[LanguageModel, Vocabulary]:
    """The model in a checkpoint, and what its tokens mean.

    Raises:
        CheckpointError, TextError, ConfigError: it is damaged, or does not belong to its config
    """
    validate(checkpoint.config)
    vocabulary = Vocabulary.from_json(checkpoint.vocabulary)
    # Filled with the checkpoint's weights at once: how it is initialised does not matter, only how long it takes.
    quickly = replace(checkpoint.config.model, initialisation="pytorch")
    model = LanguageModel(quickly, len(vocabulary), seed=0)
    model.config = checkpoint.config.model
    load_weights(model, checkpoint.weights())
    return model, vocabulary


def prompt_tokens(prompt: str, vocabulary: Vocabulary) -> tuple[str, list[int]]:
    """The prompt as the model can read it (see `Vocabulary.read_instead`), and its tokens.

    An empty one becomes a line end (or the first symbol, where the vocabulary has none): a fresh start.
    """
    tokens = [int(token) for token in vocabulary.encode(prompt, unknown="nearest")]
    if tokens:
        return vocabulary.decode(tokens), tokens
    if vocabulary.end is not None:
        return "", [vocabulary.end]
    return "", [vocabulary.symbols.index("\n") if "\n" in vocabulary.symbols else 0]
