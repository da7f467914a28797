"""Small models of every cell in every setting, and the cells' equations written out once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from engine.cells import stacked
from engine.config import ModelConfig
from engine.models.language_model import LanguageModel
from engine.models.stack import RecurrentStack

VOCABULARY, UNITS = 6, 3
ROWS = {  # the blocks of rows of each cell's weights, from the top
    "rnn": ("candidate",),
    "rnn-clockwork": ("candidate",),
    "gru-simplified": ("update", "candidate"),
    "gru-reset-before": ("update", "reset", "candidate"),
    "gru": ("reset", "keep", "candidate"),
    "lstm": ("update", "forget", "candidate", "output"),
    "lstm-course": ("update", "forget", "candidate", "output", "relevance"),
    "lstm-peephole": ("update", "forget", "candidate", "output"),
    "lstm-coupled": ("forget", "candidate", "output"),
    "lstm-depth-gated": ("update", "forget", "candidate", "output", "depth"),
}
Quantities = dict[str, Tensor]


def randomised(module: torch.nn.Module, dtype: torch.dtype) -> None:
    """All weights drawn anew, peepholes too, which start at zero."""
    module.to(dtype)
    random = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.4, generator=random)


@pytest.fixture
def make_model() -> Callable[..., LanguageModel]:
    """Makes a small model with all its weights drawn at random."""

    def make(name: str = "lstm", options: Mapping = {}, *, dtype: torch.dtype = torch.float32, **settings):
        values = {"units": UNITS, "layers": 2, "embedding": 4} | settings
        model = LanguageModel(ModelConfig(cell=name, options=dict(options), **values), VOCABULARY, seed=0)
        randomised(model, dtype)
        return model

    return make


@pytest.fixture
def make_stack() -> Callable[..., RecurrentStack]:
    """Makes a small stack in float64 with all its weights drawn at random."""

    def make(name: str = "lstm", options: Mapping = {}, *, layers: int = 2, **settings) -> RecurrentStack:
        stack = RecurrentStack(stacked(name, UNITS, layers, options), 4, **settings)
        randomised(stack, torch.float64)
        return stack

    return make


class Weights:
    """The weights of one layer by block: `sum("forget", x, h)` is W x + U h + b of the forget gate's rows."""

    def __init__(self, cell: str, parameters: Mapping[str, Tensor]) -> None:
        self._blocks = ROWS[cell]
        self._parameters = parameters
        self.below: Tensor | None = None  # the cell state of the layer below

    def rows(self, name: str, block: str) -> Tensor:
        first = self._blocks.index(block) * UNITS
        return self._parameters[name][first : first + UNITS]

    def sum(self, block: str, x: Tensor, h: Tensor) -> Tensor:
        return self.input_sum(block, x) + self.rows("weight_hh", block) @ h

    def input_sum(self, block: str, x: Tensor) -> Tensor:
        product = self.rows("weight_ih", block) @ x
        return product + self.rows("bias", block) if "bias" in self._parameters else product

    def vector(self, name: str) -> Tensor | float:
        return self._parameters.get(name, 0.0)


def gates(w: Weights, x: Tensor, h: Tensor, *blocks: str) -> Quantities:
    """Logistic gates with their weighted sums."""
    sums = {f"{block}_pre": w.sum(block, x, h) for block in blocks}
    return sums | {block: 1 / (1 + torch.exp(-sums[f"{block}_pre"])) for block in blocks}


def candidate(pre: Tensor, function: Callable[[Tensor], Tensor] = torch.tanh) -> Quantities:
    return {"candidate_pre": pre, "candidate": function(pre)}


def rnn(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    functions = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": torch.clone}
    q = candidate(w.sum("candidate", x, h), functions[options["activation"]])
    return q | {"hidden": q["candidate"]}


def clockwork(w: Weights, x: Tensor, h: Tensor, clock: Tensor, options: dict) -> Quantities:
    """A unit of module i writes where 2^i divides the clock, from what it hears: its own module and later ones."""
    count = min(UNITS, int(options["modules"]))
    modules = [[unit for unit in range(UNITS) if unit * count // UNITS == i] for i in range(count)]
    update = torch.tensor([float(clock % 2**i == 0) for i, units in enumerate(modules) for _ in units], dtype=h.dtype)
    rows, recurrent = w.rows("weight_hh", "candidate"), []
    for units in modules:
        recurrent += [row[units[0] :] @ h[units[0] :] for row in rows[units]]
    q = candidate(w.input_sum("candidate", x) + torch.stack(recurrent))
    q["update"] = update.requires_grad_()
    return q | {"hidden": q["update"] * q["candidate"] + (1 - q["update"]) * h}


def written(q: Quantities, h: Tensor) -> Quantities:
    """h_t of a GRU: the state moves towards the candidate by the share that the update gate writes."""
    return q | {"hidden": h + q["update"] * (q["candidate"] - h)}


def simplified_gru(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    return written(gates(w, x, h, "update") | candidate(w.sum("candidate", x, h)), h)


def reset_before_gru(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    q = gates(w, x, h, "update", "reset")
    return written(q | candidate(w.sum("candidate", x, q["reset"] * h)), h)


def gru(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    q = gates(w, x, h, "reset", "keep")
    q["update"] = 1 - q.pop("keep")
    recurrent = w.rows("weight_hh", "candidate") @ h + w.vector("bias_candidate")
    return written(q | candidate(w.input_sum("candidate", x) + q["reset"] * recurrent), h)


def remembered(
    q: Quantities, c: Tensor, shown: Callable[[Tensor], Tensor] = torch.tanh, more: Tensor | float = 0.0
) -> Quantities:
    """c_t and h_t of an LSTM; c_t takes in `more`."""
    q["cell"] = q["forget"] * c + q["update"] * q["candidate"] + more
    return q | {"hidden": q["output"] * shown(q["cell"])}


def lstm(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    return remembered(gates(w, x, h, "update", "forget", "output") | candidate(w.sum("candidate", x, h)), c)


def course_lstm(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    relevance = ("relevance",) if options["relevance_gate"] else ()
    q = gates(w, x, h, "update", "forget", "output", *relevance)
    q |= candidate(w.sum("candidate", x, q["relevance"] * h if relevance else h))
    return remembered(q, c, torch.tanh if options["output_tanh"] else torch.clone)


def peephole_lstm(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    q = candidate(w.sum("candidate", x, h))
    for gate in ("update", "forget", "output"):
        if gate == "output":
            q["cell"] = q["forget"] * c + q["update"] * q["candidate"]
        seen = q["cell"] if gate == "output" and options["output_sees"] == "new" else c
        q[f"{gate}_pre"] = w.sum(gate, x, h) + w.vector(f"peephole_{gate}") * seen
        q[gate] = torch.sigmoid(q[f"{gate}_pre"])
    return q | {"hidden": q["output"] * torch.tanh(q["cell"])}


def coupled_lstm(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    q = gates(w, x, h, "forget", "output") | candidate(w.sum("candidate", x, h))
    q["update"] = 1 - q["forget"]
    return remembered(q, c)


def depth_gated_lstm(w: Weights, x: Tensor, h: Tensor, c: Tensor, options: dict) -> Quantities:
    q = gates(w, x, h, "update", "forget", "output") | candidate(w.sum("candidate", x, h))
    if w.below is None:  # the lowest layer
        return remembered(q, c)
    q["depth_pre"] = w.input_sum("depth", x) + w.vector("peephole_depth") * c + w.vector("peephole_below") * w.below
    q["depth"] = torch.sigmoid(q["depth_pre"])
    return remembered(q, c, more=q["depth"] * w.below)


EQUATIONS = {
    "rnn": rnn,
    "rnn-clockwork": clockwork,
    "gru-simplified": simplified_gru,
    "gru-reset-before": reset_before_gru,
    "gru": gru,
    "lstm": lstm,
    "lstm-course": course_lstm,
    "lstm-peephole": peephole_lstm,
    "lstm-coupled": coupled_lstm,
    "lstm-depth-gated": depth_gated_lstm,
}
Layer = list[Quantities]


@pytest.fixture
def by_the_equations() -> Callable[..., Layer]:
    """Runs one layer by its equations, a vector at a time: all quantities at each timestep, with their gradients
    kept. `parts` is the state to start from, h, and of an LSTM c, or of a cell that keeps time its clock; `under` is
    what the layer below computed."""

    def run(
        name: str,
        options: dict,
        parameters: Mapping[str, Tensor],
        inputs: list[Tensor],
        parts: list[Tensor],
        under: Layer | None = None,
    ):
        weights, h, c = Weights(name, parameters), parts[0], parts[-1]
        timesteps = []
        for t, x in enumerate(inputs):
            weights.below = None if under is None else under[t].get("cell")
            quantities = EQUATIONS[name](weights, x, h, c, options)
            for value in quantities.values():
                value.retain_grad()
            h, c = quantities["hidden"], c + 1 if name == "rnn-clockwork" else quantities.get("cell", c)
            timesteps.append(quantities)
        return timesteps

    return run
