"""Grids of values: what is sent of them, where their scales end, and what can be chosen in them."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import Tensor

from playground.components.choice import fitting
from playground.components.heatmap import MOST_NUMBERS, Axis, Heatmaps, Panel, fits, scale_of
from playground.components.packing import LEVELS, NAN_LEVEL, plain
from playground.notation import Symbol


def heatmaps_of(*values: Tensor, gate: bool = False, order: list[int] | None = None) -> Heatmaps:
    """Panels of these values, units by timesteps."""
    units, length = values[0].shape
    return Heatmaps(
        [Panel(f"panel {place}", grid, gate, Symbol("c")) for place, grid in enumerate(values)],
        Axis("timestep", length, "t", chosen=0, first=1, form="t = {}", texts=["a"] * length),
        Axis("unit", units, "unit", chosen=0, first=1, form="unit {}", names={0: "in quotes"}, order=order),
        about="Units by timesteps.",
        file="a-run",
    )


def sent(data: Heatmaps) -> dict[str, Any]:
    """What the browser gets."""
    found: dict[str, Any] = json.loads(json.dumps(plain(data), allow_nan=False))
    return found


# ---- values


def test_few_values_are_sent_as_they_are_with_nan_and_infinity() -> None:
    values = torch.tensor([[0.5, -2.25, torch.nan], [torch.inf, -torch.inf, 1e-30]])
    (panel,) = sent(heatmaps_of(values))["panels"]
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(panel["values"]), "<f4").reshape(2, 3), values)
    assert panel["levels"] is None


def test_a_view_of_a_trace_arrives_row_by_row() -> None:
    trace = torch.arange(6.0).reshape(3, 2)  # (time, unit)
    (panel,) = sent(heatmaps_of(trace.T))["panels"]
    assert np.frombuffer(base64.b64decode(panel["values"]), "<f4").tolist() == [0, 2, 4, 1, 3, 5]


def test_more_than_200_000_values_of_all_panels_together_are_sent_as_levels() -> None:
    half = torch.linspace(-1, 1, MOST_NUMBERS // 2).reshape(250, 400)
    assert all(panel["levels"] is None for panel in sent(heatmaps_of(half, half))["panels"])
    (first, _, third) = sent(heatmaps_of(half, half, half[:, :1].expand(250, 400)))["panels"]
    assert first["values"] is third["values"] is None
    found = np.frombuffer(base64.b64decode(first["levels"]), np.int8)
    assert np.abs(found / LEVELS - half.flatten().numpy()).max() <= 0.5 / LEVELS + 1e-6


def test_beside_levels_go_the_numbers_of_the_chosen_row_and_column() -> None:
    values = torch.randn(1024, 400, generator=torch.Generator().manual_seed(1))
    data = Heatmaps(
        [Panel("state", values, gate=False)],
        Axis("timestep", 400, "t", chosen=7),
        Axis("unit", 1024, "unit", chosen=1000),
        about="",
        file="",
    )
    (panel,) = sent(data)["panels"]
    for name, expected in (("across", values[1000]), ("down", values[:, 7])):
        np.testing.assert_array_equal(np.frombuffer(base64.b64decode(panel[name]), "<f4"), expected)


def test_a_level_of_what_is_not_finite_is_no_value_of_the_scale() -> None:
    values = torch.zeros(1024, 400)
    values[0, :3] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    values[1, 0] = 3.0
    (panel,) = sent(heatmaps_of(values))["panels"]
    found = np.frombuffer(base64.b64decode(panel["levels"]), np.int8).reshape(1024, 400)
    assert found[0, :4].tolist() == [NAN_LEVEL, NAN_LEVEL, NAN_LEVEL, 0]
    assert found[1, 0] == LEVELS
    assert (panel["nan"], panel["infinite"]) == (1, 2)


def test_unit_names_and_order_go_along() -> None:
    data = sent(heatmaps_of(torch.zeros(3, 2), order=[2, 0, 1]))
    assert data["rows"]["order"] == [2, 0, 1]
    assert data["rows"]["names"] == {"0": "in quotes"}


# ---- scales


def test_a_signed_scale_is_centred_on_zero_and_ends_where_98_in_100_values_are() -> None:
    values = torch.cat((torch.linspace(-1, 1, 998), torch.tensor([-7.1, 5.0]))).reshape(10, 100)
    scale = scale_of(values, gate=False)
    sizes = sorted(values.flatten().abs().tolist())
    assert scale.full == pytest.approx(sizes[int(0.98 * 999)], rel=1e-3)
    assert scale.beyond == sum(size > scale.full * 1.001 for size in sizes)
    assert scale.farthest == pytest.approx(-7.1)
    assert (scale.low, scale.high) == (pytest.approx(-7.1), 5.0)


@pytest.mark.parametrize("most", [1.23449, 1.2345, 0.99996])
def test_rounding_the_end_of_a_scale_puts_nothing_beyond_it(most: float) -> None:
    scale = scale_of(torch.tensor([[most, -most / 1.2]], dtype=torch.float64), gate=False)
    assert scale.full == pytest.approx(most, rel=1e-3)
    assert scale.beyond == 0


def test_a_gates_scale_goes_from_0_to_1_whatever_its_values_are() -> None:
    scale = scale_of(torch.tensor([[0.2, 0.3], [0.25, torch.nan]]), gate=True)
    assert (scale.full, scale.low, scale.high, scale.beyond, scale.nan) == (1.0, pytest.approx(0.2), 0.3, 0, 1)


def test_nan_and_infinity_are_counted_and_move_no_scale() -> None:
    values = torch.tensor([[0.5, -0.4, torch.nan, torch.inf, -torch.inf, torch.nan]])
    scale = scale_of(values, gate=False)
    assert (scale.full, scale.nan, scale.infinite, scale.beyond) == (0.5, 2, 2, 0)


@pytest.mark.parametrize("value", [0.0, 0.7, torch.nan, -torch.inf])
def test_a_constant_has_a_scale_that_can_be_divided_by(value: float) -> None:
    scale = scale_of(torch.full((4, 5), value), gate=False)
    assert scale.full == pytest.approx(0.7 if value == 0.7 else 1.0)
    assert scale.beyond == 0


@pytest.mark.parametrize("units", [1, 1024])
def test_one_unit_and_very_many_are_drawn(units: int) -> None:
    (panel,) = sent(heatmaps_of(torch.linspace(-1, 1, units)[:, None]))["panels"]
    assert len(base64.b64decode(panel["values"])) == 4 * units


# ---- what cannot be drawn


def test_panels_of_another_size_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'panel 1' is 2 by 3, not 3 rows by 2 columns"):
        heatmaps_of(torch.zeros(3, 2), torch.zeros(2, 3))


@pytest.mark.parametrize("shape", [(1025, 2), (2, 501), (0, 3)])
def test_more_than_can_be_drawn_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="up to 1,024 rows by 500 columns"):
        heatmaps_of(torch.zeros(*shape))


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [1, 2, 3]])
def test_an_order_that_leaves_a_row_out_is_refused(order: list[int]) -> None:
    with pytest.raises(ValueError, match="each of the 3 rows once"):
        heatmaps_of(torch.zeros(3, 2), order=order)


# ---- choosing


@pytest.mark.parametrize("message", [{"t": 1, "unit": 2}, {"t": 0}, {"unit": 0}])
def test_a_place_in_the_grid_can_be_chosen(message: dict[str, Any]) -> None:
    assert fitting({"count": 1, **message}, fits(heatmaps_of(torch.zeros(3, 2)))) == message


@pytest.mark.parametrize("message", [{"t": 2}, {"unit": 3}, {"t": -1}, {"unit": "0"}, {"unit": 1.0}, {"row": 0}])
def test_what_is_not_in_the_grid_cannot_be_chosen(message: dict[str, Any]) -> None:
    assert fitting({"count": 1, **message}, fits(heatmaps_of(torch.zeros(3, 2)))) == {}


def _page() -> None:
    import torch

    from playground.components.heatmap import Axis, Heatmaps, Panel, heatmaps

    rows, columns = Axis("training step", 2, "step", texts=["0", "8"], numbered=False), Axis("timestep", 3, "t")
    panels = [Panel("loss", torch.ones(2, 3), gate=False, measure="nats")]
    heatmaps(Heatmaps(panels, columns, rows, about="Losses.", file="losses"), key="still")
    heatmaps(Heatmaps(panels, columns, rows, about="Losses.", file="losses"), key="chosen", on_choose=print)


def test_a_picture_knows_whether_something_can_be_chosen_in_it() -> None:
    app = AppTest.from_function(_page).run()
    assert not app.exception
    assert [json.loads(one.proto.json)["choosable"] for one in app.get("bidi_component")] == [False, True]
