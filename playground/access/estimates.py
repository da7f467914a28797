"""What a run will take on this machine, before it is started."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from engine.config import Config
from engine.data import Corpus
from engine.training.estimate import Estimate, MachineSpeed, estimate, measure_machine

_MACHINE_SECONDS = 300.0
"""A machine that was busy when its speed was measured may be idle by now."""


@dataclass
class _Machine:
    """The machine's speed, measured now and then; a measurement never makes it slower than it has been."""

    speed: MachineSpeed | None = None
    measured_at: float = 0.0

    def now(self) -> MachineSpeed:
        if self.speed is None or time.monotonic() - self.measured_at > _MACHINE_SECONDS:
            found = measure_machine()
            self.speed = found if self.speed is None else self.speed.best(found)
            self.measured_at = time.monotonic()
        return self.speed


@st.cache_resource(show_spinner=False)
def _machine() -> _Machine:
    return _Machine()


def expected(config: Config, corpus: Corpus) -> Estimate:
    """What a run of `config` on the text that it names will take on this machine."""
    return estimate(config, len(corpus.vocabulary), len(corpus.validation), _machine().now())
