"""The one colour code, and the sizes of everything that is drawn.

Colours of things with an identity (cell families, runs) are mid-tones: at least 3:1 against white and
against the dark theme's background, so that one constant chart serves both themes. Ink and paper
follow the background of the chart itself, see `INK` and `PAPER`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.cells import CELLS

# Okabe and Ito's palette for colour-blind readers (https://jfly.uni-koeln.de/color/). Its orange, #E69F00,
# reaches only 2.2:1 on white, so thin lines take the same hue a shade deeper (3.2:1).
FAMILIES: Mapping[str, str] = MappingProxyType({"rnn": "#D27A00", "gru": "#009E73", "lstm": "#0072B2"})

# Runs of one family in a race, in order of appearance: the family's colour, then shades of its hue.
SHADES: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "rnn": (FAMILIES["rnn"], "#8F5A1E", "#E0A85A", "#B8562A"),
        "gru": (FAMILIES["gru"], "#4F7F3A", "#62C08F", "#2F8F9D"),
        "lstm": (FAMILIES["lstm"], "#56A4DE", "#5B63B7", "#7C93A8"),
    }
)

# Signed values diverge from the background, gates rise from it: (lowest, middle or none, highest).
SIGNED_BLUE, SIGNED_ORANGE = "#0072B2", "#D27A00"
GATE = "#6A3D9A"
SURPRISE = "#C2309A"
ALARM = "#D55E00"
MUTED = "#7D828C"
NAN = "#B0005A"  # hatched wherever there is room: no value of any scale looks like it

# The colour code by name: what the style sheets and scripts of components know it by.
CODE: Mapping[str, str] = MappingProxyType(
    {
        "negative": SIGNED_BLUE,
        "positive": SIGNED_ORANGE,
        "gate": GATE,
        "surprise": SURPRISE,
        "alarm": ALARM,
        "muted": MUTED,
        "nan": NAN,
    }
)

LIGHT_PAPER, DARK_PAPER = "#FFFFFF", "#12161D"  # as .streamlit/config.toml has them

RUN_LETTERS = "ABCD"
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (12, 3, 2, 3, 2, 3))

HEIGHT_SMALL = 190
HEIGHT_LARGE = 320
TITLE_SIZE = 15
TEXT_SIZE = 12
LABEL_SIZE = 12

# Vega expressions: the chart asks its own background whether it is dark, so the specification need not know.
DARK = "luminance(background || '#ffffff') < 0.3"
INK = f"{DARK} ? '#E6E8EC' : '#31333F'"
PAPER = "background || '#ffffff'"


@dataclass(frozen=True)
class RunStyle:
    """How one run of a race is told from the others: by letter, colour and dash, any of which suffices."""

    letter: str
    color: str
    dash: tuple[int, ...]


def family(cell: str) -> str:
    """The family of a cell by its name: as the cell says, or of one that is not there any more, as its name begins.

    Raises:
        ValueError: a name that belongs to no family.
    """
    name = CELLS[cell].family if cell in CELLS else cell.partition("-")[0]
    if name not in FAMILIES:
        raise ValueError(f"The cell {cell!r} belongs to no family; families are {', '.join(FAMILIES)}.")
    return name


def family_color(cell: str) -> str:
    """The colour of a cell's family, the same on every page."""
    return FAMILIES[family(cell)]


def run_styles(cells: Sequence[str]) -> tuple[RunStyle, ...]:
    """A style for each run of a race, given its cells in order; never two alike.

    Raises:
        ValueError: more runs than there are letters.
    """
    if len(cells) > len(RUN_LETTERS):
        raise ValueError(f"A race has at most {len(RUN_LETTERS)} runs, not {len(cells)}.")
    seen: dict[str, int] = {}
    styles = []
    for slot, cell in enumerate(cells):
        name = family(cell)
        styles.append(RunStyle(RUN_LETTERS[slot], SHADES[name][seen.get(name, 0)], DASHES[slot]))
        seen[name] = seen.get(name, 0) + 1
    return tuple(styles)


def chart_config(*, legend: bool) -> dict[str, Any]:
    """The part of a Vega-Lite configuration that Streamlit's own theme leaves open, for both themes."""
    return {
        "title": {
            "fontSize": TITLE_SIZE,
            "subtitleFontSize": TEXT_SIZE,
            "subtitleColor": MUTED,
            "subtitlePadding": 4,
            "offset": 6,
            "anchor": "start",
            "frame": "bounds",
        },
        "axis": {"labelFontSize": LABEL_SIZE, "titleFontSize": TEXT_SIZE, "titlePadding": 8, "labelPadding": 6},
        "legend": {
            "disable": not legend,
            "orient": "top",
            "direction": "horizontal",
            "columns": {"expr": "width < 480 ? 2 : 4"},
            "title": None,
            "offset": 4,
            "padding": 0,
            "labelFontSize": TEXT_SIZE,
            "labelLimit": 150,
            "symbolType": "stroke",
            "symbolSize": 260,
            "symbolStrokeWidth": 2.5,
            "symbolOpacity": 1,
        },
        "text": {"fontSize": LABEL_SIZE},
        # The chart as a whole has its description; one for each of a thousand marks would cost half of every update.
        "aria": False,
        "mark": {"invalid": "show"},
        "view": {"strokeWidth": 0},
    }


def print_config() -> dict[str, Any]:
    """A light configuration with a background, for charts that leave the page."""
    grey, ink = "#5A5F6B", "#31333F"
    return {
        "background": LIGHT_PAPER,
        "font": "Arial, Liberation Sans, sans-serif",
        "axis": {
            "labelColor": grey,
            "titleColor": ink,
            "titleFontWeight": "normal",
            "gridColor": "#E6E7EA",
            "domain": False,
            "ticks": False,
        },
        "legend": {"labelColor": ink, "titleColor": ink},
        "title": {"color": ink, "fontWeight": "bold"},
    }
