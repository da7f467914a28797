"""What can be done to the ticked runs: open, rename, resume, duplicate, delete them, and undo the deletion."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from playground import state
from playground.access.run_list import OTHERS, STARTER, whose
from playground.access.runs import DEFAULT_RUN
from playground.frame import navigation, services
from playground.parts import launch
from playground.runs.executor import ExecutorError
from playground.runs.records import UNDO_SECONDS, Run, StoreError
from playground.text import date, duration, escape_markdown, shorten, visible
from playground.views.runs.ticks import MOST_COMPARED, comparable, tick, ticked_ids

NAME_LENGTH = 200

_REFUSALS = {
    STARTER: "Starter runs are read-only: duplicate one to change it.",
    OTHERS: "This run belongs to another visitor: duplicate it to get a copy of your own.",
}

_TRY = {
    "Compare three cells": ("tales-lstm", "tales-gru", "tales-rnn"),
    "Compare characters with words": ("tales-lstm", "tales-words"),
}

_DELETED = "runs.deleted"
_RENAMED = "runs.renamed"
_REMEMBERED = 3


@dataclass(frozen=True)
class Deleted:
    """Runs that were deleted together, and can be restored together."""

    ids: tuple[str, ...]
    name: str
    when: float


def refusal(run: Run, visitor: str) -> str:
    """Why this visitor may not command, rename or delete the run, in a sentence; empty where they may."""
    return _REFUSALS.get(whose(run, visitor), "")


def undo() -> None:
    """What was deleted a moment ago, with a button that restores it."""
    now = time.time()
    kept = [gone for gone in st.session_state.get(_DELETED, []) if now - gone.when < UNDO_SECONDS]
    st.session_state[_DELETED] = kept
    for gone in kept[-_REMEMBERED:]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"runs.deleted.{gone.ids[0]}"):
            more = f" and {len(gone.ids) - 1:,} more" if len(gone.ids) > 1 else ""
            left = duration(max(60, round((UNDO_SECONDS - (now - gone.when)) / 60) * 60))
            what = "They" if more else "It"
            sentence = f"Deleted “{shorten(visible(gone.name), 60)}”{more}. {what} can be restored for another {left}."
            st.markdown(escape_markdown(sentence), width="content")
            st.button(
                "Undo", icon=":material/undo:", key=f"runs.undo.{gone.ids[0]}", on_click=_attempt, args=(_restore, gone)
            )


def actions(runs: Sequence[Run]) -> None:
    """The buttons for the ticked runs; each acts on all of them, or stands there for one alone."""
    with st.container(horizontal=True, vertical_alignment="center", key="runs.actions"):
        if not runs:
            _invite()
            return
        if len(runs) == 1:
            _for_one(runs[0])
        mine = [run for run in runs if not refusal(run, services.visitor())]
        if mine:
            _delete_button(mine)
        st.button("Clear", icon=":material/close:", type="tertiary", key="runs.clear", on_click=tick, args=([],))
        if notes := _notes(runs):
            st.caption(escape_markdown(notes))


def _notes(runs: Sequence[Run]) -> str:
    """How many runs are ticked, what that means, and what cannot be done to them."""
    sentences = []
    if len(runs) > 1:
        meaning = (
            "compared below the table" if comparable(len(runs)) else f"tick at most {MOST_COMPARED} to compare them"
        )
        sentences.append(f"{len(runs):,} ticked: {meaning}.")
    if len(runs) == 1 and runs[0].parent:
        sentences.append(_branch_of(*runs[0].parent))
    if len(runs) == 1 and runs[0].message:
        ended = f"{date(runs[0].ended)}: " if runs[0].ended else ""
        sentences.append(f"{ended}{runs[0].message}")
    refusals = (refusal(run, services.visitor()) for run in runs)
    return " ".join([*sentences, *dict.fromkeys(filter(None, refusals))])


def _branch_of(parent: str, step: int) -> str:
    """What a run branched from; the run may be gone since."""
    try:
        name = f"“{shorten(visible(services.store().run(parent).name), 60)}”"
    except StoreError:
        name = f"the deleted run {parent}"
    return f"Branch of {name} at step {step:,}."


def _invite() -> None:
    """What ticking is for, and comparisons of starter runs for whoever has not ticked any."""
    for label, ids in _TRY.items():
        st.button(label, icon=":material/compare_arrows:", key=f"runs.try.{ids[-1]}", on_click=tick, args=(ids,))
    st.caption("Tick one run to open, rename or delete it; tick two to four to compare them.")


def _for_one(run: Run) -> None:
    for place, page in enumerate(page for page in navigation.PAGES if page.of_a_run):
        emphasis: Literal["primary", "secondary"] = "secondary" if place else "primary"
        if st.button(f"Open in {page.title}", icon=page.icon, type=emphasis, key=f"runs.{page.name}.{run.id}"):
            state.select(run=run.id)
            navigation.go_to(page.name)
    st.button(
        "Make current",
        icon=":material/radio_button_checked:",
        key=f"runs.choose.{run.id}",
        disabled=run.id == (state.current().run or DEFAULT_RUN),
        help="The current run is the one that all pages show.",
        on_click=_choose,
        args=(run.id,),
    )
    if run.resumable and not refusal(run, services.visitor()):
        arguments = (_resume, run)
        st.button(
            "Resume", icon=":material/play_arrow:", key=f"runs.resume.{run.id}", on_click=_attempt, args=arguments
        )
    if st.button(
        "Duplicate",
        icon=":material/content_copy:",
        key=f"runs.duplicate.{run.id}",
        help="Copies this run's settings to Train, where you can change them before you start.",
    ):
        launch.set_up_copy([run], then=lambda: navigation.go_to("train"))
    if not refusal(run, services.visitor()):
        _rename_popover(run)


def _choose(run_id: str) -> None:
    state.select(run=run_id)


def _rename_popover(run: Run) -> None:
    turn = st.session_state.get(_RENAMED, 0)  # another popover once it is done: a new one is closed
    with st.popover("Rename", icon=":material/edit:", key=f"runs.rename.{run.id}.{turn}"):
        key = f"runs.name.{run.id}.{turn}"
        with st.form(f"runs.naming.{run.id}.{turn}", border=False):
            st.text_input("Name", run.name, max_chars=NAME_LENGTH, key=key)
            st.form_submit_button("Rename", type="primary", on_click=_attempt, args=(_rename, run, key))


def _rename(run: Run, key: str) -> None:
    name = st.session_state[key].strip()
    if not name:
        raise StoreError("A run needs a name: enter one.")
    _refuse(run)
    services.store().rename(run.id, name, by=services.visitor())
    st.session_state[_RENAMED] = st.session_state.get(_RENAMED, 0) + 1


def _refuse(run: Run) -> None:
    sentence = refusal(run, services.visitor())
    if sentence:
        raise StoreError(sentence)


def _resume(run: Run) -> None:
    services.store().command(run.id, "resume", by=services.visitor())
    services.executor().submit([run.id])


def _delete_button(runs: Sequence[Run]) -> None:
    count = f" {len(runs):,}" if len(runs) > 1 else ""
    st.button(
        f"Delete{count}",
        icon=":material/delete:",
        key="runs.delete",
        help=f"A running run is stopped first. You can undo this for {duration(UNDO_SECONDS)}.",
        on_click=_attempt,
        args=(_delete, runs),
    )


def _delete(runs: Sequence[Run]) -> None:
    gone: list[Run] = []
    try:
        for run in runs:
            _refuse(run)
            services.store().delete_run(run.id, by=services.visitor())
            gone.append(run)
    finally:
        if gone:
            _remember(gone)


def _remember(gone: Sequence[Run]) -> None:
    """Offer to restore them, and select and tick none of them any more."""
    ids = tuple(run.id for run in gone)
    deleted = [*st.session_state.get(_DELETED, []), Deleted(ids, gone[0].name, time.time())]
    st.session_state[_DELETED] = deleted[-_REMEMBERED:]
    selection = state.current()
    if selection.run in ids:
        state.select(run="")
    tick([run for run in ticked_ids(selection) if run not in ids])


def _restore(gone: Deleted) -> None:
    try:
        for run in gone.ids:
            services.store().restore_run(run, by=services.visitor())
    finally:
        st.session_state[_DELETED] = [other for other in st.session_state[_DELETED] if other != gone]


def _attempt(act: Callable[..., None], *arguments: object) -> None:
    """Call `act`; what the store or the executor refuses is shown above the page."""
    try:
        act(*arguments)
    except (StoreError, ExecutorError) as error:
        state.note_problem(str(error))
