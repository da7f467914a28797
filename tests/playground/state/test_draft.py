"""The run that is being set up: what one change does to it, and to its rivals."""

from __future__ import annotations

import pytest

from engine import PRESETS
from engine.config import Config, ConfigError
from playground.state.draft import LONGEST_IN_LINK, MOST_RIVALS, Draft, from_link_text, from_preset, in_link


def test_an_edit_changes_the_chosen_config_alone() -> None:
    draft = Draft().with_rival().edited("model", "units", 7)
    assert [config.model.units for config in draft.configs] == [Config().model.units, 7]


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [("data", "chunk", 9), ("training", "seed", 9), ("training", "steps", 9), ("sampling", "prompt", "He")],
)
def test_what_rivals_share_changes_for_all(section: str, name: str, value: object) -> None:
    draft = Draft().with_rival().edited(section, name, value)
    assert {getattr(getattr(config, section), name) for config in draft.configs} == {value}


def test_another_cell_drops_the_switches_of_the_old_one() -> None:
    draft = Draft().edited("model", "cell", "rnn").edited("model", "options", {"activation": "relu"})
    assert draft.edited("model", "cell", "gru").config.model.options == {}


def test_a_cell_comes_with_the_settings_that_it_needs_and_takes_them_along() -> None:
    draft = Draft()
    course = draft.edited("model", "cell", "lstm-course")
    assert (course.config.training.state_penalty, course.config.training.carried_limit) == (2.0, 3.0)
    assert course.generation != draft.generation, "the widgets of these settings must be made anew to show them"
    assert course.edited("model", "options", {"output_tanh": True}).config.training == Config().training
    assert course.edited("model", "cell", "lstm").config.training == Config().training
    assert draft.edited("model", "cell", "gru").generation == draft.generation


def test_what_was_set_by_hand_stays_when_the_cell_changes() -> None:
    course = Draft().edited("training", "state_penalty", 0.5).edited("model", "cell", "lstm-course")
    assert (course.config.training.state_penalty, course.config.training.carried_limit) == (0.5, 3.0)
    assert course.edited("model", "cell", "lstm").config.training.state_penalty == 0.5


def test_an_edit_that_changes_nothing_leaves_the_experiment_its_name() -> None:
    draft = from_preset("hello")
    assert draft.edited("model", "units", 3) is draft
    assert draft.edited("model", "units", 4).preset == ""


def test_a_value_that_cannot_stand_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"model\.units"):
        Draft().edited("model", "units", 0)


def test_at_most_four_race() -> None:
    draft = Draft()
    while len(draft.configs) < MOST_RIVALS:
        draft = draft.with_rival()
    with pytest.raises(ConfigError, match="At most 4"):
        draft.with_rival()


def test_a_race_runs_by_steps() -> None:
    draft = Draft().edited("training", "seconds", 60.0).with_rival()
    assert {config.training.seconds for config in draft.configs} == {0.0}


@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_a_rival_that_leaves_is_the_chosen_one(chosen: int) -> None:
    configs = tuple(Config().with_values(units=units) for units in (1, 2, 3))
    left = Draft(configs, chosen=chosen).without_chosen()
    assert configs[chosen] not in left.configs
    assert len(left.configs) == 2
    assert left.config in left.configs


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_draft_of_its_configs(name: str) -> None:
    assert from_preset(name).configs == PRESETS[name].configs


def test_a_preset_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="'nope'; choose one of first-words"):
        from_preset("nope")


# ---------------------------------------------------------------------- in the link


def _edited() -> Draft:
    draft = from_preset("hello").edited("model", "units", 5).edited("sampling", "prompt", 'h"é☃ &=')
    return draft.edited("model", "options", {"activation": "relu"})


@pytest.mark.parametrize(
    "draft",
    [
        from_preset("first-words"),
        from_preset("why-clipping-matters"),
        Draft(),
        _edited(),
        _edited().with_rival().edited("model", "cell", "gru"),
        Draft(_edited().configs, parent=("m882yrtd38", 4_000)),
        Draft(PRESETS["hello"].configs, preset="hello", parent=("tales-lstm", 0)),
    ],
)
def test_a_set_up_comes_back_from_its_link(draft: Draft) -> None:
    again = from_link_text(in_link(draft) or "")
    assert (again.configs, again.parent) == (draft.configs, draft.parent)
    assert again.generation != draft.generation, "its widgets are made anew"


def test_only_what_differs_from_the_defaults_stands_in_the_link() -> None:
    assert in_link(from_preset("hello")) == "hello"
    assert in_link(Draft().edited("model", "units", 33)) == '{"model":{"units":33}}'
    assert in_link(Draft().edited("model", "units", 33).with_rival().edited("training", "clip", "off")) == (
        '[{"model":{"units":33}},{"model":{"units":33},"training":{"clip":"off"}}]'
    )


def test_a_set_up_that_is_too_long_stays_out_of_the_link() -> None:
    assert in_link(Draft().edited("sampling", "prompt", "é" * LONGEST_IN_LINK)) is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("runes", "no experiment 'runes'"),
        ("", "no experiment ''"),
        ("{bad", "neither the name of an experiment nor JSON"),
        ("[]", "it has 0 runs; 1 to 4"),
        ("[{},{},{},{},{}]", "it has 5 runs"),
        ('{"model":{"units":0}}', r"model\.units is 0"),
        ('{"model":{"cell":"transformer"}}', r"model\.cell is 'transformer'"),
        ('{"wings":2}', "Unknown key 'wings'"),
        ('{"parent":"no such:run"}', "is not a valid run id"),
        ('{"parent":"tales-lstm:first"}', "is not a valid training step"),
        ("[1]", "A config must be a JSON object"),
        ('{"parent":"tales-lstm:-1"}', "'-1' is not a valid training step"),
        ('{"parent":"tales-lstm"}', "'' is not a valid training step"),
        ("[" * 100_000, "neither the name of an experiment nor JSON"),
    ],
)
def test_a_set_up_that_cannot_be_is_refused_in_words(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong) as refused:
        from_link_text(text)
    assert not str(refused.value).endswith("."), "it stands in the middle of a sentence"
