"""The validation loss, against one pass written by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import engine.training.evaluation as evaluation
from engine.config import ModelConfig
from engine.data import evaluation_chunks
from engine.models.language_model import LanguageModel
from engine.training.evaluation import evaluate, evaluation_streams

VOCABULARY = 11


@pytest.fixture
def model() -> LanguageModel:
    return LanguageModel(ModelConfig(cell="gru", units=7, embedding=5), VOCABULARY, seed=3)


def text(tokens: int) -> Tensor:
    return torch.randint(VOCABULARY, (tokens,), generator=torch.Generator().manual_seed(tokens))


def by_hand(model: LanguageModel, tokens: Tensor) -> float:
    """The whole text in one go."""
    with torch.no_grad():
        logits, _ = model(tokens[:-1, None], model.initial_state(1))
        return F.cross_entropy(logits[:, 0], tokens[1:]).item()


@pytest.mark.parametrize("tokens", [2, 3, 64, 65, 66, 200, 1_000])
def test_a_text_read_in_one_piece_gives_the_loss_of_one_long_pass(tokens: int, model: LanguageModel) -> None:
    assert evaluation_streams(tokens) == 1
    *_, (share, loss) = evaluate(model, text(tokens))
    assert share == 1.0
    assert loss == pytest.approx(by_hand(model, text(tokens)), abs=1e-5)


def test_pieces_read_side_by_side_give_nearly_the_loss_of_one_long_pass(model: LanguageModel) -> None:
    tokens = text(5_003)
    assert evaluation_streams(len(tokens)) == 9
    *_, (_, loss) = evaluate(model, tokens)
    assert loss == pytest.approx(by_hand(model, tokens), abs=1e-5)
    cuts = [piece * 5_002 // 9 for piece in range(10)]
    cold = [by_hand(model, tokens[start : end + 1]) * (end - start) for start, end in pairwise(cuts)]
    assert sum(cold) / 5_002 != pytest.approx(by_hand(model, tokens), abs=1e-5), "cold starts would not be seen"


@pytest.mark.parametrize(("tokens", "streams", "chunk"), [(2, 1, 64), (100, 3, 7), (5_003, 9, 64), (129, 2, 64)])
def test_every_target_is_counted_once(tokens: int, streams: int, chunk: int) -> None:
    # each token is its own place, so that the targets tell what was predicted
    batches = list(evaluation_chunks(torch.arange(tokens), streams, chunk))
    targets = torch.cat([batch.targets.flatten() for batch in batches])
    assert sorted(targets[targets >= 0].tolist()) == list(range(1, tokens))
    assert sum(batch.predictions for batch in batches) == tokens - 1


def test_slices_do_not_change_the_loss(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for seconds in (0.0, math.inf):
        monkeypatch.setattr(evaluation, "SLICE_SECONDS", seconds)
        found.append(list(evaluate(model, text(3_000))))
    (*slices, last), (whole,) = found
    assert last == whole
    shares = [share for share, _ in slices]
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert all(0 < share < 1 for share in shares)


def test_a_very_long_text_is_read_in_part(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "TOKEN_LIMIT", 300)
    *_, (_, loss) = evaluate(model, text(2_000))
    assert loss == pytest.approx(by_hand(model, text(2_000)[:300]), abs=1e-5)


def test_an_evaluation_leaves_no_gradients(model: LanguageModel) -> None:
    list(evaluate(model, text(100)))
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()
