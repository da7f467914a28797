"""Unrolled, without a browser: what each link shows, what is computed from it, and what is refused with a sentence."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from at_work import made_run, picture, press, widget
from streamlit.testing.v1 import AppTest

import engine
from engine.analysis import activity
from engine.cells import CELLS
from engine.config import Config
from engine.trace import LONGEST_PROBE, Change, Trace
from playground.access import models
from playground.access.models import Loaded
from playground.access.runs import snapshot_of
from playground.charts.export import export
from playground.charts.fading import VANISHED
from playground.notation import NOTATIONS
from playground.runs.records import StoreError
from playground.runs.store.starter_files import ORDER
from playground.views.unrolled import explain
from playground.views.unrolled.drill_downs import DRILL_DOWNS
from playground.views.unrolled.settings import UnrolledSettings

OpenPage = Callable[..., AppTest]
Text = Callable[[AppTest], str]
Link = Callable[[AppTest], dict[str, str]]

LOOKS = [found.name for found in DRILL_DOWNS]
PROBE = "They ate the fish, and then"
MARKUP = "<img src=x onerror=alert(1)> **b** $x^2$ :red[r] [a](javascript:1)"

pytestmark = pytest.mark.usefixtures("own_recordings")


def _loaded(run: str, step: int = -1) -> Loaded:
    return models.load(snapshot_of(run), step)


def _rows(app: AppTest, title: str) -> pd.DataFrame:
    """The rows that the chart of that title draws."""
    protos = [element.proto for element in app.get("vega_lite_chart")]
    drawn = next(proto for proto in protos if json.loads(proto.spec)["title"]["text"].startswith(title))
    return pa.ipc.open_stream(io.BytesIO(drawn.data.data)).read_pandas()


def _claim(app: AppTest) -> str:
    return re.sub(r"\\(.)", r"\1", app.main.subheader[0].value).replace("\u2060", "")


def _settings(app: AppTest) -> UnrolledSettings:
    return app.session_state["unrolled.settings"]


# ---------------------------------------------------------------------- opening


@pytest.mark.parametrize("run", ["", *ORDER])
def test_the_page_opens_on_every_starter_run_with_its_picture(open_page: OpenPage, said: Text, run: str) -> None:
    app = open_page("unrolled", **({"run": run} if run else {}))
    assert not app.exception
    assert said(app) == ""
    loaded = _loaded(run or "tales-lstm")
    drawn = picture(app)
    assert drawn["step"] == loaded.step
    assert drawn["units"] == loaded.run.config.model.units
    assert len(drawn["tokens"]) == drawn["length"] > 1


def test_the_claim_has_the_numbers_of_the_chosen_timestep(open_page: OpenPage) -> None:
    app = open_page("unrolled", probe=PROBE, t="24")
    loaded = _loaded("tales-lstm")
    trace = engine.record(loaded.model, loaded.vocabulary.encode(PROBE), gradient=24)
    chances = trace.log_probabilities[24].exp()
    best = int(chances.argmax())
    claim = _claim(app)
    assert claim.startswith(f"After 25 characters this LSTM predicts ‘{loaded.vocabulary.display(best)}’")
    assert f"{100 * float(chances[best]):.0f}%" in claim
    far = activity.reach(trace, VANISHED)
    steps = f"all {far} steps back" if far == 24 else f"{far} step"
    assert f"the gradient of the loss at t = 25 stays above 1% for {steps}" in claim


def test_the_claim_follows_the_selection(open_page: OpenPage) -> None:
    claims = {_claim(open_page("unrolled", probe=PROBE, t=t, step=step)) for t in "36" for step in ("0", "6000")}
    assert len(claims) == 4


@pytest.mark.parametrize(("look", "notation"), [*zip(LOOKS, itertools.cycle(NOTATIONS), strict=False)])
def test_every_drill_down_opens_and_so_does_every_notation(
    open_page: OpenPage, said: Text, look: str, notation: str
) -> None:
    app = open_page("unrolled", run="tales-gru", look=look, notation=notation, t="2")
    assert not app.exception
    assert said(app) == ""
    assert any("sum" in formula.value for formula in app.main.latex)


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_of_the_catalogue_can_be_looked_into(open_page: OpenPage, said: Text, cell: str) -> None:
    run = made_run(Config().with_values(cell=cell, units=6, layers=2))
    app = open_page("unrolled", run=run, t="1", layer="1", probe="The")  # the upper one has all that its cell can have
    for look in LOOKS:
        app = widget(app, "button_group", "look").set_value(look).run()
        assert not app.exception, look
        assert said(app) == ""


def test_a_gate_that_sees_no_past_has_no_recurrent_weights_to_look_at(open_page: OpenPage, read: Text) -> None:
    run = made_run(Config().with_values(cell="lstm-depth-gated", units=6, layers=2))
    place = {"run": run, "t": "1", "layer": "1", "probe": "The", "block": "depth", "notation": "pytorch"}
    refused = "d has no recurrent weights: those of all other blocks are shown."
    assert refused in read(open_page("unrolled", look="shares", **place))
    assert refused not in read(open_page("unrolled", look="shares", weight="weight_ih", **place))
    assert refused not in read(open_page("unrolled", look="activations", **place))


def test_the_lowest_of_depth_gated_layers_is_an_lstm(open_page: OpenPage, read: Text) -> None:
    run = made_run(Config().with_values(cell="lstm-depth-gated", units=6, layers=2))
    lowest = {"run": run, "t": "1", "layer": "0", "probe": "The"}
    assert "The cell LSTM has no depth" in read(open_page("unrolled", look="whatif", quantity="depth", **lowest))
    above = open_page("unrolled", look="cell", changes="depth:1:1:2:0", **lowest)
    assert "is ignored" not in read(above), "a change of another layer fits that layer"
    assert picture(above)["cell"] == "LSTM, depth-gated"
    assert "is ignored" in read(open_page("unrolled", look="cell", changes="depth:0:1:2:0", **lowest))


def test_only_the_chosen_drill_down_is_drawn(open_page: OpenPage) -> None:
    titles = {}
    for look in ("activations", "shares", "arithmetic"):
        app = open_page("unrolled", look=look)
        titles[look] = [json.loads(chart.proto.spec)["title"]["text"] for chart in app.get("vega_lite_chart")]
    assert [len(found) for found in titles.values()] == [1, 1, 0]


# ---------------------------------------------------------------------- drill-downs


def test_the_shares_of_the_timesteps_make_up_the_gradient(open_page: OpenPage, read: Text) -> None:
    rows = _rows(open_page("unrolled", look="shares", probe=PROBE), "Contribution of each timestep")
    assert len(rows) == len(PROBE)
    assert rows["value"].sum() == pytest.approx(1)
    of_one = open_page("unrolled", look="shares", probe=PROBE, of="7")
    rows = _rows(of_one, "Contribution of each timestep")
    assert rows["value"].sum() == pytest.approx(1)
    assert (rows["value"].iloc[8:] == 0).all()
    last = re.search(r"the 5 steps up to t = 8 contribute (\d+)% of the gradient", read(of_one))
    assert last
    assert int(last[1]) == pytest.approx(100 * rows["value"].iloc[3:8].sum(), abs=0.51)


def test_the_shares_of_one_weight_add_up_to_its_gradient(open_page: OpenPage) -> None:
    app = open_page("unrolled", run="tales-rnn", look="shares", probe=PROBE, element="3:17")
    loaded = _loaded("tales-rnn")
    weights = {name: value.clone().requires_grad_() for name, value in loaded.model.named_parameters()}
    tokens = torch.as_tensor(loaded.vocabulary.encode(PROBE)).unsqueeze(1)
    logits, _ = torch.func.functional_call(loaded.model, weights, (tokens[:-1], loaded.model.initial_state(1)))
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[1:].flatten(), reduction="sum").backward()
    gradient = weights["stack.layers.0.weight_hh"].grad
    assert gradient is not None
    rows = _rows(app, "Contribution of each timestep")
    assert rows["value"].sum() == pytest.approx(float(gradient[3, 17]), rel=1e-3)


def test_one_weight_is_chosen_by_its_unit_and_where_it_comes_from(open_page: OpenPage, link: Link) -> None:
    app = open_page("unrolled", look="shares", probe=PROBE, unit="9")
    app = app.main.toggle[0].set_value(True).run()
    assert link(app)["element"] == "9:0"
    rows = widget(app, "button_group", "block")
    assert rows.value == "update", "one weight stands in one block's rows"
    app = widget(app, "number_input", "element.1").set_value(18).run()
    assert link(app)["element"] == "9:17"
    app = app.main.toggle[0].set_value(False).run()
    assert "element" not in link(app)


def test_the_histogram_is_of_the_layers_own_pre_activations(open_page: OpenPage, read: Text) -> None:
    app = open_page("unrolled", look="activations", block="forget", probe=PROBE, t="5", unit="3")
    loaded = _loaded("tales-lstm")
    pre = engine.record(loaded.model, loaded.vocabulary.encode(PROBE))["forget_pre"][0].numpy()
    rows = _rows(app, "σ")
    now = rows[rows["part"] == "now"]
    assert now["z"].iloc[0] == pytest.approx(pre[5, 3], abs=1e-5)
    assert now["value"].iloc[0] == pytest.approx(1 / (1 + np.exp(-pre[5, 3])), abs=1e-5)
    saturated = (np.exp(-np.abs(pre)) / (1 + np.exp(-np.abs(pre))) ** 2 < 0.025).mean()
    assert float(
        re.search(r"([\d.]+)% of Γ\(f\)'s pre-activations are saturated \(σ′ < 0\.025\)", read(app))[1]
    ) == pytest.approx(100 * saturated, abs=0.06)  # type: ignore[index]


# ---------------------------------------------------------------------- controls show what is drawn


SETTING = re.compile(r"unrolled\.settings\.\d+\.(\w+)")


def _shown_settings(app: AppTest) -> set[str]:
    """The settings that have a control in the drill-down that is open; its own choice aside."""
    kinds = ("button_group", "selectbox", "slider", "number_input", "toggle")
    keys = [str(widget.key) for kind in kinds for widget in app.main.get(kind)]
    return {found[1] for found in map(SETTING.match, keys) if found} - {"look"}


def test_two_drill_downs_share_no_other_setting_than_those_that_are_gone_through_below(open_page: OpenPage) -> None:
    shown = {look: _shown_settings(open_page("unrolled", look=look, probe=PROBE)) for look in LOOKS}
    shared = {(a, b): both for a, b in itertools.combinations(LOOKS, 2) if (both := shown[a] & shown[b])}
    assert shared == {("activations", "shares"): {"block"}}


def _block_of_the_histogram(app: AppTest, trace: Trace) -> str:
    """The block whose pre-activations the chart draws at t = 6 for unit 4."""
    now = _rows(app, "")[lambda rows: rows["part"] == "now"]["z"].iloc[0]
    blocks = ("update", "forget", "candidate", "output")
    return next(block for block in blocks if float(trace[f"{block}_pre"][0, 5, 3]) == pytest.approx(now, abs=1e-5))


def _block_of_the_shares(app: AppTest, trace: Trace) -> str:
    """The block whose rows' shares the chart draws; "" for all."""
    drawn = _rows(app, "Contribution of each timestep")["value"].to_numpy()
    cell = _loaded("tales-lstm").model.stack.cells[0]
    for block in ("", "update", "forget", "candidate", "output"):
        rows = cell.rows(block) if block else slice(None)
        pre = torch.cat([trace.grad[f"{name}_pre"][0] for name in cell.blocks], dim=1)  # (time, rows)
        shares = pre[:, rows].double().norm(dim=1) * trace.before("hidden")[0].double().norm(dim=1)
        if np.allclose(drawn, shares.numpy(), rtol=1e-3, atol=1e-6):
            return block
    raise AssertionError("the chart draws no block's shares")


@pytest.mark.parametrize("looks", [("activations", "shares"), ("shares", "activations")])
@pytest.mark.parametrize("chosen", [None, "update", "forget", "candidate"])
def test_a_control_shows_what_is_drawn_whatever_another_drill_down_was_left_at(
    open_page: OpenPage, looks: tuple[str, str], chosen: str | None
) -> None:
    loaded = _loaded("tales-lstm")
    trace = engine.record(loaded.model, loaded.vocabulary.encode(PROBE), gradient="sum")
    drawn = {"activations": _block_of_the_histogram, "shares": _block_of_the_shares}
    app = open_page("unrolled", look=looks[0], probe=PROBE, t="5", unit="3", measure="norm")
    if chosen:
        app = widget(app, "button_group", "block").set_value(chosen).run()
    for look in (*looks, *looks):  # to and fro: what was left behind must not come back
        app = widget(app, "button_group", "look").set_value(look).run()
        assert widget(app, "button_group", "block").value == drawn[look](app, trace), look
    if chosen not in (None, "update"):  # the first block stands there without being chosen
        assert _settings(app).block == chosen


def test_the_rows_are_all_again_when_they_were_made_all_while_the_histogram_showed_one(open_page: OpenPage) -> None:
    app = open_page("unrolled", look="activations", probe=PROBE, block="forget")
    app = widget(app, "button_group", "look").set_value("shares").run()
    assert widget(app, "button_group", "block").value == "forget"
    app = widget(app, "button_group", "block").set_value("").run()
    app = widget(app, "button_group", "look").set_value("activations").run()
    assert widget(app, "button_group", "block").value == "update"
    app = widget(app, "button_group", "look").set_value("shares").run()
    assert widget(app, "button_group", "block").value == ""


def test_the_controls_of_a_change_follow_the_probe_and_the_training_step(open_page: OpenPage) -> None:
    app = open_page("unrolled", look="whatif", probe=PROBE, t="4", unit="3", quantity="hidden")
    vocabulary = _loaded("tales-lstm").vocabulary
    assert widget(app, "selectbox", "token").value == int(vocabulary.encode(" ")[0])
    app = app.sidebar.text_area[0].set_value("A wolf came").run()
    assert widget(app, "selectbox", "token").value == int(vocabulary.encode("l")[0])
    read = vocabulary.encode("A wolf came")
    assert app.main.slider[0].value == pytest.approx(
        float(engine.record(_loaded("tales-lstm").model, read)["hidden"][0, 4, 3]), abs=0.006
    )
    app.query_params["step"] = "0"
    app = app.run()
    assert app.main.slider[0].value == pytest.approx(
        float(engine.record(_loaded("tales-lstm", 0).model, read)["hidden"][0, 4, 3]), abs=0.006
    )


# ---------------------------------------------------------------------- what if


def test_a_change_is_recomputed_and_told_with_its_numbers(open_page: OpenPage) -> None:
    app = open_page("unrolled", look="whatif", probe=PROBE, t="9", changes="hidden:0:5:17:-1")
    loaded = _loaded("tales-lstm")
    tokens = loaded.vocabulary.encode(PROBE)
    before = engine.record(loaded.model, tokens)
    after = engine.record(loaded.model, tokens, changes=[Change("hidden", 0, 5, 17, -1.0)])
    rows = _rows(app, "Probability of the actual")
    np.testing.assert_allclose(rows["before"][:-1], np.exp(-before.losses.numpy()[:-1]), rtol=1e-4)
    np.testing.assert_allclose(rows["after"][:-1], np.exp(-after.losses.numpy()[:-1]), rtol=1e-4)
    assert (rows["before"][:5] == rows["after"][:5]).all()
    assert _claim(app).startswith("Setting a⟨t⟩ of unit 18, t = 6 to −1 ")
    at = int(np.abs(rows["after"] - rows["before"])[:-1].argmax())
    assert f"‘{loaded.vocabulary.display(tokens[at + 1])}’ at t = {at + 1}" in _claim(app)


def test_gates_are_closed_and_changes_taken_back_with_buttons(open_page: OpenPage, link: Link) -> None:
    app = open_page("unrolled", look="whatif", probe=PROBE, t="9", unit="3", quantity="output")
    app = press(app, "Close")
    assert link(app)["changes"] == "output:0:9:3:0"
    app = press(app, "Open")
    assert link(app)["changes"] == "output:0:9:3:1"
    app = widget(app, "button", "remove.change.0").click().run()
    assert "changes" not in link(app)
    assert picture(app)["other"] is None


def test_a_slider_sets_the_value_within_its_range(open_page: OpenPage, link: Link) -> None:
    app = open_page("unrolled", look="whatif", probe=PROBE, t="9", unit="3", quantity="hidden")
    slider = app.main.slider[0]
    loaded = _loaded("tales-lstm")
    present = engine.record(loaded.model, loaded.vocabulary.encode(PROBE))["hidden"][0, 9, 3]
    assert (slider.min, slider.max) == (-1, 1)
    assert slider.value == pytest.approx(float(present), abs=0.006)
    app = slider.set_value(-0.5).run()
    assert link(app)["changes"] == "hidden:0:9:3:-0.5"
    assert app.main.slider[0].value == -0.5


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_controls_of_a_change_are_named_as_they_are_read(open_page: OpenPage, notation: str) -> None:
    app = open_page("unrolled", unit="0", look="whatif", probe="a*b_c", t="3", quantity="update", notation=notation)
    name = {"ng": "Γᵤ", "cs231n": "i", "pytorch": "i", "plain": "update (input) gate"}[notation]
    time = 3 if notation == "pytorch" else 4
    assert app.main.slider[0].label.startswith(f"{name} of unit {time - 3}, t = {time} is 0.")
    assert widget(app, "selectbox", "token").label == f"Token at t = {time}"
    choices = widget(app, "selectbox", "quantity").options
    assert choices[0].startswith(f"{name}: ")
    assert not any(set(said) & set("_\\") for said in (*choices, app.main.slider[0].label))


def test_another_token_is_read_instead(open_page: OpenPage, link: Link) -> None:
    app = open_page("unrolled", look="whatif", probe=PROBE, t="4")
    loaded = _loaded("tales-lstm")
    other = int(loaded.vocabulary.encode("u")[0])
    app = widget(app, "selectbox", "token.4").set_value(other).run()
    assert link(app)["tokens"] == f"4:{other}"
    after = engine.record(loaded.model, loaded.vocabulary.encode("Theyuate the fish, and then"))
    rows = _rows(app, "Most likely next tokens")
    changed = rows[rows["which"] == "changed"].set_index("token")["probability"]
    chances = after.log_probabilities[4].exp()
    likeliest = loaded.vocabulary.display(int(chances.argmax()))
    found = next(changed[name] for name in changed.index if name.split(" ◂")[0] == likeliest)
    assert found == pytest.approx(float(chances.max()), rel=1e-3)
    assert "Reading ‘u’ instead of ‘␣’ at t = 5" in _claim(app)
    assert "the loss that changes most, among unchanged targets, is that of" in _claim(app), "‘␣’ at t = 4 is none"


def test_a_ninth_change_is_refused(open_page: OpenPage, link: Link) -> None:
    eight = ",".join(f"hidden:0:{t}:0:0" for t in range(8))
    app = open_page("unrolled", look="whatif", probe=PROBE, t="20", changes=eight, quantity="hidden")
    assert app.main.slider[0].disabled
    assert next(button for button in app.main.button if button.label == "Set to 0").disabled
    assert link(app)["changes"] == eight


@pytest.mark.parametrize("look", ["activations", "shares", "whatif"])
def test_every_chart_can_be_taken_away(open_page: OpenPage, look: str) -> None:
    app = open_page("unrolled", look=look, probe=PROBE, changes="hidden:0:3:0:1", t="8")
    charts = app.get("vega_lite_chart")
    assert charts
    for chart in charts:
        spec = json.loads(chart.proto.spec)
        rows = pa.ipc.open_stream(io.BytesIO(chart.proto.data.data)).read_pandas()
        assert export(spec, rows, "svg").startswith(b"<svg")
        assert export(spec, rows, "png").startswith(b"\x89PNG")
        assert len(export(spec, rows, "csv").splitlines()) == len(rows) + 1


EXPERIMENTS = {
    "Vanishing gradients: LSTM vs RNN": lambda app: picture(app, 1)["cell"] == "RNN" and "Vanishing" in _claim(app),
    "Close the gate that matters most": lambda app: _claim(app).startswith("Closing") and "raises" in _claim(app),
    "A network small enough to check by hand": lambda app: picture(app)["units"] == 3,
}


@pytest.mark.parametrize("label", EXPERIMENTS)
def test_every_experiment_works_with_one_click(open_page: OpenPage, said: Text, read: Text, label: str) -> None:
    app = press(open_page("unrolled", probe=PROBE, t="12"), label)
    assert not app.exception
    assert said(app) == ""
    assert EXPERIMENTS[label](app)


# ---------------------------------------------------------------------- bad probes and weights


def test_an_empty_probe_is_the_runs_own(open_page: OpenPage, said: Text) -> None:
    app = open_page("unrolled", probe="")
    assert said(app) == ""
    assert picture(app)["length"] > 10


@pytest.mark.parametrize("look", LOOKS)
def test_one_token_has_no_loss_and_every_drill_down_says_what_there_is(
    open_page: OpenPage, said: Text, look: str
) -> None:
    app = open_page("unrolled", probe="T", look=look, of="0", changes="hidden:0:0:0:1")
    assert not app.exception
    assert said(app) == ""
    assert picture(app)["length"] == 1


STRANGE = {
    "all unknown": ("tales-lstm", "☃☃☃"),
    "markup": ("tales-gru", MARKUP),
    "one unknown": ("tales-rnn", "The ☃ wolf"),
    "invisible": ("hello-rnn", "\u202e\u200b\x00"),
    "words": ("tales-words", MARKUP),
    "one unknown word": ("tales-words", "the wolf ☃ the"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_the_vocabulary_lacks_is_shown_and_counted(open_page: OpenPage, read: Text, said: Text, name: str) -> None:
    run, text = STRANGE[name]
    app = open_page("unrolled", run=run, probe=text)
    for look in LOOKS:
        app = widget(app, "button_group", "look").set_value(look).run()
        assert not app.exception, look
        assert said(app) == ""
        assert "Not in the model's vocabulary" in read(app)


def test_a_probe_of_10_000_characters_is_cut_and_says_so(open_page: OpenPage, read: Text, said: Text) -> None:
    app = open_page("unrolled", probe="once upon " * 1_000)
    assert not app.exception
    assert "it has 10,000 characters; only the first 500 are read" in said(app)
    assert picture(app)["length"] == LONGEST_PROBE


@pytest.mark.parametrize("look", LOOKS)
def test_weights_that_are_nan_are_drawn_and_said(open_page: OpenPage, read: Text, said: Text, look: str) -> None:
    run = made_run(Config().with_values(cell="lstm", units=5), spoil=True)
    app = open_page("unrolled", run=run, look=look, changes="forget:0:1:1:0", of="3", t="3")
    assert not app.exception
    assert said(app) == ""
    assert "not finite" in read(app)
    if look in ("activations", "shares"):
        assert "NaN" in "\n".join(box.value for box in app.main.markdown)


def test_an_experiment_that_cannot_start_says_why(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, said: Text
) -> None:
    app = open_page("unrolled")

    def gone() -> None:
        raise StoreError("The run is gone.")

    monkeypatch.setattr(explain, "chosen_view", gone)
    app = press(app, "Close the gate that matters most")
    assert not app.exception
    assert "The run is gone." in said(app)
    assert _settings(app).changes == ()


@pytest.mark.parametrize(
    ("look", "kind", "name", "choice"),
    [
        ("activations", "button_group", "block.activations", "update"),
        ("shares", "button_group", "block.shares", "update"),
        ("whatif", "selectbox", "quantity", "output"),
    ],
)
def test_a_choice_stays_when_its_labels_follow_another_notation(
    open_page: OpenPage, look: str, kind: str, name: str, choice: str
) -> None:
    app = open_page("unrolled", run="tales-lstm", look=look)
    app = widget(app, kind, name).set_value(choice).run()
    before = widget(app, kind, name)
    app.session_state["selection"] = replace(app.session_state["selection"], notation="plain")  # as in another tab
    after = widget(app.run(), kind, name)
    assert not app.exception
    assert after.value == choice
    assert after.key != before.key, "the label that the browser still sends is that of no option"
