"""One token at a time through a model: the path that writing text takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.cells import State
from engine.cells.projection import project
from engine.models.language_model import LanguageModel
from engine.models.long_pass import Hold, check_holds, holding
from engine.models.stack import StackState

LARGEST_COPY = 2**20  # elements; weights and tables beyond are bound by memory, and not worth twice the room


class SingleStep:
    """A model's timestep for one stream: what `LanguageModel` computes, by each cell's own `step`.

    What every step would do again is done once: the bottom layer's `W_ih e_x + b` is looked up in a table with a
    row for each token, where that table is small, and small weights are laid out column after column, which the
    product with a single row goes through a third faster. So the weights must not change while this is in use.
    Call it in inference mode.

    Args:
        model: whose timestep it is
        holds: values that stand in place of what units compute
    """

    def __init__(self, model: LanguageModel, holds: Sequence[Hold] = ()) -> None:
        check_holds(model, holds)
        self._taps = [holding(holds, layer) for layer in range(len(model.stack.cells))]
        self._embedding = model.embedding
        self._cells = model.stack.cells
        with torch.inference_mode():
            self._layers = [_laid_out(model.stack.layer_parameters(layer)) for layer in range(len(self._cells))]
            self._head = _by_columns(model.head_weight), model.head_bias
            rows = len(self._layers[0]["weight_ih"])
            self._table: tuple[Tensor, ...] | None = None
            if model.vocabulary_size * rows <= LARGEST_COPY:
                every_token = torch.arange(model.vocabulary_size, device=model.device)
                self._table = self._projected(every_token).split(1)  # (1, rows) for each token

    def __call__(self, token: int, state: StackState) -> tuple[Tensor, StackState]:
        """Logits of the next token, (vocabulary), after `token`, and the state then, for `state` of one stream."""
        new_state: list[State] = []
        projected = self._bottom(token)  # (1, rows)
        for layer, (cell, parameters) in enumerate(zip(self._cells, self._layers, strict=True)):
            if layer:
                projected = project(new_state[-1][0], parameters)
            asked = (new_state[-1][self._cells[layer - 1].state_names.index(cell.below)],) if cell.below else ()
            new_state.append(cell.step(projected, (*state[layer], *asked), parameters, self._taps[layer]))
        return F.linear(new_state[-1][0], *self._head)[0], tuple(new_state)

    def _bottom(self, token: int) -> Tensor:
        """`W_ih e_x + b` of the bottom layer, (1, rows)."""
        if self._table is not None:
            return self._table[token]
        parameters = self._layers[0]
        if self._embedding is not None:
            return project(self._embedding[token : token + 1], parameters)
        column = parameters["weight_ih"][:, token].unsqueeze(0)  # a one-hot vector's product
        return column + parameters["bias"] if "bias" in parameters else column

    def _projected(self, tokens: Tensor) -> Tensor:
        """`W_ih e_x + b` of the bottom layer for several tokens, (tokens, rows)."""
        inputs = tokens if self._embedding is None else F.embedding(tokens, self._embedding)
        return project(inputs, self._layers[0])


def _laid_out(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: _by_columns(values) for name, values in parameters.items()}


def _by_columns(values: Tensor) -> Tensor:
    """The same values; a small matrix laid out column after column."""
    if values.dim() != 2 or values.numel() > LARGEST_COPY:
        return values
    return values.T.contiguous().T
