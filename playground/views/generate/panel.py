"""The texts as they are written: the claim, one strip for each writer, and what is known of a chosen token.

Only what moves is drawn again at every tick; the buttons follow when a text ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.access import training_text, writing
from playground.access.training_text import Copied, Missing
from playground.components.tokens import FULL_BITS, Strip, token_strip
from playground.frame.fragments import fragment
from playground.runs.records import StoreError
from playground.text import escape_markdown
from playground.views.generate import distribution, session, words
from playground.views.generate.pieces import hundredths, marked, prompt_tail, shown
from playground.views.generate.session import Writer
from playground.views.generate.settings import MOST_LENGTH, settings

TICK = 0.1
"""Seconds between two looks at a text that grows."""

_WAITING_TICK = 0.5
"""Between two looks at what is being made behind the page, when no text is being written."""


def panel(claim: DeltaGenerator, seen: float | None) -> None:
    """The texts, with the claim in its place above; `seen` is the pace for which the rest of the page was drawn."""
    fragment(_moving_part, key="generate-texts", run_every=seen)(seen, claim)


@dataclass(frozen=True)
class _Text:
    """One writer's text as it stands."""

    writer: Writer
    copied: Copied | Missing | None


def pace(writers: list[Writer]) -> float | None:
    """Seconds between two looks: often while a text grows, never once all is there.

    Asked once, before anything is drawn: a text may end while its page is drawn, and then the page is drawn anew.
    """
    if any(writer.job.active for writer in writers):
        return TICK
    return _WAITING_TICK if any(_copied(writer) is None for writer in writers) else None


def _copied(writer: Writer) -> Copied | Missing | None:
    """What is copied in a text that is done; None while that is not known."""
    if writer.job.active:
        return None
    if not writer.job.written:
        return Copied((), 0.0, "")
    return training_text.copied(writer.loaded.run, writer.job.text())


def _moving_part(seen: float | None, claim: DeltaGenerator) -> None:
    try:
        writers = session.writers()
    except StoreError as error:  # the run was deleted elsewhere, or the store is out of reach for now
        claim.error(escape_markdown(str(error)), icon=":material/error:")
        return
    texts = [_Text(writer, _copied(writer)) for writer in writers]
    first = texts[0]
    claim.subheader(escape_markdown(words.claim(first.writer.loaded, first.writer.job, first.copied)), anchor=False)
    if pace(writers) != seen:
        st.rerun()
    places = st.columns(len(texts), gap="small")
    for side, (place, text) in enumerate(zip(places, texts, strict=True)):
        with place:
            _one(text, side, alone=len(texts) == 1)
    with st.container(key="generate-place"):
        at = settings.current().place
        if at >= 0:
            distribution.chosen_place(first.writer, at)


def _one(text: _Text, side: int, *, alone: bool) -> None:
    """One writer: who it is, its strip, and how it stands."""
    loaded, job = text.writer.loaded, text.writer.job
    st.markdown(f"**{escape_markdown(words.who(loaded))}**")
    key = f"generate.strip.{side}"
    choose: Any = (lambda: _choose(key)) if side == 0 else None
    token_strip(
        strip_of(text.writer, text.copied, at=settings.current().place if side == 0 else -1),
        key=key,
        on_choose=choose,
        tall=True,
        legend=True,
    )
    if job.status == writing.FAILED:
        st.error(escape_markdown(job.message), icon=":material/error:")
        return
    waiting = writing.writing_pool().position(job) if job.status == writing.WAITING else 0
    said = [words.progress(loaded, job, waiting)]
    if not alone and job.written:
        bits = job.bits()
        said.append(f"{words.number(sum(bits) / len(bits))} bits per {words.one(loaded)}.")
    if not job.active:
        said.append(words.verbatim(text.copied))
    if side:  # the chosen model's stands beside the prompt
        said.append(words.on_prompt(job.request.prompt, job))
    st.caption(escape_markdown(" ".join(filter(None, said))))


def strip_of(writer: Writer, copied: Copied | Missing | None, *, at: int = -1) -> Strip:
    """A writer's text as its strip draws it now."""
    job = writer.job
    count = job.written
    parts = job.pieces[:count]
    stretches = copied.stretches if isinstance(copied, Copied) else ()
    return Strip(
        text=f"{id(job)}",
        pieces=[shown(part) for part in parts],
        hundredths=hundredths(job.bits()[:count]),
        full=FULL_BITS[job.vocabulary.level],
        prompt=prompt_tail(job.prompt),
        copied=marked(stretches, parts),
        forced=[place for place, _ in job.request.forced if place < count],
        chosen=at,
        active=job.active,
        label=f"Text by {words.who(writer.loaded)}, token by token",
        empty="" if job.active or count else "No tokens were generated.",
    )


def _choose(key: str) -> None:
    """Look at the token that was chosen in a strip; once more at the same closes it."""
    choice = st.session_state[key].get("chosen")
    place = choice.get("place") if isinstance(choice, dict) else None
    if isinstance(place, int) and 0 <= place < MOST_LENGTH:
        distribution.look_at(-1 if settings.current().place == place else place)
