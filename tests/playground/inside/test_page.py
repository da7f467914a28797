"""The frame of an inside page: what is chosen is shown and stands in the link, and what cannot be is said once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import engine
from engine.config import Config
from playground import state
from playground.access import models, traces
from playground.access.models import Loaded
from playground.frame import services
from playground.inside import View, page, scene
from playground.inside.prefetch import prefetcher
from playground.inside.sidebar import compared
from playground.notation import NOTATIONS
from playground.state import Selection

OpenInside = Callable[..., AppTest]
NewRun = Callable[[str], str]


def _views(app: AppTest) -> list[View]:
    assert not app.exception
    return app.session_state["views"]


def _notes(app: AppTest) -> str:
    """What is said below the bar, as it is read."""
    said = "\n".join(caption.value for caption in app.main.caption if "material/info" in caption.value)
    return re.sub(r"\\(.)", r"\1", said).replace("\u2060", "")


def _warnings(app: AppTest) -> str:
    return re.sub(r"\\(.)", r"\1", "\n".join(box.value for box in app.warning)).replace("\u2060", "")


def _link(app: AppTest) -> dict[str, str]:
    given = {key: app.query_params[key] for key in app.query_params}
    return {key: value[-1] if isinstance(value, list) else value for key, value in given.items()}


def _recorded(monkeypatch: pytest.MonkeyPatch, *, ahead: bool = False) -> list[tuple[str, int]]:
    """Runs and steps of which a pass is recorded from now on; those beside what is looked at too if `ahead`."""
    recorded: list[tuple[str, int]] = []
    tape = traces._tape

    def noted(loaded: Loaded, *args: Any) -> engine.Tape:
        recorded.append(loaded.key[:2])
        return tape(loaded, *args)

    traces.recordings.clear()
    traces.tapes.clear()
    monkeypatch.setattr(traces, "_tape", noted)
    if not ahead:
        monkeypatch.setattr(page, "prefetch", lambda *_, **__: None)
    return recorded


def _choose(app: AppTest, **values: Any) -> AppTest:
    app.session_state["pick"] = values
    return app.run()


def _area(app: AppTest, label: str) -> Any:
    return next(area for area in app.sidebar.text_area if area.label == label)


# ---------------------------------------------------------------------- what is shown


def test_the_page_opens_on_the_first_starter_run(open_inside: OpenInside) -> None:
    app = open_inside()
    (view,) = _views(app)
    assert view.run.id == "tales-lstm"
    assert app.subheader[0].value == "1 views"
    assert _area(app, "Input text").value == view.probe.text
    assert not app.warning
    assert _notes(app) == ""
    assert _link(app) == {}


CHOICES: list[dict[str, Any]] = [
    {"run": "tales-gru"},
    {"step": 250},
    {"step": 0},
    {"probe": "He said: “no.”\n\t<b>&amp;</b> 100% +1 #?é☃"},
    {"context": "Once upon a time, "},
    {"t": 0},
    {"t": 7},
    {"layer": 0},
    {"unit": 63},
    {"notation": "pytorch"},
    {"present": True},
    {"compare": "tales-lstm,tales-gru,tales-words"},
    {"run": "hello-rnn", "step": 31, "probe": "ohell", "t": 3, "unit": 2, "present": True, "notation": "plain"},
]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_whoever_opens_the_copied_link_sees_the_same(open_inside: OpenInside, choice: dict[str, Any]) -> None:
    app = _choose(open_inside(), **choice)
    other = open_inside(**_link(app))
    assert other.session_state["selection"] == app.session_state["selection"]
    for mine, theirs in zip(_views(app), _views(other), strict=True):
        seen = [
            (view.run.id, view.step, view.probe.text, view.context.text, view.t, view.layer, view.unit, view.letter)
            for view in (mine, theirs)
        ]
        assert seen[0] == seen[1]
        assert mine.trace is theirs.trace, "what one visitor has recorded, the other need not"


def test_a_second_look_records_nothing_again(open_inside: OpenInside, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = _recorded(monkeypatch)
    app = open_inside(probe="He said", compare="tales-lstm,tales-gru")
    assert len(recorded) == 2
    for choice in ({"t": 3}, {"unit": 9}, {"layer": 0}, {"notation": "pytorch"}, {"present": True}, {"t": 0}):
        app = _choose(app, **choice)
    assert len(recorded) == 2
    _choose(app, step=250)
    assert len(recorded) == 4


def test_the_steps_beside_the_chosen_one_are_recorded_before_anybody_asks(
    open_inside: OpenInside, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = _recorded(monkeypatch, ahead=True)
    app = open_inside(probe="She said", compare="tales-lstm,tales-gru", step="250")
    steps = _views(app)[0].steps
    for place in (5, 6, 7):
        (chosen, other) = _views(_choose(app, step=steps[place]))
        assert prefetcher().idle(60)
        assert len(recorded) == len(set(recorded)), "nothing is recorded twice"
        onwards = steps[place + 1]
        for view in (chosen, other):
            assert (view.run.id, models.nearest_step(onwards, view.steps)) in recorded


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_page_opens_in_every_notation(open_inside: OpenInside, notation: str) -> None:
    assert _views(open_inside(notation=notation))[0].notation == notation


# ---------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("link", "sentence", "there"),
    [
        (
            {"t": "41", "probe": "He said"},
            "There is no timestep 42 (t=41 in links, which count from 0): the input text has 7",
            {"t": "6"},
        ),
        (
            {"layer": "3"},
            "(layer=3 in links, which count from 0): this network has 1 layer. Layer 1 is",
            {"layer": "0"},
        ),
        ({"unit": "160"}, "There is no unit 161 (unit=160 in links, which count from 0): a layer of", {"unit": "159"}),
        ({"unit": "160", "notation": "pytorch"}, "There is no unit 160: a layer", {"unit": "159"}),
        ({"step": "9"}, "has no saved weights at step 9: step 4 is the nearest.", {"step": "4"}),
        ({"step": "999999999999"}, "has no saved weights at step 999,999,999,999: step 6,000", {"step": "6000"}),
    ],
    ids=str,
)
def test_what_the_run_does_not_have_is_said_and_the_link_then_says_what_is_shown(
    open_inside: OpenInside, link: dict[str, str], sentence: str, there: dict[str, str]
) -> None:
    app = open_inside(**link)
    assert sentence in _notes(app)
    assert {key: value for key, value in _link(app).items() if key in there} == there
    assert sentence in _notes(app.run()), "a page that runs again at once has not been read yet"
    assert _notes(app).count(sentence) == 1
    assert _notes(_choose(app, present=True)) == "", "said once: not after the next choice"


@pytest.mark.parametrize(("key", "value"), [("t", "nan"), ("layer", "١٢"), ("unit", "1e3"), ("step", "9" * 40)])
def test_a_number_that_is_none_gets_a_sentence_and_the_page_opens(
    open_inside: OpenInside, key: str, value: str
) -> None:
    app = open_inside(**{key: value})
    assert "cannot be used" in _warnings(app)
    (view,) = _views(app)
    assert 0 <= view.t < len(view.probe)
    assert value not in _link(app).values()


def test_a_negative_place_is_the_first(open_inside: OpenInside) -> None:
    (view,) = _views(open_inside(t="-5", layer="-5", unit="-5", step="-5"))
    assert (view.t, view.layer, view.unit, view.step) == (0, 0, 0, 0)


def test_a_probe_too_long_for_a_link_is_cut_and_said(open_inside: OpenInside) -> None:
    app = open_inside(probe="a" * 10_000, context="b" * 10_000)
    (view,) = _views(app)
    assert len(view.probe) == state.LONGEST_PROBE
    assert len(view.context) == state.LONGEST_CONTEXT
    assert "The link's input text cannot be used: it has 10,000 characters; only the first 500 are read" in _warnings(
        app
    )
    assert "only the first 2,000 are read" in _warnings(app)


def test_a_run_that_is_not_there_beside_the_chosen_one_is_said_and_left_out(open_inside: OpenInside) -> None:
    app = open_inside(compare="tales-lstm,nope,tales-gru")
    assert "nope" in _warnings(app)
    assert [view.run.id for view in _views(app)] == ["tales-lstm", "tales-gru"]
    assert _link(app)["compare"] == "tales-lstm,tales-gru"


def test_a_run_that_was_never_saved_is_waited_for_and_then_seen(
    open_inside: OpenInside, new_run: NewRun, make_checkpoint: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_for: list[scene.Seen] = []
    found = scene._seen
    monkeypatch.setattr(scene, "_seen", lambda *args: drawn_for.append(found(*args)) or drawn_for[-1])
    run = new_run("Fresh <b>")
    app = open_inside(run=run)
    assert not app.exception
    assert "Fresh <b> has no checkpoint yet (queued)" in re.sub(r"\\(.)", r"\1", app.info[0].value)
    assert "views" not in app.session_state
    services.store().put_live(run, make_checkpoint(run, 0))
    (view,) = _views(app.run())
    assert (view.step, view.following) == (0, True)
    assert not app.info
    assert drawn_for[0] != drawn_for[-1], "the sidebar, too, is drawn anew: it shows the probe that is read"


def test_a_run_that_is_deleted_meanwhile_is_said(
    open_inside: OpenInside, new_run: NewRun, make_checkpoint: Callable
) -> None:
    run = new_run("Doomed")
    services.store().put_checkpoint(run, make_checkpoint(run, 3))
    other = open_inside(compare=f"tales-lstm,{run}")
    services.store().delete_run(run)
    other.run()
    assert [view.run.id for view in _views(other)] == ["tales-lstm"]
    assert run in _warnings(other)


def test_when_the_chosen_run_is_deleted_meanwhile_the_first_starter_run_stands_in(
    open_inside: OpenInside, new_run: NewRun, make_checkpoint: Callable
) -> None:
    run = new_run("Doomed")
    services.store().put_checkpoint(run, make_checkpoint(run, 3))
    app = open_inside(run=run)
    assert _views(app)[0].run.id == run
    services.store().delete_run(run)
    app.run()
    assert run in _warnings(app)
    assert _views(app)[0].run.id == "tales-lstm"
    assert "run" not in _link(app)


def test_a_context_that_is_not_in_the_link_is_said(open_inside: OpenInside) -> None:
    app = _choose(open_inside(), context="word " * 101)
    assert "the link leaves it out" in _notes(app)
    assert len(_views(app.run())[0].context) == 505


# ---------------------------------------------------------------------- the sidebar


def test_a_text_is_taken_from_the_sidebar_and_cut_so_that_it_shows(open_inside: OpenInside) -> None:
    app = open_inside()
    assert "Up to 500 characters" in [caption.value for caption in app.sidebar.caption], "said before it is reached"
    _area(app, "Input text").set_value("ab" * 5_000).run()
    assert _area(app, "Input text").value == "ab" * 250
    assert "9,500 at the end were cut" in _notes(app)
    assert _link(app)["probe"] == "ab" * 250
    _area(app, "Input text").set_value("ab" * 250 + "c").run()
    assert _area(app, "Input text").value == "ab" * 250, "the same text again, and not what was pasted"
    assert ": 1 at the end" in _notes(app)
    _area(app, "Input text").set_value("He said").run()
    assert "were cut" not in _notes(app)


def test_an_emptied_probe_is_the_runs_own_again(open_inside: OpenInside) -> None:
    app = open_inside(probe="He said")
    for _ in range(2):
        _area(app, "Input text").set_value("").run()
        assert _area(app, "Input text").value == "They ate the fish, and then"
        assert _link(app) == {}


def test_a_context_is_read_before_the_probe(open_inside: OpenInside) -> None:
    app = open_inside()
    cold = _views(app)[0].trace
    _area(app, "Text before the input text").set_value("It was ").run()
    (view,) = _views(app)
    assert view.context.text == "It was "
    assert view.trace.initial["hidden"].abs().sum() > 0 == cold.initial["hidden"].abs().sum()


def test_runs_are_compared_each_by_its_own_vocabulary(open_inside: OpenInside) -> None:
    app = open_inside(probe="the cat", t="6")
    app.sidebar.multiselect[0].set_value(["tales-words", "hello-rnn"]).run()
    assert _link(app)["compare"] == "tales-lstm,tales-words,hello-rnn"
    mine, words, hello = _views(app)
    assert [view.letter for view in (mine, words, hello)] == ["A", "B", "C"]
    assert [len(view.probe) for view in (mine, words, hello)] == [7, 2, 7]
    assert (mine.t, words.t, hello.t) == (6, 1, 6)
    assert "timestep" not in _notes(app), "only the chosen run's place is asked for"
    assert "C, hello, with three units: Not in the model's vocabulary: “t”" in _notes(app)
    app.sidebar.multiselect[0].set_value([]).run()
    assert "compare" not in _link(app)
    assert len(_views(app)) == 1


def test_runs_are_compared_at_the_same_step_or_the_nearest(open_inside: OpenInside) -> None:
    app = open_inside(step="240", compare="tales-lstm,tales-gru,tales-rnn")
    assert [view.step for view in _views(app)] == [240, 128, 240]
    assert _notes(app) == ""


@pytest.mark.parametrize(
    ("compare", "others", "left_out"),
    [
        ("", [], []),
        ("a,b", ["b"], []),
        ("b,a", ["b"], []),
        ("b,c", ["b", "c"], []),
        ("a,b,c,d", ["b", "c", "d"], []),
        ("b,c,d,e", ["b", "c", "d"], ["e"]),
    ],
)
def test_beside_the_chosen_run_stand_the_others_of_the_comparison(
    compare: str, others: list[str], left_out: list[str]
) -> None:
    assert compared(Selection(compare=compare), "a") == (others, left_out)


def test_a_place_stays_when_another_run_is_chosen_and_the_step_is_its_newest(open_inside: OpenInside) -> None:
    app = open_inside(step="250", t="3", unit="5", probe="hello")
    (view,) = _views(_choose(app, run="tales-gru"))
    assert (view.step, view.t, view.unit, view.probe.text) == (6000, 3, 5, "hello")
    (view,) = _views(_choose(app, run="hello-rnn"))
    assert (view.t, view.unit) == (3, 2)
    assert "There is no unit 6 (unit=5 in links, which count from 0): a layer of this network has 3 units" in _notes(
        app
    )


# ---------------------------------------------------------------------- a run that trains


@pytest.mark.parametrize(
    ("active", "step", "pace"),
    [(True, "-1", scene.FOLLOWING_TICK), (True, "3", scene.TRAINING_TICK), (False, "-1", None), (False, "3", None)],
)
def test_the_page_looks_again_while_a_run_trains_and_not_when_none_does(
    open_inside: OpenInside,
    new_run: NewRun,
    make_checkpoint: Callable,
    monkeypatch: pytest.MonkeyPatch,
    active: bool,
    step: str,
    pace: float | None,
) -> None:
    run = new_run("Training")
    services.store().put_checkpoint(run, make_checkpoint(run, 3))
    if not active:
        services.store().record(run, status="finished")
    paces: list[float | None] = []
    found = scene._seen

    def seen(*args: Any) -> scene.Seen:
        paces.append(found(*args).pace)
        return found(*args)

    monkeypatch.setattr(scene, "_seen", seen)
    _views(open_inside(run=run, step=step))
    assert set(paces) == {pace}
    paces.clear()
    _views(open_inside(compare=f"tales-lstm,{run}", step=step if step == "-1" else "4"))
    assert set(paces) == {pace}, "a run beside the chosen one trains too"


def test_a_view_follows_the_newest_weights_with_one_recording_for_all(
    open_inside: OpenInside, new_run: NewRun, make_checkpoint: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = _recorded(monkeypatch)
    run = new_run("Training")
    visitors = []
    for step in (8, 9, 10):
        services.store().put_live(run, make_checkpoint(run, step, seed=step))
        visitors = [visitor.run() for visitor in visitors] or [open_inside(run=run), open_inside(run=run)]
        assert [_views(visitor)[0].step for visitor in visitors] == [step, step]
        assert _views(visitors[0])[0].trace is _views(visitors[1])[0].trace
    assert len(recorded) == 3


def test_a_page_that_looks_at_a_run_keeps_its_live_slot_fresh(
    open_inside: OpenInside, new_run: NewRun, make_checkpoint: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[str] = []
    monkeypatch.setattr(services.store(), "watch", watched.append)
    run = new_run("Training")
    services.store().put_checkpoint(run, make_checkpoint(run, 3))
    open_inside(run=run, step="3")
    assert watched == [], "weights that were saved are not written for whoever looks at them"
    open_inside(run=run)
    assert set(watched) == {run}


# ---------------------------------------------------------------------- the bar


def test_the_bar_is_drawn_for_the_view_and_what_it_tells_is_chosen(
    open_inside: OpenInside, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []

    def drawing(bar: Any, *, key: str, on_choose: Callable[[], None]) -> None:
        drawn.append(bar)
        if len(drawn) == 2:  # as a visitor does in the browser
            on_choose()

    monkeypatch.setattr(page, "selection_bar", drawing)
    monkeypatch.setattr(page, "chosen", lambda key, bar: {"t": 3, "unit": 1, "step": 31, "present": True})
    app = open_inside(run="hello-rnn", t="2", notation="pytorch")
    bar = drawn[0]
    assert (bar.step, bar.newest, bar.live, bar.t, bar.layer, bar.unit) == (500, True, False, 2, 0, 0)
    assert (bar.names, bar.first, bar.layers, bar.units) == (("h", "e", "l", "l", "o"), 0, 1, 3)
    assert len(bar.steps) == len(bar.losses)
    assert bar.notations == (NOTATIONS, "pytorch")
    (view,) = _views(app.run().run())
    assert (view.t, view.unit, view.step) == (3, 1, 31)
    told = {"t": "3", "unit": "1", "step": "31", "present": "1"}
    assert _link(app) == {"run": "hello-rnn", "notation": "pytorch", **told}


def test_presenting_hides_the_sidebar_and_leaving_shows_it(open_inside: OpenInside) -> None:
    app = open_inside(present="1")
    hiding = 'stSidebar"], [data-testid="stHeader"]'
    assert any(hiding in html.proto.body for html in app.get("html"))
    app = _choose(app, present=False)
    assert not any(hiding in html.proto.body for html in app.get("html"))
    assert "present" not in _link(app)


def test_the_selection_stands_in_one_line_for_where_the_sidebar_is_folded(open_inside: OpenInside) -> None:
    app = open_inside(probe="<b>x</b>", step="240")
    line = app.main.caption[0].value
    assert re.sub(r"\\(.)", r"\1", line) == "LSTM on Tales · step 240 · “<b>x</b>”"
    assert "<b>" not in line


def test_a_configured_run_of_many_layers_is_seen_in_its_top_one(
    open_inside: OpenInside, make_checkpoint: Callable
) -> None:
    config = services.store().run("hello-rnn").config.to_dict()
    run = services.store().create_run(Config.from_dict(config).with_values(layers=3), name="Deep")
    services.store().put_checkpoint(run, make_checkpoint(run, 3))
    assert _views(open_inside(run=run))[0].layer == 2
    assert _views(open_inside(run=run, layer="1"))[0].layer == 1
