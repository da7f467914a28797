"""Runs in the browser: found, compared, renamed, deleted and restored, exported and imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_page import eventually
from runs_page import RunsPage, opened
from test_bad_input import MADE_OF_MARKUP, MARKUP
from train_page import ENDLESS, TrainPage
from visits import Visits, settle, sideways_overflow

from engine.config import Config
from playground.runs.records import FINISHED
from playground.runs.store import Store

CELLS = ("LSTM on Tales", "GRU on Tales", "RNN on Tales")

Keep = Callable[..., str]


@pytest.fixture
def keep(store: Store) -> Iterator[Keep]:
    """Puts a finished run into the app's store, of nobody's unless an owner is given; its id."""
    made = []

    def kept(name: str, **values: str) -> str:
        run = store.create_run(Config(), name=name, start=False, **values)
        store.record(run, status=FINISHED, step=2_000, best_loss=1.5, best_step=1_900)
        made.append(run)
        return run

    yield kept
    for run in made:
        store.delete_run(run)


def test_the_table_finds_narrows_and_sorts(visits: Visits) -> None:
    runs = opened(visits)
    runs.narrow("Whose runs", "Starter runs")
    everything = eventually(runs.page, "the starter runs are listed", lambda: len(runs.names) == 5 and runs.names)
    runs.find("gru")
    runs.shows("GRU on Tales")
    runs.find("lstm words")
    runs.shows("LSTM on Tales, word by word")
    runs.find("")
    runs.narrow("Cell", "RNN")
    runs.shows("RNN on Tales", "hello, with three units")
    runs.find("gru")
    runs.shows()
    runs.press("Show all")
    runs.narrow("Whose runs", "Starter runs")
    runs.sort("Bits")
    rising = eventually(
        runs.page,
        "the starter runs stand with the lowest loss first",
        lambda: len(bits := runs.bits) == len(everything) and bits == sorted(bits) and bits,
    )
    runs.sort("Bits")
    eventually(runs.page, "they stand the other way round", lambda: runs.bits == rising[::-1])
    runs.sort("Bits")
    eventually(runs.page, "a third press gives the first order back", lambda: runs.names == everything)


def test_a_tick_stays_with_its_run_when_the_order_changes(visits: Visits, keep: Keep, store: Store) -> None:
    ahead, behind = keep("Ahead"), keep("Behind")
    store.record(ahead, step=8_000_000)
    runs = opened(visits)
    runs.sort("Steps")
    runs.tick("Ahead")
    eventually(runs.page, "it stands at the top", lambda: runs.names[0] == "Ahead")
    store.record(behind, step=9_000_000)
    eventually(runs.page, "it is overtaken", lambda: runs.names[:2] == ["Behind", "Ahead"])
    assert runs.ticked == ["Ahead"]
    runs.tick("Behind")
    eventually(runs.page, "the order of ticking is kept", lambda: runs.compared == [ahead, behind])


def test_what_a_link_ticks_comes_into_sight_and_ages_move_on(visits: Visits, keep: Keep) -> None:
    own = [keep(f"Own {place}") for place in range(20)]
    runs = opened(visits, "compare=tales-lstm,tales-gru")
    within = "row => row.offsetTop < row.closest('.table').scrollTop + row.closest('.table').clientHeight"
    eventually(runs.page, "the starter runs are in sight", lambda: runs.of("tales-gru").evaluate(within))
    assert runs.main.locator(".runs .table").evaluate("table => table.scrollTop") > 0
    age = runs.of(own[0]).locator(".when")
    assert age.inner_text() == "just now"
    visits.last_visit.add(runs.page.context)  # its clock is the test's from now on
    runs.page.clock.install()
    runs.page.reload()
    age.wait_for()
    runs.page.clock.fast_forward(5 * 60_000)
    eventually(runs.page, "it is older", lambda: age.inner_text().endswith("min ago"))


def test_two_to_four_ticked_runs_are_compared_and_the_link_is_the_view(visits: Visits) -> None:
    runs = opened(visits)
    runs.tick(*CELLS)
    eventually(runs.page, "each has its line", lambda: len(runs.loss.rows("key")) == 3)
    keys = runs.loss.rows("key")
    assert [row["label"] for row in keys] == ["A · LSTM on Tales", "B · GRU on Tales", "C · RNN on Tales"]
    assert len({row["color"] for row in keys}) == 3
    assert [runs.row(name).locator(".letter").inner_text() for name in CELLS] == ["A", "B", "C"]
    different = [["Cell", "LSTM", "GRU", "RNN"]]
    eventually(runs.page, "they differ in their cells", lambda: runs.table("Settings that differ")[1:] == different)
    eventually(runs.page, "the chart is in bits per character", lambda: min(_best(runs), default=0) > 1.9)
    runs.main.get_by_role("radio", name="nats per token").click()
    eventually(runs.page, "the unit is in the link", lambda: "loss=nats" in runs.page.url)
    eventually(runs.page, "the chart is in nats", lambda: max(_best(runs), default=9) < 1.6)

    other = opened(visits, runs.page.url.partition("runs?")[2])
    eventually(other.page, "the same levels", lambda: _best(other) == _best(runs))
    assert set(other.ticked) == set(CELLS)
    eventually(other.page, "the same scores", lambda: other.table("Scores") == runs.table("Scores") != [])


def _best(runs: RunsPage) -> list[float]:
    return [row["value"] for row in runs.loss.rows("best")]


def test_a_run_is_renamed_and_a_name_is_never_markup(visits: Visits, keep: Keep) -> None:
    run = keep("To be renamed")
    runs = opened(visits)
    runs.tick("To be renamed")
    runs.rename(MARKUP.strip())
    name = runs.of(run).locator(".name strong")
    eventually(runs.page, "the new name", lambda: name.inner_text() == MARKUP.strip())
    assert runs.of(run).get_by_role("checkbox").is_checked()
    runs.tick("RNN on Tales")
    eventually(runs.page, "both are compared", lambda: runs.loss.rows("key"))
    eventually(runs.page, "both have scores", lambda: runs.main.get_by_test_id("stTable").count() == 2)
    assert any(MARKUP[:20] in head for head in runs.table("Scores")[0])
    assert runs.page.evaluate(MADE_OF_MARKUP) == []
    eventually(runs.page, "a name is one run's", lambda: runs.button("Rename").count() == 0)


def test_a_deleted_run_goes_and_comes_back(visits: Visits, keep: Keep) -> None:
    run = keep("To be deleted")
    runs = opened(visits, f"run={run}")
    runs.tick("To be deleted")
    runs.press("Delete")
    eventually(runs.page, "it is gone", lambda: runs.of(run).count() == 0)
    eventually(runs.page, "nothing looks at it any more", lambda: runs.run == "")
    runs.press("Undo")
    runs.of(run).wait_for()
    eventually(runs.page, "there is nothing left to undo", lambda: runs.button("Undo").count() == 0)


def test_another_visitor_may_look_at_a_run_and_not_change_it(visits: Visits, keep: Keep) -> None:
    run = keep("Somebody's", owner="somebody")
    runs = opened(visits)
    runs.narrow("Whose runs", "Other visitors'")
    runs.of(run).get_by_role("checkbox").check()
    runs.main.get_by_text("This run belongs to another visitor").wait_for()
    runs.button("Duplicate").wait_for()
    settle(runs.page)
    assert runs.button("Delete").count() == runs.button("Rename").count() == 0


def test_an_exported_run_is_imported_as_it_was_and_a_damaged_file_is_refused(visits: Visits, tmp_path: Path) -> None:
    runs = opened(visits, "run=hello-rnn")
    raw = runs.download("Run file", tmp_path).read_bytes()
    count = runs.count
    runs.upload("<b>cut</b>.zip", raw[: len(raw) // 2])
    sentence = runs.alerts("not imported").first
    sentence.wait_for()
    assert "<b>cut</b>.zip" in sentence.inner_text()
    runs.upload("hello.zip", raw)
    runs.alerts("Imported").first.wait_for()
    run = eventually(runs.page, "the new run is chosen", lambda: runs.run != "hello-rnn" and runs.run)
    runs.of(run).wait_for()
    assert runs.count == count + 1, "the damaged file left nothing behind"
    columns = (".name strong", ".bits", ".perplexity", ".steps", ".model", ".word")
    shown = [[runs.of(each).locator(column).inner_text() for column in columns] for each in (run, "hello-rnn")]
    assert shown[0] == shown[1]
    runs.press("Delete")
    eventually(runs.page, "it can be deleted: it is the visitor's own", lambda: runs.of(run).count() == 0)


def test_the_code_and_the_measurements_are_downloaded(visits: Visits, tmp_path: Path) -> None:
    runs = opened(visits, "run=hello-rnn")
    lines = runs.download("Measurements", tmp_path).read_text().splitlines()
    assert lines[0].startswith("step,loss,")
    assert len(lines) > 20
    runs.main.get_by_text("Show the code").click()
    code = runs.main.get_by_test_id("stCode").filter(has_text="import torch").first
    code.wait_for()
    assert runs.download("Code and weights", tmp_path).read_bytes()[:2] == b"PK"


def test_a_running_run_moves_and_its_settings_are_set_up_again(visits: Visits, store: Store) -> None:
    run = store.create_run(ENDLESS.with_values(units=48))
    runs = opened(visits, f"run={run}")
    train = TrainPage(runs.page)
    runs.of(run).get_by_role("checkbox").check()
    before = runs.of(run).locator(".steps").inner_text()
    eventually(runs.page, "it moves", lambda: runs.of(run).locator(".steps").inner_text() != before)
    assert runs.of(run).get_by_role("checkbox").is_checked(), "and stays ticked"
    assert "Running" in runs.of(run).locator(".status").inner_text()
    assert re.search(r"\d training", runs.claim)
    runs.press("Duplicate")
    eventually(runs.page, "Train is open", lambda: "/train" in runs.page.url and train.button("Stop").count())
    units = train.tab("Model").get_by_role("spinbutton", name="Units")
    eventually(runs.page, "its settings are set up", lambda: units.input_value() == "48")


def test_on_a_phone_the_table_is_readable_and_nothing_flows_over(visits: Visits) -> None:
    runs = opened(visits, "compare=tales-lstm,tales-gru,tales-rnn", size="phone")
    runs.row("GRU on Tales").wait_for()
    eventually(runs.page, "they are compared", lambda: len(runs.loss.rows("key")) == 3)
    assert sideways_overflow(runs.page) <= 0
    table = runs.main.locator(".runs .table")
    assert table.evaluate("table => table.scrollWidth - table.clientWidth") <= 0
    assert runs.row("GRU on Tales").locator(".bits").is_visible()
    runs.narrow("Whose runs", "Starter runs")
    runs.narrow("Sort by", "By bits")
    eventually(runs.page, "the five starter runs stand by their bits", lambda: _rising(runs.bits, 5))


def _rising(values: list[float], count: int) -> bool:
    return len(values) == count and values == sorted(values)
