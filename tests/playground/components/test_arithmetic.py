"""What goes to the browser of one timestep's arithmetic, and what may come back."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import engine
from engine import LanguageModel, ModelConfig
from engine.data import CharVocabulary
from playground.components.arithmetic import LARGEST_TERMS, MOST_TERMS, Arithmetic, fits
from playground.components.choice import fitting
from playground.components.packing import LEVELS, NAN_LEVEL, plain
from playground.views.unrolled.arithmetic import arithmetic


def found(cell: str = "lstm", *, nan: bool = False, t: int = 1, unit: int = 2, **settings: Any) -> Arithmetic:
    """The arithmetic of a small model of its own over "heLo"."""
    model = LanguageModel(ModelConfig(cell=cell, **settings), 4, seed=5).eval().requires_grad_(False)
    if nan:
        model.stack.layer_parameters(0)["weight_hh"].fill_(float("nan"))
    tokens = [1, 0, 2, 3]
    view: Any = SimpleNamespace(
        run=SimpleNamespace(name="a run"),
        step=7,
        model=model,
        cell=model.stack.cells[0],
        vocabulary=CharVocabulary("<hLo"),
        probe=SimpleNamespace(names=tuple("h<Lo")),
        trace=engine.record(model, tokens),
        t=t,
        layer=0,
        unit=unit,
        notation="ng",
    )
    return arithmetic(view)


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def test_vectors_arrive_as_they_are() -> None:
    data = found(units=20)
    sent = plain(data)["vectors"]
    for key, vector in data.vectors.items():
        np.testing.assert_array_equal(floats(sent[key]["values"]), vector.values.numpy().astype("<f4"))


def test_matrices_arrive_as_colours_and_where_all_is_written_out_as_numbers() -> None:
    large, small = found(units=20), found(units=3, embedding=0)
    sent = plain(large)["matrices"]["weight:forget"]
    matrix = large.matrices["weight:forget"]
    assert sent["values"] is None
    colours = np.frombuffer(base64.b64decode(sent["levels"]), dtype=np.int8).reshape(sent["height"], sent["width"])
    expected = np.clip(matrix.values.numpy() / matrix.full * LEVELS, -LEVELS, LEVELS)
    np.testing.assert_allclose(colours, expected, atol=0.51)
    exact = plain(small)["matrices"]["weight:forget"]
    np.testing.assert_array_equal(floats(exact["values"]), small.matrices["weight:forget"].values.numpy().ravel())


def test_every_key_of_an_equation_has_its_values() -> None:
    for cell in ("rnn", "gru", "lstm-peephole"):
        sent = plain(found(cell, units=6))
        parts = [part for line in (*sent["equations"], *sent["outputs"]) for part in (*line["parts"], *line["summed"])]
        keys = {part["key"] for part in parts if part["kind"] == "quantity"}
        assert keys <= {*sent["vectors"], *sent["matrices"], *sent["numbers"]}


@pytest.mark.parametrize("cell", ["rnn", "gru", "gru-reset-before", "lstm", "lstm-peephole"])
def test_the_largest_terms_and_the_rest_add_up_to_the_sum(cell: str) -> None:
    data = found(cell, units=30, embedding=12)
    for key, sent in plain(data)["sums"].items():
        parts = {}
        for source, group in sent["groups"].items():
            terms = floats(group["terms"]).reshape(-1, 5)  # index, weight, value, product, gate
            sizes = np.abs(terms[:, 3])
            assert (np.diff(sizes) <= 0).all()
            np.testing.assert_allclose(terms[:, 1] * terms[:, 2], terms[:, 3], rtol=1e-5)
            assert len(terms) == group["count"]
            assert terms[:LARGEST_TERMS, 3].sum() + group["rest"] == pytest.approx(group["part"], abs=1e-5)
            assert group["rest_of_all"] == 0
            parts[source] = group["part"]
        past = parts.pop("hidden_before") + (sent["product_bias"] or 0.0)
        total = sum(parts.values()) + (sent["bias"] or 0.0) + sent["scale"] * past
        assert total == pytest.approx(sent["total"], abs=1e-5)
        assert total == pytest.approx(float(data.vectors[key].values[2]), abs=1e-5)


def test_of_very_many_terms_the_smallest_are_one_number() -> None:
    sent = plain(found("rnn", units=MOST_TERMS + 40, embedding=0))["sums"]["candidate_pre"]["groups"]["hidden_before"]
    terms = floats(sent["terms"]).reshape(-1, 5)
    assert len(terms) == MOST_TERMS < sent["count"] == MOST_TERMS + 40
    assert terms[:, 3].sum() + sent["rest_of_all"] == pytest.approx(sent["part"], abs=1e-4)


def test_a_peephole_sees_the_state_that_its_equation_names() -> None:
    sums = plain(found("lstm-peephole", units=6))["sums"]
    assert "cell_before" in sums["forget_pre"]["groups"]
    assert "cell" in sums["output_pre"]["groups"]


def test_what_is_not_a_number_can_be_sent_and_is_not_lost() -> None:
    sent = json.loads(json.dumps(plain(found(units=20, nan=True, t=2)), allow_nan=False))
    assert np.isnan(floats(sent["vectors"]["hidden"]["values"])).all()
    colours = np.frombuffer(base64.b64decode(sent["matrices"]["weight:forget"]["levels"]), dtype=np.int8)
    assert (colours == NAN_LEVEL).any()
    assert sent["sums"]["forget_pre"]["total"] == "NaN"
    assert sent["numbers"]["loss"] == "NaN"
    terms = floats(sent["sums"]["forget_pre"]["groups"]["hidden_before"]["terms"]).reshape(-1, 5)
    assert np.isnan(terms[0, 3])


@pytest.mark.parametrize(
    ("word", "taken"),
    [
        ({"count": 1, "unit": 5}, {"unit": 5}),
        ({"count": 1, "t": 3}, {"t": 3}),
        ({"count": 1, "layer": 0, "unit": 0}, {"unit": 0, "layer": 0}),
        ({"count": 1, "unit": 6}, {}),
        ({"count": 1, "unit": -1}, {}),
        ({"count": 1, "t": 4}, {}),
        ({"count": 1, "unit": True}, {}),
        ({"count": 1, "unit": 1.0}, {}),
        ({"count": 1, "unit": "1"}, {}),
        ({"count": 1, "run": "other"}, {}),
        (None, {}),
        ("unit", {}),
    ],
)
def test_only_places_that_exist_can_be_chosen(word: object, taken: dict) -> None:
    assert fitting(word, fits(found(units=6))) == taken
