"""Tiny kinds of analyses for tests: real ones, one that takes its time, and some that go wrong."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import torch

from engine.config import ConfigError
from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register


def norms(given: JobInput) -> dict[str, float]:
    """Norm of each weight, times a factor."""
    return {name: given.arguments["times"] * float(w.norm()) for name, w in given.model.named_parameters()}


def slow(given: JobInput) -> dict[str, int]:
    """Takes so many seconds, and says how far it is."""
    end = given.arguments["seconds"]
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < end:
        given.report(passed / end)
        time.sleep(0.01)
    return {"threads": torch.get_num_threads(), "nice": os.nice(0)}


def deaf(given: JobInput) -> None:
    """Takes so many seconds, and hears nothing meanwhile."""
    time.sleep(given.arguments["seconds"])


def ends(given: JobInput) -> None:
    """Has its process ended, as one that runs out of memory is."""
    os.kill(os.getpid(), signal.SIGKILL)


def refuses(given: JobInput) -> None:
    raise ConfigError("There are no units of that kind: choose another layer.")


def breaks(given: JobInput) -> float:
    return 1 / 0


def odd(given: JobInput) -> Any:
    """What is no plain data."""
    return {1, 2}


def reads(given: JobInput) -> dict[str, Any]:
    """What there is to work with."""
    corpus = given.corpus
    return {
        "decoded": given.vocabulary.decode(corpus.train.tolist()) == corpus.train_text,
        "kept": list(given.kept_steps),
        "steps": [
            [step, float(sum(p.norm() for p in model.parameters()))] for step, model in given.models(given.kept_steps)
        ],
        "training": given.model.training,
        "nan": float("nan"),
    }


for kind in (norms, slow, deaf, ends, refuses, breaks, odd, reads):
    register(JobKind(kind.__name__, kind.__name__.capitalize(), kind))
