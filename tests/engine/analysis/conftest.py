"""Small models of any cell, and traces of them, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch

from engine.config import ModelConfig
from engine.models.language_model import LanguageModel
from engine.models.recording import record, warm
from engine.trace import UNKNOWN, Target, Trace

VOCABULARY, UNITS, EMBEDDING = 6, 5, 4
PROBE = (2, 0, UNKNOWN, 5, 5, 1, 3)
CONTEXT = (4, 1, 1)


@pytest.fixture
def make_model() -> Callable[..., LanguageModel]:
    """Makes a small model in float64 with all its weights drawn at random, peepholes too, which start at zero."""

    def make(name: str = "lstm", options: Mapping | None = None, **settings) -> LanguageModel:
        values = {"units": UNITS, "layers": 2, "embedding": EMBEDDING} | settings
        model = LanguageModel(ModelConfig(cell=name, options=options or {}, **values), VOCABULARY, seed=0).double()
        random = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(std=0.5, generator=random)
        return model

    return make


@pytest.fixture
def traced() -> Callable[..., Trace]:
    """Records the probe, by default with the gradients of the sum of all losses, after a context."""

    def make(
        model: LanguageModel, gradient: Target | None = "sum", probe: tuple[int, ...] = PROBE, **settings
    ) -> Trace:
        return record(model, probe, state=warm(model, CONTEXT), gradient=gradient, **settings)

    return make
