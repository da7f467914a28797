"""One token at a time: the same logits and states as the whole model, for every cell in every setting."""

from __future__ import annotations

import itertools

import pytest
import torch

from engine.cells import CELLS
from engine.config import ModelConfig
from engine.decoding import single_step
from engine.decoding.single_step import SingleStep
from engine.models.language_model import LanguageModel

VOCABULARY = 9
TOKENS = [3, 0, 8, 8, 1, 5, 2]


def settings_of(cell: str) -> list[dict]:
    """Every setting of a cell's switches."""
    options = CELLS[cell].options
    return [
        dict(zip(options, choices, strict=True))
        for choices in itertools.product(*(option.choices for option in options.values()))
    ]


def by_single_steps(model: LanguageModel) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Logits after each token, (time, vocabulary), and every part of the last state."""
    step, state, logits = SingleStep(model), model.initial_state(1), []
    with torch.inference_mode():
        for token in TOKENS:
            after, state = step(token, state)
            logits.append(after)
    return torch.stack(logits), [part for layer in state for part in layer]


@pytest.mark.parametrize("largest_copy", [single_step.LARGEST_COPY, 0], ids=["table", "no table"])
@pytest.mark.parametrize(("embedding", "bias"), list(itertools.product((0, 4), (True, False))))
@pytest.mark.parametrize("cell", CELLS)
def test_it_equals_the_model_on_the_whole_sequence(
    cell: str, embedding: int, bias: bool, largest_copy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_step, "LARGEST_COPY", largest_copy)
    for options, layers, (dtype, tolerance) in itertools.product(
        settings_of(cell), (1, 3), ((torch.float32, 1e-5), (torch.float64, 1e-12))
    ):
        config = ModelConfig(
            cell=cell, units=6, embedding=embedding, bias=bias, layers=layers, options=options, gain=1.5
        )
        model = LanguageModel(config, VOCABULARY, seed=3).to(dtype)
        with torch.no_grad():
            for name, values in model.named_parameters():  # peepholes start at zero, where they would not be seen
                if "peephole" in name:
                    values.normal_(generator=torch.Generator().manual_seed(4))
            expected, state = model(torch.tensor(TOKENS)[:, None], model.initial_state(1))
        logits, parts = by_single_steps(model)
        assert torch.allclose(logits, expected[:, 0], rtol=0, atol=tolerance)
        for ours, theirs in zip(parts, (part for layer in state for part in layer), strict=True):
            assert torch.allclose(ours, theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("cell", CELLS)
def test_it_equals_the_model_at_the_size_it_is_used_at(cell: str) -> None:
    model = LanguageModel(ModelConfig(cell=cell, units=256, embedding=64, gain=2.0), VOCABULARY, seed=3)
    with torch.no_grad():
        expected, _ = model(torch.tensor(TOKENS)[:, None], model.initial_state(1))
    logits, _ = by_single_steps(model)
    assert torch.allclose(logits, expected[:, 0], rtol=0, atol=1e-5)


def test_a_large_vocabulary_gets_no_table() -> None:
    model = LanguageModel(ModelConfig(units=64, embedding=2), 20_000, seed=3)
    step = SingleStep(model)
    assert step._table is None
    with torch.inference_mode():
        logits, _ = step(19_999, model.initial_state(1))
        expected, _ = model(torch.tensor([[19_999]]), model.initial_state(1))
    assert torch.allclose(logits, expected[0, 0], rtol=0, atol=1e-5)
