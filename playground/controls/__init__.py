"""Widgets in, configs out: the controls that set up a run, one file for each part of a config."""

from playground.controls.corpus import text_controls
from playground.controls.model import model_controls
from playground.controls.rivals import rival_controls
from playground.controls.settings import label, setting, spoken
from playground.controls.training import sampling_controls, training_controls

__all__ = [
    "label",
    "model_controls",
    "rival_controls",
    "sampling_controls",
    "setting",
    "spoken",
    "text_controls",
    "training_controls",
]
