"""A long text through a model: many parts of it side by side, with what is asked for kept of every timestep.

`engine.record` keeps everything of a probe; this keeps a few quantities of a hundred thousand tokens, chunk by chunk,
and can hold units at values of their own meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.cells import Cell, Parameters, State
from engine.cells.cell import Tap, untapped
from engine.cells.kernels import choose, run_layer, run_linked
from engine.cells.packed import LINKED
from engine.cells.projection import project
from engine.config import ConfigError
from engine.models.language_model import LanguageModel

LEAD_IN = 192
"""Tokens that each part reads before its own, for a state to have begun that lasts, such as a quotation."""

MOST_PARTS = 96
_LEAD_INS = 4
"""Each part has so many times the tokens of its lead-in at least: of shorter ones, much would be read for nothing."""

_CHUNK = 64
_STEPS_BYTES = 64_000_000
"""Memory of what is kept of one chunk, at most."""


@dataclass(frozen=True)
class Hold:
    """A value at which a unit is held at every timestep, whatever the model computes.

    Attributes:
        quantity: a state, a gate or a weighted sum, as the trace names it
        layer, unit: where, each counted from 0
        value: what stands there; 0 switches a state or a gate off
    """

    quantity: str
    layer: int
    unit: int
    value: float = 0.0


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some timesteps of all parts.

    Attributes:
        places: (time, parts) int64, which token of the text is read; -1 where a part has no more
        values: of each quantity that was asked for, for each layer, (time, parts, units); None in a layer without it
        losses: (time, parts), -log p of the token that follows, in nats; NaN where none does. None if not asked for
    """

    places: Tensor
    values: Mapping[str, Sequence[Tensor | None]]
    losses: Tensor | None

    @property
    def read(self) -> Tensor:
        """Which of them are tokens of the text, (time, parts)."""
        return self.places >= 0


@torch.inference_mode()
def read_long(
    model: LanguageModel,
    tokens: Tensor,
    quantities: Sequence[str] = ("hidden",),
    *,
    holds: Sequence[Hold] = (),
    losses: bool = False,
    before: int = LEAD_IN,
) -> Iterator[Stretch]:
    """Read a text once, in parts side by side, each after a lead-in of the tokens before it.

    Every token is read in one place exactly, and every token but the first is predicted once.

    Args:
        model: whose pass it is; nothing is dropped out
        tokens: (tokens), int64; at least one
        quantities: what to keep of it: states, gates, weighted sums
        holds: values that stand in place of what the model computes, in the lead-in too
        losses: whether to compute them
        before: tokens of the lead-in; the fewer, the more parts there are side by side

    Raises:
        ConfigError: a text without a token, or a hold of what the model does not have
    """
    if not len(tokens):
        raise ConfigError("There is no token to read: give a longer text.")
    check_holds(model, holds)
    device, tokens = model.device, tokens.to(model.device)
    reader = _Reader(model, quantities, holds)
    starts, length = _parts(len(tokens), before)
    state = list(model.initial_state(len(starts)))
    if len(starts) > 1:
        lead_in = starts + torch.arange(-before, 0)[:, None]  # (time, parts)
        for places in lead_in.clamp(min=0).split(_CHUNK):
            reader(tokens[places.to(device)], state, keep=False)
        state = [tuple(_first_from_zero(values) for values in layer) for layer in state]
    chunk = reader.timesteps(len(starts))
    for begin in range(0, length, chunk):
        places = starts + torch.arange(begin, min(begin + chunk, length))[:, None]  # (time, parts)
        places = places.masked_fill(places >= torch.cat((starts[1:], torch.tensor([len(tokens)]))), -1)
        read = tokens[places.clamp(min=0).to(device)]
        top, values = reader(read, state, keep=True)
        yield Stretch(places, values, _losses(model, tokens, places, top) if losses else None)


def check_holds(model: LanguageModel, holds: Sequence[Hold]) -> None:
    """Refuse a hold of a layer, a unit or a quantity that the model does not have. Raises ConfigError."""
    cells = model.stack.cells
    for hold in holds:
        if not 0 <= hold.layer < len(cells):
            raise ConfigError(f"There is no layer {hold.layer}: the model has layers 0 to {len(cells) - 1}.")
        cell = cells[hold.layer]
        if not 0 <= hold.unit < cell.units:
            raise ConfigError(f"There is no unit {hold.unit}: a layer has units 0 to {cell.units - 1}.")
        if hold.quantity not in cell.quantities:
            names = ", ".join(cell.quantities)
            raise ConfigError(f"{cell.title} has no {hold.quantity!r}: hold one of {names}.")


def holding(holds: Sequence[Hold], layer: int) -> Tap:
    """The tap that holds those of a layer: it hands the values on that stand in place of those computed."""
    held: dict[str, list[Hold]] = {}
    for hold in holds:
        if hold.layer == layer:
            held.setdefault(hold.quantity, []).append(hold)

    def tap(name: str, value: Tensor) -> Tensor:
        if name in held:
            value = value.clone()
            for hold in held[name]:
                value[:, hold.unit] = hold.value
        return value

    return tap if held else untapped


def _parts(tokens: int, before: int) -> tuple[Tensor, int]:
    """Where each part begins, (parts), and the length of the longest."""
    parts = max(1, min(MOST_PARTS, tokens // (_LEAD_INS * before)))
    length = -(-tokens // parts)
    return torch.arange(parts) * tokens // parts, length


def _first_from_zero(values: Tensor) -> Tensor:
    """The first part has no lead-in: it begins where the text does."""
    first = torch.arange(len(values), device=values.device)[:, None] == 0
    return values.masked_fill(first, 0.0)


class _Reader:
    """The timesteps of all layers, with a tap that keeps and holds."""

    def __init__(self, model: LanguageModel, quantities: Sequence[str], holds: Sequence[Hold]) -> None:
        self._model = model
        self._wanted = tuple(quantities)
        self._taps = [holding(holds, layer) for layer in range(len(model.stack.cells))]
        self._parameters = [model.stack.layer_parameters(layer) for layer in range(len(model.stack.cells))]

    def timesteps(self, parts: int) -> int:
        """Of a chunk whose values fit into memory."""
        units = sum(cell.units for cell in self._model.stack.cells)
        return max(1, min(_CHUNK, _STEPS_BYTES // (4 * parts * units * (len(self._wanted) + 2))))

    def __call__(
        self, tokens: Tensor, state: list[State], *, keep: bool
    ) -> tuple[Tensor, dict[str, list[Tensor | None]]]:
        """Read tokens (time, parts), from the state of each layer, which is put forward. Returns the top layer's hidden
        states, (time, parts, units), and what was wanted."""
        model = self._model
        below = tokens if model.embedding is None else F.embedding(tokens, model.embedding)
        kept: dict[str, list[Tensor | None]] = {name: [] for name in self._wanted}
        asked: Tensor | None = None
        for layer, cell in enumerate(model.stack.cells):
            above = model.stack.cells[layer + 1] if layer + 1 < len(model.stack.cells) else None
            passed_on = above.below if above is not None else ""  # what the layer above asks for besides
            needed = {"hidden", *(self._wanted if keep else ()), *((passed_on,) if passed_on else ())}
            found, state[layer] = self._layer(layer, cell, below, state[layer], needed, asked)
            asked = found[passed_on] if passed_on else None
            below = found["hidden"]
            for name in self._wanted if keep else ():
                kept[name].append(found.get(name))
        return below, kept

    def _layer(
        self, layer: int, cell: Cell, inputs: Tensor, state: State, needed: set[str], asked: Tensor | None
    ) -> tuple[dict[str, Tensor], State]:
        """What is needed of one layer, (time, parts, units) by name, and its state then."""
        parameters, held = self._parameters[layer], self._taps[layer]
        if held is untapped and needed <= set(cell.state_names) and (_alone(cell) or type(cell) in LINKED):
            return self._by_kernel(cell, inputs, state, parameters, asked)
        steps: dict[str, list[Tensor]] = {name: [] for name in needed if name in cell.quantities}

        def tap(name: str, value: Tensor) -> Tensor:
            value = held(name, value)
            if name in steps:
                steps[name].append(value)
            return value

        for t, projected in enumerate(project(inputs, parameters)):  # (parts, rows)
            state = cell.step(projected, state if asked is None else (*state, asked[t]), parameters, tap)
        return {name: torch.stack(values) for name, values in steps.items()}, state

    def _by_kernel(
        self, cell: Cell, inputs: Tensor, state: State, parameters: Parameters, asked: Tensor | None
    ) -> tuple[dict[str, Tensor], State]:
        """The states alone, which a kernel gives in less time."""
        alone = _alone(cell)
        device, width = inputs.device.type, parameters["weight_ih"].shape[1]
        kernel = choose(cell, device, one_hot=not inputs.is_floating_point(), inputs=width, linked=not alone)
        if alone:
            hidden, end = run_layer(cell, inputs, state, parameters, kernel)
            return {"hidden": hidden}, end
        states, end = run_linked(cell, inputs, state, parameters, kernel, asked)
        return dict(zip(cell.state_names, states, strict=False)), end


def _alone(cell: Cell) -> bool:
    """Whether the hidden state is all that there is to ask of a cell's states."""
    return len(cell.state_names) == 1 and not cell.below


def _losses(model: LanguageModel, tokens: Tensor, places: Tensor, top: Tensor) -> Tensor:
    known = (places >= 0) & (places < len(tokens) - 1)  # (time, parts)
    losses = torch.full(places.shape, torch.nan)
    logits = model.logits(top[known.to(top.device)]).float()  # (known, vocabulary)
    targets = tokens[(places[known] + 1).to(tokens.device)]
    losses[known] = F.cross_entropy(logits, targets, reduction="none").cpu()
    return losses
