"""`python -m engine bench`: choosing what to measure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TRACE = ["trace", "--units", "4", "--length", "3", "--rounds", "1"]


@pytest.mark.parametrize("arguments", [[], ["thoughts"], ["trace", "training"]], ids=str)
def test_what_is_not_known_is_refused(arguments: list[str], in_json: Callable) -> None:
    status, lines = in_json("bench", *arguments)
    assert status == 2
    assert [line["event"] for line in lines] == ["error"]


def test_json_may_be_asked_for_before_what_is_measured(plainly: Callable) -> None:
    status, out, _ = plainly("bench", "--json", *TRACE)
    assert status == 0
    assert all(line.startswith("{") for line in out.splitlines())
