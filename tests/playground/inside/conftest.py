"""Runs to look into: starter runs, and runs in the store of the test with weights that are made for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from streamlit.testing.v1 import AppTest

from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from playground import lens, loading, services
from playground.weights import Loaded

LoadRun = Callable[..., Loaded]
MakeCheckpoint = Callable[..., Checkpoint]


@pytest.fixture(autouse=True)
def own_caches(own_recordings: None) -> None:
    """Models and traces of each test alone."""


@pytest.fixture
def load_run() -> LoadRun:
    """The newest weights of a run, or those of a step."""
    return lambda run, step=-1: loading.load(loading.snapshot(run), step)


@pytest.fixture
def make_checkpoint() -> MakeCheckpoint:
    """A checkpoint of a run in the store, with weights that `seed` makes; or all of them NaN."""

    def made(run: str, step: int, seed: int = 0, *, broken: bool = False) -> Checkpoint:
        config = services.store().run(run).config
        vocabulary = lens.corpus(config.data).vocabulary
        weights = LanguageModel(config.model, len(vocabulary), seed=seed).state_dict()
        return Checkpoint(
            step=step,
            full=False,
            config=config,
            corpus_sha256="0" * 64,
            vocabulary=vocabulary.to_json(),
            planned_steps=100,
            tensors={
                f"model.{name}": torch.full_like(tensor, torch.nan) if broken else tensor
                for name, tensor in weights.items()
            },
        )

    return made


@pytest.fixture
def new_run() -> Callable[[str], str]:
    """A run of three units in the store of the test that waits to be trained; its id."""
    return lambda name: services.store().create_run(services.store().run("hello-rnn").config, name=name)


def _page() -> None:
    from types import SimpleNamespace

    import streamlit as st

    from playground import frame, inside, state

    def draw(views: list[inside.View]) -> None:
        st.session_state["views"] = views

    state.current()
    if "pick" in st.session_state:  # as a component's callback chooses
        state.select(**st.session_state.pop("pick"))
    with frame.around(SimpleNamespace(url_path="runs")):
        inside.frame(inside.Parts(claim=lambda views: f"{len(views)} views", draw=draw))


@pytest.fixture
def open_inside() -> Callable[..., AppTest]:
    """Opens an inside page that keeps its views in `app.session_state["views"]`, in a fresh session."""

    def opened(**link: str) -> AppTest:
        app = AppTest.from_function(_page, default_timeout=60)
        for key, value in link.items():
            app.query_params[key] = value
        return app.run()

    return opened
