"""The numbers under an equation's symbols are those of the step: worked out again, they give what was recorded."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import LanguageModel, ModelConfig
from engine.cells import CELLS
from engine.data import Vocabulary
from engine.trace import UNKNOWN, Trace
from engine.training.checkpoint import Checkpoint
from engine.training.restore import load_weights
from playground.access.probes import Probe
from playground.notation import NOTATIONS
from playground.notation.parts import Part
from playground.runs.store import starter_files
from playground.views.unrolled import step_values
from playground.views.unrolled.arithmetic import LIKELIEST, Arithmetic, arithmetic

STARTERS = starter_files.FOLDER
HELLO = '{"level":"char","symbols":["e","h","l","o"]}'

Values = Mapping[str, np.ndarray]


def switches(cell: str) -> list[dict]:
    options = CELLS[cell].options
    return [
        dict(zip(options, chosen, strict=True)) for chosen in itertools.product(*(o.choices for o in options.values()))
    ]


EVERY_CELL = [(cell, chosen, bias) for cell in CELLS for chosen in switches(cell) for bias in (True, False)]


def view(
    model: LanguageModel,
    tokens: list[int],
    vocabulary: Vocabulary | None = None,
    *,
    t: int = 1,
    layer: int = 0,
    unit: int = 0,
    notation: str = "ng",
    trace: Trace | None = None,
) -> Any:
    """What `arithmetic` reads of a view, of a model's pass over tokens; `trace` if that was recorded before."""
    words = vocabulary or Vocabulary.from_json(HELLO)
    names = tuple("?" if token == UNKNOWN else words.display(token) for token in tokens)
    return SimpleNamespace(
        run=SimpleNamespace(name="a run"),
        step=7,
        model=model,
        cell=model.stack.cells[layer],
        vocabulary=words,
        probe=Probe(text="", tokens=np.array(tokens), names=names),
        trace=trace or engine.record(model, tokens),
        t=t,
        layer=layer,
        unit=unit,
        notation=notation,
    )


def small_model(cell: str = "lstm", *, vocabulary: int = 4, **settings: Any) -> LanguageModel:
    model = LanguageModel(ModelConfig(cell=cell, **settings), vocabulary, seed=5)
    return model.eval().requires_grad_(False)


class Worked:
    """Works out a row of parts: products bind more than sums, and a function takes what is in brackets."""

    FUNCTIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
        "σ": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "ReLU": lambda x: np.maximum(x, 0),
        "softmax": lambda x: np.exp(x) / np.exp(x).sum(),
        "log": np.log,
    }

    def __init__(self, parts: tuple[Part, ...], values: Values) -> None:
        self.parts, self.values, self.place = list(parts), values, 0
        self.arguments: list[np.ndarray] = []
        self.result = self.sum()
        assert self.place == len(self.parts), "something was left unread"

    def next(self, *wanted: str) -> bool:
        there = self.place < len(self.parts) and self.parts[self.place].text in wanted
        self.place += there
        return there

    def sum(self) -> np.ndarray:
        total = -self.product() if self.next("−") else self.product()
        while self.place < len(self.parts) and self.parts[self.place].text in "+−":
            sign = 1 if self.next("+") else -1
            self.place += sign < 0
            total = total + sign * self.product()
        return total

    def product(self) -> np.ndarray:
        value = self.factor()
        while self.place < len(self.parts) and self.parts[self.place].text in "·⊙":
            value = value @ self.factor() if self.next("·") else value * (self.next("⊙") and self.factor())
        return value

    def factor(self) -> np.ndarray:
        part = self.parts[self.place]
        self.place += 1
        if part.kind == "quantity":
            return self.values[part.key]
        if part.kind == "function":
            inside = self.factor()
            self.arguments.append(inside)
            return self.FUNCTIONS[part.text](inside)
        if part.text == "1":
            return np.array(1.0)
        assert part.text in "(["
        pieces = [self.sum()]
        if self.next("mod"):
            left = np.mod(pieces[0], self.factor())
            assert self.next("= 0]")
            return (left == 0).astype(float)
        while self.next(",", ";"):
            pieces.append(self.sum())
        assert self.next(")", "]")
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def values_of(found: Arithmetic) -> Values:
    vectors = {key: vector.values.double().numpy() for key, vector in found.vectors.items()}
    numbers = {key: np.array(value) for key, value in found.numbers.items()}
    return vectors | numbers | {key: matrix.values.double().numpy() for key, matrix in found.matrices.items()}


def right_side(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    last = max(at for at, part in enumerate(parts) if part.text == "=")
    return parts[last + 1 :]


@pytest.mark.parametrize(("cell", "options", "bias"), EVERY_CELL)
def test_every_equation_worked_out_gives_what_the_step_gave(cell: str, options: dict, bias: bool) -> None:
    model = small_model(cell, units=5, layers=2, embedding=3, options=options, bias=bias)
    tokens = [1, 0, 2, 2, 3]
    trace = engine.record(model, tokens)
    for notation, layer, t in itertools.product(NOTATIONS, (0, 1), (0, 3)):
        looked = view(model, tokens, layer=layer, t=t, notation=notation, trace=trace)
        found = arithmetic(looked)
        values = values_of(found)
        for equation in (*found.equations, *found.outputs[:2]):
            worked = Worked(right_side(equation.parts), values)
            np.testing.assert_allclose(worked.result, values[equation.left], atol=2e-6)
            if equation.summed:
                np.testing.assert_allclose(worked.arguments[-1], values[equation.pre], atol=2e-6)
                np.testing.assert_allclose(Worked(equation.summed, values).result, values[equation.left], atol=2e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_every_state_gate_and_sum_is_the_recorded_one(cell: str) -> None:
    model = small_model(cell, units=5, layers=2)
    for layer in (0, 1):
        looked = view(model, [1, 0, 2, 2, 3], layer=layer, t=2)
        found, trace = arithmetic(looked), looked.trace
        for name in (*CELLS[cell].state_names, *(key for key in trace if key in found.vectors)):
            assert found.vectors[name].values.equal(trace[name][layer, 2])
        for name in CELLS[cell].state_names:
            assert found.vectors[f"{name}_before"].values.equal(trace[name][layer, 1])
        assert {f"{block}_pre" for block in looked.cell.blocks} == set(found.sums) <= set(found.vectors)


@pytest.mark.parametrize("cell", CELLS)
def test_a_units_sums_come_to_what_stands_under_the_equation(cell: str) -> None:
    found = arithmetic(view(small_model(cell, units=5), [1, 0, 2, 2, 3], t=3, unit=4))
    for key, parts in found.sums.items():
        assert parts.total == pytest.approx(float(found.vectors[key].values[4]), abs=1e-6)


def test_the_layer_below_is_what_an_upper_layer_reads() -> None:
    looked = view(small_model(units=5, layers=2), [1, 0, 2], layer=1, t=1, notation="ng")
    found = arithmetic(looked)
    assert found.reads == "state"
    assert found.vectors["input"].values.equal(looked.trace["hidden"][0, 1])
    assert "a[1]⟨2⟩" in found.equations[0].text


def test_below_the_top_the_output_layer_reads_another_state() -> None:
    looked = view(small_model(units=5, layers=2), [1, 0, 2], layer=0, t=1)
    found = arithmetic(looked)
    assert found.vectors["hidden_top"].values.equal(looked.trace["hidden"][1, 1])
    assert "hidden_top" not in arithmetic(view(small_model(units=5), [1, 0, 2])).vectors


def test_weights_are_the_same_at_every_timestep_and_states_are_not() -> None:
    model = small_model(units=5)
    first, later = (arithmetic(view(model, [1, 0, 2, 2, 3], t=t)) for t in (0, 4))
    for key, matrix in first.matrices.items():
        assert matrix.values.equal(later.matrices[key].values)
        assert matrix.full == later.matrices[key].full
    assert not first.vectors["hidden"].values.equal(later.vectors["hidden"].values)


def test_a_quantity_has_one_scale_at_all_timesteps() -> None:
    model = small_model(units=5)
    scales = [
        {key: arithmetic(view(model, [1, 0, 2, 2, 3], t=t)).vectors[key].full for key in ("hidden", "cell_before")}
        for t in range(5)
    ]
    assert all(scale == scales[0] for scale in scales)


# ---- the smallest network


def hello(**place: Any) -> Any:
    path = max((STARTERS / "hello-rnn").glob("step-*.safetensors"))
    checkpoint = Checkpoint.from_bytes(path.read_bytes())
    vocabulary = Vocabulary.from_json(checkpoint.vocabulary)
    model = LanguageModel(checkpoint.config.model, len(vocabulary), seed=0)
    load_weights(model, checkpoint.weights())
    return view(model.eval().requires_grad_(False), vocabulary.encode("hello").tolist(), vocabulary, **place)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_number_of_the_hello_network_is_there(notation: str) -> None:
    looked = hello(t=2, notation=notation)
    found = arithmetic(looked)
    assert found.every_number
    shown = torch.cat([matrix.values.flatten() for matrix in found.matrices.values()])
    learned = torch.cat([weight.flatten() for weight in looked.model.parameters()])
    assert shown.sort().values.equal(learned.sort().values)
    assert found.weights == len(learned)
    quantities = {"hidden_before", "input", "candidate_pre", "hidden", "logits", "probabilities"}
    assert quantities <= set(found.vectors)
    assert found.reads == "one-hot"
    assert found.vectors["input"].values.tolist() == [0, 0, 1, 0]
    assert found.target == "l"
    loss = -np.log(found.vectors["probabilities"].values[2].item())
    assert found.numbers["loss"] == pytest.approx(loss, rel=1e-4)
    assert list(found.tokens.values()) == ["e", "h", "l", "o"]


def test_only_a_small_network_is_written_out_in_full() -> None:
    assert arithmetic(view(small_model(units=4, embedding=0), [1, 0, 2])).every_number
    assert not arithmetic(view(small_model(units=5, embedding=0), [1, 0, 2])).every_number
    assert not arithmetic(view(small_model(units=4, embedding=16), [1, 0, 2])).every_number


# ---- what is too large, and what is not there


def test_after_the_last_token_there_is_no_loss() -> None:
    found = arithmetic(view(small_model(units=5), [1, 0, 2], t=2))
    assert found.target is None
    assert found.numbers == {}
    assert not any(one.target for one in found.likeliest)


def test_an_unknown_token_is_read_as_zeros_and_said_to_be() -> None:
    found = arithmetic(view(small_model(units=5, embedding=0), [1, UNKNOWN, 2], t=1))
    assert found.reads == "unknown"
    assert not found.vectors["input"].values.any()


def test_the_target_is_listed_however_unlikely_it_is() -> None:
    vocabulary = Vocabulary.from_json('{"level":"char","symbols":' + str(list("abcdefghijkl")).replace("'", '"') + "}")
    model = small_model(units=5, vocabulary=12)
    model.head_bias.copy_(torch.arange(12.0))  # type: ignore[union-attr]
    found = arithmetic(view(model, [3, 0, 2], vocabulary, t=0))
    assert len(found.likeliest) == LIKELIEST + 1
    assert found.likeliest[-1].target
    assert found.likeliest[-1].name == "a"
    assert [one.target for one in found.likeliest[:-1]] == [False] * LIKELIEST


def test_of_a_large_vocabulary_the_likeliest_tokens_are_shown_in_all_vectors_over_it() -> None:
    symbols = [chr(0x4E00 + place) for place in range(600)]
    vocabulary = Vocabulary.from_json('{"level":"char","symbols":' + str(symbols).replace("'", '"') + "}")
    looked = view(small_model(units=5, vocabulary=600, embedding=4), [3, 0, 2], vocabulary)
    found = arithmetic(looked)
    logits, chances, bias = (found.vectors[key] for key in ("logits", "probabilities", "bias_out"))
    assert logits.length == 600
    assert len(logits.values) == step_values.LARGEST
    assert logits.places == chances.places == bias.places
    assert logits.places is not None
    best = looked.trace.log_probabilities[1].topk(step_values.LARGEST).indices
    assert set(logits.places) == set(best.tolist())
    assert set(found.tokens) == set(logits.places)


def test_of_a_long_one_hot_vector_the_value_that_is_on_is_shown() -> None:
    symbols = [chr(0x4E00 + place) for place in range(600)]
    vocabulary = Vocabulary.from_json('{"level":"char","symbols":' + str(symbols).replace("'", '"') + "}")
    found = arithmetic(view(small_model(units=5, vocabulary=600, embedding=0), [3, 577, 2], vocabulary, t=1))
    vector = found.vectors["input"]
    assert vector.places is not None
    assert vector.values[vector.places.index(577)] == 1


def test_a_large_matrix_is_drawn_as_means_of_equally_many_weights() -> None:
    model = small_model("rnn", units=130, embedding=10)
    found = arithmetic(view(model, [1, 0, 2], notation="cs231n"))
    matrix = found.matrices["weight_hh:candidate"]
    assert (matrix.rows, matrix.columns, matrix.dot) == (130, 130, (3, 3))
    assert matrix.values.shape == (44, 44)
    weight = model.stack.layer_parameters(0)["weight_hh"]
    assert float(matrix.values[1, 2]) == pytest.approx(float(weight[3:6, 6:9].mean()), abs=1e-6)
    assert float(matrix.values[43, 43]) == pytest.approx(float(weight[129:, 129:].mean()), abs=1e-6)


def test_weights_that_are_not_numbers_are_kept_as_such() -> None:
    model = small_model(units=5)
    model.stack.layer_parameters(0)["weight_hh"][0, 0] = float("nan")
    found = arithmetic(view(model, [1, 0, 2], t=2))
    assert found.matrices["weight:update"].values.isnan().sum() == 1
    assert found.vectors["hidden"].values.isnan().any()
    assert found.matrices["weight:update"].full > 0
