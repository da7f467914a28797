"""What differs between runs: their settings, by the names that Train gives them, and their scores."""

from __future__ import annotations

import math

import pytest

from engine.config import Config
from engine.data import TextFacts
from playground.runs.records import Run
from playground.views.runs.compare import units_in_common
from playground.views.runs.differences import NOTHING, differing_settings, scores

FACTS = TextFacts(
    validation_characters=4_000,
    characters_per_token=4.0,
    spelling=0.2,
    spacing=0.05,
    unknown_train=0.07,
    unknown_validation=0.108,
    seen=0.02,
)


def _run(config: Config, **values: object) -> Run:
    return Run(id="one", name="One", status="finished", config=config, **values)


def test_equal_configs_differ_in_nothing() -> None:
    assert differing_settings([Config(), Config(), Config()]) == []


def test_only_what_differs_is_told_and_by_the_names_on_train() -> None:
    one, other = Config(), Config().with_values(cell="gru", embedding=0, clip_threshold=0.25, optimizer="sgd")
    shown = {line.name: line.values for line in differing_settings([one, other])}
    assert shown == {
        "Cell": ("LSTM", "GRU"),
        "Embedding (0: one-hot)": ("64", "0"),
        "Optimiser": ("AdamW", "SGD"),
        "Clipping threshold": ("1", "0.25"),
    }


def test_settings_of_one_name_in_two_sections_are_told_apart() -> None:
    one = Config()
    other = one.with_values(training__seed=1, sampling__seed=7)
    assert [line.name for line in differing_settings([one, other])] == ["Seed (training)", "Seed (sample)"]


def test_a_switch_that_only_one_cell_has_is_a_dash_for_the_other() -> None:
    one = Config()
    other = one.with_values(options={"peepholes": True})
    (line,) = differing_settings([one, other])
    assert line.values == (NOTHING, "yes")


def test_texts_and_levels_are_told_in_words() -> None:
    one = Config()
    other = one.with_values(corpus="own:" + "0" * 64, level="word")
    shown = {line.name: line.values for line in differing_settings([one, other])}
    assert shown["Text"] == ("Tales", "own text")
    assert shown["Tokens"] == ("characters", "words")


def test_scores_are_in_bits_for_all_and_in_perplexity_of_each_ones_tokens() -> None:
    runs = [
        _run(Config(), best_loss=math.log(2), best_step=1_200, step=2_000, train_seconds=75.0, parameters=30_943),
        _run(Config().with_values(level="word"), best_loss=math.log(16), text_facts=FACTS),
    ]
    shown = {line.name: line.values for line in scores(runs)}
    assert shown["Best validation loss, bits per character"] == ("1.00", "1.25")
    assert shown["Perplexity per token at that step"] == ("2.00", "16.0")
    assert shown["Reached at step"] == ("1,200", NOTHING)
    assert shown["Unknown tokens in the validation part"] == (NOTHING, "10.8%")
    assert shown["Validation text also in the training text"] == (NOTHING, "2%")
    assert shown["Training time"] == ("1 min 15 s", NOTHING)
    assert shown["Parameters"] == ("30.9 k", NOTHING)


def test_a_run_that_was_never_judged_has_dashes() -> None:
    shown = {line.name: line.values for line in scores([_run(Config())])}
    assert (
        shown["Best validation loss, bits per character"]
        == shown["Perplexity per character at that step"]
        == (NOTHING,)
    )


@pytest.mark.parametrize(
    ("levels", "facts", "units"),
    [
        (("char", "char"), (None, None), ("bits", "nats", "perplexity")),
        (("char", "word"), (None, FACTS), ("bits",)),
        (("word", "word"), (FACTS, None), ("nats", "perplexity")),
        (("char", "word"), (None, None), ("nats",)),
    ],
)
def test_runs_are_compared_in_units_that_mean_the_same_for_all(
    levels: tuple[str, ...], facts: tuple[TextFacts | None, ...], units: tuple[str, ...]
) -> None:
    runs = [_run(Config().with_values(level=level), text_facts=each) for level, each in zip(levels, facts, strict=True)]
    assert units_in_common(runs) == units
