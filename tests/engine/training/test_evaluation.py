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
from engine.training.evaluation import Part, evaluate, evaluation_streams

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
    assert all(0 <= share < 1 for share in shares)
    assert all(math.isnan(loss) == (share == 0) for share, loss in slices)


def test_a_part_is_pieces_at_equal_distances_from_the_first_token_to_the_last_tenth() -> None:
    batches = list(evaluation_chunks(torch.arange(1_001), streams=10, chunk=7, length=20))
    targets = torch.cat([batch.targets.flatten() for batch in batches])
    assert sorted(targets.tolist()) == [start + place for start in range(0, 1_000, 100) for place in range(1, 21)]
    assert sum(batch.predictions for batch in batches) == 200


def test_the_loss_of_a_part_is_that_of_its_pieces_each_after_the_tokens_before_it(model: LanguageModel) -> None:
    tokens, part = text(1_201), Part(pieces=3, length=50)
    expected = 0.0
    for start in (0, 400, 800):
        before = min(start, evaluation.LEAD_IN)
        with torch.no_grad():
            logits, _ = model(tokens[start - before : start + 50, None], model.initial_state(1))
        expected += F.cross_entropy(logits[before:, 0], tokens[start + 1 : start + 51]).item() / 3
    *_, (share, loss) = evaluate(model, tokens, part=part)
    assert share == 1.0
    assert loss == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("part", [Part(4, 128), Part(1, 511), Part(32, 128)])
def test_a_part_that_is_no_smaller_is_the_whole(part: Part, model: LanguageModel) -> None:
    *_, (_, loss) = evaluate(model, text(500), part=part)
    assert loss == pytest.approx(by_hand(model, text(500)), abs=1e-5)


@pytest.mark.parametrize("tokens", [1_000, 19_200, 49_151, 49_152, 100_000, 1e6])
def test_a_part_takes_about_the_reading_that_was_asked_for(tokens: float) -> None:
    part = Part.of_tokens(tokens)
    assert 0.9 * tokens < part.predictions + part.pieces * evaluation.LEAD_IN <= tokens
    assert part.pieces <= 256
    assert part.length >= 128


EASY, RANDOM = 270_000, 30_000


def easy_then_random() -> tuple[LanguageModel, Tensor]:
    """A text that is one symbol at first and evenly drawn from the other ten after, and the model that knows both."""
    model = LanguageModel(ModelConfig(cell="rnn", units=VOCABULARY, embedding=0), VOCABULARY, seed=0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.stack.layer_parameters(0)["weight_ih"].copy_(20 * torch.eye(VOCABULARY))  # it sees the last token alone
        model.head_weight[0, 0] = 30.0
        model.head_weight[1:, 1:] = 30.0
    drawn = 1 + torch.randint(VOCABULARY - 1, (RANDOM,), generator=torch.Generator().manual_seed(0))
    return model, torch.cat((torch.zeros(EASY, dtype=torch.int64), drawn))


def test_a_text_that_is_easy_first_and_random_after_costs_what_its_random_part_costs() -> None:
    model, tokens = easy_then_random()
    *_, (_, loss) = evaluate(model, tokens)
    change = 30.0 + math.log(VOCABULARY - 1)  # the first drawn symbol comes where nothing speaks for it
    expected = (change + (RANDOM - 1) * math.log(VOCABULARY - 1)) / (EASY + RANDOM - 1)
    assert loss == pytest.approx(expected, abs=1e-4)
    assert expected == pytest.approx(math.log(10) / 10, abs=1e-3)


@pytest.mark.parametrize("pieces", [32, 256])
def test_a_part_of_such_a_text_says_nearly_the_same(pieces: int) -> None:
    model, tokens = easy_then_random()
    *_, (_, loss) = evaluate(model, tokens, part=Part(pieces, 128))
    assert loss == pytest.approx(math.log(10) / 10, abs=math.log(10) / pieces)


def test_the_batches_of_a_large_model_are_shorter() -> None:
    small, large = (
        LanguageModel(ModelConfig(cell="rnn", units=units, embedding=4), VOCABULARY, seed=0) for units in (8, 1_500)
    )
    assert evaluation._timesteps(small, 256) == 16
    assert evaluation._timesteps(large, 256) < 2


def test_a_slice_ends_before_the_next_stretch_would_make_it_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.02, 0.031, 0.04])
    monkeypatch.setattr(evaluation.time, "perf_counter", lambda: next(now))
    clock = evaluation._SliceClock()
    assert [clock.over() for _ in range(3)] == [False, False, False]
    now = iter([0.0, 0.02, 0.041])
    clock = evaluation._SliceClock()
    assert [clock.over() for _ in range(2)] == [False, True]


def test_an_evaluation_leaves_no_gradients(model: LanguageModel) -> None:
    list(evaluate(model, text(100)))
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()
