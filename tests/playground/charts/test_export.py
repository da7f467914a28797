import pandas as pd
import pytest

from playground.charts.export import MAX_ROWS, ExportError, export
from playground.charts.frames import LiveRun, loss_frame
from playground.charts.live import loss_spec
from playground.charts.spark import spark

ROWS = [{"step": step, "train_seconds": step, "loss": 4.0 - step * 0.1} for step in range(20)]
FRAME = loss_frame([LiveRun("LSTM <b>", "lstm", ROWS)], baselines={"uniform guess": 4.2})


def test_svg_holds_title_axes_and_labels_as_text_on_a_white_ground() -> None:
    svg = export(loss_spec(), FRAME, "svg").decode()
    for text in ("Loss during training", "training step", "uniform guess 4.20", "LSTM &lt;b&gt;"):
        assert text in svg
    assert 'fill="#FFFFFF"' in svg


def test_png_is_twice_the_width_asked_for() -> None:
    png = export(loss_spec(), FRAME, "png", width=400)
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 800


def test_csv_holds_the_measured_rows() -> None:
    lines = export(loss_spec(), FRAME, "csv").decode().splitlines()
    assert lines[0] == "label,series,step,seconds,value,text"
    assert lines[1].startswith("LSTM <b>,training,0.0,0.0,4.0")


def test_csv_runs_no_formula_in_a_spreadsheet() -> None:
    frame = loss_frame([LiveRun("=HYPERLINK(1)", "lstm", ROWS)])
    assert b"\n'=HYPERLINK(1),training" in export(loss_spec(), frame, "csv")


@pytest.mark.parametrize(("kind", "rows", "width"), [("gif", 1, 400), ("png", MAX_ROWS + 1, 400), ("png", 1, 9_000)])
def test_what_cannot_be_exported_is_refused_in_a_sentence(kind: str, rows: int, width: int) -> None:
    with pytest.raises(ExportError):
        export(loss_spec(), pd.DataFrame({"step": [0.0] * rows}), kind, width=width)  # type: ignore[arg-type]


def test_a_live_specification_is_left_as_it_was() -> None:
    before = repr(loss_spec())
    export(loss_spec(), FRAME, "svg")
    assert repr(loss_spec()) == before


@pytest.mark.parametrize("values", [[], [float("nan")], [4.0, 2.0, float("inf"), 1.0]])
def test_a_spark_line_stands_for_any_numbers(values: list[float]) -> None:
    chart = spark(values=values, cell="gru").to_dict()
    assert chart["description"].startswith("validation loss")
