"""Runs that are undisturbed and runs that are stopped and taken up again: what both told, to be compared."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import engine
from engine.config import Config
from engine.data import Corpus
from engine.training.checkpoint import Checkpoint
from engine.training.events import Changed, Evaluated, Event, Finished, Progress, Sampled
from engine.training.run import Training

Changes = dict[int, tuple[str, float]]
Told = dict[tuple[str, int], dict[str, Any]]

CLOCK = {"seconds", "train_seconds", "tokens_per_second", "seconds_left"}

CHANGES: Changes = {3: ("learning_rate", 0.05), 6: ("clip_threshold", 0.2), 9: ("clip_threshold", 0.0)}


def note(told: Told, event: Event) -> None:
    """Keep what an event says, the clock aside. Said twice, it must be the same."""
    if isinstance(event, (Progress, Evaluated, Sampled, Changed, Finished)):
        facts = {name: value for name, value in asdict(event).items() if name not in CLOCK}
        key = (type(event).__name__, event.step)
        assert told.setdefault(key, facts) == facts, key


def change_settings(training: Training, event: Event, changes: Changes) -> None:
    if isinstance(event, Progress) and event.step in changes:
        training.change(*changes[event.step])


def undisturbed(config: Config, corpus: Corpus, changes: Changes | None = None) -> Told:
    training = engine.train(config, corpus, device="cpu")
    told: Told = {}
    for event in training.events():
        change_settings(training, event, changes or {})
        note(told, event)
    return told


def interrupted(
    config: Config, corpus: Corpus, cuts: Iterator[bool], changes: Changes | None = None, *, at_least: int = 0
) -> Told:
    """The same run, stopped wherever `cuts` says, `at_least` so often, put into bytes and taken up again from them."""
    told: Told = {}
    stops = 0
    left = dict(changes or {})
    training = engine.train(config, corpus, device="cpu")
    while ("Finished", config.training.steps) not in told:
        for event in training.events():
            change_settings(training, event, left)
            left.pop(event.step, None)
            note(told, event)
            if next(cuts) and not isinstance(event, Finished):
                stops += 1
                break
        saved = Checkpoint.from_bytes(training.checkpoint().to_bytes())
        training = engine.train(saved.config, corpus, device="cpu", checkpoint=saved)
    assert stops >= at_least
    return told


def at_random(share: float, seed: int) -> Iterator[bool]:
    """One event in `1 / share`. An evaluation that is stopped is made anew, and has thirty events here: with a larger
    share it would be stopped dozens of times before it came to its end, and say nothing that the first few do not."""
    draw = random.Random(seed)
    while True:
        yield draw.random() < share


def once_at(place: int) -> Iterator[bool]:
    yield from (number == place for number in range(100_000))
