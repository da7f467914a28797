"""The loop: a run is a function of its config and its steps, whoever listens, pauses, or turns a knob."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
import torch
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
    Changed,
    Diverged,
    Evaluated,
    Event,
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
Knobs = dict[int, tuple[str, float]]
Told = dict[tuple[str, int], dict[str, Any]]

CLOCK = {"seconds", "train_seconds", "tokens_per_second", "seconds_left"}

KNOBS: Knobs = {3: ("learning_rate", 0.05), 6: ("clip_threshold", 0.2), 9: ("clip_threshold", 0.0)}


@pytest.fixture(autouse=True)
def _slices_of_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chunk of an evaluation and every token of a sample is a slice of its own, so that a stop can fall there."""
    monkeypatch.setattr(engine.training.evaluation, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(engine.start, "SLICE_SECONDS", 0.0)


def note(told: Told, event: Event) -> None:
    """Keep what an event says, the clock aside. Said twice, it must be the same."""
    if isinstance(event, (Progress, Evaluated, Sampled, Changed, Finished)):
        facts = {name: value for name, value in asdict(event).items() if name not in CLOCK}
        key = (type(event).__name__, event.step)
        assert told.setdefault(key, facts) == facts, key


def turn_knobs(training: Training, event: Event, knobs: Knobs) -> None:
    if isinstance(event, Progress) and event.step in knobs:
        training.change(*knobs[event.step])


def undisturbed(config: Config, corpus: Corpus, knobs: Knobs | None = None) -> Told:
    training = engine.train(config, corpus, device="cpu")
    told: Told = {}
    for event in training.events():
        turn_knobs(training, event, knobs or {})
        note(told, event)
    return told


def interrupted(
    config: Config, corpus: Corpus, cuts: Iterator[bool], knobs: Knobs | None = None, *, at_least: int = 0
) -> Told:
    """The same run, stopped wherever `cuts` says, `at_least` so often, put into bytes and taken up again from them."""
    told: Told = {}
    stops = 0
    left = dict(knobs or {})
    training = engine.train(config, corpus, device="cpu")
    while ("Finished", config.training.steps) not in told:
        for event in training.events():
            turn_knobs(training, event, left)
            left.pop(event.step, None)
            note(told, event)
            if next(cuts) and not isinstance(event, Finished):
                stops += 1
                break
        saved = Checkpoint.from_bytes(training.checkpoint().to_bytes())
        training = engine.train(saved.config, corpus, device="cpu", checkpoint=saved)
    assert stops >= at_least
    return told


def at_random(share: float, seed: int) -> Iterator[bool]:
    """One event in `1 / share`. An evaluation that is stopped is made anew, and has thirty events here: with a larger
    share it would be stopped dozens of times before it came to its end, and say nothing that the first few do not."""
    draw = random.Random(seed)
    while True:
        yield draw.random() < share


def once_at(place: int) -> Iterator[bool]:
    yield from (number == place for number in range(100_000))


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
    knobs: Knobs = {2: ("learning_rate", 0.05), 4: ("clip_threshold", 0.1)}
    expected = undisturbed(config, story_corpus, knobs)
    events = sum(1 for _ in engine.train(config, story_corpus, device="cpu").events())
    assert events > 30
    for place in range(events):
        assert interrupted(config, story_corpus, once_at(place), knobs) == expected, place


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
    found = interrupted(config, story_corpus, at_random(0.05, 5), KNOBS, at_least=8)
    assert found == undisturbed(config, story_corpus, KNOBS)


def test_a_run_by_words_goes_on_exactly(tiny: MakeConfig) -> None:
    config = tiny(level="word", vocabulary_limit=60)
    corpus = prepare(config.data)
    found = interrupted(config, corpus, at_random(0.05, 6), KNOBS, at_least=5)
    assert found == undisturbed(config, corpus, KNOBS)


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


# ---------------------------------------------------------------------- knobs


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
    knobs: Knobs = {3: ("clip_threshold", 0.0), 6: ("clip_threshold", 0.001)}
    told = undisturbed(tiny(clip="value"), story_corpus, knobs)
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
def test_a_knob_out_of_range_is_refused_and_changes_nothing(
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


# ---------------------------------------------------------------------- ends


def test_a_run_ends_once_the_loss_is_low_enough(tiny: MakeConfig, story_corpus: Corpus) -> None:
    *_, last = engine.train(tiny(until_loss=19.0), story_corpus, device="cpu").events()
    assert isinstance(last, Finished)
    assert (last.why, last.step) == ("until_loss", 1)
    assert last.val_loss <= 19.0


def test_a_run_that_has_reached_its_loss_does_not_train_on_after_a_pause(
    tiny: MakeConfig, story_corpus: Corpus
) -> None:
    config = tiny(until_loss=19.0)
    training = engine.train(config, story_corpus, device="cpu")
    next(event for event in training.events() if isinstance(event, Saved) and event.full)
    *_, last = engine.train(config, story_corpus, device="cpu", checkpoint=training.checkpoint()).events()
    assert isinstance(last, Finished)
    assert (last.why, last.step) == ("until_loss", 1)


@pytest.fixture
def two_pieces(monkeypatch: pytest.MonkeyPatch) -> int:
    """Evaluations before the last read two pieces of the short text; how many tokens that is."""
    monkeypatch.setattr("engine.training.evaluation_plan.LEAST_PIECES", 2)
    return 256


Judge = Callable[[list[float], float | list[float]], None]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, two_pieces: int) -> Judge:
    """Says what the evaluations of a run find on their part, one after the other, and what on the whole."""

    def set_losses(parts: list[float], whole: float | list[float]) -> None:
        on_parts, on_whole = iter(parts), iter(whole if isinstance(whole, list) else [whole] * len(parts))

        def evaluate(_model: object, _tokens: Tensor, _precision: str, part: object) -> Iterator[tuple[float, float]]:
            yield 1.0, next(on_parts if part is not None else on_whole)

        monkeypatch.setattr("engine.training.run.evaluate", evaluate)

    return set_losses


def evaluations(config: Config, corpus: Corpus) -> tuple[list[Evaluated], Finished]:
    events = list(engine.train(config, corpus, device="cpu").events())
    last = events[-1]
    assert isinstance(last, Finished)
    return [event for event in events if isinstance(event, Evaluated)], last


def test_the_last_evaluation_reads_all_and_those_before_it_a_part(
    tiny: MakeConfig, story_corpus: Corpus, two_pieces: int
) -> None:
    whole = len(story_corpus.validation) - 1
    found, last = evaluations(tiny(), story_corpus)
    assert [event.tokens_read for event in found] == [two_pieces, two_pieces, whole]
    events = [event for event in engine.train(tiny(), story_corpus, device="cpu").events() if event.step == 12]
    shares = [event.share for event in events if isinstance(event, Working) and event.what == "evaluation"]
    assert shares == sorted(shares), "the share is one of both passes of the last evaluation"
    assert {event.tokens_in_all for event in found} == {whole}
    model = engine.train(tiny(), story_corpus, device="cpu")
    list(model.events())
    with torch.no_grad():
        logits, _ = model.model(story_corpus.validation[:-1, None], model.model.initial_state(1))
    expected = F.cross_entropy(logits[:, 0], story_corpus.validation[1:]).item()
    assert found[-1].val_loss == last.val_loss == pytest.approx(expected, abs=1e-5)


@pytest.mark.usefixtures("two_pieces")
def test_a_run_that_reads_parts_goes_on_exactly_wherever_it_is_stopped(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny()
    expected = undisturbed(config, story_corpus)
    assert interrupted(config, story_corpus, at_random(0.04, 1), at_least=3) == expected


def test_a_part_that_is_easier_than_the_whole_does_not_make_an_earlier_step_the_best(
    tiny: MakeConfig, story_corpus: Corpus, judged: Judge
) -> None:
    judged([3.0, 2.0, 1.5], 1.9)
    found, last = evaluations(tiny(), story_corpus)
    assert [event.val_loss for event in found] == [3.0, 2.0, 1.9]
    assert [event.best for event in found] == [True, True, True]
    assert (last.best_step, last.best_loss) == (12, 1.9)


def test_a_rise_over_the_part_is_one_even_where_the_whole_is_easier(
    tiny: MakeConfig, story_corpus: Corpus, judged: Judge
) -> None:
    judged([3.0, 2.0, 2.5], 1.9)
    found, last = evaluations(tiny(), story_corpus)
    assert [event.best for event in found] == [True, True, False]
    assert found[-1].rising
    assert (last.best_step, last.best_loss, last.val_loss) == (5, 2.0, 1.9)


def test_a_loss_to_stop_at_is_reached_on_the_whole_and_not_on_a_part(
    tiny: MakeConfig, story_corpus: Corpus, judged: Judge
) -> None:
    judged([3.0, 1.9, 1.8, 1.7, 1.6, 1.5], [2.1, 1.99])
    found, last = evaluations(tiny(steps=100, evaluations=6, until_loss=2.0), story_corpus)
    assert [event.val_loss for event in found] == [3.0, 2.1, 1.99]
    assert (last.why, last.step, last.val_loss) == ("until_loss", found[-1].step, 1.99)


def test_patience_is_counted_over_the_part_and_the_last_number_is_of_the_whole(
    tiny: MakeConfig, story_corpus: Corpus, judged: Judge
) -> None:
    judged([3.0, 2.0, 2.1, 2.2, 1.0, 1.0], 1.9)
    found, last = evaluations(tiny(steps=100, evaluations=6, patience=2), story_corpus)
    assert [event.val_loss for event in found] == [3.0, 2.0, 2.1, 1.9]
    assert (last.why, last.best_loss, last.val_loss) == ("early_stopping", 2.0, 1.9)


def test_while_a_long_evaluation_reads_it_says_how_far_it_is_and_what_is_left(
    tiny: MakeConfig, story_corpus: Corpus
) -> None:
    training = engine.train(tiny(), story_corpus, device="cpu")
    assert math.isnan(training.seconds_left)
    at_work = [event for event in training.events() if isinstance(event, Working) and event.what == "evaluation"]
    last = [event for event in at_work if event.step == 12]
    assert len(last) > 5
    assert [event.share for event in last] == sorted(event.share for event in last)
    assert last[-1].share < 1
    left = [event.seconds_left for event in last]
    assert left == sorted(left, reverse=True)
    assert 0 < left[-1] < left[0]
    assert training.seconds_left == 0.0


@pytest.fixture
def rising_losses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The validation losses that the evaluations of a run find, whatever the model."""
    found = [2.0, 1.5, 1.51, 1.6, 1.49, 1.7, 1.8, 1.9]
    given_out = iter(found)
    monkeypatch.setattr("engine.training.run.evaluate", lambda *_: iter([(1.0, next(given_out))]))
    return found


def test_the_best_is_kept_and_rising_is_said(
    tiny: MakeConfig, story_corpus: Corpus, rising_losses: list[float]
) -> None:
    events = list(engine.train(tiny(steps=100, evaluations=8), story_corpus, device="cpu").events())
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    assert [event.best for event in evaluated] == [True, True, False, False, True, False, False, False]
    assert [event.rising for event in evaluated] == [False, False, False, True, False, True, True, True]
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.best_loss, finished.best_step) == (1.49, evaluated[4].step)
    assert finished.val_loss == 1.9


def test_patience_ends_a_run_that_gets_no_better(
    tiny: MakeConfig, story_corpus: Corpus, rising_losses: list[float]
) -> None:
    config = tiny(steps=100, evaluations=8, patience=2)
    events = list(engine.train(config, story_corpus, device="cpu").events())
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.why == "early_stopping"
    assert [event.val_loss for event in events if isinstance(event, Evaluated)] == rising_losses[:4]


def test_bits_per_character_are_nats_per_token_by_another_measure(tiny: MakeConfig, story_corpus: Corpus) -> None:
    events = engine.train(tiny(), story_corpus, device="cpu").events()
    evaluated = next(event for event in events if isinstance(event, Evaluated))
    assert evaluated.bits_per_character == pytest.approx(evaluated.val_loss / math.log(2), rel=0.01)


def test_a_run_without_samples_writes_none(tiny: MakeConfig, story_corpus: Corpus) -> None:
    events = engine.train(tiny(sampling__length=0), story_corpus, device="cpu").events()
    assert not any(isinstance(event, Sampled) for event in events)


# ---------------------------------------------------------------------- going on after the end


def extended(config: Config, corpus: Corpus, saved: Checkpoint, steps: int) -> tuple[Training, list[Event]]:
    """The run taken up again from the bytes of its last checkpoint, and so many steps more."""
    training = engine.train(config, corpus, device="cpu", checkpoint=Checkpoint.from_bytes(saved.to_bytes()))
    training.extend(steps)
    return training, list(training.events())


def trained(config: Config, corpus: Corpus) -> tuple[Training, list[Event]]:
    training = engine.train(config, corpus, device="cpu")
    return training, list(training.events())


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_a_run_that_has_ended_goes_on_at_the_rate_where_its_schedule_ended(
    tiny: MakeConfig, story_corpus: Corpus, schedule: str
) -> None:
    config = tiny(steps=20, schedule=schedule, learning_rate=0.01, warmup=2)
    first, _ = trained(config, story_corpus)
    _, events = extended(config, story_corpus, first.checkpoint(), 3)
    end = 0.01 if schedule == "constant" else 0.0002  # 2% of the peak
    progress = [event for event in events if isinstance(event, Progress)]
    assert [(event.step, event.learning_rate) for event in progress] == [
        (step, pytest.approx(end, rel=1e-12)) for step in (21, 22, 23)
    ]
    assert [event.step for event in events if isinstance(event, Evaluated)] == [23]
    assert isinstance(events[0], Planned)
    assert (events[0].planned_steps, events[0].evaluation_steps[-1]) == (23, 23)
    assert isinstance(events[-1], Finished)
    assert (events[-1].step, events[-1].why) == (23, "steps")


def test_going_on_by_one_step_after_the_other_is_going_on_by_all_of_them(
    tiny: MakeConfig, story_corpus: Corpus
) -> None:
    """At a constant rate they are also the steps of a run that was planned so long."""
    config = tiny(steps=20, schedule="constant")
    first, _ = trained(config, story_corpus)
    at_once, _ = extended(config, story_corpus, first.checkpoint(), 3)
    one = first
    for _ in range(3):
        one, _ = extended(config, story_corpus, one.checkpoint(), 1)
    longer, _ = trained(tiny(steps=23, schedule="constant"), story_corpus)
    weights = [training.checkpoint().part("model") for training in (at_once, one, longer)]
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])
        assert torch.equal(tensor, weights[2][name])


def test_a_run_that_goes_on_after_its_end_can_be_stopped_on_the_way(tiny: MakeConfig, story_corpus: Corpus) -> None:
    config = tiny(steps=20)
    first, _ = trained(config, story_corpus)
    whole, _ = extended(config, story_corpus, first.checkpoint(), 6)
    half = engine.train(config, story_corpus, device="cpu", checkpoint=first.checkpoint())
    half.extend(6)
    next(event for event in half.events() if event.step == 23)
    rest = engine.train(
        config, story_corpus, device="cpu", checkpoint=Checkpoint.from_bytes(half.checkpoint().to_bytes())
    )
    assert not rest.has_ended
    rest.extend(100)  # it has not ended: nothing to go on from
    *_, last = rest.events()
    assert last.step == 26
    for name, tensor in whole.checkpoint().part("model").items():
        assert torch.equal(tensor, rest.checkpoint().part("model")[name])


def test_what_ended_a_run_early_does_not_end_it_again(
    tiny: MakeConfig, story_corpus: Corpus, rising_losses: list[float]
) -> None:
    config = tiny(steps=100, evaluations=8, patience=2)
    first, events = trained(config, story_corpus)
    assert isinstance(events[-1], Finished)
    assert events[-1].why == "early_stopping"
    _, events = extended(config, story_corpus, first.checkpoint(), 2)
    assert isinstance(events[-1], Finished)
    assert (events[-1].step, events[-1].why) == (first.step + 2, "steps")


def test_the_evaluations_after_an_early_end_read_a_part_but_for_the_last(
    tiny: MakeConfig, story_corpus: Corpus, judged: Judge
) -> None:
    judged([float(worse) for worse in range(1, 20)], 9.0)
    first, _ = trained(tiny(steps=100, evaluations=8, patience=2), story_corpus)
    _, events = extended(first.config, story_corpus, first.checkpoint(), 60)
    read = [event.tokens_read for event in events if isinstance(event, Evaluated)]
    assert len(read) > 1
    assert max(read[:-1]) < read[-1] == len(story_corpus.validation) - 1


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
