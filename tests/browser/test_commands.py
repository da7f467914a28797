"""Commands to a run: whose they are, that they arrive or say that they did not, and what they do at its ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from app_page import PAGES, AppPage, eventually
from playwright.sync_api import Page
from runs_page import RunsPage
from train_page import ENDLESS, TrainPage, set_up
from visits import Visits, come_to_rest

from engine.config import Config
from playground.components.command_watch import LOST
from playground.runs.records import FINISHED
from playground.runs.store import Store

COMMANDS = {"Pause", "Resume", "Stop", "Step", "Step × 10", "Live settings"}


@pytest.fixture
def kept(store: Store) -> Iterator[Callable[..., str]]:
    """Puts a finished run into the app's store; its id."""
    made = []

    def keep(name: str, owner: str = "") -> str:
        run = store.create_run(Config(), name=name, start=False, owner=owner)
        store.record(run, status=FINISHED, step=10, best_loss=1.5, best_step=10)
        made.append(run)
        return run

    yield keep
    for run in made:
        store.delete_run(run)


def _held_up(page: Page) -> Callable[[], None]:
    """Keep back all that the page sends from now on, as a connection does that has stalled; lets it through again."""
    page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          window.kept = [];
          window.letGo = () => {
            WebSocket.prototype.send = send;
            for (const [socket, message] of window.kept) send.call(socket, message);
          };
          WebSocket.prototype.send = function (message) { window.kept.push([this, message]); };
        }"""
    )
    return lambda: page.evaluate("() => window.letGo()")


def test_a_command_that_does_not_arrive_says_so_until_it_does(visits: Visits) -> None:
    train = TrainPage(visits.open(set_up(ENDLESS)))
    train.train()
    let_go = _held_up(train.page)
    train.press("Pause")
    lost = train.main.get_by_role("alert").filter(has_text=LOST)
    lost.wait_for(state="visible")
    let_go()
    train.reaches("paused")
    lost.wait_for(state="hidden")


@pytest.mark.parametrize("bytes_per_second", [6_000])
def test_a_click_arrives_over_a_slow_connection(visits: Visits, bytes_per_second: int) -> None:
    train = TrainPage(visits.open(set_up(ENDLESS)))
    train.train()
    link = train.page.context.new_cdp_session(train.page)
    slow = {"offline": False, "latency": 300, "downloadThroughput": 200_000, "uploadThroughput": bytes_per_second}
    link.send("Network.enable")
    link.send("Network.emulateNetworkConditions", slow)
    train.passes(train.step)
    train.press("Pause")
    train.reaches("paused")


def test_another_visitor_sees_whose_run_it_is_and_no_commands(visits: Visits) -> None:
    train = TrainPage(visits.open(set_up(ENDLESS)))
    run = train.train()
    other = TrainPage(visits.open(f"train?run={run}", size="phone", theme="dark"))
    other.says("Started by another visitor").wait_for()
    assert not COMMANDS & {*other.main.get_by_role("button").all_inner_texts()}
    train.press("Stop")
    train.reaches("stopped")
    other.says(r"Started by another visitor\. Stopped by its owner at step [\d,]+\.").wait_for()
    other.press("Duplicate")
    other.says("Settings copied from").wait_for()


def test_hello_waits_at_step_0_and_goes_on_from_its_end(visits: Visits) -> None:
    train = TrainPage(visits.open("train?preset=hello"))
    before = train.run
    train.press("Train")
    eventually(train.page, "a new run stands in the address", lambda: train.run != before)
    train.reaches("paused")
    assert train.step == 0
    for step in (1, 2):
        train.press("Step")
        eventually(train.page, f"it is at step {step}", lambda: train.step == step)  # noqa: B023
        train.reaches("paused")
    train.press("Resume")
    eventually(train.page, "all steps are done", lambda: (train.status, train.step) == ("finished", 300))
    eventually(train.page, "the last loss is drawn", lambda: _last(train) == 300)
    losses = train.loss.values("validation")
    assert losses[-1] < 0.1 < losses[0]
    samples = train.page.locator(".ladder").last.locator("pre")
    eventually(train.page, "it writes it", lambda: samples.all_inner_texts()[-1:] == ["hello"])
    train.press("Step × 10")
    eventually(train.page, "it goes on from its end", lambda: train.step == 310)
    train.reaches("finished")
    assert train.line.startswith("Finished: step 310 of 310")


def _last(train: TrainPage) -> int:
    """The step of the last evaluation that is drawn."""
    return max((row["step"] for row in train.loss.rows("validation")), default=0)


def test_a_run_that_is_renamed_in_another_tab_stays_chosen(visits: Visits, kept: Callable[..., str]) -> None:
    run, beside = kept("Before"), kept("Beside")
    train = TrainPage(visits.open(f"train?run={run}"))
    unrolled = AppPage(visits.open(f"unrolled?run=tales-lstm&compare=tales-lstm,{run}", beside=train.page))
    runs = RunsPage(visits.open("runs", beside=train.page))
    _renames(runs, "Before", "After")
    for page in (train, unrolled):
        _choose_notation(page, "CS231n")
        eventually(page.page, "the link has the notation", lambda: "notation=cs231n" in page.page.url)  # noqa: B023
        assert run in page.page.url, "the address holds the id"
        assert "no run" not in page.main.inner_text()
    assert train.run == run
    box = train.page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").first
    shown = "box => box.textContent + [...box.querySelectorAll('input')].map((one) => one.value).join()"
    eventually(train.page, "the list has the new name", lambda: "After" in box.evaluate(shown))
    _renames(runs, "Beside", "Next to it")
    train.page.get_by_test_id("stSidebar").get_by_role("combobox", name="Run").click()
    train.page.get_by_role("option", name=re.compile("Beside|Next to it")).click()
    eventually(train.page, "the other run is chosen by its id", lambda: train.run == beside)


def _renames(runs: RunsPage, before: str, after: str) -> None:
    runs.tick(before)
    runs.rename(after)
    eventually(runs.page, "it has its new name", lambda: after in runs.names)
    runs.press("Clear")


def _choose_notation(page: AppPage, name: str) -> None:
    page.page.get_by_test_id("stSidebar").get_by_role("combobox", name="Notation").click()
    page.page.get_by_role("option", name=re.compile(re.escape(name))).click()


def test_every_page_copies_its_link(visits: Visits) -> None:
    app = AppPage(visits.open("?run=tales-gru"))
    app.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = app.page.get_by_test_id("stSidebar").get_by_role("button", name="Copy link")
    for name in PAGES:
        app.go_to(name)
        eventually(app.page, "the run is in the address", lambda: app.run == "tales-gru")
        come_to_rest(app.page)
        copy.click()
        copied = "() => navigator.clipboard.readText()"
        eventually(app.page, f"the link to {name} is copied", lambda: app.page.evaluate(copied) == app.page.url)  # noqa: B023
    app.page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    copy.click()
    field = app.page.get_by_role("textbox", name="Link to this page")
    field.wait_for()
    assert field.input_value() == app.page.url
