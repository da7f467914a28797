"""Unrolled, as a visitor meets it: the picture, its arithmetic, both time axes, links, and runs that train."""

from __future__ import annotations

from urllib.parse import quote

from app_page import eventually
from train_page import ENDLESS
from unrolled_page import UnrolledPage, opened
from visits import Visits, settle, sideways_overflow

from playground.runs.store import Store
from playground.views.unrolled.drill_downs import DRILL_DOWNS

PROBE = "probe=" + quote("They ate the fish, and then")
MARKUP = "<img src=x onerror=alert(1)> **bold** $x^2$ <b>b</b>"


def test_a_real_network_stands_there_before_anybody_clicks(visits: Visits) -> None:
    page = opened(visits)
    assert "%" in page.claim
    assert page.network.step == 6_000
    assert all(float(norm.replace("−", "-")) >= 0 for norm in page.network.norms)
    assert len(page.network.columns) > 5
    box = page.network.sheet.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800, "the picture is above the fold"


def test_a_click_on_a_column_opens_its_arithmetic(visits: Visits) -> None:
    page = opened(visits, "run=hello-rnn")
    page.network.choose(1)
    eventually(page.page, "the arithmetic of that timestep is open", lambda: "timestep 2 of 5" in page.place)
    eventually(page.page, "the link says so", lambda: "t=1" in page.page.url)
    eventually(page.page, "the claim too", lambda: page.claim.startswith("After 2 characters"))
    assert page.t == 2


def test_arrow_keys_move_along_time_and_the_link_follows(visits: Visits) -> None:
    page = opened(visits, f"{PROBE}&t=20")
    page.keys("ArrowLeft", "ArrowLeft", "ArrowLeft")
    assert page.t == 18, "the bar does not wait for the server"
    eventually(page.page, "the link says so", lambda: "t=17" in page.page.url)
    eventually(page.page, "the arithmetic has followed", lambda: "timestep 18 of 27" in page.place)
    page.keys("ArrowRight")
    eventually(page.page, "and back", lambda: "t=18" in page.page.url and "timestep 19 of 27" in page.place)


def test_scrubbing_moves_everything_along_training(visits: Visits) -> None:
    page = opened(visits, PROBE)
    late, claim = page.network.norms, page.claim
    page.scrub("Home")
    eventually(page.page, "the network is as it was at first", lambda: page.network.step == 0)
    eventually(page.page, "its numbers are others", lambda: page.network.norms != late and page.claim != claim)
    eventually(page.page, "the arithmetic too", lambda: "step 0" in page.place)
    eventually(page.page, "the link says so", lambda: "step=0" in page.page.url)
    page.scrub("End")
    eventually(page.page, "and back at the newest", lambda: page.network.norms == late and page.claim == claim)


def test_the_copied_link_opens_the_same_view_in_another_browser(visits: Visits) -> None:
    page = opened(visits, f"run=tales-gru&{PROBE}")
    page.network.choose(page.network.columns[-3])
    page.scrub("Home")
    page.choose_look("Weight gradient")
    page.look("shares").wait_for()
    page.press("Show as loop")
    eventually(
        page.page,
        "all of it is in the link",
        lambda: all(part in page.page.url for part in ("t=", "step=0", "look=shares", "folded=1")),
    )
    rows = eventually(page.page, "the shares are drawn", lambda: page.chart("first").rows())
    eventually(page.page, "the picture has followed", lambda: page.network.step == 0)
    settle(page.page)
    other = opened(visits, page.page.url.split("unrolled?")[1])
    eventually(other.page, "the same is claimed", lambda: other.claim == page.claim)
    eventually(other.page, "the same shares are drawn", lambda: other.chart("first").rows() == rows)
    eventually(other.page, "it is at the same place", lambda: (other.network.step, other.t) == (0, page.t))
    eventually(other.page, "it is folded too", lambda: other.network.norms == page.network.norms)


def test_what_if_changes_what_comes_after(visits: Visits) -> None:
    page = opened(visits, f"{PROBE}&t=6")
    page.press("Close the gate that matters most")
    rows = eventually(page.page, "the change is drawn", lambda: page.chart("first").rows())
    (at,) = (place for place, row in enumerate(rows) if row["mark"] == "changed")
    assert all(row["before"] == row["after"] for row in rows[:at])
    assert any(abs(row["before"] - row["after"]) > 0.01 for row in rows[at:-1])
    eventually(page.page, "it is claimed", lambda: page.claim.startswith("Closing"))
    eventually(page.page, "the link says so", lambda: "changes=" in page.page.url)
    page.main.get_by_role("button", name="→ 0").click()
    eventually(page.page, "it is taken back", lambda: page.claim.startswith(f"After {at + 1} character"))
    eventually(page.page, "the link too", lambda: "changes=" not in page.page.url)


def test_the_lesson_on_vanishing_gradients_is_one_click_from_home_and_on_one_screen(visits: Visits) -> None:
    home = visits.open()
    home.get_by_role("button", name="Vanishing gradients").click()
    page = UnrolledPage(home)
    eventually(home, "both networks are drawn", lambda: len(page.networks) == 2 and page.networks[1].norms)
    assert page.claim.startswith("Vanishing gradients before training")
    for presenting in (False, True):
        if presenting:
            page.keys("p")
            eventually(home, "it is presented", lambda: "present=1" in home.url)
        settle(home)
        assert [network.columns for network in page.networks] == [[*range(27)]] * 2, "every timestep is in sight"
        chart = page.main.locator(".st-key-unrolled-fading").get_by_test_id("stVegaLiteChart").bounding_box()
        assert chart is not None
        assert chart["y"] + chart["height"] <= 800
        assert chart["y"] > 0


def test_an_experiment_brings_its_result_into_sight(visits: Visits) -> None:
    page = opened(visits, PROBE, size="phone")
    button = page.main.get_by_role("button", name="Close the gate that matters most")
    button.scroll_into_view_if_needed()
    button.click()
    eventually(page.page, "it is claimed", lambda: page.claim.startswith("Closing"))

    def in_sight() -> bool:
        box = page.network.sheet.locator(".target").first.bounding_box()
        return box is not None and 0 <= box["y"] <= 844

    eventually(page.page, "the losses of the picture are in sight", in_sight)


def test_back_leads_from_each_experiment_to_the_view_before_it(visits: Visits) -> None:
    page = opened(visits, f"run=tales-gru&{PROBE}&t=6&look=cell")
    views = [(page.page.url, page.claim)]
    for experiment, begins in (
        ("Close the gate that matters most", "Closing"),
        ("A network small enough to check by hand", "After 2 characters this RNN"),
        ("Vanishing gradients: LSTM vs RNN", "Vanishing gradients"),
    ):
        page.press(experiment)
        eventually(page.page, "it is set up", lambda start=begins: page.claim.startswith(start))
        eventually(page.page, "the link says so", lambda: page.page.url != views[-1][0])
        views.append((page.page.url, page.claim))
    for url, claim in reversed(views[:-1]):
        page.page.go_back()
        eventually(page.page, f"the view before: {url}", lambda seen=claim: page.claim == seen)
        assert page.page.url == url


def test_the_picture_follows_a_run_that_trains(visits: Visits, store: Store) -> None:
    run = store.create_run(ENDLESS)
    page = opened(visits, f"run={run}&look=activations")
    sheet = page.network.sheet.element_handle()
    eventually(page.page, "the histogram is drawn", lambda: page.chart("first").rows())
    page.chart("first").mark("here since")
    first, norms = page.network.step, page.network.norms
    eventually(page.page, "the picture has moved on", lambda: page.network.step > first)
    second = page.network.step
    eventually(page.page, "and again", lambda: page.network.step > second and page.network.norms != norms)
    assert sheet is not None
    assert sheet.evaluate("sheet => sheet.isConnected"), "it was drawn anew where patching would do"
    assert page.chart("first").marks() == ["here since", "here since"], "the chart was built anew"
    page.keys("ArrowLeft")
    eventually(page.page, "a place can be chosen meanwhile", lambda: "t=" in page.page.url)
    step = page.network.step
    eventually(page.page, "and the run trains on", lambda: store.run(run).step > step)


def test_two_runs_are_compared_one_above_the_other(visits: Visits) -> None:
    page = opened(visits, f"{PROBE}&compare=tales-lstm,tales-rnn")
    eventually(page.page, "two networks are drawn", lambda: len(page.networks) == 2 and page.networks[1].norms)
    eventually(page.page, "both are told of", lambda: all(f"in {one}" in page.claim for one in ("A (LSTM", "B (RNN")))
    first, second = (network.box.bounding_box() for network in page.networks)
    assert first is not None
    assert second is not None
    assert second["y"] > first["y"] + first["height"]


def test_markup_stays_text_wherever_it_is_drawn(visits: Visits) -> None:
    page = opened(visits, f"run=tales-gru&look=whatif&t=3&probe={quote(MARKUP)}")
    page.says("Not in the model's vocabulary").wait_for()
    for look in ("Arithmetic", "Inside the cell", "Weight gradient", "Task shapes"):
        page.choose_look(look)
        page.look(next(found.name for found in DRILL_DOWNS if found.title == look)).wait_for()
        assert page.main.locator("img[src='x']").count() == 0
    assert page.main.locator("strong:has-text('bold')").count() == 0


def test_a_phone_shows_every_drill_down_without_scrolling_sideways(visits: Visits) -> None:
    page = opened(visits, f"{PROBE}&t=6&changes=hidden:0:3:0:1", size="phone", theme="dark")
    for drill_down in DRILL_DOWNS:
        page.choose_look(drill_down.title)
        page.look(drill_down.name).wait_for()
        assert sideways_overflow(page.page) <= 0, drill_down.name
