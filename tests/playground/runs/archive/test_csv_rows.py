"""CSV that a spreadsheet or a data frame opens, and that comes back as it was."""

from __future__ import annotations

import io
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.runs.archive import RunArchiveError
from playground.runs.archive.csv_rows import from_csv, to_csv
from playground.runs.records import Evaluation, Metric, RunChange

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60)
@given(st.lists(st.builds(Metric, st.integers(0, 9), *[FLOATS] * 4, st.none() | FLOATS, *[FLOATS] * 3), max_size=4))
def test_numbers_come_back_to_the_last_bit(rows: list[Metric]) -> None:
    rows = [Metric(step, *list(vars(row).values())[1:]) for step, row in enumerate(rows)]
    back = from_csv("metrics.csv", Metric, to_csv(Metric, rows), 9)
    assert [repr(row) for row in back] == [repr(row) for row in rows]


@settings(max_examples=60)
@given(st.text(max_size=40), st.none() | FINITE)
def test_any_text_stays_one_line_and_no_formula(text: str, value: float | None) -> None:
    raw = to_csv(RunChange, [RunChange(3, "refused", value, text, 1.5)])
    cell = pd.read_csv(io.BytesIO(raw), keep_default_na=False)["text"].astype(str)[0]
    assert not cell.startswith(("=", "+", "-", "@"))
    (back,) = from_csv("changes.csv", RunChange, raw, 3)
    assert (back.step, back.value, back.when) == (3, value, 1.5)
    assert len(back.text) == len(text)
    if text.isprintable():
        assert back.text == text
    assert from_csv("changes.csv", RunChange, to_csv(RunChange, [back]), 3) == (back,)


def test_a_data_frame_reads_it() -> None:
    rows = [
        Evaluation(5, 2.5, math.nan, math.inf, True, False, 1.0, 0.5),
        Evaluation(9, 1e-300, 3.0, -math.inf, False, True, 1, 0.5),
    ]
    frame = pd.read_csv(io.BytesIO(to_csv(Evaluation, rows)))
    assert list(frame.columns) == [
        "step", "val_loss", "bits_per_character", "train_loss", "best", "rising", "seconds", "train_seconds",
        "tokens_read", "tokens_in_all",
    ]  # fmt: skip
    assert frame["val_loss"].tolist() == [2.5, 1e-300]
    assert frame["train_loss"].tolist() == [math.inf, -math.inf]
    assert math.isnan(frame["bits_per_character"][0])
    assert frame["best"].tolist() == [True, False]


def test_evaluations_of_an_older_file_say_nothing_of_the_tokens_they_read() -> None:
    row = Evaluation(5, 2.5, 1.0, 1.0, True, False, 1.0, 0.5, tokens_read=4_096, tokens_in_all=217_645)
    assert from_csv("evaluations.csv", Evaluation, to_csv(Evaluation, [row]), 5) == (row,)
    names = b"step,val_loss,bits_per_character,train_loss,best,rising,seconds,train_seconds\n"
    older = names + b"5,2.5,1.0,1.0,true,false,1.0,0.5\n"
    (back,) = from_csv("evaluations.csv", Evaluation, older, 5)
    assert (back.val_loss, back.tokens_read, back.tokens_in_all) == (2.5, None, None)
    with pytest.raises(RunArchiveError, match="does not begin with the columns"):
        from_csv("evaluations.csv", Evaluation, older.replace(b",train_seconds\n", b"\n"), 5)


def test_a_spreadsheets_own_spelling_of_true_is_read_too() -> None:
    raw = to_csv(Evaluation, [Evaluation(5, 2.5, 1.0, 1.0, True, False, 1.0, 0.5)])
    assert from_csv("evaluations.csv", Evaluation, raw.replace(b"true", b"TRUE"), 5)[0].best
    with pytest.raises(RunArchiveError, match="neither true nor false"):
        from_csv("evaluations.csv", Evaluation, raw.replace(b"true", b"1"), 5)
