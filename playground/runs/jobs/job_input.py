"""What an analysis gets to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.config import Config
from engine.data import Corpus, Vocabulary
from engine.models.language_model import LanguageModel


@dataclass(frozen=True, eq=False)
class JobInput:
    """A run at one step, ready to be looked into. The model is on the CPU, in evaluation mode, without gradients.

    Attributes:
        config: the run's
        step: the training step that is looked at
        model: with the weights of that step
        vocabulary: what its tokens mean
        arguments: what the page asked for, as JSON gives it
        kept_steps: steps at which the run has kept its weights, in order
        load_corpus: reads the run's text; ask for `corpus` instead
        load_model: reads the model at another kept step; ask for `models` instead
        report: takes the share that is done, from 0 to 1, and raises if the job is not wanted any more or takes too
            long. Call it ten times a second or more: it costs nothing
    """

    config: Config
    step: int
    model: LanguageModel
    vocabulary: Vocabulary
    arguments: Mapping[str, Any]
    kept_steps: Sequence[int]
    load_corpus: Callable[[], Corpus]
    load_model: Callable[[int], LanguageModel]
    report: Callable[[float], None]

    @cached_property
    def corpus(self) -> Corpus:
        """The run's text: ids in its training and validation part, and both as text. Read, or downloaded, when it is
        first asked for. Raises TextError, ConfigError."""
        return self.load_corpus()

    def models(self, steps: Iterable[int]) -> Iterator[tuple[int, LanguageModel]]:
        """Step and model at each of these kept steps, one in memory at a time. Raises StoreError: one is not kept."""
        for step in steps:
            yield step, self.model if step == self.step else self.load_model(step)
