"""Who has been silent for how long, by the time that the watcher itself was awake."""

from __future__ import annotations

import pytest

from playground.runs.trainer.watchdog import MAX_STEP, Watchdog


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_silence_is_the_time_for_which_a_sign_has_not_changed(clock: Clock) -> None:
    dog: Watchdog[str] = Watchdog(clock)
    assert dog.observe({"a": 1, "b": 1}) == {"a": 0.0, "b": 0.0}
    for second in range(1, 6):
        clock.now += 1.0
        assert dog.observe({"a": second + 1, "b": 1}) == {"a": 0.0, "b": float(second)}
    clock.now += 1.0
    assert dog.observe({"a": 6, "b": 2}) == {"a": 1.0, "b": 0.0}, "a new sign begins anew, whatever it is"


def test_a_night_asleep_makes_nobody_late(clock: Clock) -> None:
    dog: Watchdog[str] = Watchdog(clock)
    dog.observe({"a": 1})
    clock.now += 8 * 3600.0
    silent = dog.observe({"a": 1})["a"]
    assert silent == MAX_STEP
    clock.now += 1.0
    assert dog.observe({"a": 1})["a"] == MAX_STEP + 1.0, "from then on the silence counts as ever"


def test_a_clock_that_is_set_back_makes_nobody_younger(clock: Clock) -> None:
    dog: Watchdog[str] = Watchdog(clock)
    dog.observe({"a": 1})
    clock.now -= 500.0
    assert dog.observe({"a": 1}) == {"a": 0.0}
    clock.now += 1.0
    assert dog.observe({"a": 1}) == {"a": 1.0}


def test_who_has_left_is_forgotten_and_begins_anew(clock: Clock) -> None:
    dog: Watchdog[str] = Watchdog(clock)
    dog.observe({"a": None})
    clock.now += 1.0
    assert dog.observe({}) == {}
    clock.now += 1.0
    assert dog.observe({"a": None}) == {"a": 0.0}


def test_after_a_pardon_everybody_has_as_long_as_ever(clock: Clock) -> None:
    dog: Watchdog[str] = Watchdog(clock)
    dog.observe({"a": 1, "b": 1})
    clock.now += 1.0
    assert dog.observe({"a": 1, "b": 1}) == {"a": 1.0, "b": 1.0}
    dog.reset()
    clock.now += 1.0
    assert dog.observe({"a": 1, "b": 1}) == {"a": 0.0, "b": 0.0}
    clock.now += 1.0
    assert dog.observe({"a": 1, "b": 2}) == {"a": 1.0, "b": 0.0}
