"""A race in the browser: runs side by side in one set of charts; one diverges, the others go on."""

from __future__ import annotations

import re

from app_page import LiveChart, eventually
from train_page import TrainPage
from visits import Visits, sideways_overflow


def test_of_two_runs_one_diverges_as_expected_and_the_other_goes_on(visits: Visits) -> None:
    train = TrainPage(visits.open("train"))
    train.press("Why clipping matters")  # below the charts
    eventually(train.page, "the race stands in the address", lambda: train.run)
    train.says("Diverged as expected").wait_for()
    assert train.main.evaluate("main => main.scrollTop") == 0, "what was started is in sight"
    loss = LiveChart(train.main.get_by_test_id("stVegaLiteChart").nth(1))  # below the gradient
    eventually(train.page, "both have a line", lambda: len(loss.rows("key")) == 2)
    labels = [row["label"] for row in loss.rows("key")]
    assert len(set(labels)) == 2

    def furthest(label: str) -> int:
        return max((row["step"] for row in loss.rows("training") if row["label"] == label), default=0)

    came_apart = min(furthest(label) for label in labels)
    eventually(train.page, "the other goes on", lambda: max(map(furthest, labels)) > came_apart + 50)
    assert min(furthest(label) for label in labels) == came_apart
    assert re.search("diverged|leads", train.claim)
    assert sideways_overflow(train.page) <= 0
    visits.check()


def test_the_experiment_of_three_cells_compares_them_in_one_chart(visits: Visits) -> None:
    train = TrainPage(visits.open("train?preset=rnn-gru-lstm"))
    training = train.tab("Training")
    training.get_by_role("spinbutton", name="Steps", exact=True).fill("100000")
    training.get_by_role("spinbutton", name="Evaluations").fill("200")  # the first of them sooner
    train.tab("Model").get_by_role("spinbutton", name="Units").fill("24")
    train.press("Train 3")
    eventually(train.page, "three are judged", lambda: len({r["label"] for r in train.loss.rows("validation")}) == 3)
    colors = {row["color"] for row in train.loss.rows("key")}
    assert len(colors) == 3
    train.press("Pause")
    train.reaches("paused")
    train.press("Stop")
    train.reaches("stopped")
