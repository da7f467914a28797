"""The loop: a run is a function of its config and its steps, whoever listens, pauses, or changes a setting."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from stop_and_go import CHANGES, Changes, Told, at_random, interrupted, note, once_at, undisturbed
from torch import Tensor, nn
from torch.nn import functional as F

import engine
import engine.start
import engine.training.evaluation
from engine.analysis.text_facts import text_facts
from engine.config import Config, ConfigError
from engine.data import Corpus, Streams, TextFacts, prepare
from engine.training.checkpoint import Checkpoint
from engine.training.events import (
    Diverged,
    Evaluated,
    Finished,
    Planned,
    Progress,
    Sampled,
    Saved,
    Working,
)
from engine.training.run import Training
from engine.training.schedule import learning_rate

MakeConfig = Callable[..., Config]


pytestmark = pytest.mark.usefixtures("slices_of_no_time")


def losses(config: Config, corpus: Corpus) -> list[float]:
    return [facts["loss"] for (kind, _), facts in undisturbed(config, corpus).items() if kind == "Progress"]


# ---------------------------------------------------------------------- the same seed, the same run


def test_the_same_seed_gives_the_same_run_bit_for_bit(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(dropout=0.3, layers=2)
    assert undisturbed(config, story_corpus) == undisturbed(config, story_corpus)


def test_another_seed_gives_another_run(tiny: MakeConfig, story_corpus: Corpus) -> None:
    assert losses(tiny(), story_corpus) != losses(tiny(training__seed=2), story_corpus)


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_training_and_sampling_leave_the_callers_random_state_alone(tiny: MakeConfig, story_corpus: Corpus) -> None:
    undisturbed(tiny(dropout=0.3, input_dropout=0.2, initialisation="orthogonal"), story_corpus)


def test_the_callers_random_state_does_not_reach_the_run(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(dropout=0.3)
    before = losses(config, story_corpus)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        assert losses(config, story_corpus) == before


# ---------------------------------------------------------------------- paused and taken up again


def test_a_run_stopped_at_any_one_event_goes_on_exactly(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(steps=5, evaluations=2, dropout=0.2, averaging=0.9, sampling__length=2, patience=2)
    changes: Changes = {2: ("learning_rate", 0.05), 4: ("clip_threshold", 0.1)}
    expected = undisturbed(config, story_corpus, changes)
    events = sum(1 for _ in engine.train(config, story_corpus, device="cpu").events())
    assert events > 30
    for place in range(events):
        assert interrupted(config, story_corpus, once_at(place), changes) == expected, place


VARIETY = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.5},
    "momentum": {"optimizer": "momentum", "weight_decay": 0.01},
    "rmsprop": {"optimizer": "rmsprop", "cell": "rnn"},
    "adagrad": {"optimizer": "adagrad", "cell": "gru"},
    "adamw": {"weight_decay": 0.1, "cell": "lstm-peephole", "clip": "value"},
    "one-hot": {"embedding": 0, "cell": "gru-reset-before", "clip": "off"},
    "dropout": {"dropout": 0.4, "input_dropout": 0.3, "layers": 2, "averaging": 0.9},
    "several epochs": {"streams": 16, "chunk": 64, "steps": 12},
    "large states held": {"cell": "lstm-course", "state_penalty": 2.0, "carried_limit": 0.05},
}


@pytest.mark.parametrize("values", VARIETY.values(), ids=VARIETY.keys())
def test_a_run_stopped_again_and_again_goes_on_exactly(values: dict, tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(**values)
    found = interrupted(config, story_corpus, at_random(0.05, 5), CHANGES, at_least=8)
    assert found == undisturbed(config, story_corpus, CHANGES)


def test_a_run_by_words_goes_on_exactly(tiny: MakeConfig) -> None:
    config = tiny(level="word", vocabulary_limit=60)
    corpus = prepare(config.data)
    found = interrupted(config, corpus, at_random(0.05, 6), CHANGES, at_least=5)
    assert found == undisturbed(config, corpus, CHANGES)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_run_in_bfloat16_goes_on_exactly(cell: str, tiny: MakeConfig, story_corpus: Corpus) -> None:
    if not torch.amp.is_autocast_available("cpu"):
        pytest.skip("this torch has no bfloat16 arithmetic on the CPU")
    config = tiny(precision="bfloat16", steps=6, cell=cell, layers=2)
    expected = undisturbed(config, story_corpus)
    assert interrupted(config, story_corpus, at_random(0.04, 7)) == expected
    assert expected != undisturbed(tiny(precision="float32", steps=6, cell=cell, layers=2), story_corpus)


def test_listening_again_on_the_same_object_goes_on_too(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny()
    training = engine.train(config, story_corpus, device="cpu")
    told: Told = {}
    cuts = at_random(0.1, 8)
    while ("Finished", 12) not in told:
        for event in training.events():
            note(told, event)
            if next(cuts):
                break
    assert told == undisturbed(config, story_corpus)


def test_a_stop_while_the_text_is_analysed_is_answered_and_changes_nothing(
    tiny: MakeConfig, story_corpus: Corpus
) -> None:
    config, opened, turns, told = tiny(), threading.Event(), 0, {}

    def slow_facts() -> TextFacts:
        assert opened.wait(30)
        return text_facts(story_corpus)

    training = engine.train(config, story_corpus, device="cpu", facts=slow_facts)
    for event in training.events():
        note(told, event)
        turns += isinstance(event, Working) and event.what == "text"
        if turns == 3:
            break  # the facts are still awaited
    assert (training.step, turns) == (1, 3)
    checkpoint = training.checkpoint()
    opened.set()
    for event in engine.train(config, story_corpus, device="cpu", checkpoint=checkpoint, facts=slow_facts).events():
        note(told, event)
    assert told == undisturbed(config, story_corpus)


def test_an_evaluation_cut_short_is_made_again(tiny: MakeConfig, story_corpus: Corpus) -> None:
    training = engine.train(tiny(), story_corpus, device="cpu")
    cut = next(event for event in training.events() if isinstance(event, Working) and event.what == "evaluation")
    assert 0 < cut.share < 1
    again = engine.train(training.config, story_corpus, device="cpu", checkpoint=training.checkpoint())
    evaluated = next(event for event in again.events() if isinstance(event, Evaluated))
    assert evaluated.step == cut.step == 1


def test_a_finished_run_taken_up_again_finishes_at_once_with_the_same_words(
    tiny: MakeConfig, story_corpus: Corpus
) -> None:
    training = engine.train(tiny(), story_corpus, device="cpu")
    *_, finished = training.events()
    again = engine.train(training.config, story_corpus, device="cpu", checkpoint=training.checkpoint())
    planned, last = again.events()
    assert isinstance(planned, Planned)
    assert isinstance(last, Finished)
    assert isinstance(finished, Finished)
    assert (last.val_loss, last.best_loss, last.why) == (finished.val_loss, finished.best_loss, "steps")


# ---------------------------------------------------------------------- events


def test_the_events_of_a_run_come_in_order(tiny: MakeConfig, story_corpus: Corpus) -> None:
    events = list(engine.train(tiny(), story_corpus, device="cpu").events())
    first, second, *_, last = events
    assert isinstance(first, Planned)
    assert isinstance(second, Saved)
    assert (second.step, second.full) == (0, False)
    assert isinstance(last, Finished)
    assert [event.step for event in events] == sorted(event.step for event in events)
    evaluated = [event.step for event in events if isinstance(event, Evaluated)]
    assert tuple(evaluated) == first.evaluation_steps == (1, 5, 12)
    assert [event.step for event in events if isinstance(event, Sampled)] == evaluated
    assert [event.step for event in events if isinstance(event, Saved) and event.full] == evaluated
    assert [event.step for event in events if isinstance(event, Saved) and not event.full] == [0, 1, 2, 4, 8]
    assert [event.step for event in events if isinstance(event, Progress)] == list(range(1, 13))


def test_a_long_run_reports_its_first_steps_and_then_every_few(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(steps=2_200, evaluations=1, units=2, streams=1, chunk=1, sampling__length=0)
    reports: list[int] = []
    for event in engine.train(config, story_corpus, device="cpu").events():
        if isinstance(event, Progress):
            reports.append(event.step)
        if event.step == 106:
            break
    assert reports == [*range(1, 101), 102, 105]


def test_the_clock_of_a_run_leaves_pauses_out(tiny: MakeConfig, story_corpus: Corpus) -> None:
    training = engine.train(tiny(), story_corpus, device="cpu")
    next(event for event in training.events() if event.step == 3)
    saved = training.checkpoint()
    again = engine.train(tiny(), story_corpus, device="cpu", checkpoint=saved)
    report = next(event for event in again.events() if isinstance(event, Progress))
    assert saved.seconds <= report.seconds < saved.seconds + 60
    assert report.train_seconds >= saved.train_seconds > 0


# ---------------------------------------------------------------------- changes


def test_a_new_learning_rate_multiplies_the_schedule(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(schedule="linear")
    told = undisturbed(config, story_corpus, {4: ("learning_rate", 0.06)})
    for step in range(1, 13):
        expected = learning_rate(config.training, step - 1, 12) * (3.0 if step > 4 else 1.0)
        assert told["Progress", step]["learning_rate"] == pytest.approx(expected)
    assert told["Changed", 4] == {"step": 4, "key": "learning_rate", "value": 0.06}


def test_a_new_threshold_bounds_the_gradient_from_the_next_step_on(tiny: MakeConfig, story_corpus: Corpus) -> None:
    told = undisturbed(tiny(), story_corpus, {4: ("clip_threshold", 0.01), 8: ("clip_threshold", 0.0)})
    for step in range(1, 13):
        facts = told["Progress", step]
        if step <= 4:
            assert facts["clip_threshold"] == 1.0
        elif step <= 8:
            assert facts["clip_threshold"] == 0.01
            assert facts["clipped_norm"] == pytest.approx(0.01)
            assert facts["grad_norm"] > 0.01
        else:
            assert facts["clip_threshold"] is None
            assert facts["clipped_norm"] == facts["grad_norm"]


def test_clipping_can_be_switched_on_where_it_was_off(tiny: MakeConfig, story_corpus: Corpus) -> None:
    told = undisturbed(tiny(clip="off"), story_corpus, {4: ("clip_threshold", 0.01)})
    assert told["Progress", 4]["clip_threshold"] is None
    assert told["Progress", 5]["clipped_norm"] == pytest.approx(0.01)


def test_clipping_by_value_stays_by_value_when_it_comes_back(tiny: MakeConfig, story_corpus: Corpus) -> None:
    changes: Changes = {3: ("clip_threshold", 0.0), 6: ("clip_threshold", 0.001)}
    told = undisturbed(tiny(clip="value"), story_corpus, changes)
    weights = engine.train(tiny(), story_corpus, device="cpu").parameters
    bound = 0.001 * math.sqrt(weights)
    assert 0.001 < told["Progress", 7]["clipped_norm"] <= bound


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", 1e9),
        ("clip_threshold", -1.0),
        ("clip_threshold", math.inf),
        ("units", 3),
        ("seed", 3),
    ],
)
def test_a_setting_out_of_range_is_refused_and_changes_nothing(
    key: str, value: float, tiny: MakeConfig, story_corpus: Corpus
) -> None:
    training = engine.train(tiny(), story_corpus, device="cpu")
    with pytest.raises(ConfigError, match=key):
        training.change(key, value)
    assert training.changes == []


# ---------------------------------------------------------------------- dropout


def test_every_step_drops_something_else() -> None:
    """One batch over and over and hardly any learning: what differs between the losses is the mask."""
    hello = Config().with_values(
        corpus="hello", streams=1, chunk=4, units=8, embedding=6, steps=6, learning_rate=1e-8, sampling__length=0
    )
    corpus = prepare(hello.data)
    assert max(losses(hello, corpus)) - min(losses(hello, corpus)) < 1e-5
    for place in ("dropout", "input_dropout"):
        assert len(set(losses(hello.with_values(**{place: 0.5}), corpus))) == 6


# ---------------------------------------------------------------------- against a loop written by hand


def hand_written(training: Training, layer: nn.RNNBase, optimizer_of: Callable, steps: int) -> list[float]:
    """Truncated backpropagation as one would write it with torch's modules, from the same initial weights."""
    config, corpus = training.config, training.corpus
    weights = {name: value.clone() for name, value in training.model.state_dict().items()}
    embedding = nn.Embedding.from_pretrained(weights["embedding"], freeze=False)
    head = nn.Linear(config.model.units, len(corpus.vocabulary))
    recurrent = {name.rpartition(".")[2]: value for name, value in weights.items() if "layers" in name}
    with torch.no_grad():
        head.weight.copy_(weights["head_weight"])
        head.bias.copy_(weights["head_bias"])
        layer.weight_ih_l0.copy_(recurrent["weight_ih"])
        layer.weight_hh_l0.copy_(recurrent["weight_hh"])
        layer.bias_ih_l0.copy_(recurrent["bias"])
        layer.bias_hh_l0.zero_()
        candidate = recurrent.get("bias_candidate")
        trained = torch.zeros_like(layer.bias_hh_l0)  # torch has a second bias; of it, the GRU alone has a part here
        if candidate is not None:
            layer.bias_hh_l0[-len(candidate) :] = candidate
            trained[-len(candidate) :] = 1
    layer.bias_hh_l0.register_hook(lambda gradient: gradient * trained)
    optimizer = optimizer_of(embedding, layer, head)
    parameters = [*embedding.parameters(), *layer.parameters(), *head.parameters()]
    streams = Streams(corpus.train, config.data.streams, config.data.chunk, config.training.seed)
    found: list[float] = []
    state: Any = None
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config.training, step, config.training.steps)
        batch = streams.batch(step)
        output, state = layer(embedding(batch.inputs), None if batch.fresh else state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        loss = F.cross_entropy(head(output).flatten(0, 1), batch.targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, config.training.clip_threshold)
        optimizer.step()
        found.append(loss.item())
    return found


def our_losses(training: Training) -> list[float]:
    return [event.loss for event in training.events() if isinstance(event, Progress)]


def adamw(embedding: nn.Module, layer: nn.Module, head: nn.Module) -> torch.optim.Optimizer:
    products: list[Tensor] = [p for module in (layer, head) for p in module.parameters() if p.dim() == 2]
    biases = [p for module in (layer, head) for p in module.parameters() if p.dim() == 1]
    groups = [
        {"params": products, "weight_decay": 0.3},
        {"params": [*embedding.parameters(), *biases], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99))


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_an_lstm_under_adamw_trains_like_one_written_by_hand(tiny: MakeConfig, story_corpus: Corpus) -> None:
    # 5 streams of 128: 9 updates an epoch, so that 24 steps see fresh states and carried ones
    config = tiny(steps=24, streams=5, chunk=128, weight_decay=0.3, clip_threshold=0.5, sampling__length=0)
    training = engine.train(config, story_corpus, device="cpu")
    with torch.random.fork_rng(devices=[]):
        layer = nn.LSTM(6, 8)
        expected = hand_written(training, layer, adamw, 24)
    assert our_losses(training) == pytest.approx(expected, abs=1e-5)
    weights = training.model.state_dict()
    assert torch.allclose(weights["stack.layers.0.weight_hh"], layer.weight_hh_l0, atol=1e-4)


def test_a_gru_under_sgd_trains_like_one_written_by_hand(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(cell="gru", optimizer="sgd", learning_rate=1.0, steps=24, streams=5, chunk=128, sampling__length=0)
    training = engine.train(config, story_corpus, device="cpu")

    def sgd(*modules: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD([p for module in modules for p in module.parameters()])

    with torch.random.fork_rng(devices=[]):
        expected = hand_written(training, nn.GRU(6, 8), sgd, 24)
    assert our_losses(training) == pytest.approx(expected, abs=1e-5)


def test_gradients_stop_at_the_chunk(tiny: MakeConfig, story_corpus: Corpus) -> None:
    training = engine.train(tiny(), story_corpus, device="cpu")
    next(event for event in training.events() if event.step == 3)
    state = training.checkpoint().part("state")
    assert {name: value.shape for name, value in state.items()} == {"0.0": (4, 8), "0.1": (4, 8)}
    assert all(value.abs().sum() > 0 and not value.requires_grad for value in state.values())


def test_the_average_follows_the_weights(tiny: MakeConfig, story_corpus: Corpus) -> None:
    training = engine.train(tiny(averaging=0.5, steps=3, sampling__length=0), story_corpus, device="cpu")
    expected = training.model.head_weight.detach().clone()
    for event in training.events():
        if isinstance(event, Progress):
            decay = min(0.5, event.step / (9 + event.step))  # short at first: the initial weights fade
            expected = decay * expected + (1 - decay) * training.model.head_weight.detach()
    assert torch.allclose(training.evaluated_model.head_weight, expected, atol=1e-6)
    assert training.evaluated_model is not training.model


# ---------------------------------------------------------------------- coming apart


def test_a_run_that_comes_apart_stops_and_says_why(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(
        cell="rnn", options={"activation": "identity"}, gain=9.0, chunk=128, clip="off", optimizer="sgd", steps=100
    )
    *_, last = engine.train(config, story_corpus, device="cpu").events()
    assert isinstance(last, Diverged)
    assert last.suggestion == {"model__gain": 1.0}
    assert "gain" in last.advice
    config.with_values(**last.suggestion)


def test_bad_steps_before_a_pause_count_after_it(
    tiny: MakeConfig, story_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.training.divergence.MARGIN", -100.0)  # every step is a bad one
    training = engine.train(tiny(steps=80), story_corpus, device="cpu")
    next(event for event in training.events() if event.step == 30)
    saved = Checkpoint.from_bytes(training.checkpoint().to_bytes())
    *_, last = engine.train(training.config, story_corpus, device="cpu", checkpoint=saved).events()
    assert isinstance(last, Diverged)
    assert last.step == 50


def test_a_branch_starts_afresh_from_the_weights_of_any_checkpoint(tiny: MakeConfig, story_corpus: Corpus) -> None:
    parent = engine.train(tiny(), story_corpus, device="cpu")
    list(parent.events())
    weights = Checkpoint.from_bytes(parent.checkpoint().weights_only(half=True).to_bytes())
    branch = engine.train(tiny(optimizer="sgd", steps=4), story_corpus, device="cpu", checkpoint=weights, branch=True)
    assert (branch.step, branch.changes, branch.planned_steps) == (0, [], 4)
    assert torch.equal(branch.model.head_weight, parent.model.head_weight.half().float())
    *_, last = branch.events()
    assert isinstance(last, Finished)
    assert last.step == 4
