"""Configs: JSON both ways, and a sentence for every value that cannot stand."""

from __future__ import annotations

import copy
import json
import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import (
    SECTIONS,
    VERSION,
    Config,
    ConfigError,
    DataConfig,
    ModelConfig,
    SamplingConfig,
    TrainingConfig,
    locate,
)
from engine.config import settings as all_settings

SETTINGS = [pytest.param(section, item, id=f"{section}.{item.name}") for section, item in all_settings()]
BOUNDED = [
    pytest.param(section, item, id=f"{section}.{item.name}")
    for section, item in all_settings()
    if item.metadata.get("low") is not None
]
CHOSEN = [
    pytest.param(section, item, id=f"{section}.{item.name}")
    for section, item in all_settings()
    if item.metadata.get("choices")
]
WRONG_TYPES: dict[str, list[Any]] = {
    "int": [1.5, "3", True, None, [1], {}],
    "float": ["0.5", True, None, [0.5], {}],
    "str": [1, None, True, ["x"], {}],
    "bool": [0, 1, "true", None, []],
}


def allowed_values(item) -> st.SearchStrategy:
    """Values that a setting takes, by what its metadata says."""
    about = item.metadata
    if item.name == "options":
        return st.dictionaries(st.text(max_size=8), st.booleans() | st.text(max_size=8), max_size=4)
    if about["choices"]:
        return st.sampled_from(about["choices"])
    if item.type == "bool":
        return st.booleans()
    if item.type == "int":
        return st.integers(about["low"], about["high"])
    if item.type == "float":
        return st.floats(about["low"], about["high"])
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


configs = st.builds(
    Config,
    **{
        name: st.builds(kind, **{item.name: allowed_values(item) for item in fields(kind)})
        for name, kind in SECTIONS.items()
    },
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
near_configs = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just(VERSION) | json_values,
        **{
            name: json_values
            | st.fixed_dictionaries(
                {}, optional={item.name: allowed_values(item) | json_values for item in fields(kind)}
            )
            for name, kind in SECTIONS.items()
        },
    },
)


@settings(max_examples=40)
@given(configs)
def test_json_gives_the_same_config_back(config: Config) -> None:
    assert Config.from_json(config.to_json()) == config
    assert Config.from_json(config.to_json(indent=2)) == config


@settings(max_examples=40)
@given(configs)
def test_json_of_a_config_is_utf_8_and_strict(config: Config) -> None:
    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    json.loads(config.to_json().encode("utf-8"), parse_constant=refuse)


@settings(max_examples=40)
@given(configs)
def test_equal_configs_have_equal_hashes_and_survive_copying(config: Config) -> None:
    for twin in (Config.from_dict(config.to_dict()), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert twin == config
        assert hash(twin) == hash(config)


def test_a_missing_key_takes_its_default() -> None:
    assert Config.from_json("{}") == Config()
    assert Config.from_json('{"model": {"units": 32}}') == Config(model=ModelConfig(units=32))


def test_a_setting_that_came_later_is_written_only_where_it_is_used() -> None:
    """So that configs that do not use it stay the same text, and stay readable by earlier versions."""
    late = [(section, item) for section, item in all_settings() if item.metadata.get("written") == "when set"]
    assert ("model", "bidirectional") in [(section, item.name) for section, item in late]
    for section, item in late:
        assert item.name not in Config().to_dict()[section]
        assert item.name not in Config().to_json()
        other = {"bool": not item.default, "float": 0.5}[item.type]
        used = Config().with_values(**{f"{section}__{item.name}": other})
        assert used.to_dict()[section][item.name] == other != item.default
        assert Config.from_json(used.to_json()) == used != Config()


@pytest.mark.parametrize(
    "plain",
    [
        {"modle": {}},
        {"model": {"unit": 32}},
        {"data": {"units": 32}},
        {"training": {"lr": 1.0}},
        {"sampling": {"text": ""}},
    ],
)
def test_an_unknown_key_is_named_with_those_that_exist(plain: dict) -> None:
    wrong = next(iter(plain)) if "modle" in plain else next(iter(next(iter(plain.values()))))
    with pytest.raises(ConfigError, match=f"Unknown key '{wrong}'.*Known keys: "):
        Config.from_dict(plain)


@pytest.mark.parametrize("plain", [[], "text", None, 3, {"model": []}, {"model": None}, {"data": "tales"}])
def test_what_is_no_object_is_refused(plain: Any) -> None:
    with pytest.raises(ConfigError, match="JSON object"):
        Config.from_dict(plain)


@pytest.mark.parametrize(
    "text",
    ["", "{", "nope", "[" * 100_000, '{"model": {"units": ' + "9" * 5_000 + "}}"],
    ids=["empty", "cut", "word", "deep", "digits"],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not JSON"):
        Config.from_json(text)


def test_a_newer_version_says_to_update() -> None:
    with pytest.raises(ConfigError, match=f"version {VERSION + 1}.*update"):
        Config.from_dict({"version": VERSION + 1})


@pytest.mark.parametrize("version", ["1", None, 0, -1, [1], {}])
def test_another_version_is_refused(version: Any) -> None:
    with pytest.raises(ConfigError, match="version"):
        Config.from_dict({"version": version})


def test_what_a_newer_version_adds_does_not_hide_that_it_is_newer() -> None:
    with pytest.raises(ConfigError, match="update"):
        Config.from_dict({"version": VERSION + 1, "attention": {}})


@pytest.mark.parametrize(("section", "item"), SETTINGS)
def test_a_value_of_another_type_is_refused_by_name(section: str, item) -> None:
    wrong = (
        [3, "x", None, ["a"], {1: True}, {"a": 1}, {"a": None}] if item.name == "options" else WRONG_TYPES[item.type]
    )
    for value in wrong:
        with pytest.raises(ConfigError, match=rf"{section}\.{item.name} must "):
            SECTIONS[section](**{item.name: value})


@pytest.mark.parametrize(("section", "item"), BOUNDED)
def test_the_ends_of_a_range_stand_and_what_is_beyond_is_refused_by_name(section: str, item) -> None:
    low, high = item.metadata["low"], item.metadata["high"]
    for value in (low, high):
        assert getattr(SECTIONS[section](**{item.name: value}), item.name) == value
    beyond: tuple = (low - 1, high + 1)
    if item.type == "float":
        beyond = (math.nextafter(low, -math.inf), math.nextafter(high, math.inf), *beyond)
    for value in beyond:
        with pytest.raises(ConfigError, match=rf"{section}\.{item.name} is .*; choose a value from .* to "):
            SECTIONS[section](**{item.name: value})


@pytest.mark.parametrize(("section", "item"), CHOSEN)
def test_a_value_that_is_no_choice_is_refused_with_the_choices(section: str, item) -> None:
    with pytest.raises(ConfigError, match=rf"{section}\.{item.name} is 'nonsense'; choose one of") as raised:
        SECTIONS[section](**{item.name: "nonsense"})
    assert all(choice in str(raised.value) for choice in item.metadata["choices"])


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 10**400, -(10**400)],
    ids=["nan", "inf", "-inf", "huge", "-huge"],
)
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"training\.learning_rate must be a finite number"):
        TrainingConfig(learning_rate=value)
    with pytest.raises(ConfigError, match=r"model\.gain"):
        Config.from_json(json.dumps({"model": {"gain": value}}))


def test_the_value_is_said_as_it_was_given() -> None:
    """Not rounded until it looks as if it were allowed."""
    with pytest.raises(ConfigError, match="1,000,001; choose a value from 1 to 1,000,000"):
        TrainingConfig(steps=1_000_001)


def test_a_huge_value_gives_a_short_sentence() -> None:
    for wrong in ("x" * 100_000, list(range(100_000)), 10**5_000):
        with pytest.raises(ConfigError) as raised:
            ModelConfig(units=wrong)  # type: ignore[arg-type]
        assert len(str(raised.value)) < 300


@pytest.mark.parametrize("text", ["a\0b", "x" * 4_097, "half \ud83d"], ids=["NUL", "long", "half"])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"sampling\.prompt must be valid Unicode text of at most 4,096 characters"):
        SamplingConfig(prompt=text)


def test_whole_numbers_stand_where_fractions_do() -> None:
    learning_rate = TrainingConfig(learning_rate=1).learning_rate
    assert learning_rate == 1.0
    assert type(learning_rate) is float


def test_too_many_options_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"model\.options must map at most 16"):
        ModelConfig(options={str(number): True for number in range(17)})


def test_a_config_is_frozen_its_options_too() -> None:
    config = Config(model=ModelConfig(options={"activation": "relu"}))
    with pytest.raises(FrozenInstanceError):
        config.model = ModelConfig()  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        config.model.units = 3  # type: ignore[misc]
    options: Any = config.model.options
    for change in (
        lambda: options.update(a=True),
        lambda: options.__setitem__("a", True),
        lambda: options.__delitem__("activation"),
        lambda: options.pop("activation"),
        lambda: options.popitem(),
        lambda: options.clear(),
        lambda: options.setdefault("a", True),
        lambda: options.__ior__({"a": True}),
    ):
        with pytest.raises(TypeError, match="frozen"):
            change()
    assert config.model.options == {"activation": "relu"}


def test_the_options_given_can_change_afterwards_without_changing_the_config() -> None:
    given_options = {"activation": "relu"}
    model = ModelConfig(options=given_options)
    given_options["activation"] = "tanh"
    assert model.options == {"activation": "relu"}


def test_settings_are_replaced_by_short_name_and_by_section() -> None:
    config = Config().with_values(units=7, training__seed=5, sampling__seed=6, corpus="hello")
    assert config == Config(
        data=DataConfig(corpus="hello"),
        model=ModelConfig(units=7),
        training=TrainingConfig(seed=5),
        sampling=SamplingConfig(seed=6),
    )
    assert Config().with_values(model__units=7) == replace(Config(), model=ModelConfig(units=7))


def test_the_config_asked_for_a_copy_stays_as_it_was() -> None:
    config = Config()
    config.with_values(units=7)
    assert config == Config()


def test_an_ambiguous_name_is_refused_with_the_full_ones() -> None:
    with pytest.raises(ConfigError, match="training__seed, sampling__seed"):
        Config().with_values(seed=3)


@pytest.mark.parametrize("name", ["unit", "data__units", "nowhere__units", "model__model__units", "", "__"])
def test_a_name_that_is_no_setting_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no setting named"):
        Config().with_values(**{name: 3})


def test_every_setting_is_found_by_its_full_name() -> None:
    for section, item in all_settings():
        assert locate(f"{section}__{item.name}") == (section, item.name)


@pytest.mark.parametrize(("section", "item"), SETTINGS)
def test_every_setting_says_what_it_means(section: str, item) -> None:
    assert len(item.metadata["meaning"]) > 10


@settings(max_examples=150)
@given(near_configs | json_values)
def test_nothing_but_a_config_error_comes_of_any_json(plain: Any) -> None:
    for read in (lambda: Config.from_dict(plain), lambda: Config.from_json(json.dumps(plain))):
        try:
            config = read()
        except ConfigError as error:
            str(error).encode("utf-8")  # can be printed, whatever was in it
        else:
            assert Config.from_json(config.to_json()) == config
