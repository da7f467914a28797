"""Links: an experiment to hand out, and links that lead nowhere."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from train_page import TrainPage, eventually
from visits import Visits

# Each kind of wrong link has its test without a browser, in tests/pages.
WRONG = {
    "run=nope": "no run",
    "preset=nope": "no preset 'nope'",
    "config=" + quote(json.dumps({"model": {"units": 0}})): "model.units",
}


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_link_gets_a_sentence_and_shows_the_starter_run(visits: Visits, query: str) -> None:
    train = TrainPage(visits.open(f"train?{query}"))

    def said() -> str:
        return "\n".join(train.says("").all_inner_texts()).replace("\u2060", "").lower()

    eventually(train.page, "a sentence", lambda: WRONG[query].lower() in said())
    eventually(train.page, "the starter run is drawn", lambda: train.loss.values("validation"))
    assert "Traceback" not in train.page.content()
    eventually(train.page, "the link is mended", lambda: query.split("=")[0] + "=" not in train.page.url)


def test_an_experiment_is_handed_out_by_its_link(visits: Visits) -> None:
    train = TrainPage(visits.open("train?preset=hello"))
    train.train()
    eventually(train.page, "all steps are done", lambda: (train.status, train.step) == ("finished", 300))
    eventually(train.page, "the last loss is drawn", lambda: _last(train) == 300)
    losses = train.loss.values("validation")
    assert losses[-1] < 0.1 < losses[0]
    samples = train.page.locator(".ladder").last.locator("pre")
    eventually(train.page, "it writes it", lambda: samples.all_inner_texts()[-1:] == ["hello"])


def _last(train: TrainPage) -> int:
    """The step of the last evaluation that is drawn."""
    return max((row["step"] for row in train.loss.rows("validation")), default=0)
