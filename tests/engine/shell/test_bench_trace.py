"""`python -m engine bench trace`: that it measures, not what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SHORT = ["--rounds", "2", "--units", "4", "--length", "5"]


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_a_pass_is_measured_without_gradients_and_with_them(in_json: Callable) -> None:
    status, lines = in_json("bench", "trace", "--cell", "gru", "--layers", "3", *SHORT)
    assert status == 0
    assert [line["what"] for line in lines] == ["forward", "gradient"]
    for line in lines:
        assert (line["cell"], line["units"], line["layers"], line["length"]) == ("gru", 4, 3, 5)
        assert line["threads"] == 1
        assert 0 < line["fastest"] <= line["seconds"]


def test_the_size_asked_about_is_the_default(in_json: Callable) -> None:
    _, lines = in_json("bench", "trace", "--rounds", "1")
    assert {(line["cell"], line["units"], line["layers"], line["length"]) for line in lines} == {("lstm", 256, 2, 100)}


def test_people_get_a_line_for_each(plainly: Callable) -> None:
    status, out, _ = plainly("bench", "trace", *SHORT)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["forward", "gradient"]
    assert "5 tokens through 2 x 4 units of lstm" in out
    assert "{" not in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rounds", "0"],
        ["--threads", "0"],
        ["--units", "0"],
        ["--layers", "9"],
        ["--length", "0"],
        ["--length", "-3"],
        ["--length", "501"],
        ["--cell", "elman"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], in_json: Callable) -> None:
    status, lines = in_json("bench", "trace", *arguments)
    assert status == 2
    assert [line["event"] for line in lines] == ["error"]
