"""Whatever comes in as a config: a config that comes back equal, or a ConfigError in one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_values import SPECIAL, json_values, replaced_somewhere

from engine.config import Config, ConfigError
from engine.config import settings as all_settings
from engine.validate import validate

NAMES = sorted({item.name for _, item in all_settings()})


def read(plain: Any) -> Config | None:
    """The config, checked to stand; None where it is refused."""
    try:
        config = validate(Config.from_dict(plain))
    except ConfigError as error:
        _is_a_sentence(error)
        return None
    assert Config.from_dict(config.to_dict()) == config
    assert Config.from_json(config.to_json()) == config
    return config


def _is_a_sentence(error: ConfigError) -> None:
    said = str(error)
    assert said.endswith((".", "]"))
    assert len(said) < 2_000
    said.encode("utf-8")  # it can be printed and sent


@settings(max_examples=150)
@given(replaced_somewhere(Config().to_dict()))
def test_a_config_with_other_values_stands_or_is_refused(plain: Any) -> None:
    read(plain)


@settings(max_examples=100)
@given(json_values())
@example({"version": 10**5_000})
@example({"model": {"units": 10**5_000}})
@example({"model": {"options": {"\ud800": True}}})
@example({"data": {"corpus": "\ud800"}})
@example({"\ud800": 1})
def test_any_json_is_a_config_or_refused(plain: Any) -> None:
    read(plain)


@settings(max_examples=150)
@given(st.text(max_size=60) | json_values().map(json.dumps))
@example("[" * 100_000)
@example("9" * 10_000)
@example('{"data":' * 5_000)
@example('{"model": {"units": 1e999}}')
def test_any_text_is_a_config_or_refused(text: str) -> None:
    try:
        Config.from_json(text)
    except ConfigError as error:
        _is_a_sentence(error)


@settings(max_examples=120)
@given(st.sampled_from(NAMES), SPECIAL | json_values(4))
def test_any_value_of_any_setting_is_taken_or_refused(name: str, value: Any) -> None:
    try:
        config = Config().with_values(**{f"{section}__{name}": value for section in _sections_with(name)})
        validate(config)
    except ConfigError as error:
        _is_a_sentence(error)


def _sections_with(name: str) -> list[str]:
    return [section for section, item in all_settings() if item.name == name]


@pytest.mark.parametrize("name", ["", "__", "model__", "model__units__x", "self", "x" * 5_000, "\ud800"])
def test_a_setting_that_is_none_is_refused(name: str) -> None:
    with pytest.raises((ConfigError, TypeError)):
        Config().with_values(**{name: 1})
