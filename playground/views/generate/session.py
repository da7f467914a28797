"""One visitor's texts: which model writes on which side, and the job that does."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground import state
from playground.access import models, writing
from playground.access.models import Loaded
from playground.access.runs import snapshot_of
from playground.access.unread import unknown_tokens
from playground.access.writing import Request, WritingJob
from playground.inside import places
from playground.runs.reader import Snapshot
from playground.runs.records import StoreError
from playground.views.generate.settings import MOST_FORCED, MOST_SEED, WritingSettings, settings

_JOBS, _PINNED = "generate.jobs", "generate.newest"
_FIRST_SECONDS = 0.06
"""How long a page waits for the first token of a new text, so that it has something to draw at once."""

_FIRST_PROMPTS = ("Once upon a time", "The old man", "The")


@dataclass(frozen=True)
class Writer:
    """A model and what it writes."""

    loaded: Loaded
    job: WritingJob


def writers() -> list[Writer]:
    """Who writes for this visitor now: the chosen model, and the one beside it if there is one.

    Texts that are not there yet are begun.

    Raises:
        StoreError: the chosen run cannot be written with
    """
    return _writers(state.current(), settings.current(), fresh=False)


def begin_again() -> None:
    """Write once more from the settings as they are, with the newest weights if a run trains."""
    st.session_state.pop(_PINNED, None)
    try:
        _writers(state.current(), settings.current(), fresh=True)
    except StoreError as error:
        state.note_problem(str(error))


def begin_another() -> None:
    """Write another text: the next seed, and no token of the old one."""
    settings.change(seed=(settings.current().seed + 1) % MOST_SEED, forced=(), place=-1)
    begin_again()


def stop() -> None:
    """End the visitor's texts where they are."""
    jobs = st.session_state.get(_JOBS, {})
    for side, job in jobs.items():
        jobs[side] = writing.writing_pool().stop(job)


def force(place: int, token: int) -> None:
    """Put a token in at a place. What was put in after it goes: the text there will be another."""
    before = [(at, other) for at, other in settings.current().forced if at < place]
    if len(before) >= MOST_FORCED:
        state.note_problem(f"At most {MOST_FORCED} tokens can be replaced: undo one first.")
        return
    settings.change(renew=False, forced=(*before, (place, token)), place=place)


def take_back(place: int) -> None:
    """Let the model choose again at a place; with it go the tokens put in after it."""
    settings.change(
        renew=False, forced=tuple(pair for pair in settings.current().forced if pair[0] < place), place=place
    )


def _writers(selection: state.Selection, wanted: WritingSettings, *, fresh: bool) -> list[Writer]:
    run = snapshot_of(selection.run)
    loaded = _model(run, _kept_step(run, selection.step))
    found = [Writer(loaded, _job("chosen", loaded, request_for(loaded, wanted), fresh))]
    beside = _beside(wanted)
    if beside is not None:
        same_symbols = beside.vocabulary == loaded.vocabulary
        request = request_for(beside, wanted, prompt=found[0].job.request.prompt, forced=same_symbols)
        found.append(Writer(beside, _job("beside", beside, request, fresh)))
    else:
        _drop("beside")
    return found


def request_for(loaded: Loaded, wanted: WritingSettings, *, prompt: str | None = None, forced: bool = True) -> Request:
    """What a model is asked to write: the settings, as far as they fit its vocabulary."""
    given = wanted.prompt if prompt is None else prompt
    usable = tuple(
        (place, token)
        for place, token in wanted.forced
        if forced and token < len(loaded.vocabulary) and token != loaded.vocabulary.unknown
    )
    return Request(
        weights=loaded.key,
        prompt=first_prompt(loaded) if given is None else given,
        seed=wanted.seed,
        temperature=wanted.temperature,
        top_k=0 if wanted.top_k >= len(loaded.vocabulary) else wanted.top_k,
        top_p=wanted.top_p,
        length=wanted.length,
        forced=usable,
        past_end=wanted.past_end,
    )


def first_prompt(loaded: Loaded) -> str:
    """A prompt that this model can read, for who has not written one."""
    for prompt in _FIRST_PROMPTS:
        if not unknown_tokens(prompt, loaded.vocabulary):
            return prompt
    return loaded.run.config.sampling.prompt


def _kept_step(run: Snapshot, step: int) -> int:
    """The step that is meant. One at which the run keeps nothing gets a sentence, and the nearest stands in."""
    there, said = places.kept_step(run, step)
    if said:
        state.note_problem(" ".join(said))
        state.select(step=there)
    return there


def _beside(wanted: WritingSettings) -> Loaded | None:
    """The model that writes beside the chosen one, if there is one."""
    run_id, step = wanted.beside
    if not run_id:
        return None
    try:
        run = snapshot_of(run_id)
        kept = models.kept_steps(run)
        if step != state.NEWEST and kept:
            step = models.nearest_step(step, kept)
        return _model(run, step)
    except StoreError as error:  # deleted meanwhile, or not there yet: the chosen one still writes
        state.note_problem(f"{error} The comparison was removed.")
        settings.change(beside=("", state.NEWEST))
        return None


def _model(run: Snapshot, step: int) -> Loaded:
    """The model of a step. The newest of a run that trains stays the same until the visitor asks for a new text."""
    pinned: dict[str, tuple[str, int, str]] = st.session_state.setdefault(_PINNED, {})
    if step == state.NEWEST and run.run.active and run.run.id in pinned:
        known = models.in_memory(pinned[run.run.id])
        if known is not None:
            return known
    loaded = models.load(run, step)
    if step == state.NEWEST:
        pinned[run.run.id] = loaded.key
        while len(pinned) > 16:
            pinned.pop(next(iter(pinned)))
    return loaded


def _job(side: str, loaded: Loaded, request: Request, fresh: bool) -> WritingJob:
    """The visitor's text on one side: the one there is if it is the one asked for, else a new one."""
    jobs: dict[str, WritingJob] = st.session_state.setdefault(_JOBS, {})
    known = jobs.get(side)
    if known is not None and known.request == request and not fresh:
        return known
    job = writing.writing_pool().write(request, loaded.vocabulary, lambda: loaded, fresh=fresh)
    if known is not None and known is not job:
        writing.writing_pool().stop(known)
    jobs[side] = job
    job.begun.wait(_FIRST_SECONDS)
    return job


def _drop(side: str) -> None:
    job = st.session_state.get(_JOBS, {}).pop(side, None)
    if job is not None:
        writing.writing_pool().stop(job)
