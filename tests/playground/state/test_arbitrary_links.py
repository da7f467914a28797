"""Whatever stands in a link: a selection or a draft that can be shown, or a sentence, harmless wherever it is drawn."""

from __future__ import annotations

import json
import re
from dataclasses import Field, fields
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_values import SPECIAL, json_values, replaced_somewhere

from engine.config import Config, ConfigError
from engine.models.language_model import parameter_count
from engine.training.estimate import MachineSpeed, estimate
from engine.validate import validate
from playground.access import corpora
from playground.parts import launch
from playground.runs.limits import check_config
from playground.runs.records import LimitError
from playground.runs.settings import AppSettings
from playground.state import Selection, draft
from playground.state.fields import NearestError
from playground.state.selection import SELECTION
from playground.text import escape_markdown

VALUES = st.one_of(
    st.text(max_size=80),
    st.integers().map(str),
    st.floats().map(str),
    SPECIAL.map(str),
    st.sampled_from(
        ["", "-1", "--1", "١٢", "1e3", "0x1", "9" * 5_000, "ng", "nats", "../..", "<script>", ":red[x]", "$x$"]
    ),
)


@pytest.mark.parametrize("item", fields(Selection), ids=lambda item: item.name)
@settings(max_examples=40)
@given(text=VALUES)
def test_any_value_of_a_link_is_read_or_refused(item: Field, text: str) -> None:
    kind = item.metadata["kind"]
    try:
        value = kind.parse(text)
    except ValueError as error:
        _is_harmless(f"The link's {item.metadata['title']} cannot be used: {error}.")
        if not isinstance(error, NearestError):
            return
        value = error.nearest
    written = SELECTION.in_link(Selection(**{item.name: value}), item.name)
    assert written is None or kind.parse(written) == value, "what goes into the link comes back out of it"
    assert hash(value) is not None


def _is_harmless(sentence: str) -> None:
    """Nothing in it that Markdown or HTML would act on is left without a backslash."""
    drawn = escape_markdown(sentence)
    drawn.encode("utf-8")
    assert "\n" not in drawn
    assert re.search(r"(?<!\\)(\\\\)*[<>*_`$\[\]&]", drawn) is None, drawn


def taken(text: str) -> Config | None:
    """The config of a link, as `experiment.from_link` reads it; None where it is refused."""
    try:
        config = validate(Config.from_json(text))
        corpora.check_source(config.data)
    except ConfigError as error:
        _is_harmless(f"The link's config was not taken: {error}")
        return None
    return config


@settings(max_examples=120)
@given(st.text(max_size=60) | json_values().map(json.dumps) | replaced_somewhere(Config().to_dict()).map(json.dumps))
@example(Config().with_values(corpus="file:secret.txt").to_json())
@example("[" * 50_000)
def test_any_config_of_a_link_is_taken_or_refused(text: str) -> None:
    config = taken(text)
    if config is None:
        return
    assert not config.data.corpus.startswith("file:"), "a link reads no file of the server"
    assert launch.describe(config).isprintable()
    assert len(launch.rival_names((config, Config()))) == 2
    expected = estimate(config, 100, 20_000, MachineSpeed(1e-4, 1e10))
    assert expected.seconds > 0
    try:
        check_config(AppSettings(), config, parameter_count(config.model, 100), expected.memory_bytes)
    except LimitError as error:
        _is_harmless(str(error))


@settings(max_examples=60)
@given(VALUES)
def test_any_preset_of_a_link_is_taken_or_refused(name: str) -> None:
    try:
        assert draft.from_preset(name).configs
    except ConfigError as error:
        _is_harmless(str(error))


@settings(max_examples=100)
@given(st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3).map(str)))
def test_any_text_is_drawn_as_text(text: Any) -> None:
    _is_harmless(str(text))
