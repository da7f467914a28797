"""The main job on the page "Train", from the first look to the last step."""

from __future__ import annotations

import csv
import io
import re
import struct
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from app_page import LiveChart, eventually
from playwright.sync_api import Page
from train_page import ENDLESS, TrainPage, set_up
from visits import Size, Theme, Visits, sideways_overflow


def _path(page: Page) -> str:
    """What stands after the host in the address: the link that a visitor copies."""
    parts = urlsplit(page.url)
    return f"{parts.path}?{parts.query}"


def _fallen(chart: LiveChart, series: str, by: float) -> bool:
    losses = chart.values(series)
    return len(losses) > 2 and min(losses) < losses[0] - by


@pytest.mark.parametrize(("size", "theme"), [("wide", "dark"), ("phone", "light")])
def test_a_starter_run_is_there_at_once(visits: Visits, size: Size, theme: Theme) -> None:
    train = TrainPage(visits.open("train", size=size, theme=theme))
    losses = eventually(train.page, "the loss is drawn", lambda: train.loss.values("validation"))
    assert losses[0] > losses[-1]
    assert train.status == "finished"
    assert re.search(r"\d", train.claim)
    assert sideways_overflow(train.page) <= 0


def test_train_pause_reload_resume_turn_step_watch_and_stop(visits: Visits) -> None:
    train = TrainPage(visits.open(set_up(ENDLESS), size="phone", theme="dark"))
    run = train.train()
    eventually(train.page, "the training loss falls", lambda: _fallen(train.loss, "training", by=0.3))
    eventually(train.page, "the run is judged", lambda: train.loss.values("validation"))

    step = train.pause()
    train.reload()
    train.reaches("paused")
    assert (train.run, train.step) == (run, step)

    train.press("Resume")
    train.reaches("running")
    train.passes(step)

    rate = train.unfold("Live settings").get_by_role("spinbutton", name=re.compile("learning rate", re.IGNORECASE))
    rate.fill("0.001")
    rate.press("Enter")
    mark = eventually(train.page, "the change is marked", lambda: train.loss.rows("change"))
    assert "0.001" in mark[0]["text"]
    assert "learning rate" in mark[0]["text"]
    train.fold()

    step = train.pause()
    for button, steps in (("Step", 1), ("Step × 10", 10)):
        train.press(button)
        step += steps
        eventually(train.page, f"{button} leads to step {step}", lambda: train.step >= step)  # noqa: B023
        train.reaches("paused")
        assert train.step == step, f"{button} went to {train.step}, not to {step}"

    second = TrainPage(visits.open(_path(train.page), beside=train.page))
    second.reaches("paused")
    assert (second.run, second.step) == (run, step)
    second.press("Resume")
    second.passes(step)
    train.passes(step)

    train.press("Stop")
    train.reaches("stopped")
    second.reaches("stopped")
    assert second.step == train.step
    assert sideways_overflow(train.page) <= 0
    visits.check()


def test_the_page_stays_with_a_new_run_each_time_that_one_is_started(visits: Visits) -> None:
    """The list of runs in the sidebar changes with the run, and the browser asks for more meanwhile."""
    train = TrainPage(visits.open(set_up(ENDLESS)))
    for _ in range(3):
        run = train.train()
        train.press("Stop")
        train.reaches("stopped")
        assert train.run == run


def test_the_charts_are_never_built_anew_while_a_run_trains_and_a_zoom_stays(visits: Visits) -> None:
    train = TrainPage(visits.open(set_up(ENDLESS)))
    train.train()
    eventually(train.page, "the loss is drawn", lambda: len(train.loss.values("training")) > 2)
    charts = [LiveChart(box) for box in train.main.get_by_test_id("stVegaLiteChart").all()]
    for number, chart in enumerate(charts):
        chart.mark(f"chart {number}")

    first = train.loss.x_domain()[0]
    _zoom_in(train)
    zoomed = eventually(train.page, "the zoom shows", lambda: _begins_after(first, train.loss.x_domain()))
    known = len(train.loss.rows("training"))
    eventually(train.page, "five more points are drawn", lambda: len(train.loss.rows("training")) >= known + 5)
    assert train.loss.x_domain() == zoomed
    assert [chart.marks() for chart in charts] == [[f"chart {n}"] * 2 for n in range(len(charts))]

    train.pause()
    assert train.loss.marks() == ["chart 0"] * 2


def _zoom_in(train: TrainPage) -> None:
    """Turns the wheel over the middle of the loss chart with Ctrl held down."""
    canvas = train.loss.box.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    train.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    train.page.keyboard.down("Control")
    train.page.mouse.wheel(0, -300)
    train.page.keyboard.up("Control")


def _begins_after(step: float, domain: list[float]) -> list[float] | None:
    """The axis, once it leaves out the first step: without a zoom it only grows at its other end."""
    return domain if domain[0] > step else None


def test_a_branch_starts_from_a_checkpoint_of_a_starter_run(visits: Visits) -> None:
    train = TrainPage(visits.open("train"))
    eventually(train.page, "the loss is drawn", lambda: train.loss.values("validation"))
    learned = train.loss.values("validation")[-1]
    train.unfold("Branch").get_by_role("button", name="Set up a branch").click()
    train.main.get_by_text(re.compile("starts from the weights of", re.IGNORECASE)).wait_for()
    train.page.get_by_test_id("stPopoverBody").wait_for(state="detached")
    train.train()
    first = eventually(train.page, "the branch is judged", lambda: train.loss.values("validation"))[0]
    # What the starter run had learned, read again from weights in half precision.
    assert abs(first - learned) < 0.05


def test_the_loss_chart_leaves_as_svg_png_and_csv(visits: Visits, tmp_path: Path) -> None:
    train = TrainPage(visits.open("train"))
    eventually(train.page, "the loss is drawn", lambda: train.loss.values("validation"))
    files = {kind: _download(train, kind, tmp_path) for kind in ("SVG", "PNG", "CSV")}
    assert files["SVG"].startswith(b"<svg")
    assert b"Loss during training" in files["SVG"]
    assert files["PNG"].startswith(b"\x89PNG")
    assert struct.unpack(">II", files["PNG"][16:24]) > (1000, 400)
    rows = list(csv.DictReader(io.StringIO(files["CSV"].decode())))
    drawn = {row["step"] for row in train.loss.rows("validation")}
    assert drawn <= {float(row["step"]) for row in rows if row["step"]}


def _download(train: TrainPage, kind: str, folder: Path) -> bytes:
    """The file behind the first button of that kind, which is the loss chart's."""
    with train.page.expect_download() as started:
        train.unfold("Download").get_by_role("button", name=kind, exact=True).first.click()
    assert started.value.suggested_filename.endswith(f"loss.{kind.lower()}")
    target = folder / started.value.suggested_filename
    started.value.save_as(target)
    return target.read_bytes()
