"""Widgets in, configs out: the controls that set up a run, one file for each part of a config."""

from playground.views.train.controls.corpus import text_controls
from playground.views.train.controls.model import model_controls
from playground.views.train.controls.rivals import heading, rival_controls
from playground.views.train.controls.settings import setting
from playground.views.train.controls.training import sampling_controls, training_controls

__all__ = [
    "heading",
    "model_controls",
    "rival_controls",
    "sampling_controls",
    "setting",
    "text_controls",
    "training_controls",
]
