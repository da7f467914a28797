"""What holds the states of a cell whose equations do not bound them: a penalty, and a limit on what is carried on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import engine
from engine.cells import CELLS, with_cell
from engine.config import Config
from engine.data import Corpus, Streams
from engine.models.language_model import state_penalty
from engine.training.events import Diverged, Progress
from engine.training.run import Training

MakeConfig = Callable[..., Config]

LIMIT = 0.05
PENALTY = 3.0


def test_the_penalty_is_the_mean_square_of_each_layer_summed() -> None:
    low, high = torch.tensor([[[1.0, -2.0]]]), torch.tensor([[[3.0, 0.0]]])
    assert state_penalty([low, high]).item() == pytest.approx((1 + 4) / 2 + 9 / 2)


def written_by_hand(training: Training, steps: int) -> list[float]:
    """The course's LSTM without the relevance gate, h = Γ_o ⊙ c, trained by plain gradient descent on loss and penalty,
    with a carried state cut to the limit: from the same weights, with autograd's derivatives."""
    config = training.config
    weights = {name: value.clone().requires_grad_() for name, value in training.model.state_dict().items()}
    w_ih, w_hh, bias = (weights[f"stack.layers.0.{name}"] for name in ("weight_ih", "weight_hh", "bias"))
    streams = Streams(training.corpus.train, config.data.streams, config.data.chunk, config.training.seed)
    found: list[float] = []
    h = c = torch.zeros(config.data.streams, config.model.units)
    for step in range(steps):
        batch = streams.batch(step)
        if batch.fresh:
            h, c = torch.zeros_like(h), torch.zeros_like(c)
        shown: list[Tensor] = []
        for tokens in batch.inputs:
            update, forget, candidate, output = (weights["embedding"][tokens] @ w_ih.T + h @ w_hh.T + bias).chunk(4, 1)
            c = torch.sigmoid(forget) * c + torch.sigmoid(update) * torch.tanh(candidate)
            h = torch.sigmoid(output) * c
            shown.append(h)
        hidden = torch.stack(shown)
        logits = hidden @ weights["head_weight"].T + weights["head_bias"]
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        (loss + PENALTY * (hidden**2).mean()).backward()
        with torch.no_grad():
            for weight in weights.values():
                assert weight.grad is not None
                weight -= config.training.learning_rate * weight.grad
                weight.grad = None
        h, c = h.detach().clamp(-LIMIT, LIMIT), c.detach().clamp(-LIMIT, LIMIT)
        found.append(loss.item())
    return found


def test_penalty_and_limit_train_like_a_loop_written_by_hand(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(
        cell="lstm-course",
        options={"relevance_gate": False},
        optimizer="sgd",
        learning_rate=0.5,
        schedule="constant",
        warmup=0,
        clip="off",
        state_penalty=PENALTY,
        carried_limit=LIMIT,
        sampling__length=0,
    )
    training = engine.train(config, story_corpus, device="cpu")
    expected = written_by_hand(training, 12)
    ours = [event.loss for event in training.events() if isinstance(event, Progress)]
    assert ours == pytest.approx(expected, abs=1e-5)
    free = engine.train(config.with_values(carried_limit=0.0), story_corpus, device="cpu")
    assert ours != pytest.approx([event.loss for event in free.events() if isinstance(event, Progress)], abs=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_the_limit_cuts_states_and_no_clock(cell: str, tiny: MakeConfig, story_corpus: Corpus) -> None:
    training = engine.train(
        tiny(cell=cell, layers=2, chunk=9, carried_limit=LIMIT, steps=3), story_corpus, device="cpu"
    )
    for _ in training.events():
        pass
    parts = training.checkpoint().part("state")
    for layer in range(2):
        for place, name in enumerate(CELLS[cell](8).carried):
            largest = parts[f"{layer}.{place}"].abs().max().item()
            assert largest == pytest.approx(LIMIT) if name != "clock" else largest == 3 * 9 % 8
    assert max(training.largest_states().values()) > LIMIT, "what is reported is the state that was reached"


def test_the_course_form_stays_small_where_it_ran_away() -> None:
    """As published its gates hold each other open within 40 steps; chosen in the app or the shell it comes with what
    prevents that, and learns as fast."""
    plain = Config().with_values(streams=8, evaluations=1, sampling__length=0)
    corpus = engine.prepare(plain.data)

    def trained(config: Config) -> tuple[float, float]:
        """Largest hidden state at the end of any chunk, and the mean loss of the last steps."""
        largest, losses = 0.0, []
        training = engine.train(config, corpus, device="cpu")
        for event in training.events():
            assert not isinstance(event, Diverged)
            if isinstance(event, Progress):
                largest = max(largest, training.largest_states()["hidden"])
                losses.append(event.loss)
            if event.step == 40:
                break
        return largest, sum(losses[-5:]) / 5

    ran_away, _ = trained(plain.with_values(cell="lstm-course"))
    stayed, loss = trained(with_cell(plain, "lstm-course"))
    _, with_tanh = trained(plain)
    assert ran_away > 50
    assert stayed < 5
    assert loss < with_tanh + 0.2
