"""What an inside page has to draw at one moment: the chosen run's view, those beside it, and what to say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground import state
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.inside.sidebar import compared, cut_note
from playground.inside.view import View, look
from playground.runs.reader import Snapshot
from playground.runs.records import StoreError
from playground.state.selection import SELECTION
from playground.text import visible
from playground.theme import RUN_LETTERS

FOLLOWING_TICK = 0.4
TRAINING_TICK = 1.0
"""Seconds between two looks at a run that trains: at its newest weights, or at others while the list of steps grows."""


@dataclass(frozen=True)
class Seen:
    """What the whole page was drawn for; when it no longer holds, the page is drawn anew and not its fragment alone."""

    pace: float | None
    """seconds between two looks; None where nothing moves"""
    run: str
    probe: str
    context: str
    compare: str
    notation: str
    shown: bool
    """whether there is anything to see yet: the sidebar shows the probe that is read"""
    trouble: str | None
    """what the frame says of the store"""


@dataclass(frozen=True)
class Scene:
    """What there is to be drawn."""

    chosen: Snapshot
    views: list[View]
    """the chosen run first; none where it has nothing to show yet"""
    missing: str
    """why there is no view; empty if there is one"""
    notes: list[str]
    seen: Seen


def scene(*, passage: bool = False) -> Scene:
    """Everything that the selection shows now.

    A selection that asks for what is not there is changed to the nearest that is, which is said.

    Args:
        passage: as `look` takes it

    Raises:
        StoreError: the chosen run cannot be read
    """
    selection = state.current()
    newest = selection.step == state.NEWEST
    chosen = snapshot_of(selection.run, watch=newest)
    others, too_many = compared(selection, chosen.run.id)
    letters = RUN_LETTERS if others else ("",)
    views, missing, notes, moving = [], "", [], chosen.run.active
    try:
        views.append(_settled(look(chosen, selection, letters[0], passage=passage)))
    except StoreError as error:
        missing = str(error)
    if views and selection.unit == state.NAMED:  # the others show the same unit, whatever theirs are named for
        selection = replace(selection, unit=views[0].unit)
    for letter, other in zip(letters[1:], others, strict=False):
        try:
            run = snapshot_of(other, watch=newest)
            moving |= run.run.active
            if views:
                views.append(_beside(look(run, selection, letter, passage=passage)))
        except StoreError as error:
            notes.append(f"{letter}: {error}")
    if too_many:
        notes.append(
            f"At most {len(others)} runs can be compared with the current one; not shown: {', '.join(too_many)}."
        )
    return Scene(chosen, views, missing, [*_notes(views), *notes], _seen(chosen, moving, bool(views)))


def chosen_view(*, passage: bool = False) -> View:
    """The chosen run's view as the selection is now: for a button's callback, which may be older than that.

    Args:
        passage: as `look` takes it

    Raises:
        StoreError: there is none
    """
    selection = state.current()
    return look(snapshot_of(selection.run), selection, passage=passage)


def _seen(chosen: Snapshot, moving: bool, shown: bool) -> Seen:
    selection = state.current()
    tick = FOLLOWING_TICK if selection.step == state.NEWEST else TRAINING_TICK
    return Seen(
        tick if moving else None,
        chosen.run.id,
        selection.probe,
        selection.context,
        selection.compare,
        selection.notation,
        shown,
        services.reader().trouble(),
    )


def _settled(view: View) -> View:
    """The view, with the selection made to say what it shows.

    What was asked for and is not there is said until the visitor chooses something else; by then the link has
    forgotten it.
    """
    selection = state.current()
    if view.asked:
        shown = {"t": view.t, "layer": view.layer, "unit": view.unit, "step": view.step}
        SELECTION.correct(*view.asked, **{name: at for name, at in shown.items() if getattr(selection, name) >= 0})
        return view
    return replace(view, notes=(*SELECTION.notes(), *view.notes))


def _beside(view: View) -> View:
    """A run beside the chosen one: that it shows the nearest of what was asked for goes without saying."""
    return replace(view, notes=tuple(note for note in view.notes if note not in view.asked))


def _fragment_alone() -> bool:
    """Whether only the fragment runs: then nobody shows above the page what went wrong with the selection."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def _notes(views: Sequence[View]) -> list[str]:
    """What is to be said of the views, each sentence with its run's letter."""
    selection = state.current()
    notes = [*state.take_problems()] if _fragment_alone() else []
    notes += [*cut_note("probe", selection.probe), *cut_note("context", selection.context)]
    if len(selection.context) > state.LINKED_CONTEXT:
        notes.append(
            f"The preceding context has more than {state.LINKED_CONTEXT:,} characters, so the link leaves it out."
        )
    for view in views:
        notes += [f"{view.letter}, {visible(view.run.name)}: {note}" if view.letter else note for note in view.notes]
    return notes
