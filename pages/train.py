"""Train: a language model learns while you watch."""

import streamlit as st

from playground import state
from playground.frame import scroll
from playground.state import draft
from playground.views.train import controls, experiment, explain, live, preview

experiment.from_link()
selection = state.current()
setting_up, not_trained = draft.current(), experiment.shows_setup()

experiment.bar(setting_up)
picture, set_up = st.columns([0.68, 0.32], gap="medium")
with picture:
    if not_trained:
        preview.panel(setting_up)
    else:
        live.panel(selection.run)
with set_up:
    controls.heading(setting_up)
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
scroll.to_top()
if not not_trained:
    st.subheader("Samples during training")
    live.samples_panel(selection.run)
    explain.how_to_repeat(selection)
