"""Numbers packed for the browser: they arrive as they were, or as the nearest level of colour."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import numpy as np
import torch

from playground.components.packing import LEVELS, NAN_LEVEL, full_scale, levels, plain, plain_fields, span


def test_numbers_arrive_in_order_of_the_axes_with_nan_and_infinity() -> None:
    values = torch.tensor([[1.5, -2.25], [torch.nan, -torch.inf]], dtype=torch.float64)
    found = np.frombuffer(base64.b64decode(plain(values)), "<f4")
    np.testing.assert_array_equal(found, [1.5, -2.25, np.nan, -np.inf])


def test_a_view_of_a_tensor_is_packed_in_its_own_order() -> None:
    values = torch.arange(6.0).reshape(2, 3).T
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(plain(values)), "<f4"), [0, 3, 1, 4, 2, 5])


@dataclass(frozen=True)
class Inner:
    size: float
    values: np.ndarray


@dataclass(frozen=True)
class Outer:
    name: str
    inner: tuple[Inner, ...]
    by_place: dict[int, float | None]


def test_a_dataclass_becomes_what_json_can_carry() -> None:
    given = Outer(
        "<b>", (Inner(float("nan"), np.array([2.0])), Inner(float("-inf"), np.array([1], np.int8))), {3: None}
    )
    found = json.loads(json.dumps(plain(given), allow_nan=False))
    assert found == {
        "name": "<b>",
        "inner": [{"size": "NaN", "values": "AAAAQA=="}, {"size": "-Infinity", "values": "AQ=="}],
        "by_place": {"3": None},
    }
    assert plain_fields(given, "inner", "by_place") == {"name": "<b>"}


def test_levels_are_the_nearest_steps_of_the_scale_and_end_with_it() -> None:
    values = torch.tensor([0.0, 1.0, -1.0, 0.5, 5.0, -5.0, torch.nan, torch.inf])
    found = levels(values, 1.0)
    assert np.frombuffer(base64.b64decode(plain(found)), np.int8).tolist() == found.tolist()
    assert found.tolist() == [0, LEVELS, -LEVELS, 64, LEVELS, -LEVELS, NAN_LEVEL, LEVELS]


def test_a_span_knows_only_finite_values() -> None:
    assert span(torch.tensor([torch.nan, -1.0, 3.0, torch.inf])) == (-1.0, 3.0)
    assert span(torch.tensor([torch.nan])) == (0.0, 0.0)


def test_a_scale_ends_at_the_largest_value_unless_few_are_far_beyond_the_rest() -> None:
    even = torch.linspace(-1, 0.5, 1000)
    assert full_scale(even) == 1.0
    lonely = torch.cat((even, torch.tensor([50.0, torch.nan])))
    assert 0.9 < full_scale(lonely) < 1.0
    assert full_scale(torch.zeros(5)) == 1.0
    assert full_scale(torch.full((3,), torch.nan)) == 1.0
