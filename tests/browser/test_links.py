"""Links that lead nowhere."""

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
