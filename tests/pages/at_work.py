"""What a visitor does on a page and finds there, in an AppTest."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from engine.config import Config


def press(app: AppTest, label: str) -> AppTest:
    """Press a button of the page by its label."""
    return next(button for button in app.main.button if button.label == label).click().run()


def widget(app: AppTest, kind: str, name: str) -> Any:
    """The widget of a setting by the end of its key, such as "model.units"; a widget that is made anew has a number
    behind that."""
    found = (one for one in app.main.get(kind) if f".{name}." in f".{one.key}.")
    return next(found)


def draft(app: AppTest) -> Config:
    """What is set up on the page Train."""
    return app.session_state["draft"].setup.config


def picture(app: AppTest, number: int = 0) -> dict[str, Any]:
    """What a picture of the network on the page Unrolled is given to draw."""
    found = [one.proto for one in app.get("bidi_component") if one.proto.component_name.endswith("/unrolled")]
    return json.loads(found[number].json)
