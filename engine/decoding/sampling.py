"""Text from a language model, one token after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.decoding.distribution import next_distribution
from engine.decoding.writing import Writing
from engine.models.language_model import LanguageModel
from engine.models.long_pass import Hold

__all__ = ["next_distribution", "sample"]


def sample(
    model: LanguageModel,
    prompt: Sequence[int],
    *,
    length: int,
    seed: int,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    forbidden: Sequence[int] = (),
    end: int | None = None,
    holds: Sequence[Hold] = (),
) -> Iterator[int]:
    """Write `length` tokens after the prompt: the tokens of a `Writing`, and nothing else of it.

    Args:
        prompt: token ids, at least one
        end: a token that ends the text when it is drawn; it is not written
        holds: values that units of the model are held at meanwhile

    Yields:
        one token id after another

    Raises:
        ConfigError: the prompt is empty, a setting is out of its range, or the model's logits are not finite
    """
    writing = Writing(
        model,
        prompt,
        seed=seed,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        forbidden=forbidden,
        end=end,
        holds=holds,
    )
    for written in writing.write(length):
        yield written.token
