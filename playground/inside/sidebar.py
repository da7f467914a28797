"""What is put through the network, and beside which other runs: the part of the sidebar that inside views add."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import streamlit as st

from playground import state
from playground.frame import around, services
from playground.inside.view import View
from playground.runs.records import Run, StoreError

_TURN, _CUT = "inside.turn", "inside.cut"
_CALLED = {"probe": "input text", "context": "preceding context"}


def sidebar(chosen: Run, views: Sequence[View]) -> None:
    """What is read and compared of the chosen run; `views` is what there is to see of it and of those beside it."""
    selection = state.current()
    with st.sidebar:
        _text(
            "probe",
            "Input text",
            views[0].probe.text if views else selection.probe,
            state.LONGEST_PROBE,
            "The text that the network reads, token by token. If empty, the run's default. It is part of the link.",
        )
        with st.expander("Preceding context", expanded=bool(selection.context)):
            _text(
                "context",
                "Text before the input text",
                selection.context,
                state.LONGEST_CONTEXT,
                "What the network reads first, so that the input text does not start from a zero state. It is part of "
                f"the link if it has at most {state.LINKED_CONTEXT:,} characters.",
            )
        _compare(selection, chosen)


def cut_note(name: str, text: str) -> tuple[str, ...]:
    """How much of what the visitor gave as `name` was left out to make `text` of it."""
    kept, left_out = st.session_state.get(_CUT, {}).get(name, ("", 0))
    if not left_out or kept != text:
        return ()
    were = "was" if left_out == 1 else "were"
    return (f"The {_CALLED[name]} is limited to {len(kept):,} characters: {left_out:,} at the end {were} cut.",)


def _text(name: str, label: str, shown: str, longest: int, help_text: str) -> None:
    """A text area for a part of the selection. Its limit is said beside it; what is beyond is cut so that it shows."""
    digest = hashlib.sha1(shown.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:12]
    key = f"inside.{name}.{digest}.{st.session_state.get(_TURN, 0)}"
    with st.container(gap="xsmall"):
        st.text_area(
            label, shown, height=100, key=key, on_change=_take_text, args=(name, key, shown, longest), help=help_text
        )
        st.caption(f"Up to {longest:,} characters")


def _take_text(name: str, key: str, shown: str, longest: int) -> None:
    given = str(st.session_state[key])
    if given == shown:  # the widget of an old key calls back once more
        return
    kept = given[:longest]
    st.session_state.setdefault(_CUT, {})[name] = (kept, len(given) - len(kept))
    # What is shown may be what was shown before, and not what is in the browser now: a new widget takes its place.
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    state.select(**{name: kept})
    if name == "probe" and not kept:
        state.note_problem("The input text is empty: the run's default is used instead.")


def compared(selection: state.Selection, chosen: str) -> tuple[list[str], list[str]]:
    """Ids of the runs that stand beside the chosen one, and of those for which there is no room.

    The comparison may name the chosen run, and need not: the page Runs has runs ticked whichever is chosen.
    """
    others = [run for run in selection.compare.split(",") if run and run != chosen]
    return others[: state.MOST_COMPARED - 1], others[state.MOST_COMPARED - 1 :]


def _compare(selection: state.Selection, chosen: Run) -> None:
    shown, _ = compared(selection, chosen.id)
    runs = services.listed_runs()
    for other in shown:
        if other not in runs:
            try:
                runs[other] = services.store().run(other)
            except StoreError as error:
                state.note_problem(f"{error} It was removed from the comparison.")
    there = [other for other in shown if other in runs]
    if there != shown:
        _beside(chosen.id, there)
    runs.pop(chosen.id, None)
    key = f"inside.compare.{chosen.id}.{'.'.join(there)}"
    key = state.labelled(key, *(around.in_list(runs[other]) for other in there))
    st.multiselect(
        "Compare with",
        [*runs],
        there,
        format_func=lambda run: around.in_list(runs[run]),
        max_selections=state.MOST_COMPARED - 1,
        key=key,
        on_change=_take_compared,
        args=(key, chosen.id, there),
        placeholder="none",
        help=f"Up to {state.MOST_COMPARED - 1} other runs that read the same input text. They are part of the link.",
    )


def _take_compared(key: str, chosen: str, shown: Sequence[str]) -> None:
    others = list(st.session_state[key])
    if others != shown:
        _beside(chosen, others)


def _beside(chosen: str, others: Sequence[str]) -> None:
    state.select(compare=",".join((chosen, *others)) if others else "")
