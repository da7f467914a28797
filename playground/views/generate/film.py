"""The same prompt and seed at every step of training: written behind the page, scrubbed in the browser."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from playground.access import models, writing
from playground.access.runs import snapshot_of
from playground.access.writing import Request, WritingJob
from playground.components.tokens import FULL_BITS, Frame, Strip, step_scrubber
from playground.frame.fragments import fragment
from playground.parts.text_facts import loss_in_words, what_is_judged
from playground.runs.reader import Snapshot
from playground.runs.records import StoreError
from playground.text import escape_markdown
from playground.views.generate import session, words
from playground.views.generate.pieces import hundredths, prompt_tail, shown
from playground.views.generate.session import Writer
from playground.views.generate.settings import settings

LENGTH = 200
PROMPT = 1_000
"""Characters of a prompt that are read again at every step: its last ones."""

_TICK = 0.3
_STATE = "generate.film"


def panel(writer: Writer) -> None:
    """The slider, and under it what the model wrote at that step."""
    st.caption(
        f"The first {LENGTH} {writer.loaded.tokens} from the same prompt, seed and settings, generated with the "
        "weights of every saved step."
    )
    try:
        texts = _jobs(writer)
    except StoreError as error:
        st.warning(escape_markdown(str(error)), icon=":material/hourglass:")
        return
    active = any(job.active for job in texts.values())
    fragment(_moving_part, key="generate-film", run_every=_TICK if active else None)(writer, active)


def _moving_part(writer: Writer, seen: bool) -> None:
    texts = _jobs(writer)
    losses = _losses(snapshot_of(writer.loaded.run.id))
    frames = [_frame(step, job, losses.get(step, "")) for step, job in texts.items()]
    step_scrubber(
        frames,
        at=writer.loaded.step,
        full=FULL_BITS[writer.loaded.vocabulary.level],
        key=f"generate.film.{writer.loaded.run.id}",
    )
    if seen and not any(job.active for job in texts.values()):
        st.rerun()


def _jobs(writer: Writer) -> dict[int, WritingJob]:
    """The text of every kept step, begun if it is not there; those of other settings are given up."""
    run = snapshot_of(writer.loaded.run.id)
    request = session.request_for(writer.loaded, settings.current())
    known: dict[Request, WritingJob] = st.session_state.get(_STATE, {})
    texts: dict[int, WritingJob] = {}
    kept: dict[Request, WritingJob] = {}
    for step in models.kept_steps(run):
        source = models.weights_source(run, step)
        wanted = replace(
            request,
            weights=(run.run.id, step, source.version),
            prompt=request.prompt[-PROMPT:],
            length=min(LENGTH, request.length),
            forced=(),
        )
        job = known.get(wanted)
        if job is None or job.status == writing.STOPPED:
            job = writing.film_pool().write(wanted, writer.loaded.vocabulary, partial(models.load_saved, source))
        texts[step] = kept[wanted] = job
    for wanted, job in known.items():
        if wanted not in kept:
            writing.film_pool().stop(job)
    st.session_state[_STATE] = kept
    return texts


def _losses(run: Snapshot) -> dict[int, str]:
    return {
        evaluation.step: loss_in_words(run.run, evaluation.val_loss, of=what_is_judged(run.run))
        for evaluation in run.evaluations
    }


def _frame(step: int, job: WritingJob, note: str) -> Frame:
    if job.status == writing.FAILED:
        return Frame(step, job.message, Strip(str(id(job)), [], [], FULL_BITS[job.vocabulary.level], empty=job.message))
    if job.active:
        return Frame(step, note, None)
    count = job.written
    return Frame(
        step,
        note,
        Strip(
            text=str(id(job)),
            pieces=[shown(piece) for piece in job.pieces[:count]],
            hundredths=hundredths(job.bits()[:count]),
            full=FULL_BITS[job.vocabulary.level],
            prompt=prompt_tail(job.prompt),
            label=f"Text at step {step:,}",
            empty=words.why_empty(job),
        ),
    )
