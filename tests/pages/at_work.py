"""What a visitor does on a page and finds there, in an AppTest."""

from __future__ import annotations

import json
from typing import Any

import torch
from streamlit.testing.v1 import AppTest

from engine.config import Config
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from playground.access import corpora
from playground.frame import services


def press(app: AppTest, label: str) -> AppTest:
    """Press a button of the page by its label."""
    return next(button for button in app.main.button if button.label == label).click().run()


def widget(app: AppTest, kind: str, name: str) -> Any:
    """The widget of a setting by the end of its key, such as "model.units"; a widget that is made anew has a number
    behind that."""
    found = (one for one in app.main.get(kind) if f".{name}." in f".{one.key}.")
    return next(found)


def draft(app: AppTest) -> Config:
    """What is set up on the page Train."""
    return app.session_state["draft"].setup.config


def picture(app: AppTest, number: int = 0) -> dict[str, Any]:
    """What a picture of the network on the page Unrolled is given to draw."""
    found = [one.proto for one in app.get("bidi_component") if one.proto.component_name.endswith("/unrolled")]
    return json.loads(found[number].json)


def made_run(config: Config, *, spoil: bool = False) -> str:
    """A run in the store of the test with one checkpoint: its first weights, or NaN in one of them; its id."""
    run = services.store().create_run(config, name="Made", start=False)
    vocabulary = corpora.corpus(config.data).vocabulary
    weights = LanguageModel(config.model, len(vocabulary), seed=1).state_dict()
    if spoil:
        weights["stack.layers.0.weight_hh"][0, 0] = torch.nan
    made = Checkpoint(
        step=3,
        full=False,
        config=config,
        corpus_sha256="0" * 64,
        vocabulary=vocabulary.to_json(),
        planned_steps=100,
        tensors={f"model.{name}": tensor for name, tensor in weights.items()},
    )
    services.store().put_checkpoint(run, made)
    return run
