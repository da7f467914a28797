"""Gates, without a browser: what each link shows, what the analyses find, and what is refused with a sentence."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from at_work import made_run, press, widget
from streamlit.testing.v1 import AppTest

import engine
from engine.analysis.hypotheses import NAMES, TITLES
from engine.cells import CELLS
from engine.config import Config
from playground.access import models
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.notation import NOTATIONS
from playground.runs.trainer.job_worker import JobWorker
from playground.views.gates.drill_downs import DRILL_DOWNS

OpenPage = Callable[..., AppTest]
Text = Callable[[AppTest], str]
Link = Callable[[AppTest], dict[str, str]]

LOOKS = [found.name for found in DRILL_DOWNS]
MARKUP = "<img src=x onerror=alert(1)> **b** $x^2$ :red[r] [a](javascript:1)"

pytestmark = pytest.mark.usefixtures("own_recordings")


def _drawn(app: AppTest, component: str) -> list[dict[str, Any]]:
    """What the components of that name are given to draw."""
    found = [one.proto for one in app.get("bidi_component") if one.proto.component_name.endswith(f"/{component}")]
    return [json.loads(one.json) for one in found]


def _heatmaps(app: AppTest) -> dict[str, Any]:
    return _drawn(app, "heatmap")[0]


def _values(panel: dict[str, Any], rows: int) -> np.ndarray:
    """(row, column) of a panel."""
    return np.frombuffer(base64.b64decode(panel["values"]), dtype="<f4").reshape(rows, -1)


def _computed(app: AppTest) -> AppTest:
    """The page once all that it asked for is worked out: here, by the trainer's own worker."""
    store, settings = services.store(), services.settings()
    while (claim := store.claim_job("trainer")) is not None:
        JobWorker(store, claim, settings, alive=lambda: True).work()
    torch.set_num_threads(1)
    return app.run()


def _tales(**values: Any) -> Config:
    """A small network that reads *Tales*."""
    return Config().with_values(corpus="tales", steps=10, embedding=8, **values)


# ---------------------------------------------------------------------- what is shown


def test_the_page_opens_on_the_quotation_unit_of_the_starter_run(open_page: OpenPage, read: Text, said: Text) -> None:
    app = open_page("gates")
    assert not app.exception
    assert said(app) == ""
    assert "Unit 24 of this LSTM tracks “inside quotation marks”: it ranks 99.4% of token pairs correctly" in read(app)
    text = _drawn(app, "unit_text")[0]
    assert '"What would we do,"' in "".join(text["pieces"]), "a passage with quotations"
    assert text["lines"][0]["unit"] == 23
    bar = _drawn(app, "selection_bar")[0]
    assert (bar["unit"], bar["unit_names"]) == (23, {"0:23": "inside quotation marks"})


@pytest.mark.parametrize("run", ["tales-lstm", "tales-gru", "tales-rnn", "tales-words", "hello-rnn"])
def test_every_panel_has_the_values_of_the_recorded_pass(open_page: OpenPage, run: str) -> None:
    text = "hello" if run == "hello-rnn" else "They said that it was a bell."
    app = open_page("gates", run=run, sums="1", probe=text)
    assert not app.exception
    loaded = models.load(snapshot_of(run), -1)
    drawn = _heatmaps(app)
    trace = engine.record(loaded.model, loaded.vocabulary.encode(text, unknown="nearest"))
    names = [panel["name"] for panel in drawn["panels"]]
    assert "hidden state" in names
    panel = drawn["panels"][names.index("hidden state")]
    np.testing.assert_allclose(_values(panel, trace.units), trace["hidden"][0].T, atol=1e-6)
    if run in ("tales-lstm", "tales-words"):
        forget = drawn["panels"][names.index("forget gate")]
        assert forget["gate"]
        np.testing.assert_allclose(_values(forget, trace.units), trace["forget"][0].T, atol=1e-6)
        pre = drawn["panels"][names.index("pre-activation of the forget gate")]
        np.testing.assert_allclose(_values(pre, trace.units), trace["forget_pre"][0].T, atol=1e-5)


@pytest.mark.parametrize(("show", "of"), [("sum", "sum"), ("here", 30)])
def test_gradients_are_those_of_the_loss_that_is_named(open_page: OpenPage, show: str, of: Any) -> None:
    text = "He said it was late, and went home alone."
    app = open_page("gates", probe=text, show=show, t="30")
    loaded = models.load(snapshot_of("tales-lstm"), -1)
    trace = engine.record(loaded.model, [int(one) for one in loaded.vocabulary.encode(text)], gradient=of)
    panels = {panel["name"]: panel for panel in _heatmaps(app)["panels"]}
    drawn = panels["∂L/∂ cell state"]
    assert not drawn["gate"]
    assert trace.grad is not None
    np.testing.assert_allclose(_values(drawn, trace.units), trace.grad["cell"][0].T, rtol=1e-4, atol=1e-7)


def test_units_are_sorted_and_keep_their_numbers(open_page: OpenPage) -> None:
    app = open_page("gates", sort="mean", quantity="forget", probe="He said it was late.")
    drawn = _heatmaps(app)
    panel = next(panel for panel in drawn["panels"] if panel["name"] == "forget gate")
    means = _values(panel, 160).mean(1)[drawn["rows"]["order"]]
    assert (np.diff(means) <= 1e-6).all()
    assert drawn["rows"]["chosen"] == 23


def test_pinned_units_are_shown_below_the_text_and_in_the_chart_of_lines(open_page: OpenPage, link: Link) -> None:
    app = open_page("gates", units="3,154", look="lines")
    assert [line["unit"] for line in _drawn(app, "unit_text")[0]["lines"]] == [23, 3, 154]
    widget(app, "multiselect", "units").set_value([3]).run()
    assert link(app)["units"] == "3"
    assert [line["unit"] for line in _drawn(app, "unit_text")[0]["lines"]] == [23, 3]


def test_the_chosen_unit_is_pinned_and_stays_when_another_is_chosen(open_page: OpenPage, link: Link) -> None:
    app = press(open_page("gates", unit="5"), "Pin unit 6")
    assert link(app)["units"] == "5"
    app = press(open_page("gates", unit="7", units="5"), "Pin unit 8")
    assert [line["unit"] for line in _drawn(app, "unit_text")[0]["lines"]] == [7, 5]
    assert "units" not in link(press(open_page("gates", unit="5", units="5"), "Unpin unit 6"))


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_has_its_gates_and_states(open_page: OpenPage, said: Text, cell: str) -> None:
    app = open_page("gates", run=made_run(_tales(cell=cell, units=8, layers=2)), sums="1")
    assert not app.exception
    assert said(app) == ""
    made = CELLS[cell](8)
    count = len(_heatmaps(app)["panels"])
    own = [gate for gate in made.gates if made.same_as(gate.name) == gate.name]
    assert count == len(own) + len(made.state_names) + len(made.blocks)


def test_an_rnn_shows_its_states_and_why_there_are_no_gates(open_page: OpenPage, read: Text) -> None:
    app = open_page("gates", run="tales-rnn", look="saturation")
    assert [panel["name"] for panel in _heatmaps(app)["panels"]] == ["hidden state"]
    assert "RNN has no gates: it computes its whole state anew at every timestep" in read(app)
    assert "has no gates" in app.info[0].value


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("look", LOOKS)
def test_every_drill_down_opens_in_every_notation(open_page: OpenPage, notation: str, look: str) -> None:
    app = open_page("gates", notation=notation, look=look)
    assert not app.exception


def test_runs_that_are_compared_show_the_same_unit(open_page: OpenPage, read: Text) -> None:
    app = open_page("gates", compare="tales-lstm,tales-gru,tales-rnn")
    assert not app.exception
    assert "Saturated gate values on this text: A (LSTM) " in read(app)
    assert "C (RNN) has no gates" in read(app)
    assert [drawn["rows"]["chosen"] for drawn in _drawn(app, "heatmap")] == [23, 23, 23]


def test_runs_that_are_compared_show_what_each_has_of_a_quantity(open_page: OpenPage) -> None:
    app = open_page("gates", compare="tales-lstm,tales-gru,tales-rnn", quantity="forget", sort="saturation")
    assert not app.exception
    assert [drawn["lines"][0]["name"].split(" of ")[0] for drawn in _drawn(app, "unit_text")] == [
        "forget gate",
        "hidden state",
        "hidden state",
    ]


def test_at_another_step_the_claim_says_when_the_unit_was_found(open_page: OpenPage, read: Text) -> None:
    assert "(baseline 67.6%), at step 6,000." in read(open_page("gates", step="240"))
    assert "(baseline 67.6%)." in read(open_page("gates"))


def test_a_text_of_words_keeps_its_lines(open_page: OpenPage) -> None:
    pieces = _drawn(open_page("gates", run="tales-words", probe="He said\nso, and"), "unit_text")[0]["pieces"]
    assert pieces == ["He", " said", "\n", " so", ",", " and"]


# ---------------------------------------------------------------------- analyses


@pytest.mark.parametrize("look", [name for name in LOOKS if name != "lines"])
def test_what_the_trainer_finds_is_shown(open_page: OpenPage, read: Text, said: Text, look: str) -> None:
    app = open_page("gates", look=look)
    assert not app.exception
    app = _computed(_computed(app))
    assert not app.exception
    assert said(app) == ""
    expected = {
        "search": "Unit 24 tracks “inside quotation marks” best: its cell state ranks 99.4% of token pairs correctly",
        "off": "Without unit 24 the loss changes by +0.0284 bits/char inside quotation marks, more than elsewhere",
        "spans": "on in this span and off around it",
        "saturation": "Over 17,839 tokens of the validation text.",
        "memory": "Unit 24 has a half-life of ",
        "training": "",
    }
    assert expected[look] in read(app)
    if look == "training":
        assert _drawn(app, "heatmap")[1]["rows"]["texts"][0] == "0"


def test_a_hypothesis_that_never_holds_is_said(open_page: OpenPage, said: Text) -> None:
    app = _computed(open_page("gates", hypothesis="regex", pattern="zzzz"))
    assert "“matches of zzzz” never holds in this text" in said(app)


@pytest.mark.parametrize(("pattern", "why"), [("(a", "cannot be read"), ("[", "cannot be read")])
def test_a_regular_expression_that_cannot_be_used_is_refused_at_once(
    open_page: OpenPage, said: Text, pattern: str, why: str
) -> None:
    app = open_page("gates", hypothesis="regex", pattern=pattern)
    assert why in said(app)
    assert services.store().claim_job("trainer") is None, "nothing was begun"


def test_a_regular_expression_that_explodes_is_refused(open_page: OpenPage, said: Text) -> None:
    app = _computed(open_page("gates", hypothesis="regex", pattern="(.|.)+(.|..)+(?<!.)X?$"))
    assert "takes longer than" in said(app)


def test_what_is_no_longer_looked_at_is_given_up(open_page: OpenPage) -> None:
    """Who goes through the steps of training asks for an analysis at each of them."""
    app = open_page("gates", step="240")
    for step in ("512", "960", "6000"):
        app.query_params["step"] = step
        app.run()
    claims = []
    while (claim := services.store().claim_job("trainer")) is not None:
        claims += [services.store().job(job).step for job in claim.numbers]
    assert claims == [6_000]


@pytest.mark.parametrize("hypothesis", NAMES)
def test_every_hypothesis_is_searched_or_refused_in_a_sentence(
    open_page: OpenPage, read: Text, said: Text, hypothesis: str
) -> None:
    app = _computed(open_page("gates", hypothesis=hypothesis))
    assert not app.exception
    assert TITLES[hypothesis] in read(app) + said(app)


@pytest.mark.parametrize("hypothesis", ["line-position", "vowel", "regex"])
def test_what_breaks_is_said_for_every_kind_of_hypothesis(open_page: OpenPage, read: Text, hypothesis: str) -> None:
    where = {"line-position": "late in the line", "vowel": "after a vowel", "regex": "in matches of [Tt]he"}[hypothesis]
    app = _computed(open_page("gates", look="off", hypothesis=hypothesis, pattern="[Tt]he", loss="nats"))
    assert not app.exception
    assert re.search(rf"the loss changes by \S+ nats {re.escape(where)}, (more|less) than elsewhere", read(app))


def test_a_unit_of_the_ranking_is_chosen_with_its_state(open_page: OpenPage, link: Link) -> None:
    app = press(_computed(open_page("gates", unit="3")), "Unit 155")
    assert (link(app)["unit"], link(app)["quantity"]) == ("154", "cell")


# ---------------------------------------------------------------------- names


def test_a_unit_is_named_with_its_score_and_the_name_stands_on_other_pages(open_page: OpenPage, read: Text) -> None:
    app = _computed(open_page("gates", unit="154"))
    field = next(one for one in app.main.text_input if one.label == "What unit 155 tracks")
    field.set_value("also in <b>quotes</b>").run()
    assert not app.exception
    assert "Unit 155 of this LSTM tracks “also in <b>quotes</b>”: it ranks 91.8% of token pairs correctly" in read(app)
    app.switch_page("../pages/unrolled.py").run()
    assert _drawn(app, "selection_bar")[0]["unit_names"]["0:154"] == "also in <b>quotes</b>"


def test_an_empty_name_takes_a_name_away(open_page: OpenPage) -> None:
    run = made_run(_tales(units=8))
    app = open_page("gates", run=run, unit="2")
    for name in ("mine", ""):
        field = next(one for one in app.main.text_input if one.label == "What unit 3 tracks")
        field.set_value(name).run()
        assert _drawn(app, "selection_bar")[0]["unit_names"] == ({"0:2": "mine"} if name else {})


# ---------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"show": "all"}, "what the heatmaps show cannot be used: 'all' is not one of values, sum, here"),
        ({"sort": "size"}, "order of the units cannot be used"),
        ({"quantity": "reset"}, "The cell LSTM has no 'reset'"),
        ({"units": "3,900"}, "Not shown, as a layer of this network has 160 units: 901."),
        ({"look": "nothing"}, "There is no view 'nothing'"),
        ({"span": "5:900", "probe": "He said it."}, "span"),
        ({"held": "much"}, "value at which the unit is held cannot be used"),
        ({"hypothesis": "quote"}, "hypothesis cannot be used: 'quote' is not one of quotes, brackets"),
    ],
)
def test_what_a_link_cannot_ask_for_is_said(
    open_page: OpenPage, read: Text, said: Text, link: dict[str, str], sentence: str
) -> None:
    app = open_page("gates", **link)
    assert not app.exception
    assert sentence in said(app) + read(app)


@pytest.mark.parametrize("units", [1, 1_024])
def test_one_unit_and_very_many_are_drawn(open_page: OpenPage, said: Text, units: int) -> None:
    app = open_page("gates", run=made_run(_tales(units=units)), sort="similarity", probe="He said so.")
    assert not app.exception
    assert said(app) == ""
    assert _heatmaps(app)["rows"]["count"] == units


@pytest.mark.parametrize("look", LOOKS)
def test_weights_that_are_nan_are_drawn_and_said(open_page: OpenPage, read: Text, look: str) -> None:
    app = _computed(open_page("gates", run=made_run(_tales(units=8), spoil=True), look=look, sort="similarity"))
    assert not app.exception
    assert "the weights at this step are not finite" in read(app)
    assert _heatmaps(app)["panels"][0]["nan"] > 0


def test_user_text_is_data(open_page: OpenPage, read: Text) -> None:
    app = open_page("gates", probe=MARKUP, look="spans", span="0:12")
    assert not app.exception
    assert "Selected: “<img␣src=x␣on”" in read(app)
    assert not any(re.search(r"(?<!\\)<img", one.value) for one in (*app.main.markdown, *app.main.caption))
