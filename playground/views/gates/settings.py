"""What of the gates is looked at, beside the selection that all pages share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.analysis.hypotheses import LONGEST_PATTERN, NAMES
from engine.analysis.unit_order import ORDERS
from engine.trace import LONGEST_PROBE
from playground.state import PageSettings, fields
from playground.state.fields import choice, flag, group, setting, several, whole

MOST_UNITS = 5
"""Units that can be pinned beside the chosen one."""

OWN = "regex"
"""The hypothesis that the visitor writes: a regular expression."""

MOST_VALUE = 1e6
_LARGEST_UNIT = 100_000

SHOWN = {"values": "values", "sum": "gradients of all losses", "here": "gradients of the loss at t"}
SORTED: Mapping[str, str] = dict(zip(ORDERS, ("as stored", "by mean", "by saturation", "by similarity"), strict=True))

_TIME = whole("timestep", 0, LONGEST_PROBE - 1)


@dataclass(frozen=True)
class GatesSettings:
    """What is looked at on this page alone."""

    show: str = setting("values", choice(*SHOWN), "what the heatmaps show")
    """values, or gradients with respect to them: of the sum of all losses, or of the loss at the chosen timestep"""
    sums: bool = setting(False, flag(), "weighted sums", "off")
    """whether the pre-activations are shown too"""
    sort: str = setting("stored", choice(*SORTED), "order of the units")
    quantity: str = setting("", fields.name("name of a gate or state"), "gate or state", "the named unit's")
    """what colours the text and sorts the units; "" for the chosen unit's finding, else the long-term memory"""
    units: tuple[int, ...] = setting(
        (), several(whole("unit", 0, _LARGEST_UNIT), MOST_UNITS, by=lambda unit: unit), "pinned units", "none"
    )
    look: str = setting("search", fields.name("name of a drill-down"), "drill-down")
    hypothesis: str = setting("quotes", choice(*NAMES, OWN), "hypothesis")
    pattern: str = setting("", fields.text(LONGEST_PATTERN), "regular expression", "none")
    """of the hypothesis `OWN`; empty for none"""
    held: float = setting(0.0, fields.number("value", -MOST_VALUE, MOST_VALUE), "value at which the unit is held")
    span: tuple[int, int] | None = setting(None, group("first:last", _TIME, _TIME), "span", "none")
    """the timesteps for which units are searched, first and last; None for the chosen timestep and its neighbours"""


settings = PageSettings("gates.settings", GatesSettings())
