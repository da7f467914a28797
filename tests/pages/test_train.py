"""Train, without a browser: what the page shows of a run, what its controls make, and what it refuses."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from at_work import draft, press, widget
from streamlit.testing.v1 import AppTest

from engine import PRESETS
from engine.cells import CELLS
from engine.config import Config
from engine.data import prepare
from engine.models.language_model import LanguageModel
from engine.shell.main import main
from engine.training.events import Diverged
from playground import state
from playground.access.runs import snapshot_of
from playground.charts.units import UNITS
from playground.frame import services
from playground.notation import NOTATIONS
from playground.runs.store.starter_files import ORDER
from playground.runs.trainer.recorder import end_of_run
from playground.text import number

OpenPage = Callable[..., AppTest]
Text = Callable[[AppTest], str]
Link = Callable[[AppTest], dict[str, str]]
Charts = Callable[[AppTest], dict[str, Any]]


class Trainer(Protocol):
    submitted: list[str]


# ---------------------------------------------------------------------- looking


def test_the_command_and_settings_that_are_shown_train_the_run_that_is_shown(
    open_page: Callable[..., AppTest],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = open_page("train", run="hello-rnn")
    shown = [code.value for code in app.main.get("code")]
    command = next(text for text in shown if text.startswith("python -m engine train"))
    config = next(text for text in shown if text.startswith("{"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    assert main([*shlex.split(command.removeprefix("python -m engine ")), "--json"]) == 0
    last = [json.loads(line) for line in capsys.readouterr().out.splitlines()][-1]
    run = snapshot_of("hello-rnn").run
    assert last["event"] == "finished"
    assert last["best_step"] == run.best_step
    assert last["best_loss"] == pytest.approx(run.best_loss, rel=1e-3)


@pytest.mark.parametrize("run", ["", *ORDER])
def test_the_page_opens_on_every_starter_run_with_its_numbers(
    open_page: OpenPage, charts: Charts, said: Text, read: Text, run: str
) -> None:
    app = open_page("train", **({"run": run} if run else {}), loss="nats")
    assert not app.exception
    assert said(app) == ""
    drawn = charts(app)
    assert set(drawn) == {"loss", "gradient", "rate", "speed"}
    assert all(len(chart.rows) > 10 for chart in drawn.values())
    stored = services.store().delta(run or ORDER[0], 0)
    best = min(evaluation.val_loss for evaluation in stored.evaluations)
    shown = drawn["loss"].rows.query("series == 'validation'")["value"].min()
    assert shown == pytest.approx(best, rel=1e-5)
    assert re.search(rf"best validation loss,? {re.escape(number(best))} nats per token", read(app))


@pytest.mark.parametrize(("notation", "unit"), [*zip(NOTATIONS, itertools.cycle(UNITS), strict=False)])
def test_the_page_opens_in_every_notation_and_unit(
    open_page: OpenPage, charts: Charts, link: Link, notation: str, unit: str
) -> None:
    app = open_page("train", notation=notation, loss=unit, x="seconds", run="tales-words")
    assert not app.exception
    assert not app.warning
    loss = charts(app)["loss"]
    assert UNITS[unit].axis in loss.text
    assert loss.rows["value"].dropna().gt(0).all()
    wanted = {"notation": notation, "loss": unit, "x": "seconds", "run": "tales-words"}
    default = {"notation": "ng", "loss": "bits"}
    assert link(app) == {key: value for key, value in wanted.items() if default.get(key) != value}


@pytest.mark.parametrize("x", ["step", "seconds"])
def test_the_live_charts_draw_value_by_step_or_time_in_the_colour_of_each_run(
    open_page: OpenPage, charts: Charts, x: str
) -> None:
    for name, chart in charts(open_page("train", x=x)).items():
        channels = chart.channels()
        assert {("x", x), ("y", "value"), ("color", "label"), ("tooltip", "step")} <= channels | _tooltips(chart), name
        assert chart.spec["title"]
        assert chart.spec["description"]


def _tooltips(chart: Any) -> set[tuple[str, str]]:
    lists = [layer.get("encoding", {}).get("tooltip") for layer in chart.spec["layer"]]
    return {("tooltip", entry["field"]) for listed in lists if isinstance(listed, list) for entry in listed}


def test_the_specification_of_a_live_chart_is_the_same_to_the_byte_for_every_run(
    open_page: OpenPage, charts: Charts
) -> None:
    """What the browser compares: any change of it would build the view anew and lose the zoom."""
    one, other = (charts(open_page("train", run=run)) for run in ("tales-lstm", "hello-rnn"))
    assert {name: chart.text for name, chart in one.items()} == {name: chart.text for name, chart in other.items()}


def test_a_notation_renames_the_equations_of_the_cell(open_page: OpenPage) -> None:
    def formulas(notation: str) -> str:
        app = open_page("train", notation=notation)
        return "\n".join(formula.value for formula in app.main.latex) + "\n".join(m.value for m in app.main.markdown)

    assert r"\Gamma" in formulas("ng")
    assert r"\Gamma" not in formulas("cs231n")


# ---------------------------------------------------------------------- links


WRONG_LINKS = {
    "run": ("nope", "no run"),
    "loss": ("furlongs", "unit of the loss cannot be used: 'furlongs' is not one of bits"),
    "x": ("sideways", "horizontal axis cannot be used: 'sideways' is not one of"),
    "notation": ("runes", "notation cannot be used: 'runes' is not one of"),
    "preset": ("nope", "no experiment 'nope'"),
    "config": ("{bad json}", "config in the link cannot be used"),
}


@pytest.mark.parametrize("key", WRONG_LINKS)
def test_a_wrong_value_in_a_link_gets_a_sentence_and_leaves_it(
    open_page: OpenPage, said: Text, link: Link, charts: Charts, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state.problems, "SHOWN_SECONDS", 0.0)
    value, sentence = WRONG_LINKS[key]
    app = open_page("train", **{key: value})
    assert not app.exception
    assert sentence in said(app)
    assert key not in link(app)
    assert len(charts(app)) == 4
    assert said(app.run()) == "", "it is said once"


WRONG_CONFIGS = {
    "out of range": ({"model": {"units": 0}}, r"model\.units"),
    "unknown key": ({"model": {"wings": 2}}, r"wings"),
    "unknown section": ({"engine": {}}, r"engine"),
    "wrong kind": ({"model": {"units": "many"}}, r"model\.units"),
    "newer version": ({"version": 99}, r"version|newer"),
    "no such cell": ({"model": {"cell": "transformer"}}, r"model\.cell is 'transformer'"),
    "no such corpus": ({"data": {"corpus": "bible"}}, r"data\.corpus is 'bible'"),
    "no such optimiser": ({"training": {"optimizer": "luck"}}, r"training\.optimizer is 'luck'"),
    "reads both ways": ({"model": {"bidirectional": True}}, r"model\.bidirectional .* already seen the token"),
    "a list": ([], r"config"),
}


@pytest.mark.parametrize("case", WRONG_CONFIGS)
def test_a_config_that_cannot_stand_is_refused_by_name(open_page: OpenPage, said: Text, case: str) -> None:
    config, named = WRONG_CONFIGS[case]
    app = open_page("train", config=json.dumps(config))
    assert not app.exception
    assert re.search(named, said(app))
    assert draft(app) == PRESETS["first-words"].configs[0]


@pytest.mark.parametrize("path", ["/etc/passwd", "requirements.txt", "../shared"])
def test_a_link_cannot_make_the_page_show_a_file_of_the_server(open_page: OpenPage, said: Text, path: str) -> None:
    config = Config().with_values(corpus=f"file:{path}")
    app = open_page("train", config=config.to_json())
    assert not app.exception
    assert "cannot read files on the server" in said(app)
    assert draft(app).data.corpus == "tales"
    assert not [code for code in app.main.code if "root:" in code.value or "streamlit==" in code.value]


def test_a_text_that_is_not_in_the_store_gets_a_sentence(open_page: OpenPage, said: Text) -> None:
    config = Config().with_values(corpus="own:" + "0" * 64)
    app = open_page("train", config=config.to_json())
    assert not app.exception
    assert said(app)
    press(app, "Train")
    assert not app.exception
    assert services.store().runs(starters=False) == []


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_set_up_by_its_link(open_page: OpenPage, shared_data, said: Text, link: Link, name: str) -> None:
    app = open_page("train", preset=name)
    assert not app.exception
    assert said(app) == ""
    assert app.session_state["draft"].setup.configs == PRESETS[name].configs
    assert link(app) == {"show": "setup"} | ({} if name == "first-words" else {"setup": name})


# ---------------------------------------------------------------------- setting up


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("number_input", "model.units", 33),
        ("number_input", "model.layers", 2),
        ("toggle", "model.bias", False),
        ("selectbox", "model.initialisation", "orthogonal"),
        ("number_input", "training.learning_rate", 0.25),
        ("selectbox", "training.schedule", "constant"),
        ("selectbox", "training.clip", "value"),
        ("selectbox", "training.optimizer", "sgd"),
        ("number_input", "training.seed", 7),
        ("number_input", "data.streams", 8),
        ("number_input", "data.chunk", 16),
        ("selectbox", "data.corpus", "python-docs"),
        ("text_input", "sampling.prompt", "Once"),
    ],
)
def test_a_control_changes_its_setting_and_no_other(open_page: OpenPage, kind: str, name: str, value: Any) -> None:
    app = open_page("train")
    before = draft(app)
    widget(app, kind, name).set_value(value).run()
    assert not app.exception
    section, setting = name.split(".")
    assert draft(app) == before.with_values(**{f"{section}__{setting}": value})


@pytest.mark.parametrize("cell", CELLS)
def test_the_parameter_count_is_the_models_and_follows_the_cell(open_page: OpenPage, read: Text, cell: str) -> None:
    app = open_page("train")
    widget(app, "selectbox", "model.cell").set_value(cell).run()
    widget(app, "number_input", "model.units").set_value(24).run()
    assert not app.exception
    config = draft(app)
    model = LanguageModel(config.model, len(prepare(config.data).vocabulary), seed=0)
    held, connections = sum(p.numel() for p in model.parameters()), model.stack.cells[0].connections()
    absent = 0 if connections is None else int((connections == 0).sum())
    assert f"{number(held - absent)} parameters" in read(app)


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_brings_its_own_switches(open_page: OpenPage, cell: str) -> None:
    app = open_page("train")
    widget(app, "selectbox", "model.cell").set_value(cell).run()
    shown = {
        str(widget.key).split(".option.")[1]
        for kind in ("toggle", "button_group")
        for widget in app.get(kind)
        if ".option." in str(widget.key)
    }
    assert shown == set(CELLS[cell].options)


def test_an_activation_of_the_rnn_reaches_the_config(open_page: OpenPage) -> None:
    app = open_page("train")
    widget(app, "selectbox", "model.cell").set_value("rnn").run()
    widget(app, "button_group", "option.activation").set_value("relu").run()
    assert not app.exception
    assert draft(app).model.options == {"activation": "relu"}
    widget(app, "selectbox", "model.cell").set_value("lstm").run()
    assert not app.exception
    assert draft(app).model.options == {}, "a switch of the old cell means nothing to the new one"


def test_the_length_is_given_in_steps_or_in_seconds(open_page: OpenPage) -> None:
    app = open_page("train")
    widget(app, "button_group", "training.limit").set_value("seconds").run()
    assert draft(app).training.seconds > 0
    widget(app, "number_input", "training.seconds").set_value(7.0).run()
    assert draft(app).training.seconds == 7.0
    assert not app.exception


# ---------------------------------------------------------------------- starting


def test_train_queues_the_run_and_selects_it(open_page: OpenPage, idle_trainer: Trainer, link: Link) -> None:
    app = open_page("train")
    widget(app, "number_input", "model.units").set_value(17).run()
    app.button(key="train").click().run()
    assert not app.exception
    (run,) = services.store().runs(starters=False)
    assert (run.status, run.config.model.units) == ("queued", 17)
    assert link(app)["run"] == run.id
    assert json.loads(link(app)["setup"])["model"]["units"] == 17
    assert run.id in idle_trainer.submitted
    assert {"Pause", "Stop"} <= {button.label for button in app.main.button}


@pytest.mark.parametrize(
    ("variable", "value"),
    [("UNROLLED_MAX_STEPS", "10"), ("UNROLLED_MAX_PARAMETERS", "1000"), ("UNROLLED_MAX_RUNS_PER_VISITOR", "1")],
)
def test_a_limit_is_refused_by_name(
    open_page: OpenPage, said: Text, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    app = open_page("train")
    for _ in range(2):
        app.button(key="train").click().run()
    assert not app.exception
    assert variable in said(app)
    assert len(services.store().runs(starters=False)) == (variable == "UNROLLED_MAX_RUNS_PER_VISITOR")


def test_limits_are_behind_the_question_mark_until_they_bite(
    open_page: OpenPage, read: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNROLLED_MAX_STEPS", "1600")
    app = open_page("train")
    assert "1,600" not in read(app)
    assert "workers" not in read(app)
    (help_text,) = [caption.proto.help for caption in app.main.caption if "parameters, about" in caption.value]
    assert "up to 1,600 steps" in help_text
    assert "workers are busy" in help_text
    widget(app, "number_input", "training.steps").set_value(1601).run()
    assert "1,601 steps are more than the 1,600 allowed here" in read(app)


# ---------------------------------------------------------------------- what is set up, and what is shown


def test_choosing_an_experiment_shows_it_and_not_another_runs_curve(
    open_page: OpenPage, read: Text, charts: Charts, link: Link
) -> None:
    app = open_page("train")
    app.selectbox(key=_experiment(app)).set_value("why-clipping-matters").run()
    assert not app.exception
    assert "Why clipping matters: not trained yet" in read(app)
    assert set(charts(app)) == {"loss"}
    rows = charts(app)["loss"].rows
    assert list(rows.query("series == 'key'")["label"]) == [
        "A · RNN (clipped)",
        "B · RNN (unclipped)",
    ]
    assert rows.query("series in ('training', 'validation')").empty
    assert link(app) == {"setup": "why-clipping-matters", "show": "setup"}
    press(app, "Show LSTM on Tales")
    assert set(charts(app)) == {"loss", "gradient", "rate", "speed"}
    assert link(app) == {"setup": "why-clipping-matters"}, "what is set up stays"


def test_choosing_an_experiment_that_was_trained_shows_the_run(
    open_page: OpenPage, idle_trainer: Trainer, link: Link
) -> None:
    app = open_page("train")
    app.selectbox(key=_experiment(app)).set_value("hello").run()
    app.button(key="train").click().run()
    run = link(app)["run"]
    app.selectbox(key=_experiment(app)).set_value("first-words").run()
    assert link(app)["show"] == "setup"
    app.selectbox(key=_experiment(app)).set_value("hello").run()
    assert link(app) == {"run": run, "setup": "hello"}


def test_choosing_a_run_shows_it_in_the_place_of_what_is_set_up(open_page: OpenPage, charts: Charts) -> None:
    app = open_page("train", setup="hello", show="setup")
    assert set(charts(app)) == {"loss"}
    app.sidebar.selectbox[0].set_value("tales-gru").run()
    assert set(charts(app)) == {"loss", "gradient", "rate", "speed"}
    assert draft(app) == PRESETS["hello"].configs[0]


def test_a_reload_keeps_the_set_up(open_page: OpenPage, link: Link) -> None:
    app = open_page("train")
    widget(app, "number_input", "model.units").set_value(33).run()
    widget(app, "selectbox", "training.schedule").set_value("constant").run()
    again = open_page("train", **link(app))
    assert not again.exception
    assert draft(again) == draft(app)
    assert widget(again, "number_input", "model.units").value == 33


def _experiment(app: AppTest) -> str:
    return next(str(box.key) for box in app.selectbox if ".preset." in str(box.key))


@pytest.mark.parametrize("bias", ["frequencies", "random"])
def test_where_the_loss_starts_is_explained_beside_the_switch(open_page: OpenPage, read: Text, bias: str) -> None:
    config = PRESETS["first-words"].configs[0].with_values(output_bias=bias)
    app = open_page("train", config=config.to_json())
    end = time.monotonic() + 60
    while "The loss starts near" not in read(app) and time.monotonic() < end:
        time.sleep(0.1)
        app.run()
    first = "a 1-gram model, 3.07 nats" if bias == "frequencies" else "a uniform guess, ln 63 = 4.14 nats"
    assert f"The loss starts near that of {first}" in read(app)


def test_a_race_is_queued_as_one(open_page: OpenPage, charts: Charts) -> None:
    app = open_page("train", preset="why-clipping-matters")
    assert app.button(key="train").label == "Train 2"
    app.button(key="train").click().run()
    assert not app.exception
    runs = services.store().runs(starters=False)
    assert len(runs) == 2
    assert len({run.race for run in runs}) == 1
    assert len({run.name for run in runs}) == 2
    assert len(charts(app)["loss"].rows.query("series == 'key'")) == 2


def test_rivals_come_and_go_and_share_what_must_be_shared(open_page: OpenPage) -> None:
    app = open_page("train")
    for _ in range(3):
        press(app, "Add a model to compare")
    assert app.button(key="train").label == "Train 4"
    assert next(button for button in app.main.button if button.label == "Add a model to compare").disabled
    widget(app, "number_input", "model.units").set_value(19).run()
    widget(app, "number_input", "data.chunk").set_value(21).run()
    configs = app.session_state["draft"].setup.configs
    assert [config.model.units for config in configs].count(19) == 1
    assert {config.data.chunk for config in configs} == {21}
    for _ in range(3):
        press(app, "Remove")
    assert app.button(key="train").label == "Train"
    assert not app.exception


def test_a_branch_is_set_up_from_a_checkpoint(open_page: OpenPage, read: Text) -> None:
    app = open_page("train", run="tales-gru")
    press(app, "Set up a branch")
    assert "with a new optimiser state" in read(app)
    app.button(key="train").click().run()
    (run,) = services.store().runs(starters=False)
    last = services.store().delta("tales-gru", 0).checkpoints[-1].step
    assert run.parent == ("tales-gru", last)


def _clipping_race(diverged: int) -> list[str]:
    """The race on clipping, in which one run has diverged."""
    runs = services.store().create_race(PRESETS["why-clipping-matters"].configs, names=["clipped", "not clipped"])
    event = Diverged(
        37, "The loss is nan at step 37; the gradient's norm had risen from 1.2 to 3e+05.", "Clip it.", {"clip": "norm"}
    )
    columns, change = end_of_run(event)
    services.store().record(runs[diverged], [change], **columns)
    return runs


def test_why_clipping_matters_opens_on_its_gradient(open_page: OpenPage, charts: Charts) -> None:
    race = _clipping_race(diverged=1)
    assert [*charts(open_page("train", run=race[0]))][:2] == ["gradient", "loss"]
    assert next(iter(charts(open_page("train", run="tales-lstm")))) == "loss"


def test_a_divergence_that_is_the_lesson_is_told_as_one_and_another_as_an_error(open_page: OpenPage) -> None:
    app = open_page("train", run=_clipping_race(diverged=1)[0])
    assert not app.error
    told = [re.sub(r"\\|\u2060", "", box.value) for box in app.info]
    assert any("Diverged as expected: without clipping, one exploding gradient" in box for box in told)
    assert any("risen from 1.2 to 3e+05" in box for box in told)
    app = open_page("train", run=_clipping_race(diverged=0)[0])
    assert any("clipped" in box.value for box in app.error), "the clipped run was not meant to diverge"
    app.button(key=next(str(one.key) for one in app.button if str(one.key).startswith("again."))).click().run()
    newest = services.store().runs(starters=False)[0]
    assert (newest.config.training.clip, newest.race) == ("norm", None)
