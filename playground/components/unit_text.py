"""A text coloured by what units or gates do along it: one as the ground of each token, several as bands below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from playground.components import choice
from playground.components.component import Component
from playground.components.heatmap import Axis, scale_of
from playground.components.packing import plain, plain_fields

MOST_TOKENS, MOST_LINES = 1000, 6


@dataclass(frozen=True, eq=False)
class Line:
    """The values of one unit along the text, in one quantity."""

    label: str
    """what stands beside its band, in a few letters: "c 58" """
    name: str
    """in plain words: "cell state of unit 58 (inside quotation marks)" """
    values: Tensor
    """(time)"""
    gate: bool
    """whether all values are between 0 and 1; else the scale is centred on zero"""
    unit: int | None = None
    """the unit that a click on its name chooses"""
    measure: str = ""
    """what the numbers are of, such as "nats" """


@dataclass(frozen=True, eq=False)
class UnitText:
    """A text with lines of values. All of the text is data; nothing of it becomes markup.

    Raises:
        ValueError: lines of another length than the text, or more than can be drawn
    """

    pieces: Sequence[str]
    """what each token adds to the text"""
    tokens: Axis
    """how tokens are called and which is chosen"""
    lines: Sequence[Line]
    units: int
    """how many there are to choose from"""
    about: str
    """what it shows, in a sentence"""
    file: str
    """name of a file with it, without its ending"""
    unit: int | None = None
    """the chosen one"""
    marks: Sequence[bool] = ()
    """which tokens are underlined with dots; none where it is empty"""
    marked: str = ""
    """what is true of those: "inside quotation marks" """

    def __post_init__(self) -> None:
        length = len(self.pieces)
        if not 1 <= length <= MOST_TOKENS:
            raise ValueError(f"A text has 1 to {MOST_TOKENS:,} tokens, not {length:,}; show a part of it.")
        if not 1 <= len(self.lines) <= MOST_LINES:
            raise ValueError(f"A text is coloured by 1 to {MOST_LINES} lines of values, not {len(self.lines)}.")
        sizes = {"the tokens": self.tokens.count, "the marks": len(self.marks) or length}
        sizes |= {f"the line {line.label!r}": len(line.values) for line in self.lines}
        for name, size in sizes.items():
            if size != length:
                raise ValueError(f"The text has {length} tokens, but {name} {size} places: they must be equal.")


_TEXT = Component(
    "unit_text/text", style=("token_strip/strip", "shared/announce", "shared/scale", "shared/readout", "unit_text/text")
)


def unit_text(data: UnitText, *, key: str, on_choose: Callable[[], None] | None = None) -> None:
    """The text.

    Args:
        data: what is drawn
        key: of the widget
        on_choose: called when a token or a unit is chosen; `chosen(key, data)` is which. None if none can be
    """
    _TEXT({**plain(data), "choosable": on_choose is not None}, key=key, on_choose=on_choose)


def chosen(key: str, data: UnitText) -> dict[str, Any]:
    """What was last chosen in the text `key`: of the token, by what its axis tells it as, and of "unit"."""
    return choice.chosen(key, fits(data))


def fits(data: UnitText) -> choice.Fits:
    """What can be chosen in the text."""
    return {data.tokens.choice: choice.place(data.tokens.count), "unit": choice.place(data.units)}


@plain.register
def _(line: Line) -> dict[str, Any]:
    return {**plain_fields(line), **plain_fields(scale_of(line.values.detach().cpu(), line.gate))}
