import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from playground import theme
from playground.charts.live import Spec, gradient_spec, learning_rate_spec, loss_spec, speed_spec
from playground.charts.units import UNITS

SPECS = [
    *[(lambda u=u, x=x: loss_spec(u, x)) for u in UNITS for x in ("step", "seconds")],
    *[(lambda f=f, x=x: f(x)) for f in (gradient_spec, learning_rate_spec, speed_spec) for x in ("step", "seconds")],
]


@pytest.mark.parametrize("make", SPECS)
def test_a_live_chart_has_a_title_a_description_and_named_axes_with_units(make: Callable[[], Spec]) -> None:
    spec = make()
    assert spec["title"]["text"]
    assert len(spec["description"]) > 30
    lines = next(layer["encoding"] for layer in spec["layer"] if layer["mark"]["type"] == "line")
    assert lines["x"]["title"] in ("training step", "computing time (s)")
    assert lines["y"]["title"]


@pytest.mark.parametrize("make", SPECS)
def test_a_live_chart_holds_no_data_of_its_own(make: Callable[[], Spec]) -> None:
    spec = make()
    assert "data" not in spec
    assert "datasets" not in spec
    assert all("data" not in layer for layer in spec["layer"])


@pytest.mark.parametrize("make", SPECS)
def test_every_layer_names_the_rows_it_draws(make: Callable[[], Spec]) -> None:
    assert all(layer["transform"][0]["filter"].startswith("datum.") for layer in make()["layer"])


@pytest.mark.parametrize("make", SPECS)
def test_the_renderer_does_not_depend_on_the_number_of_rows(make: Callable[[], Spec]) -> None:
    assert make()["usermeta"]["embedOptions"]["renderer"] == "canvas"
    assert make()["config"]["aria"] is False


@pytest.mark.parametrize("make", SPECS)
def test_the_chart_can_be_zoomed_and_only_with_ctrl_by_the_wheel(make: Callable[[], Spec]) -> None:
    zoom = next(item for item in make()["params"] if item["name"] == "zoom")
    assert zoom["bind"] == "scales"
    assert "ctrlKey" in zoom["select"]["zoom"]


def test_the_loss_chart_names_its_unit() -> None:
    titles = [loss_spec(unit, "step")["layer"][1]["encoding"]["y"]["title"] for unit in UNITS]
    assert titles == ["loss (bits per character)", "loss (nats per token)", "perplexity (per token)"]


def test_one_height_for_small_charts_and_one_for_large() -> None:
    assert loss_spec()["height"] == theme.HEIGHT_LARGE
    assert {gradient_spec()["height"], learning_rate_spec()["height"], speed_spec()["height"]} == {theme.HEIGHT_SMALL}


def test_specifications_are_the_same_bytes_in_every_process() -> None:
    code = "import json; from playground.charts.live import *; print(json.dumps([gradient_spec(), loss_spec()]))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == json.dumps([gradient_spec(), loss_spec()])


def test_charts_import_no_streamlit() -> None:
    modules = "charts.live, playground.charts.frames, playground.charts.export, playground.charts.spark"
    code = f"import sys, playground.{modules}, playground.notation; assert 'streamlit' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
