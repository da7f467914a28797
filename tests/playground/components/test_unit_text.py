"""The text coloured by units: what is sent of it, what cannot be drawn, and what can be chosen in it."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from playground.components.choice import fitting
from playground.components.heatmap import Axis
from playground.components.packing import plain
from playground.components.unit_text import MOST_TOKENS, Line, UnitText, fits


def text_of(text: str, *lines: Line, marks: list[bool] | None = None) -> UnitText:
    """A text with these lines, of a layer of 64 units."""
    axis = Axis("timestep", len(text), "t", chosen=0, first=1, form="t = {}", texts=list(text))
    return UnitText(list(text), axis, lines, 64, "A text.", "a-run", unit=5, marks=marks or (), marked="in quotes")


def line_of(*values: float, gate: bool = False) -> Line:
    """The values of the first unit."""
    return Line("c 1", "cell state of unit 1", torch.tensor(values), gate, unit=0)


def test_values_and_scale_of_each_line_are_sent() -> None:
    text = text_of("abc", line_of(0.5, -0.4, torch.nan), line_of(0.1, 0.2, 0.3, gate=True))
    state, gate = json.loads(json.dumps(plain(text), allow_nan=False))["lines"]
    found = np.frombuffer(base64.b64decode(state["values"]), "<f4")
    np.testing.assert_array_equal(found, np.array([0.5, -0.4, np.nan], "<f4"))
    assert (state["full"], state["nan"], state["unit"]) == (0.5, 1, 0)
    assert (gate["full"], gate["gate"]) == (1.0, True)


def test_a_line_or_marks_of_another_length_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="3 tokens, but the line 'c 1' 2 places"):
        text_of("abc", line_of(1, 2))
    with pytest.raises(ValueError, match="3 tokens, but the marks 2 places"):
        text_of("abc", line_of(1, 2, 3), marks=[True, False])


@pytest.mark.parametrize(("length", "lines"), [(0, 1), (MOST_TOKENS + 1, 1), (3, 0), (3, 7)])
def test_more_or_less_than_can_be_drawn_is_refused(length: int, lines: int) -> None:
    with pytest.raises(ValueError, match="1 to"):
        text_of("a" * length, *[line_of(*[0.5] * length)] * lines)


@pytest.mark.parametrize("message", [{"t": 2}, {"unit": 63}, {"t": 0, "unit": 0}])
def test_a_token_and_a_unit_can_be_chosen(message: dict[str, Any]) -> None:
    assert fitting({"count": 1, **message}, fits(text_of("abc", line_of(1, 2, 3)))) == message


@pytest.mark.parametrize("message", [{"t": 3}, {"unit": 64}, {"t": True}, {"unit": "1"}, {"label": "c 1"}])
def test_what_is_not_there_cannot_be_chosen(message: dict[str, Any]) -> None:
    assert fitting({"count": 1, **message}, fits(text_of("abc", line_of(1, 2, 3)))) == {}


def _page() -> None:
    import torch

    from playground.components.heatmap import Axis
    from playground.components.unit_text import Line, UnitText, unit_text

    line = Line("c 1", "cell state of unit 1", torch.zeros(2), gate=False)
    unit_text(UnitText("ab", Axis("timestep", 2, "t"), [line], 3, "A text.", "a-run"), key="text")


def test_it_reaches_the_browser() -> None:
    app = AppTest.from_function(_page).run()
    assert not app.exception
    (mounted,) = app.get("bidi_component")
    assert json.loads(mounted.proto.json)["choosable"] is False
