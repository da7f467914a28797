"""The recurrent language model: tokens in, a distribution over the next token out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.cells import Cell, stacked
from engine.config import ConfigError, ModelConfig
from engine.models.initialise import initialise_output, initialise_stack
from engine.models.stack import RecurrentStack, StackState, drop


class LanguageModel(nn.Module):
    """Embedding (or one-hot input), stacked recurrent layers, and a linear layer to logits.

    e_t = E o_{x_t},  h_t = layers(e_t, h_{t-1}),  logits_t = W_y h_t + b_y

    Args:
        config: the model's settings, already validated
        vocabulary_size: number of different tokens
        seed: seed of the initial weights
        counts: how often each token occurs in the training text, (vocabulary,), for the output layer's first bias

    Raises:
        ConfigError: the config asks for a bidirectional model (see `check_reads_forward`)
    """

    def __init__(self, config: ModelConfig, vocabulary_size: int, seed: int, counts: Tensor | None = None) -> None:
        super().__init__()
        check_reads_forward(config)
        self.config = config
        self.vocabulary_size = vocabulary_size
        cells = _cells(config)
        width = config.embedding or vocabulary_size
        self.embedding = nn.Parameter(torch.empty(vocabulary_size, width)) if config.embedding else None
        self.stack = RecurrentStack(cells, width, bias=config.bias, dropout=config.dropout)
        self.head_weight = nn.Parameter(torch.empty(vocabulary_size, config.units))
        self.head_bias = nn.Parameter(torch.empty(vocabulary_size)) if config.bias else None
        self._initialise(torch.Generator().manual_seed(seed), counts if config.output_bias == "frequencies" else None)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator, counts: Tensor | None) -> None:
        if self.embedding is not None:
            self.embedding.normal_(generator=generator)
        initialise_stack(self.stack, self.config, generator)
        initialise_output(self.head_weight, self.head_bias, generator, counts)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head_weight.device

    def parameter_count(self) -> int:
        """Number of trained values."""
        return parameter_count(self.config, self.vocabulary_size)

    def initial_state(self, batch: int) -> StackState:
        """The zero state for `batch` streams."""
        return self.stack.initial_state(batch)

    def hidden(
        self, tokens: Tensor, state: StackState, generator: torch.Generator | None = None
    ) -> tuple[Tensor, StackState]:
        """Top hidden states (time, batch, units) for tokens (time, batch), and the state after them."""
        return self.stack(self._inputs(tokens, generator), state, generator)

    def _inputs(self, tokens: Tensor, generator: torch.Generator | None) -> Tensor:
        """What the lowest layer reads: vectors (time, batch, embedding), or tokens, which stand for one-hot ones."""
        if self.embedding is None:
            return tokens
        vectors = F.embedding(tokens, self.embedding)
        return vectors if generator is None else drop(vectors, self.config.input_dropout, generator)

    def forward(
        self, tokens: Tensor, state: StackState, generator: torch.Generator | None = None
    ) -> tuple[Tensor, StackState]:
        """One pass over a chunk.

        Args:
            tokens: (time, batch) token ids
            state: as `initial_state` or the last call gave it
            generator: source of the dropout masks; without one (evaluation, sampling) nothing is dropped

        Returns:
            logits (time, batch, vocabulary), and the state after the last timestep
        """
        hidden, state = self.hidden(tokens, state, generator)
        return self._logits_of(hidden, generator), state

    def forward_with_hidden(
        self, tokens: Tensor, state: StackState, generator: torch.Generator | None = None
    ) -> tuple[Tensor, list[Tensor], StackState]:
        """`forward`, with the hidden states (time, batch, units) of each layer, from the bottom up, in between."""
        hidden, state = self.stack.every_layer(self._inputs(tokens, generator), state, generator)
        return self._logits_of(hidden[-1], generator), hidden, state

    def _logits_of(self, hidden: Tensor, generator: torch.Generator | None) -> Tensor:
        return self.logits(hidden if generator is None else drop(hidden, self.config.dropout, generator))

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocabulary) for top hidden states (..., units)."""
        return F.linear(hidden, self.head_weight, self.head_bias)


def check_reads_forward(config: ModelConfig) -> None:
    """Refuse a language model that reads both ways. Raises ConfigError."""
    if config.bidirectional:
        raise ConfigError(
            "model.bidirectional is true, but a language model can only read forward: a layer that reads backward "
            "has already seen the token to be predicted. Set it to false."
        )


def _cells(config: ModelConfig) -> list[Cell]:
    """The cell of each layer, from the bottom up."""
    return stacked(config.cell, config.units, config.layers, config.options)


def parameter_shapes(config: ModelConfig, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of a model that need not be built, as its `state_dict` has them."""
    shapes: dict[str, tuple[int, ...]] = {"head_weight": (vocabulary_size, config.units)}
    if config.embedding:
        shapes["embedding"] = (vocabulary_size, config.embedding)
    if config.bias:
        shapes["head_bias"] = (vocabulary_size,)
    width = config.embedding or vocabulary_size
    for layer, cell in enumerate(_cells(config)):
        inputs = width if layer == 0 else config.units
        for name, shape in cell.parameter_shapes(inputs, config.bias).items():
            shapes[f"stack.layers.{layer}.{name}"] = shape
    return shapes


def parameter_count(config: ModelConfig, vocabulary_size: int) -> int:
    """Number of trained values of a model that need not be built to be counted."""
    width = config.embedding or vocabulary_size
    layers = [
        cell.parameter_count(config.units if layer else width, config.bias) for layer, cell in enumerate(_cells(config))
    ]
    return sum(layers) + vocabulary_size * (config.units + config.embedding + config.bias)


def mean_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats per token, of logits (time, batch, vocabulary) and targets (time, batch)."""
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def state_penalty(hidden: Sequence[Tensor]) -> Tensor:
    """The mean square of each layer's hidden states (time, batch, units), summed over the layers: what Merity, McCann
    and Socher (2017, "Revisiting Activation Regularization for Language RNNs") add to the loss, there of the top
    layer alone."""
    return torch.stack([layer.float().square().mean() for layer in hidden]).sum()
