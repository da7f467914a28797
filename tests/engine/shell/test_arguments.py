"""Arguments made from the settings, and the config they add up to."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from engine.config import Config, ConfigError, settings
from engine.presets import PRESETS
from engine.shell.arguments import add_settings, config_from, corpus_name


def parse(*argv: str) -> Config:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--preset")
    parser.add_argument("--config")
    add_settings(parser)
    return config_from(parser.parse_args(argv))


def other_value(section: str, item) -> tuple[str, object]:
    """A value that is not the default, as it is typed and as it arrives."""
    about, default = item.metadata, getattr(getattr(Config(), section), item.name)
    if about["choices"]:
        value: object = next(choice for choice in about["choices"] if choice != default)
    elif item.type == "str":
        value = "something else"
    else:
        value = about["high"] if about["high"] != default else about["low"]
    return str(value), value


@pytest.mark.parametrize(
    ("section", "item"),
    [
        pytest.param(section, item, id=f"{section}.{item.name}")
        for section, item in settings()
        if item.name != "options" and item.type != "bool"
    ],
)
def test_every_setting_is_an_argument(section: str, item) -> None:
    typed, value = other_value(section, item)
    flag = f"--{section}-{item.name}".replace("_", "-")
    assert parse(flag, typed) == Config().with_values(**{f"{section}__{item.name}": value})


def test_nothing_given_is_the_defaults() -> None:
    assert parse() == Config()


def test_a_setting_that_one_section_has_needs_no_section() -> None:
    assert parse("--units", "7", "--chunk", "9") == Config().with_values(units=7, chunk=9)


def test_the_short_seed_is_the_runs() -> None:
    assert parse("--seed", "7") == Config().with_values(training__seed=7)
    assert parse("--sampling-seed", "7") == Config().with_values(sampling__seed=7)


def test_a_switch_has_a_no() -> None:
    assert parse("--no-bias") == Config().with_values(bias=False)
    assert parse("--no-model-bias") == Config().with_values(bias=False)
    assert parse("--bias") == Config()


def test_the_validation_loss_to_stop_at_has_the_name_it_is_known_by() -> None:
    assert parse("--until-val-loss", "1.5") == parse("--until-loss", "1.5") == Config().with_values(until_loss=1.5)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_start_and_what_is_given_wins(name: str) -> None:
    config = PRESETS[name].configs[0]
    assert parse("--preset", name) == config
    assert parse("--preset", name, "--units", "17") == config.with_values(units=17)


def test_steps_win_over_seconds_unless_both_are_given() -> None:
    minute = "shakespeare-in-a-minute"
    assert parse("--preset", minute, "--steps", "5").training.seconds == 0
    assert parse("--preset", minute, "--steps", "5", "--seconds", "9").training.seconds == 9


def test_another_cell_drops_the_options_of_the_presets() -> None:
    relu = "why-clipping-matters"
    assert PRESETS[relu].configs[0].model.options
    assert parse("--preset", relu, "--cell", "gru").model.options == {}
    assert parse("--preset", relu, "--units", "9").model.options == PRESETS[relu].configs[0].model.options


def test_a_cell_comes_with_the_settings_that_it_needs() -> None:
    training = parse("--cell", "lstm-course").training
    assert (training.state_penalty, training.carried_limit) == (2.0, 3.0)
    assert parse("--cell", "lstm-course", "--option", "output_tanh=true").training == Config().training
    assert parse("--cell", "lstm-course", "--state-penalty", "0").training.state_penalty == 0
    assert parse("--cell", "lstm-peephole").training == Config().training


def test_a_stored_config_keeps_its_meaning(tmp_path: Path) -> None:
    stored = Config().with_values(cell="lstm-course")
    (tmp_path / "config.json").write_text(stored.to_json())
    assert parse("--config", str(tmp_path / "config.json")) == stored
    assert parse("--config", str(tmp_path / "config.json"), "--cell", "lstm-course") == stored


def test_options_are_truths_or_words() -> None:
    options = parse("--option", "relevance_gate=false", "--option", "output_sees=new").model.options
    assert options == {"relevance_gate": False, "output_sees": "new"}


def test_a_path_is_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert corpus_name("mine.txt") == f"file:{tmp_path.resolve() / 'mine.txt'}"
    assert corpus_name("texts/mine") == f"file:{tmp_path.resolve() / 'texts/mine'}"
    assert corpus_name("/absolute/mine.md") == f"file:{Path('/absolute/mine.md').resolve()}"
    (tmp_path / "hdfs.log").write_text("a log")
    assert corpus_name("hdfs.log") == f"file:{tmp_path.resolve() / 'hdfs.log'}"
    (tmp_path / "tales").write_text("a file of the same name")
    assert corpus_name("./tales") == f"file:{tmp_path.resolve() / 'tales'}"
    for name in ("tales", "tinyshakespeare", "file:some/where.txt", "own:abc/def"):
        assert corpus_name(name) == name


def test_bytes_that_are_no_text_are_refused() -> None:
    """What the shell hands over for an argument that is not UTF-8."""
    with pytest.raises(ConfigError, match=r"sampling\.prompt"):
        parse("--prompt", b"caf\xe9".decode("utf-8", "surrogateescape"))
