"""The words beside the text: what one sees, in the chosen notation, and experiments that start with one click."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from engine.config import ConfigError
from playground import notation, state
from playground.access import models
from playground.access.runs import snapshot_of
from playground.state import link
from playground.views.generate import distribution, session
from playground.views.generate.session import Writer
from playground.views.generate.settings import settings

_CHANGED_PLACE = 8


def what_you_see_while_it_writes(writer: Writer) -> None:
    """How a token is drawn, in at most 80 words, and three experiments."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("###### What you see")
        st.markdown(
            "The model gives every token a score; softmax turns the scores into probabilities. One token is drawn, "
            "appended and read as the next input. Temperature $T$ sharpens or flattens the distribution first; top-k "
            "and top-p remove unlikely tokens. The stronger the colour, the higher the token's surprisal under the "
            "model itself: $-\\log_2 p$ bits, before $T$ and truncation. Select a token to see the alternatives."
        )
        st.latex(_equation(state.current().notation))
    with right:
        st.markdown("###### Try")
        _try("zero", "Greedy decoding repeats itself", _always_the_likeliest)
        st.caption("Temperature 0 always takes the most likely token: the same words soon repeat.")
        _try("force", "Replace a token", _another_token, writer)
        st.caption(
            "One early token is replaced; the random draws stay the same. When does the text return to its old words?"
        )
        _try("early", "Early vs late in training", _early_beside_late)
        st.caption("One model at two training steps, same prompt and seed: what did it learn in between?")


def _try(name: str, label: str, act: Callable[..., None], *args: object) -> None:
    st.button(label, icon=":material/science:", key=f"generate.try.{name}", on_click=act, args=args)


def _equation(name: str) -> str:
    """Softmax with a temperature. Where a notation's output is a score, that is divided; else what softmax is given."""
    if name in ("cs231n", "pytorch"):
        scores = notation.term("logits", name).latex
        return rf"p_i = \frac{{\exp({scores}_{{[i]}} / T)}}{{\sum_j \exp({scores}_{{[j]}} / T)}}"
    output = notation.term("prediction", name).latex
    hidden, head = notation.term("hidden", name).latex, notation.term("weight_out", name).latex
    score = rf"z = {head} {hidden} + b"
    return rf"{output}_{{[i]}} = \frac{{\exp(z_i / T)}}{{\sum_j \exp(z_j / T)}}, \quad {score}"


def _always_the_likeliest() -> None:
    settings.change(temperature=0.0, top_k=0, top_p=1.0, forced=(), place=-1, past_end=True)
    session.begin_again()


def _another_token(writer: Writer) -> None:
    """Put the likeliest other token in, early in the text."""
    job = writer.job
    place = min(_CHANGED_PLACE, job.written - 1)
    if place < 0:
        return
    try:
        found = distribution.at(writer.loaded, job, place)
    except ConfigError as error:
        state.note_problem(str(error))
        return
    others = found.before.copy()
    others[[found.token, *_never(writer)]] = -1.0
    session.force(place, int(np.argmax(others)))


def _never(writer: Writer) -> list[int]:
    """Tokens that an experiment does not put in: those that cannot be written, or would end the text."""
    vocabulary = writer.loaded.vocabulary
    return [token for token in (vocabulary.unknown, vocabulary.end) if token is not None]


def _early_beside_late() -> None:
    run = snapshot_of(state.current().run)
    kept = models.kept_steps(run)
    with link.one_change():
        state.select(step=state.NEWEST)
        settings.change(beside=(run.run.id, kept[len(kept) // 3]), forced=(), place=-1)
    session.begin_again()
