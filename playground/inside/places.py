"""Where a selection points to: the training step, timestep, layer and unit that are meant, or the nearest there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from engine.trace import Trace
from playground import state
from playground.access import models
from playground.notation import first_index
from playground.runs.reader import Snapshot
from playground.state import Selection, link
from playground.text import visible

Notes = tuple[str, ...]


class Place(TypedDict):
    """A place in a trace; all counted from 0."""

    t: int
    layer: int
    unit: int


def kept_step(run: Snapshot, step: int) -> tuple[int, Notes]:
    """The training step that is meant, and a sentence where the run has kept no weights at it.

    A run that has kept none at all is left to whoever loads them.
    """
    kept = models.kept_steps(run)
    if step == state.NEWEST or step in kept or not kept:
        return step, ()
    there = models.nearest_step(step, kept)
    return there, (f"{visible(run.run.name)} has no saved weights at step {step:,}: step {there:,} is the nearest.",)


def nearest_place(
    selection: Selection, trace: Trace, tokens: str, named: Sequence[tuple[int, int]] = ()
) -> tuple[Place, Notes]:
    """The place that is meant, and a sentence for each part of it that does not exist here.

    Args:
        selection: where to look; its notation says from where the sentences count
        trace: what is looked at
        tokens: what its tokens are called
        named: layer and unit of the units that have a name: the first is meant where no unit is chosen
    """
    first = first_index(selection.notation)
    read, layers = _count(trace.length, tokens), _count(trace.layers, "layers")
    units = _count(trace.units, "units")
    asked = _last_judged(trace) if selection.t < 0 else selection.t
    t, no_time = _nearest("t", asked, trace.length, f"the input text has {read}", first)
    asked_layer, asked_unit = _unit_meant(selection, trace, named)
    layer, no_layer = _nearest("layer", asked_layer, trace.layers, f"this network has {layers}", first)
    unit, no_unit = _nearest("unit", asked_unit, trace.units, f"a layer of this network has {units}", first)
    return Place(t=t, layer=layer, unit=unit), (*no_time, *no_layer, *no_unit)


def _unit_meant(selection: Selection, trace: Trace, named: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Layer and unit: those that are chosen; where no unit is, the first in that layer that has a name, else the first
    of all."""
    if selection.unit != state.NAMED:
        return selection.layer, selection.unit
    fitting = [
        (layer, unit)
        for layer, unit in named
        if layer < trace.layers and unit < trace.units and selection.layer in (layer, state.LAST)
    ]
    return fitting[0] if fitting else (selection.layer, 0)


def _last_judged(trace: Trace) -> int:
    """The last timestep whose next token is known, so that there is a loss to be seen; without one the last."""
    judged = trace.nearest_loss(trace.length - 1)
    return trace.length - 1 if judged is None else judged


def _nearest(key: str, asked: int, count: int, why: str, first: int) -> tuple[int, Notes]:
    """`asked` if there is such a one among `count`, else the last, which -1 stands for too."""
    name = {"t": "timestep"}.get(key, key)
    last = count - 1
    if asked <= last:
        return (last if asked < 0 else asked), ()
    there = f"{name} {asked + first:,}{link.zero_based_note(key, asked, first)}"
    return last, (f"There is no {there}: {why}. {name.capitalize()} {last + first:,} is the nearest.",)


def _count(number: int, things: str) -> str:
    return f"{number:,} {things if number != 1 else things.removesuffix('s')}"
