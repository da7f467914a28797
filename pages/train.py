"""Train: a language model learns while you watch."""

import streamlit as st

from playground import state
from playground.state import draft
from playground.views.train import controls, experiment, explain, live

selection = state.current()
experiment.from_link()

setting_up = draft.current()
experiment.bar(setting_up)
picture, set_up = st.columns([0.68, 0.32], gap="medium")
with picture:
    live.panel(selection.run)
with set_up:
    controls.rival_controls(setting_up)
    text, model, training, sample = st.tabs(["Text", "Model", "Training", "Sample"])
    with text:
        controls.text_controls(setting_up)
    with model:
        controls.model_controls(setting_up, selection.notation)
    with training:
        controls.training_controls(setting_up)
    with sample:
        controls.sampling_controls(setting_up)

explain.what_you_see_while_training(selection)
st.subheader("What it writes, from noise to sentences")
live.samples_panel(selection.run)
explain.how_to_repeat(selection)
