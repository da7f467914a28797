"""Recorded passes: made once, for everybody, and forgotten when there are too many bytes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import engine
from engine.trace import Change
from playground.access import traces
from playground.access.models import Loaded
from playground.access.probes import Probe, read_probe

pytestmark = pytest.mark.usefixtures("own_recordings")

LoadRun = Callable[..., Loaded]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine is asked to do, in order."""
    traces.recordings.clear()
    traces.tapes.clear()
    asked: list[str] = []
    tape, warm = engine.tape, engine.warm
    monkeypatch.setattr(engine, "tape", lambda *args, **values: (asked.append("tape"), tape(*args, **values))[1])
    monkeypatch.setattr(engine, "warm", lambda *args: (asked.append("warm"), warm(*args))[1])
    return asked


def _probe(loaded: Loaded, text: str) -> Probe:
    return read_probe(text, loaded.vocabulary)


def test_a_trace_is_what_the_engine_records(load_run: LoadRun) -> None:
    loaded = load_run("tales-gru")
    probe, none = _probe(loaded, "Once upon"), _probe(loaded, "")
    found = traces.trace(loaded, probe, none)
    expected = engine.record(loaded.model, torch.tensor(probe.tokens))
    assert torch.equal(found["hidden"], expected["hidden"])
    assert found.grad is None
    assert traces.trace(loaded, probe, none, gradient="sum").target == "sum"


def test_a_context_warms_the_state(load_run: LoadRun) -> None:
    loaded = load_run("tales-lstm")
    whole, context, probe = (_probe(loaded, text) for text in ("There was a king", "There was ", "a king"))
    warmed = traces.trace(loaded, probe, context)
    at_once = traces.trace(loaded, whole, _probe(loaded, ""))
    assert torch.allclose(warmed["cell"], at_once["cell"][:, len(context) :], atol=1e-5)
    assert warmed.initial["hidden"].abs().sum() > 0


def test_what_was_looked_at_once_is_not_recorded_again(load_run: LoadRun, recorded: list[str]) -> None:
    loaded = load_run("tales-lstm")
    probe, context = _probe(loaded, "a king"), _probe(loaded, "There was ")
    first = traces.trace(loaded, probe, context)
    assert traces.trace(loaded, _probe(loaded, "a king"), context) is first
    assert recorded == ["warm", "tape"]
    for of in (2, "sum"):
        found = traces.trace(loaded, probe, context, gradient=of)
        assert found.target == of
        assert found["cell"] is first["cell"], "the way forward is the same"
    traces.trace(loaded, probe, context, changes=(Change("hidden", 0, 1, 2, 0.5),))
    assert recorded == ["warm", "tape", "tape"], "the state after a context is kept too"


@pytest.mark.parametrize(
    "other",
    [
        {"text": "a kind"},
        {"context": "There is "},
        {"gradient": "sum"},
        {"gradient": 0},
        {"changes": (Change("hidden", 0, 1, 2, 0.5),)},
        {"changes": (Change("hidden", 0, 1, 2, 0.25),)},
        {"step": 512},
        {"run": "tales-gru"},
    ],
    ids=str,
)
def test_another_view_is_another_trace(load_run: LoadRun, other: dict) -> None:
    def found(run="tales-lstm", step=-1, text="a king", context="There was ", gradient=None, changes=()):
        loaded = load_run(run, step)
        return traces.trace(loaded, _probe(loaded, text), _probe(loaded, context), gradient, changes)

    assert found(**other) is not found()
    assert found(**other) is found(**other)
