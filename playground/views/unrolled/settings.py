"""What of the unrolled network is looked at, beside the selection that all pages share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from engine.trace import LONGEST_PROBE, Change
from playground.state import PageSettings, fields
from playground.state.fields import group, setting, several, whole

MOST_CHANGES = 8
"""What-if changes, and replaced tokens, that can stand at once."""

MOST_VALUE = 1e6
_MOST_LAYERS, _MOST_UNITS, _MOST_TOKENS = 100, 100_000, 1_000_000

WEIGHTS = ("weight_hh", "weight_ih", "bias")
MEASURES = {"along": "share of the total", "norm": "norm"}


def rounded(value: float) -> float:
    """A value as the link has it: six significant digits, within bounds."""
    return fields.six_digits(max(-MOST_VALUE, min(MOST_VALUE, value)))


def place_of(change: Change) -> tuple[str, int, int, int]:
    """Where a change stands: quantity, layer, time, unit."""
    return change.quantity, change.layer, change.time, change.unit


_TIME = whole("timestep", 0, LONGEST_PROBE - 1)
_QUANTITY = fields.name("name of a gate or state")
_CHANGE = group(
    "quantity:layer:timestep:unit:value",
    _QUANTITY,
    whole("layer", 0, _MOST_LAYERS),
    _TIME,
    whole("unit", 0, _MOST_UNITS),
    fields.number("value", -MOST_VALUE, MOST_VALUE),
    make=Change,
    values=lambda change: (*place_of(change), change.value),
)
_TOKEN = group("timestep:token", _TIME, whole("token", 0, _MOST_TOKENS))
_ELEMENT = group("row:column", whole("row", 0, _MOST_UNITS), whole("column", 0, _MOST_TOKENS))


@dataclass(frozen=True)
class UnrolledSettings:
    """What is looked at on this page alone."""

    of: Literal["sum"] | int = setting(
        "sum",
        fields.either("sum", _TIME, "sum, or a timestep counted from 0"),
        "loss to backpropagate",
        "the sum of all losses",
    )
    """the sum of all losses, or the loss at one timestep, counted from 0"""
    folded: bool = setting(False, fields.flag(), "loop view", "off")
    overview: bool = setting(False, fields.flag(), "overview", "off")
    """whether the picture shows every timestep at once, without predictions"""
    look: str = setting("arithmetic", fields.name("name of a drill-down"), "drill-down")
    block: str = setting("", fields.name("name of a block"), "block of weights", "the cell's first")
    """rows of the weights whose pre-activations and gradients are looked at; "" for the cell's first"""
    weight: str = setting("weight_hh", fields.choice(*WEIGHTS), "weight")
    element: tuple[int, int] | None = setting(None, _ELEMENT, "element of a weight", "all elements")
    """one weight of the block, from unit `column` (or input) to unit `row`; None for all of them together"""
    measure: str = setting("along", fields.choice(*MEASURES), "measure")
    quantity: str = setting("", _QUANTITY, "quantity to change", "the cell's first")
    changes: tuple[Change, ...] = setting((), several(_CHANGE, MOST_CHANGES, by=place_of), "changes", "no change")
    tokens: tuple[tuple[int, int], ...] = setting(
        (),
        several(_TOKEN, MOST_CHANGES, by=lambda pair: pair[0], ordered=True),
        "replaced tokens",
        "those of the input text",
    )


# Another block or weight has other rows and columns: an element of the old one is none of the new one.
settings = PageSettings(
    "unrolled.settings", UnrolledSettings(), restart={"block": ("element",), "weight": ("element",)}
)


def put(changes: tuple[Change, ...], new: Change) -> tuple[Change, ...]:
    """The changes with a new one, in place of any at the same place. One too many is left out, and said."""
    kept = [old for old in changes if place_of(old) != place_of(new)]
    if len(kept) >= MOST_CHANGES:
        settings.correct(f"At most {MOST_CHANGES} changes can be made at once: undo one first.")
        return changes
    return (*kept, replace(new, value=rounded(new.value)))
