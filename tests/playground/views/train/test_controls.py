"""Widgets in, configs out: every setting has its control."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from engine.config import settings

_KINDS = ("selectbox", "number_input", "toggle", "text_input", "button_group")
_BY_SWITCH = {"model.options", "training.seconds", "training.momentum", "training.until_loss"}
_NOT_FOR_LANGUAGE_MODELS = {"model.bidirectional"}


def _controls(app: AppTest) -> set[str]:
    keys = [str(widget.key) for kind in _KINDS for widget in app.get(kind)]
    return {".".join(key.split(".")[-2:]) for key in keys if key.startswith("draft.")}


def test_every_setting_has_its_control(open_page: Callable[..., AppTest]) -> None:
    wanted = {f"{section}.{item.name}" for section, item in settings()} - _BY_SWITCH - _NOT_FOR_LANGUAGE_MODELS
    assert wanted - _controls(open_page("train")) == set()


def test_what_a_language_model_cannot_be_is_not_offered(open_page: Callable[..., AppTest]) -> None:
    assert _controls(open_page("train")) & _NOT_FOR_LANGUAGE_MODELS == set()


@pytest.mark.parametrize("optimizer", ["momentum", "rmsprop"])
def test_momentum_can_be_set_where_it_counts(open_page: Callable[..., AppTest], optimizer: str) -> None:
    app = open_page("train")
    assert "training.momentum" not in _controls(app)
    choice = next(box for box in app.selectbox if str(box.key).endswith("training.optimizer"))
    choice.set_value(optimizer).run()
    assert "training.momentum" in _controls(app)
