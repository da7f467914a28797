"""What the tests of whole runs share."""

from __future__ import annotations

import pytest

import engine.start
import engine.training.evaluation


@pytest.fixture
def slices_of_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chunk of an evaluation and every token of a sample is a slice of its own, so that a stop can fall there."""
    monkeypatch.setattr(engine.training.evaluation, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(engine.start, "SLICE_SECONDS", 0.0)
