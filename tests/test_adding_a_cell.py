"""Adding a cell takes its equations, drawing and export template, and nothing else: rehearsed with one of our own.

The minimal gated unit (Zhou et al. 2016) has a name that begins with no family's, and a gate that no course knows.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import engine
from engine import Config, LanguageModel, ModelConfig
from engine.analysis import gradient_contributions
from engine.analysis.activations import activation_of
from engine.analysis.sums import weighted_sum
from engine.cells import CELLS, Cell, Parameters, State, Tap, untapped
from engine.cells.cell import candidate_gate, unit_gate
from engine.cells.equations import CANDIDATE, HIDDEN, Quantity, candidate, gate, mixed
from engine.data import Vocabulary
from engine.export import script, template, weights
from engine.training.checkpoint import Checkpoint
from engine.training.events import Progress, Saved
from playground import theme
from playground.components.packing import plain
from playground.diagrams import DIAGRAMS, Diagram, MismatchError, Wire, diagram, match
from playground.diagrams.sketch import MARGIN, Rows, Sketch
from playground.inside.view import View
from playground.notation import NOTATIONS, block_term, formulas, term
from playground.views.unrolled import changes
from playground.views.unrolled.arithmetic import arithmetic
from playground.views.unrolled.cell_flow import cell_flow

# ---------------------------------------------------------------------- its equations

RENEWAL = Quantity("renewal")


class MinimalGatedUnit(Cell):
    """The minimal gated unit.

    f = σ(W_f x_t + U_f h_{t-1} + b_f)
    c̃ = tanh(W_c x_t + U_c (f ⊙ h_{t-1}) + b_c)
    h_t = f ⊙ c̃ + (1 - f) ⊙ h_{t-1}
    """

    name = "minimal"
    title = "Minimal gated unit"
    family = "gru"
    blocks = ("renewal", "candidate")
    gates = (unit_gate("renewal", "how much of the memory is renewed", letter="f"), candidate_gate())
    equations = (gate("renewal"), candidate(RENEWAL * HIDDEN.before), mixed(RENEWAL))

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        (hidden,) = state
        weight_gate, weight_candidate = parameters["weight_hh"].chunk(2)
        projected_gate, projected_candidate = projected.chunk(2, dim=-1)
        renewal = tap("renewal", torch.sigmoid(tap("renewal_pre", projected_gate + hidden @ weight_gate.T)))
        candidate_pre = projected_candidate + (renewal * hidden) @ weight_candidate.T
        new = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        return (tap("hidden", renewal * new + (1 - renewal) * hidden),)


# ---------------------------------------------------------------------- its drawing


def drawing(cell: Cell) -> Diagram:
    """One gate, which goes three ways."""
    fork, join, renewal, seen, candidate, past, source = 112.0, 152.0, 236.0, 336.0, 456.0, 516.0, 568.0
    sketch = Sketch(Rows(source=648.0))
    rows = sketch.rows
    sketch.enter("hidden_before", rows.highway)
    sketch.enter_below(join)
    down = Wire("hidden_before", via=((fork, rows.highway), (fork, rows.shared)))
    sketch.put("joined", "join", (join, rows.shared), down, "input")
    sketch.column("renewal", renewal)
    along = Wire("hidden_before", via=((fork, rows.highway), (fork, past)))
    sketch.put("seen", "times", (seen, past), Wire("renewal", "across"), along)
    to_join = Wire("input", via=((join, source), (candidate, source)))
    sketch.put("joined_seen", "join", (candidate, past), "seen", to_join)
    sketch.column("candidate", candidate, joined=Wire("joined_seen"), activation="tanh")
    sketch.put("keep", "one_minus", (renewal, rows.highway + 68), "renewal")
    sketch.put("kept", "times", (renewal, rows.highway), "keep", "hidden_before")
    sketch.put("written", "times", (candidate, rows.meet), Wire("renewal", "upright"), "candidate")
    sketch.put("hidden", "plus", (candidate, rows.highway), "kept", "written")
    width = candidate + 88 + MARGIN
    sketch.leave("hidden", width, rows.highway)
    return sketch.done(width, source + 20)


# ---------------------------------------------------------------------- its template

TEMPLATE = '''class MinimalGatedUnit(nn.Module):
    """The minimal gated unit (Zhou et al. 2016).

    f = σ(W_f x_t + U_f h_{t-1}{bias? + b_f})  ¦ renewal gate: how much of the memory is renewed
    n = tanh(W_n x_t + U_n (f ⊙ h_{t-1}){bias? + b_n})  ¦ candidate: what could be written
    h_t = f ⊙ n + (1 - f) ⊙ h_{t-1}
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.weight_input = nn.Parameter(torch.empty(2 * UNITS, inputs))  # W_f, W_n
        self.weight_hidden = nn.Parameter(torch.empty(2 * UNITS, UNITS))  # U_f, U_n
        self.bias = nn.Parameter(torch.empty(2 * UNITS))  #if bias

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """h_t (UNITS) from x_t (inputs) and h_{t-1} (UNITS)."""
        weight_f, weight_n = self.weight_hidden.chunk(2)
        read_f, read_n = (self.weight_input @ x{bias? + self.bias}).chunk(2)
        f = torch.sigmoid(read_f + weight_f @ hidden)
        n = torch.tanh(read_n + weight_n @ (f * hidden))
        return f * n + (1 - f) * hidden
'''


@pytest.fixture(autouse=True)
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cell in the two registries, and its template among the others."""
    monkeypatch.setitem(CELLS, "minimal", MinimalGatedUnit)
    monkeypatch.setitem(DIAGRAMS, "minimal", drawing)
    piece: Callable[[str], str] = template.piece
    monkeypatch.setattr(template, "piece", lambda name: TEMPLATE if name == "minimal" else piece(name))


# ---------------------------------------------------------------------- and all the rest follows

VOCABULARY = '{"level":"char","symbols":["e","h","l","o"]}'


def model() -> LanguageModel:
    config = ModelConfig(cell="minimal", units=6, embedding=5, layers=2)
    return LanguageModel(config, 4, seed=5).double().requires_grad_(False)


def view(notation: str = "ng") -> View:
    made = model()
    loaded: Any = SimpleNamespace(model=made, vocabulary=Vocabulary.from_json(VOCABULARY))
    probe: Any = SimpleNamespace(name="a run", names=tuple("hello"), tokens=np.array([1, 0, 2, 2, 3]))
    return View(probe, (0,), 7, False, loaded, probe, probe, engine.record(made, [1, 0, 2, 2, 3]), 3, 1, 2, notation)


def test_it_trains_and_is_written_out_as_a_file_that_computes_the_same(tmp_path: Path) -> None:
    config = Config().with_values(
        corpus="hello", cell="minimal", units=8, embedding=0, layers=2, steps=20, chunk=4, streams=1
    )
    events = list(engine.train(config).events())
    losses = [event.loss for event in events if isinstance(event, Progress)]
    assert losses[-1] < losses[0]
    saved = [event.checkpoint for event in events if isinstance(event, Saved)][-1]
    (tmp_path / "model.py").write_text(script(saved), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(weights(saved))
    ours = engine.record(_restored(saved), [0, 1, 2, 2], dtype=torch.float64)
    exported, _ = _module(tmp_path / "model.py").load()
    state = exported.initial_state()
    for t, token in enumerate([0, 1, 2, 2]):
        scores, state = exported(token, state)
        torch.testing.assert_close(scores.log_softmax(-1).double(), ours.log_probabilities[t], rtol=0, atol=1e-5)


def _restored(checkpoint: Checkpoint) -> LanguageModel:
    made = LanguageModel(checkpoint.config.model, 4, seed=0)
    made.load_state_dict({name.removeprefix("model."): each for name, each in checkpoint.weights().items()})
    return made


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("minimal_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_records_with_gradients_and_each_sum_adds_up() -> None:
    made = model()
    trace = engine.record(made, [1, 0, 2, 2, 3], gradient="sum")
    cell = made.stack.cells[1]
    assert set(cell.quantities) == set(trace) == set(trace.grad or {})
    for block in cell.blocks:
        found = weighted_sum(made, trace, 1, 3, block, 2)
        assert found.total == pytest.approx(found.recorded, abs=1e-12)
        assert found.before == (None if block == "renewal" else "renewal")
        assert activation_of(cell, block) == ("sigmoid" if block == "renewal" else "tanh")
    weight = made.requires_grad_().stack.layer_parameters(1)["weight_hh"]
    logits, _ = made(torch.tensor([[1], [0], [2], [2]]), made.initial_state(1))
    loss = torch.nn.functional.cross_entropy(logits[:, 0], torch.tensor([0, 2, 2, 3]), reduction="sum")
    (expected,) = torch.autograd.grad(loss, weight)
    torch.testing.assert_close(gradient_contributions.gradient(cell, trace, 1), expected, rtol=0, atol=1e-10)


def test_its_formulas_stand_in_every_notation() -> None:
    lines = {notation: [line.text for line in formulas(CELLS["minimal"](4), notation)] for notation in NOTATIONS}
    assert lines["ng"] == [
        "Γ(f) = σ ( W(f) · [ c⟨t−1⟩ , x⟨t⟩ ] + b(f) )",
        "c̃⟨t⟩ = tanh ( W(c) · [ Γ(f) ⊙ c⟨t−1⟩ , x⟨t⟩ ] + b(c) )",
        "a⟨t⟩ = c⟨t⟩ = Γ(f) ⊙ c̃⟨t⟩ + ( 1 − Γ(f) ) ⊙ c⟨t−1⟩",
    ]
    assert lines["pytorch"][1] == "n = tanh ( Wᵢₙ · xₜ + Wₕₙ · ( f ⊙ hₜ₋₁ ) + bₙ )"
    assert lines["cs231n"][2] == "hₜ = f ⊙ h̃ + ( 1 − f ) ⊙ hₜ₋₁"
    assert lines["plain"][0].startswith("renewal = σ ( W(renewal) ·")
    assert term("renewal", "plain", cell=CELLS["minimal"](4)).text == "renewal gate"
    assert block_term("renewal", "ng", CELLS["minimal"](4)).text == "Γ(f)"


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_units_arithmetic_and_the_flow_through_the_cell_are_drawn(notation: str) -> None:
    looked = view(notation)
    panel = plain(arithmetic(looked))
    assert json.loads(json.dumps(panel, allow_nan=False)) == panel
    assert set(panel["sums"]) == {"renewal_pre", "candidate_pre"}
    flow = plain(cell_flow(looked))
    assert json.loads(json.dumps(flow, allow_nan=False)) == flow
    for node in flow["layout"]["nodes"]:
        assert node["meaning"]
        assert node["written"]
    owners = {part["own"] for line in flow["layout"]["equations"] for part in line["parts"]} - {""}
    assert {"renewal", "renewal_pre", "seen", "keep", "kept", "written", "hidden", "candidate"} <= owners
    recorded = looked.trace["hidden"][1, 3].numpy()
    np.testing.assert_allclose(cell_flow(looked).streams["hidden"].values, recorded, atol=1e-6)


def test_its_drawing_computes_its_equations_and_another_does_not() -> None:
    cell = CELLS["minimal"](4)
    assert match(diagram(cell), cell).values["seen"] == RENEWAL * HIDDEN.before
    cell.equations = (*CELLS["minimal"].equations[:2], mixed(CANDIDATE))
    with pytest.raises(MismatchError, match="does not compute 'hidden'"):
        match(diagram(cell), cell)


def test_lists_of_what_can_be_changed_and_coloured_name_it() -> None:
    assert changes.quantities(CELLS["minimal"](4)) == ("renewal", "candidate", "hidden")
    assert theme.family_color("minimal") == theme.FAMILIES["gru"]
