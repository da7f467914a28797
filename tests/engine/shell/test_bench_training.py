"""`python -m engine bench training`: that it measures, not what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SHORT = ["--rounds", "1", "--steps", "1", "--units", "8", "--streams", "2", "--chunk", "8"]


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_a_cell_that_torch_has_is_set_beside_the_bare_loop(in_json: Callable) -> None:
    status, lines = in_json("bench", "training", "--cell", "gru", *SHORT)
    assert status == 0
    (line,) = lines
    assert (line["cell"], line["threads"], line["units"]) == ("gru", 1, 8)
    assert line["tokens_per_second"] > 0
    assert line["ratio"] > 0


def test_a_cell_that_torch_has_not_is_set_beside_the_lstm(in_json: Callable) -> None:
    status, lines = in_json("bench", "training", "--cell", "lstm-coupled", "--cell", "rnn", *SHORT)
    assert status == 0
    assert [line["cell"] for line in lines] == ["lstm-coupled", "rnn"]
    assert lines[0]["ratio_to_lstm"] > 0
    assert "ratio" not in lines[0]


def test_people_get_a_line_for_each_cell(plainly: Callable) -> None:
    status, out, _ = plainly("bench", "training", "--cell", "gru", *SHORT)
    assert status == 0
    assert out.startswith("gru")
    assert "tokens/s" in out
    assert "{" not in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rounds", "0"],
        ["--steps", "0"],
        ["--threads", "0"],
        ["--units", "0"],
        ["--cell", "elman"],
        ["--device", "abacus"],
        ["--streams", "1000000"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], in_json: Callable) -> None:
    status, lines = in_json("bench", "training", *arguments)
    assert status == 2
    assert [line["event"] for line in lines] == ["error"]
