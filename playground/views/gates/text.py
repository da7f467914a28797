"""The text, coloured by the chosen unit and by those that are pinned beside it."""

from __future__ import annotations

from collections.abc import Sequence

from playground.components.heatmap import Axis
from playground.components.selection_bar import LABELS
from playground.components.unit_text import Line, UnitText
from playground.inside.view import View
from playground.notation import first_index
from playground.text import visible
from playground.views.gates import quantities
from playground.views.gates.lines import label, units
from playground.views.gates.settings import settings


def text(view: View) -> UnitText:
    """The probe by the chosen quantity of the chosen unit; the pinned ones as bands of their own."""
    quantity = quantities.chosen(view, settings.current().quantity)
    base = first_index(view.notation)
    shown = units(view)
    return UnitText(
        pieces=pieces(view),
        tokens=tokens_axis(view),
        lines=[line(view, quantity, unit) for unit in shown],
        units=view.trace.units,
        about=f"The input text, coloured by the {quantities.in_words(view, quantity)} of "
        f"{label(view, shown[0], base)}.",
        file=f"text-{view.run.id}-{view.step}-{quantity}-unit-{view.unit + base}",
        unit=view.unit,
    )


def line(view: View, quantity: str, unit: int) -> Line:
    """One unit along the probe."""
    base = first_index(view.notation)
    return Line(
        f"{quantities.named(view, quantity)} {unit + base}",
        f"{quantities.in_words(view, quantity)} of {label(view, unit, base)}",
        view.trace[quantity][view.layer, :, unit],
        quantities.is_gate(view.cell, quantity),
        unit,
    )


def tokens_axis(view: View) -> Axis:
    """How the probe's tokens are called, and which is chosen."""
    title, form = LABELS[view.notation]["t"]
    return Axis(title, view.trace.length, "t", view.t, first_index(view.notation), form, view.probe.names)


def pieces(view: View) -> list[str]:
    """What each token of the probe adds to the text."""
    if view.vocabulary.level == "char" and len(view.probe.text) == len(view.probe):
        return list(view.probe.text)
    read = zip(view.probe.tokens.tolist(), view.probe.names, strict=True)
    return spaced(["\n" if token == view.vocabulary.end else name for token, name in read])


def spaced(words: Sequence[str]) -> list[str]:
    """Words as a text has them, with spaces before all but those that close."""
    return [word if word in _CLOSING or place == 0 else f" {word}" for place, word in enumerate(words)]


_CLOSING = frozenset(".,;:!?)]}”’»…\n")


def passage(pieces: Sequence[str], line: Line, holds: Sequence[bool], title: str, *, units: int, file: str) -> UnitText:
    """A stretch of held-out text that a job has looked at; nothing in it can be chosen.

    Args:
        pieces: of its tokens
        line: the values along it
        holds: where the hypothesis does
        title: the hypothesis, in words
        units: how many there are
        file: name of a file with it
    """
    words = any(len(piece) > 1 for piece in pieces)
    return UnitText(
        pieces=spaced(pieces) if words else list(pieces),
        tokens=Axis("token", len(pieces), "token", first=1, texts=[visible(piece, spaces=True) for piece in pieces]),
        lines=[line],
        units=units,
        about=f"Held-out text, coloured by {line.name}; underlined: {title}.",
        file=file,
        marks=list(holds),
        marked=title,
    )
