"""How a run ends: what its evaluations read, what ends it early, and how it goes on after its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from stop_and_go import at_random, interrupted, undisturbed
from torch import Tensor
from torch.nn import functional as F

import engine
import engine.start
import engine.training.evaluation
from engine.config import Config
from engine.data import Corpus
from engine.training.checkpoint import Checkpoint
from engine.training.events import (
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

MakeConfig = Callable[..., Config]

pytestmark = pytest.mark.usefixtures("slices_of_no_time")


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
