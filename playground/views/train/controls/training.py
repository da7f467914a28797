"""Controls of the training: update rule, schedule, clipping, length; and what is written at each evaluation."""

from __future__ import annotations

import streamlit as st

from engine.config import ConfigError
from engine.data import TextError
from engine.training.optimizers import OPTIMIZERS
from playground.access import corpora
from playground.parts.unread import not_read
from playground.state.draft import Draft
from playground.text import escape_markdown
from playground.views.train.controls.settings import edit, pick, setting, widget_key


def training_controls(draft: Draft) -> None:
    """Choose the update rule, its course, the bound on gradients, and when to stop."""
    training = draft.config.training
    pick(draft, "training", "optimizer", "Optimiser", {name: rule.title for name, rule in OPTIMIZERS.items()})
    st.caption(escape_markdown(OPTIMIZERS[training.optimizer].meaning))
    _length(draft)
    left, right = st.columns(2)
    with left:
        setting(draft, "training", "learning_rate")
        setting(draft, "training", "schedule")
        setting(draft, "training", "clip")
        setting(draft, "training", "evaluations")
        setting(draft, "training", "seed")
    with right:
        setting(draft, "training", "weight_decay", step=0.01)
        setting(draft, "training", "state_penalty", step=0.5)
        setting(draft, "training", "warmup")
        setting(draft, "training", "carried_limit", step=1.0)
        setting(draft, "training", "clip_threshold", disabled=training.clip == "off")
        if training.optimizer in ("momentum", "rmsprop"):
            setting(draft, "training", "momentum", step=0.05)
        setting(draft, "training", "patience")
        setting(draft, "training", "until_loss", step=0.1)
        setting(draft, "training", "averaging", step=0.01)
        setting(draft, "training", "precision")


def _length(draft: Draft) -> None:
    """Steps or seconds: which of the two decides how long the run is."""
    by_seconds = draft.config.training.seconds > 0
    key = widget_key(draft, "training", "limit")
    st.segmented_control(
        "Length",
        ["steps", "seconds"],
        default="seconds" if by_seconds else "steps",
        required=True,
        key=key,
        disabled=len(draft.configs) > 1,
        width="stretch",
        help="A length in seconds is converted into steps after a short speed measurement. Models that are compared "
        "train for a number of steps.",
        on_change=edit,
        args=("training", "seconds", key, lambda choice: 60.0 if choice == "seconds" else 0.0),
    )
    if by_seconds:
        setting(draft, "training", "seconds", step=10.0)
    else:
        setting(draft, "training", "steps")


def _unread(draft: Draft) -> None:
    """What of the prompt the model will have no symbol for."""
    try:
        vocabulary = corpora.corpus(draft.config.data).vocabulary
    except (TextError, ConfigError):
        return  # the text's own panel says what is wrong with it
    note = not_read(draft.config.sampling.prompt, vocabulary)
    if note:
        st.caption(f":material/info: {escape_markdown(note)}")


def sampling_controls(draft: Draft) -> None:
    """Choose what is written at each evaluation: always from the same prompt and seed."""
    setting(draft, "sampling", "prompt")
    _unread(draft)
    left, right = st.columns(2)
    with left:
        setting(draft, "sampling", "length")
        setting(draft, "sampling", "seed")
    with right:
        setting(draft, "sampling", "temperature", step=0.1)
