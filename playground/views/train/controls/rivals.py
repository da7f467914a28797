"""Controls of a race: which of its configs is shown, one more, one less."""

from __future__ import annotations

import streamlit as st

from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.theme import RUN_LETTERS


def heading(draft: Draft) -> None:
    """What the controls set up: not the run that is shown, but the next one."""
    what = "the next run" if len(draft.configs) == 1 else f"the next {len(draft.configs)} runs"
    st.markdown(
        f"###### Settings of {what}",
        help="They apply to the runs that you start with the button above; the run on screen keeps its own.",
    )


def rival_controls(draft: Draft) -> None:
    """Choose which of the racing configs the controls show; add one, or take one out."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(draft.configs) > 1:
            letters = list(RUN_LETTERS[: len(draft.configs)])
            key = draft.key("rival")
            st.segmented_control(
                "Settings of model",
                letters,
                default=letters[draft.chosen],
                required=True,
                key=key,
                on_change=_choose_rival,
                args=(letters, key),
            )
            if st.button("Remove", icon=":material/remove:", help="Remove this model from the comparison"):
                drafts.keep(draft.without_chosen())
                st.rerun()
        full = len(draft.configs) >= drafts.MOST_RIVALS
        if st.button(
            "Add a model to compare",
            icon=":material/add:",
            disabled=full,
            help=f"Train up to {drafts.MOST_RIVALS} models side by side on the same text and batches, with the same "
            "seed.",
        ):
            drafts.keep(draft.with_rival())
            st.rerun()


def _choose_rival(letters: list[str], key: str) -> None:
    draft = drafts.current()
    if drafts.outdated(key):
        return
    drafts.keep(draft.showing(letters.index(st.session_state[key])))
