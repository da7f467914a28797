"""The loss curve in small: what it keeps, and that it stays what the metrics say."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config
from playground.runs.records import Metric
from playground.runs.store import Store, sparkline
from playground.runs.store.starter_files import FOLDER, StarterRuns


def metric(step: int, loss: float) -> Metric:
    return Metric(step, loss, 1.0, 1.0, 0.01, None, 1e5, 0.1, 0.1)


def check_spark(store: Store, run_id: str) -> tuple[tuple[int, float], ...]:
    """The run's small curve, after a look that each of its points is a metric and that it begins and ends with them."""
    losses = {row.step: row.loss for row in store.metrics(run_id)}
    points = store.run(run_id).spark
    assert len(points) == min(len(losses), sparkline.POINTS)
    assert all(losses[step] == loss for step, loss in points)
    steps = [step for step, _ in points]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (min(losses), max(losses))
    return points


def test_a_short_run_is_kept_whole() -> None:
    points = [(step, 1.0 / (step + 1)) for step in range(sparkline.POINTS)]
    assert sparkline.merged([], points) == points


@given(st.lists(st.integers(1, 50), min_size=1, max_size=400))
def test_points_that_come_one_by_one_stay_few_and_evenly_spread(gaps: list[int]) -> None:
    step, kept, all_steps = 0, [], []
    for gap in gaps:
        step += gap
        all_steps.append(step)
        kept = sparkline.merged(kept, [(step, float(step))])
    steps = [step for step, _ in kept]
    assert len(steps) == min(len(all_steps), sparkline.POINTS)
    assert (steps[0], steps[-1]) == (all_steps[0], all_steps[-1])
    widest = max((late - early for early, late in pairwise(steps)), default=0)
    assert widest <= max(4 * (steps[-1] - steps[0]) / sparkline.POINTS, 2 * max(gaps))


def test_many_points_at_once_are_thinned_evenly() -> None:
    points = sparkline.thinned([(step, 0.0) for step in range(0, 100_000, 3)])
    gaps = [late - early for (early, _), (late, _) in pairwise(points)]
    assert len(points) == sparkline.POINTS
    assert max(gaps) - min(gaps) <= 6


def test_a_run_that_trains_has_the_curve_of_its_metrics(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    assert store.run(run_id).spark == ()
    for start in range(0, 600, 7):
        store.record(run_id, [metric(step, 5.0 - step / 200) for step in range(start, start + 7)])
        check_spark(store, run_id)


def test_a_step_trained_again_has_its_new_loss_in_the_curve(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(step, 2.0) for step in range(10)])
    store.record(run_id, [metric(step, 1.0) for step in range(5, 12)])
    assert check_spark(store, run_id) == tuple((step, 2.0 if step < 5 else 1.0) for step in range(12))


def test_the_curve_is_cut_back_with_its_metrics_and_goes_on_from_there(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(step, 2.0) for step in range(1_000)])
    store.truncate_after(run_id, 99)
    points = check_spark(store, run_id)
    assert points[-1][0] == 99
    assert len(points) == sparkline.POINTS, "what stays is drawn as finely as it can be"
    store.record(run_id, [metric(step, 1.0) for step in range(100, 300)])
    assert {loss for step, loss in check_spark(store, run_id) if step >= 100} == {1.0}
    store.truncate_after(run_id, -1)
    assert store.run(run_id).spark == ()


def test_losses_that_are_no_numbers_stay_in_the_curve(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(1, math.inf), metric(2, math.nan), metric(3, 1.0)])
    (_, first), (_, second), third = store.run(run_id).spark
    assert first == math.inf
    assert math.isnan(second)
    assert third == (3, 1.0)


def test_starter_runs_have_one_too() -> None:
    for run in StarterRuns(FOLDER).runs():
        assert 2 <= len(run.spark) <= sparkline.POINTS
        assert run.spark[-1][0] == run.step
