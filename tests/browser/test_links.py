"""Links: an experiment to hand out, and links that lead nowhere."""

from __future__ import annotations

import json
from urllib.parse import quote

from app_page import eventually
from train_page import TrainPage
from visits import Visits


def test_a_wrong_link_gets_a_sentence_and_shows_the_starter_run(visits: Visits) -> None:
    """Each kind of wrong link has its test without a browser, in tests/pages."""
    config = quote(json.dumps({"model": {"units": 0}}))
    train = TrainPage(visits.open(f"train?run=nope&config={config}"))

    def said() -> str:
        return "\n".join(train.alerts("").all_inner_texts()).replace("\u2060", "").lower()

    eventually(train.page, "a sentence on each", lambda: all(word in said() for word in ("no run", "model.units")))
    eventually(train.page, "the starter run is drawn", lambda: train.loss.values("validation"))
    assert "Traceback" not in train.page.content()
    eventually(train.page, "the link is mended", lambda: all(key not in train.page.url for key in ("nope", "config=")))


def test_an_experiment_is_handed_out_by_its_link(visits: Visits) -> None:
    train = TrainPage(visits.open("train?preset=hello"))
    train.press("Train")
    train.reaches("paused")
    train.press("Resume")
    eventually(train.page, "all steps are done", lambda: (train.status, train.step) == ("finished", 300))
    eventually(train.page, "the last loss is drawn", lambda: _last(train) == 300)
    losses = train.loss.values("validation")
    assert losses[-1] < 0.1 < losses[0]
    samples = train.page.locator(".ladder").last.locator("pre")
    eventually(train.page, "it writes it", lambda: samples.all_inner_texts()[-1:] == ["hello"])


def _last(train: TrainPage) -> int:
    """The step of the last evaluation that is drawn."""
    return max((row["step"] for row in train.loss.rows("validation")), default=0)
