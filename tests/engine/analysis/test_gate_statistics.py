"""What the gates do over a text, against a recorded pass."""

from __future__ import annotations

import pytest
import torch

import engine
from engine.analysis.gate_statistics import gate_statistics, logistic
from engine.analysis.memory import half_lives, kept
from engine.cells import CELLS
from engine.config import Config
from engine.models.language_model import LanguageModel


def _model(cell: str, layers: int = 2) -> LanguageModel:
    config = Config().with_values(cell=cell, units=6, layers=layers, embedding=4)
    model = LanguageModel(config.model, vocabulary_size=9, seed=1).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)  # so that gates shut and open
    return model


@pytest.mark.parametrize("cell", [name for name in CELLS if logistic(CELLS[name](2))])
def test_shares_means_and_half_lives_are_those_of_a_recorded_pass(cell: str) -> None:
    model = _model(cell)
    tokens = torch.randint(9, (400,), generator=torch.Generator().manual_seed(2))
    found, trace = gate_statistics(model, tokens), engine.record(model, tokens)
    top = model.stack.cells[-1]
    assert set(found.gates) == set(logistic(top))
    for name, use in found.gates.items():
        values = trace[name].double()  # (layer, time, unit)
        missing = values.isnan().all(dim=1)
        expected = {"shut": values < 0.1, "open": values > 0.9, "mean": values}
        for what, part in expected.items():
            mean = part.double().mean(1).masked_fill(missing, torch.nan)
            torch.testing.assert_close(getattr(use, what), mean, equal_nan=True)
    share = kept(top)
    assert share is not None
    assert found.half_lives is not None
    for layer in range(2):
        expected_lives = half_lives(share.share({share.gate: trace[share.gate][layer]}))
        torch.testing.assert_close(found.half_lives[layer], expected_lives)


def test_an_rnn_has_no_gate_and_no_half_life() -> None:
    found = gate_statistics(_model("rnn"), torch.zeros(20, dtype=torch.int64))
    assert (dict(found.gates), found.half_lives) == ({}, None)


def test_gates_that_are_no_numbers_are_neither_shut_nor_open() -> None:
    model = _model("lstm", layers=1)
    with torch.no_grad():
        model.stack.layers[0]["bias"][:6] = torch.nan
    use = gate_statistics(model, torch.zeros(20, dtype=torch.int64)).gates["update"]
    assert use.shut.isnan().all()
    assert use.mean.isnan().all()


def test_what_is_done_is_reported_up_to_the_whole() -> None:
    shares: list[float] = []
    gate_statistics(_model("gru"), torch.zeros(3_000, dtype=torch.int64), report=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
