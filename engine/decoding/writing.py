"""Writing: tokens after a prompt, each with how likely it was, and with any of them forced."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from engine.config import ConfigError
from engine.decoding.distribution import Choice, as_numbers, draw, refuse_all_forbidden
from engine.decoding.reading import checked_tokens, read
from engine.decoding.single_step import SingleStep
from engine.models.language_model import LanguageModel
from engine.models.long_pass import Hold
from engine.models.stack import StackState

_BLOCK = 1_024  # numbers drawn at once


class NotFiniteError(ConfigError):
    """A model whose logits are not finite: it has no next token."""


@dataclass(frozen=True, slots=True)
class Written:
    """One token of a text as it is written.

    Attributes:
        token: its id
        log_probability: of it under the model as it is, in nats: at temperature 1, nothing cut or forbidden. Its
            negative is the token's surprise
        chance: the probability it was drawn with, after temperature and truncation; what it would have been drawn
            with, if it was forced
        forced: whether the caller chose it
    """

    token: int
    log_probability: float
    chance: float
    forced: bool


class Writing:
    """A text in the making: the prompt is read once, in pieces of bounded size, and the state carried along.

    The number in [0, 1) that decides at a place depends on the seed and the place alone. So two models (or one at
    two steps) write from the same numbers, and forcing one token leaves the numbers of all later places as they are.

    The model's weights must not change while a text is written.

    Args:
        model: who writes
        prompt_tokens: token ids, at least one
        seed: of the numbers that decide
        temperature, top_k, top_p: see `Choice`; temperature 0 is greedy
        forbidden: tokens that are never written, such as <unk>
        end: a token that ends the text, drawn or forced; it is not written
        forced: tokens that the caller has chosen, by place: 0 is the first one written
        holds: values that units of the model are held at meanwhile, in the prompt too

    Raises:
        ConfigError: the prompt is empty, or a setting is out of its range
    """

    def __init__(
        self,
        model: LanguageModel,
        prompt_tokens: Sequence[int] | np.ndarray | Tensor,
        *,
        seed: int,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        forbidden: Sequence[int] = (),
        end: int | None = None,
        forced: Mapping[int, int] = MappingProxyType({}),
        holds: Sequence[Hold] = (),
    ) -> None:
        self._choice = Choice(temperature, top_k, top_p, tuple(forbidden))
        if not 0 <= seed < 2**63:
            raise ConfigError(f"The sample's seed is {seed}; choose between 0 and 2^63 - 1.")
        prompt = checked_tokens(prompt_tokens, model.vocabulary_size)
        if not len(prompt):
            raise ConfigError("A sample needs at least one token to start from: give a prompt.")
        checked_tokens(self._choice.forbidden, model.vocabulary_size)
        refuse_all_forbidden(self._choice.forbidden, model.vocabulary_size)
        self._forced = _checked_forced(forced, self._choice.forbidden, model.vocabulary_size)
        self._end = end
        self._model = model
        self._holds = tuple(holds)
        self._pieces = _read_held(model, prompt, self._holds) if holds else read(model, prompt)
        self._read = 0
        self._generator = torch.Generator().manual_seed(seed)
        self._numbers: list[float] = []  # those of the block in which `place` lies
        self._unread: int | None = None  # the last token written, while the model has not read it
        self._logits: np.ndarray | None = None  # after all that was read; None before the prompt
        self.place = 0
        """how many tokens are written"""
        self.ended = False
        """whether the end token has come; nothing more is written"""

    def reading(self) -> Iterator[int]:
        """Read the prompt piece by piece, giving how many of its tokens are read.

        Nobody need call this: `write` reads what is unread. It lets a caller show how far a long prompt has been read,
        and stop in between.
        """
        for hidden, state in self._pieces:
            self._last, self._state = hidden[-1], state
            self._read += len(hidden)
            yield self._read

    def write(self, length: int) -> Iterator[Written]:
        """Write up to `length` more tokens, going on from where the last call stopped.

        Raises:
            NotFiniteError: the model's logits are not finite
        """
        for _ in range(length):
            written = self._next()
            if written is None:
                return
            yield written

    def _next(self) -> Written | None:
        """The token at `place`, or None at the end."""
        if self.ended:
            return None
        logits = self._next_logits()
        peak = logits.max()
        log_total = float(peak + np.log(np.exp(logits - peak).sum())) if math.isfinite(peak) else math.nan
        if not math.isfinite(log_total):
            raise NotFiniteError(
                f"Token {self.place + 1} cannot be generated: the model's logits are not finite. Choose a step before "
                "it diverged."
            )
        number = self._number()
        distribution = self._choice.distribution(logits)
        forced = self.place in self._forced
        token = self._forced[self.place] if forced else draw(distribution, number)
        self.ended = token == self._end
        if self.ended:
            return None
        self._unread = token
        self.place += 1
        return Written(token, float(logits[token]) - log_total, float(distribution[token]), forced)

    def _next_logits(self) -> np.ndarray:
        """Logits after everything so far, (vocabulary), float64."""
        if self._logits is None:
            for _ in self.reading():
                pass
            with torch.inference_mode():
                self._logits = as_numbers(self._model.logits(self._last))
            self._step = SingleStep(self._model, self._holds)
        elif self._unread is not None:
            with torch.inference_mode():
                logits, self._state = self._step(self._unread, self._state)
                self._logits = as_numbers(logits)
            self._unread = None
        return self._logits

    def _number(self) -> float:
        """The number in [0, 1) that decides at `place`."""
        within = self.place % _BLOCK
        if within == 0:
            self._numbers = torch.rand(_BLOCK, generator=self._generator, dtype=torch.float64).tolist()
        return self._numbers[within]


def _read_held(model: LanguageModel, prompt: np.ndarray, holds: Sequence[Hold]) -> Iterator[tuple[Tensor, StackState]]:
    """As `engine.decoding.reading.read`, a token at a time, with units held."""
    step, state = SingleStep(model, holds), model.initial_state(1)
    for token in prompt.tolist():
        with torch.inference_mode():
            _, state = step(token, state)
        yield state[-1][0], state


def _checked_forced(forced: Mapping[int, int], forbidden: Sequence[int], vocabulary_size: int) -> dict[int, int]:
    """The forced tokens by place, if all of them can be written."""
    checked_tokens(list(forced.values()), vocabulary_size)
    for place, token in forced.items():
        if place < 0:
            raise ConfigError(f"A token cannot be forced at position {place}: the first position is 0.")
        if token in forbidden:
            raise ConfigError(f"Token {token} cannot be forced at position {place}: it is forbidden.")
    return dict(forced)
