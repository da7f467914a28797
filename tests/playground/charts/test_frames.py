import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import PerCharacter
from playground.charts.frames import (
    COLUMNS,
    LIMIT_LARGE,
    LiveRun,
    gradient_frame,
    learning_rate_frame,
    loss_frame,
    speed_frame,
    table,
)
from playground.charts.thinning import running_mean, thin


def run(steps: int = 10, *, losses: list[float] | None = None, label: str = "LSTM", cell: str = "lstm") -> LiveRun:
    losses = losses or [4.0 / (1 + step) + 1 for step in range(steps)]
    progress = [
        {
            "step": step,
            "train_seconds": step * 0.5,
            "loss": loss,
            "grad_norm": 2.0,
            "clipped_norm": 1.0,
            "clip_threshold": 1.0,
            "learning_rate": 0.01,
            "tokens_per_second": 1e5,
        }
        for step, loss in enumerate(losses)
    ]
    evaluations = [{"step": s, "train_seconds": s * 0.5, "val_loss": v} for s, v in ((0, 4.0), (4, 1.5), (9, 1.7))]
    changes = [{"step": 5, "key": "learning_rate", "value": 0.001}]
    return LiveRun(label, cell, progress, evaluations, changes)


def values(frame: pd.DataFrame, series: str, column: str = "value") -> list:
    return frame.loc[frame["series"] == series, column].tolist()


def test_a_frame_holds_every_documented_column_even_when_empty() -> None:
    assert tuple(loss_frame([]).columns) == COLUMNS
    assert len(loss_frame([])) == 0


def test_training_and_validation_become_lines() -> None:
    frame = loss_frame([run()])
    assert len(values(frame, "training")) == 10
    assert values(frame, "validation") == [4.0, 1.5, 1.7]
    assert values(frame, "validation", "seconds") == [0.0, 2.0, 4.5]


def test_rows_may_come_as_a_table() -> None:
    rows = run()
    tables = LiveRun(rows.label, rows.cell, pd.DataFrame(rows.progress), pd.DataFrame(rows.evaluations))
    assert values(loss_frame([tables]), "training") == values(loss_frame([rows]), "training")


def test_the_best_validation_is_ringed_and_the_newest_labelled() -> None:
    frame = loss_frame([run()])
    assert values(frame, "best") == [1.5]
    assert values(frame, "best", "text") == ["best 1.50"]
    assert values(frame, "end", "text") == ["1.70"]


def test_the_ring_stands_at_the_evaluation_that_was_the_best_of_its_run() -> None:
    """The last reads all tokens, those before a part: its number may be the higher one, and the model the better."""
    rows = run()
    judged = [(0, 4.0, True, 96), (4, 1.5, True, 96), (9, 1.7, True, 5_000)]
    evaluations = [
        {"step": step, "train_seconds": 0.5 * step, "val_loss": loss, "best": best, "tokens_read": read}
        | {"tokens_in_all": 5_000}
        for step, loss, best, read in judged
    ]
    for listed in (evaluations, pd.DataFrame(evaluations)):
        frame = loss_frame([LiveRun(rows.label, rows.cell, rows.progress, listed)])
        assert (values(frame, "best"), values(frame, "best", "step"), values(frame, "best", "text")) == (
            [1.7],
            [9],
            [""],
        )
        assert values(frame, "validation", "read") == ["96 of 5,000 tokens", "96 of 5,000 tokens", ""]
    assert set(values(loss_frame([rows]), "validation", "read")) == {""}


def test_runs_of_a_race_carry_a_letter_and_their_own_colour() -> None:
    frame = loss_frame([run(label="one"), run(label="two")])
    keys = frame[frame["series"] == "key"]
    assert keys["label"].tolist() == ["A · one", "B · two"]
    assert keys["color"].nunique() == 2


def test_labels_at_the_ends_of_lines_do_not_cover_each_other() -> None:
    frame = loss_frame([run() for _ in range(4)], baselines={"uniform guess": 4.2})
    gaps = np.diff(sorted(values(frame, "end")))
    assert (gaps > 0.05 * (5.0 - 1.4)).all()


def test_a_change_is_marked_at_its_step_and_its_time() -> None:
    frame = loss_frame([run()])
    assert values(frame, "change", "step") == [5.0]
    assert values(frame, "change", "seconds") == [2.5]
    assert values(frame, "change", "text") == ["learning rate → 0.001"]


def test_baselines_are_labelled_in_the_unit_shown() -> None:
    frame = loss_frame([run()], unit="perplexity", baselines={"uniform guess": math.log(65)})
    assert values(frame, "baseline", "text") == ["uniform guess 65.0"]


def test_nan_and_infinity_are_marked_and_not_dropped() -> None:
    frame = loss_frame([run(losses=[3.0, math.nan, 2.0, math.inf])])
    assert values(frame, "training") == [3.0, 2.0]
    assert values(frame, "broken", "step") == [1.0, 3.0]
    assert values(frame, "broken", "text") == ["training: NaN", "training: ∞"]


def test_a_measurement_that_was_not_made_is_not_called_nan() -> None:
    rows = [{"step": 0, "loss": None}, {"step": 1}, {"step": 2, "loss": 2.0}]
    frame = loss_frame([LiveRun("LSTM", "lstm", rows)])
    assert values(frame, "training", "step") == [2.0]
    assert values(frame, "broken") == []


def test_a_loss_far_above_a_guess_is_marked_off_the_scale() -> None:
    frame = loss_frame([run(losses=[3.0, 400.0])], baselines={"uniform guess": 4.0})
    assert values(frame, "broken", "text") == ["training: 400"]


def test_nothing_that_is_placed_is_infinite() -> None:
    frame = loss_frame([run(losses=[900.0, 2.0])], unit="perplexity")
    assert np.isfinite(values(frame, "training")).all()
    assert values(frame, "broken", "text") == ["training: ∞"]


def test_a_gradient_of_zero_has_no_place_on_a_logarithmic_axis_and_is_marked() -> None:
    rows = [{"step": s, "train_seconds": s, "grad_norm": n, "clipped_norm": n} for s, n in enumerate((1.0, 0.0, 2.0))]
    frame = gradient_frame([LiveRun("RNN", "rnn", rows)])
    assert values(frame, "before clipping") == [1.0, 2.0]
    assert "before clipping: 0" in values(frame, "broken", "text")


def test_the_threshold_is_drawn_at_its_turns_alone() -> None:
    rows = [
        {"step": s, "grad_norm": 1.0, "clipped_norm": 1.0, "clip_threshold": t} for s, t in enumerate((1, 1, 1, 5, 5))
    ]
    assert values(gradient_frame([LiveRun("RNN", "rnn", rows)]), "threshold", "step") == [0.0, 3.0, 4.0]
    assert values(gradient_frame([LiveRun("RNN", "rnn", rows)], threshold=False), "threshold") == []


def test_four_long_runs_stay_under_two_thousand_rows_in_every_chart() -> None:
    runs = [run(steps=2_000) for _ in range(4)]
    for frame in (loss_frame(runs), gradient_frame(runs), learning_rate_frame(runs), speed_frame(runs)):
        assert len(frame) < 2_000


def test_a_run_that_has_written_nothing_still_stands_in_the_legend() -> None:
    frame = loss_frame([run(label="one"), LiveRun("two", "gru")])
    assert values(frame, "key", "label") == ["A · one", "B · two"]


def test_control_characters_in_a_name_are_made_visible() -> None:
    assert values(loss_frame([run(label="a\nb")]), "key", "label") == ["a⏎b"]


def test_the_table_holds_measurements_alone() -> None:
    rows = table(loss_frame([run()], baselines={"uniform guess": 4.0}))
    assert set(rows["series"]) == {"training", "validation", "best", "baseline"}


def test_a_running_mean_passes_over_nan_and_shrinks_at_the_ends() -> None:
    assert running_mean(np.array([1.0, math.nan, 3.0, 5.0]), 3).tolist() == [1.0, 2.0, 4.0, 4.0]


finite = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


@given(finite, st.integers(4, 60))
def test_thinning_keeps_the_limit_the_ends_and_the_extremes(numbers: list[float], limit: int) -> None:
    frame = pd.DataFrame({"step": range(len(numbers)), "value": numbers})
    thinned = thin(frame, limit)
    assert len(thinned) <= limit
    assert thinned["step"].iloc[0] == 0
    assert thinned["step"].iloc[-1] == len(numbers) - 1
    assert thinned["value"].max() == max(numbers)
    assert thinned["value"].min() == min(numbers)
    assert thinned["step"].is_monotonic_increasing
    assert thin(frame, limit).equals(thinned)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=80))
def test_any_loss_at_all_gives_a_frame_of_finite_points(losses: list[float]) -> None:
    rows = [{"step": step, "train_seconds": step, "loss": loss} for step, loss in enumerate(losses)]
    frame = loss_frame([LiveRun("LSTM", "lstm", rows)], unit="perplexity")
    assert np.isfinite(values(frame, "training")).all()
    assert len(frame) <= LIMIT_LARGE + 50


def test_thinning_to_fewer_than_four_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        thin(pd.DataFrame({"step": [1, 2, 3, 4], "value": [1, 2, 3, 4]}), 3)


@pytest.mark.parametrize("unit", ["bits", "nats", "perplexity"])
def test_labels_of_levels_never_cover_each_other_or_move_their_lines(unit: str) -> None:
    levels = {"uniform": math.log(63), "1-gram": 3.07, "2-gram": 0.638, "3-gram": 0.587}
    frame = loss_frame([run()], unit=unit, baselines=levels)
    lines = frame.query("series == 'baseline'")["value"]
    labels = frame.query("series == 'baseline label'")["value"]
    scale = {"bits": lambda nats: nats / math.log(2), "nats": lambda nats: nats, "perplexity": math.exp}[unit]
    assert list(lines) == pytest.approx([scale(level) for level in levels.values()])
    place = np.log(labels) if unit == "perplexity" else labels
    values = frame["value"].dropna()
    height = np.ptp(np.log(values) if unit == "perplexity" else values)
    assert np.diff(np.sort(place)).min() > 0.06 * height


@pytest.mark.parametrize(("steps", "covered"), [(100, True), (20, False)])
def test_the_label_of_a_level_gives_way_to_a_line_that_ends_there(steps: int, covered: bool) -> None:
    """One run of 120 steps is labelled beside the chart; a shorter one ends under the labels of the levels, or not."""
    long, short = (
        replace(run(label=label), evaluations=[{"step": at, "train_seconds": at / 10, "val_loss": loss}])
        for label, at, loss in (("long", 120, 3.0), ("short", steps, 2.0))
    )
    frame = loss_frame([long, short], baselines={"3-gram": 2.02, "uniform": 4.0})
    level = frame.query("series == 'baseline label' and text == '3-gram 2.02'")["value"].item()
    if covered:
        assert level - 2.0 >= 0.07 * 2.0, "it stands above the end's label"
    else:
        assert level == 2.02


def test_a_uniform_guess_is_labelled_with_how_it_is_worked_out() -> None:
    def label(unit: str, characters: float = 1.0) -> str:
        read = LiveRun("LSTM", "lstm", text=PerCharacter(characters))
        frame = loss_frame([read], unit=unit, baselines={"uniform": math.log(63)})
        return frame.query("series == 'baseline label'")["text"].item()

    assert label("nats") == "uniform guess ln 63 = 4.14"
    assert label("bits") == "uniform guess log₂ 63 = 5.98"
    assert label("perplexity") == "uniform guess 63"
    assert label("bits", characters=4.0) == "uniform guess 1.49", "not log₂ V where a token is several characters"
