"""What is claimed of a run or a race."""

from __future__ import annotations

import time

import pytest

from engine.config import Config
from playground.access.runs import watched
from playground.access.training_text import lines_to_beat
from playground.frame import services
from playground.parts.run_claims import claim
from playground.runs.store.starter_files import ORDER

pytestmark = pytest.mark.usefixtures("idle_trainer")


@pytest.mark.parametrize("run_id", ORDER)
def test_the_claim_of_every_starter_run_has_its_number(run_id: str) -> None:
    said = claim(watched(run_id))
    assert any(character.isdigit() for character in said)
    assert said.endswith(".")


def test_a_run_that_has_not_begun_claims_nothing() -> None:
    run = services.store().create_run(Config())
    assert "nothing learned yet" in claim(watched(run))


def test_a_model_worse_than_guessing_is_said_to_be() -> None:
    run = services.store().create_run(Config(), name="bad")
    services.store().record(run, best_loss=9.0, best_step=3)
    end = time.monotonic() + 60
    while lines_to_beat(services.store().run(run)) is None and time.monotonic() < end:
        time.sleep(0.05)  # they are computed behind the page
    assert "no better than a uniform guess (log₂ 63 = 5.98)" in claim(watched(run))


def test_rivals_that_are_level_have_no_leader() -> None:
    runs = services.store().create_race((Config(), Config()), names=["a", "b"])
    for run in runs:
        services.store().record(run, best_loss=2.0, best_step=3)
    assert claim(watched(runs[0])).startswith("No run leads")
