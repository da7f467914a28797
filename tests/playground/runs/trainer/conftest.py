"""Trainers for a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from trainer_processes import Processes, Until

from playground.runs.settings import AppSettings
from playground.runs.store import Store


@pytest.fixture
def processes_(settings: AppSettings, store: Store, until: Until) -> Iterator[Processes]:
    started = Processes(settings, store, until)
    yield started
    started.end()
