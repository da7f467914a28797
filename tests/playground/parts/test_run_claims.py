"""What is claimed of a run or a race."""

from __future__ import annotations

import time

import pytest

from engine.config import Config
from engine.data import TextFacts
from playground.access.runs import watched
from playground.access.training_text import lines_to_beat
from playground.frame import services
from playground.parts.run_claims import below_training, claim, overfitting, read_in_part
from playground.runs.records import Evaluation
from playground.runs.store.starter_files import ORDER

pytestmark = pytest.mark.usefixtures("idle_trainer")


@pytest.mark.parametrize("run_id", ORDER)
def test_the_claim_of_every_starter_run_has_its_number(run_id: str) -> None:
    said = claim(watched(run_id))
    assert any(character.isdigit() for character in said)
    assert said.endswith(".")


def test_a_run_that_has_not_begun_claims_nothing() -> None:
    run = services.store().create_run(Config())
    assert "not evaluated yet" in claim(watched(run))


def test_a_model_worse_than_guessing_is_said_to_be() -> None:
    run = services.store().create_run(Config(), name="bad")
    services.store().record(run, best_loss=9.0, best_step=3)
    end = time.monotonic() + 60
    while lines_to_beat(services.store().run(run)) is None and time.monotonic() < end:
        time.sleep(0.05)  # they are computed behind the page
    assert "no better than a uniform guess (log₂ 63 = 5.98)" in claim(watched(run))


def test_a_validation_text_that_stands_in_the_training_text_is_not_called_unseen() -> None:
    run = services.store().create_run(Config(), name="twice")
    services.store().record(run, best_loss=1.0, best_step=3)
    assert "training text" not in claim(watched(run))
    services.store().record(run, text_facts=TextFacts(900, 1.0, 0.0, 0.0, 0.0, 0.0, seen=0.97))
    said = claim(watched(run))
    assert said.endswith("; 97% of the validation text also occurs in the training text.")


def test_rivals_that_are_level_have_no_leader() -> None:
    runs = services.store().create_race((Config(), Config()), names=["a", "b"])
    for run in runs:
        services.store().record(run, best_loss=2.0, best_step=3)
    assert (
        claim(watched(runs[0]))
        == "No run leads by more than 0.01 bits per character: a 2.89 bits per character, b 2.89."
    )


def test_while_runs_train_they_are_compared_at_one_step() -> None:
    """Each is evaluated in its turn: one that is ahead by an evaluation is not ahead in learning."""
    runs = services.store().create_race((Config(), Config()), names=["slow", "fast"])
    curves = [(1, 3.0), (50, 2.0)], [(1, 3.1), (50, 2.2), (100, 1.9)]
    for run, curve in zip(runs, curves, strict=True):
        rows = [Evaluation(step, loss, loss, loss, True, False, 1.0, 1.0, 500, 500) for step, loss in curve]
        services.store().record(run, rows, best_loss=curve[-1][1], best_step=curve[-1][0])
    said = claim(watched(runs[0]))
    assert said == "Up to step 50: slow leads with a validation loss of 2.89 bits per character, ahead of fast 3.17."
    for run in runs:
        services.store().record(run, status="finished")
    assert claim(watched(runs[0])).startswith("fast leads with a validation loss of 2.74")


def evaluated(*rows: tuple[int, float, float, int, int], **model: float) -> str:
    """A run with evaluations: (step, validation loss, training loss, tokens read, tokens in all). The last is best."""
    run = services.store().create_run(Config().with_values(**model))
    records = [
        Evaluation(step, loss, loss / 0.693, training, True, False, 1.0, 1.0, read, there)
        for step, loss, training, read, there in rows
    ]
    step, loss, *_ = rows[-1]
    services.store().record(run, records, best_loss=loss, best_step=step)
    return run


@pytest.mark.parametrize(("predictions", "said"), [(1, "a single prediction"), (99, "99 predictions")])
def test_nothing_is_claimed_of_a_loss_over_a_few_predictions(predictions: int, said: str) -> None:
    run = evaluated((3, 0.01, 0.02, predictions, predictions))
    assert claim(watched(run)) == (
        f"lstm 128 on tales: the best validation loss, 0.0144 bits per character, rests on {said}, too few to tell how "
        "well the model predicts other text."
    )
    enough = evaluated((3, 0.01, 0.02, 100, 100))
    assert "too few" not in claim(watched(enough))


def test_a_race_over_a_few_predictions_has_no_leader() -> None:
    runs = services.store().create_race((Config(), Config()), names=["a", "b"])
    for run, loss in zip(runs, (1.0, 2.0), strict=True):
        judged = Evaluation(3, loss, loss, loss, True, False, 1.0, 1.0, 2, 2)
        services.store().record(run, [judged], best_loss=loss, best_step=3)
    assert claim(watched(runs[0])).startswith("The validation losses of these 2 runs rest on 2 predictions, too few")


def test_on_how_many_tokens_the_losses_stand_is_said_where_it_is_a_part() -> None:
    whole = evaluated((3, 2.0, 2.0, 217_645, 217_645))
    assert read_in_part(watched(whole)[0]) == ""
    part = evaluated((1, 3.0, 3.0, 16_384, 217_645), (3, 2.0, 2.0, 16_384, 217_645))
    assert "16,384 of 217,645 tokens, spread over the validation part" in read_in_part(watched(part)[0])
    said = claim(watched(part))
    assert said.endswith("on 16,384 of 217,645 tokens of the validation part.")
    assert "3-gram" not in said, "whose loss stands on all of them"
    ended = evaluated((1, 3.0, 3.0, 16_384, 217_645), (3, 2.0, 2.0, 217_645, 217_645))
    assert "before the last are computed on 16,384 of 217,645 tokens" in read_in_part(watched(ended)[0])
    assert "16,384" not in claim(watched(ended))


def test_a_validation_loss_below_the_training_loss_is_explained_by_dropout_where_there_is_some() -> None:
    def said(val_loss: float, train_loss: float, **model: float) -> str:
        return below_training(watched(evaluated((3, val_loss, train_loss, 500, 500), **model))[0])

    assert "with dropout active" in said(1.5, 1.7, dropout=0.2)
    assert "with dropout active" in said(1.5, 1.7, input_dropout=0.2)
    assert said(1.5, 1.7) == said(1.7, 1.5, dropout=0.2) == said(1.5, float("nan"), dropout=0.2) == ""


@pytest.mark.parametrize(
    ("training", "predictions", "begins"),
    [(1.4, 500, "Overfitting: the validation loss has risen since step 1"), (1.9, 500, "Both losses are higher"),
     (1.4, 29, "")],
)  # fmt: skip
def test_a_rising_loss_is_overfitting_only_where_the_training_loss_falls(
    training: float, predictions: int, begins: str
) -> None:
    run = services.store().create_run(Config())
    rows = [
        Evaluation(step, loss, loss, train, best, not best, 1.0, 1.0, predictions, predictions)
        for step, loss, train, best in ((1, 1.5, 1.6, True), (9, 1.8, training, False))
    ]
    services.store().record(run, rows, best_loss=1.5, best_step=1)
    said = overfitting(watched(run)[0])
    assert said.startswith(begins)
    assert bool(said) == bool(begins)


def test_runs_of_one_name_are_told_apart_by_the_letters_of_the_chart() -> None:
    runs = services.store().create_race((Config(), Config()), names=["same", "same"])
    for run, loss in zip(runs, (2.0, 1.5), strict=True):
        services.store().record(run, best_loss=loss, best_step=3)
    assert claim(watched(runs[0])).startswith("same (B) leads with")
    assert "ahead of same (A) " in claim(watched(runs[0]))
