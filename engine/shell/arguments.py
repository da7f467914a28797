"""Command-line arguments, made from the settings themselves, and the config they add up to."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path
from typing import Any

from engine.cells import CELLS, with_cell
from engine.config import Config, ConfigError, OptionValue, settings
from engine.data import SOURCES
from engine.presets import PRESETS
from engine.training.optimizers import OPTIMIZERS

_NAMES = {"cell": CELLS, "corpus": SOURCES, "optimizer": OPTIMIZERS}
_NAMES_OF_SETTINGS = Counter(item.name for _, item in settings())
_TYPES = {"int": int, "float": float, "str": str}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """One argument for each setting: `--units`, or `--sampling-seed` where two sections share a name."""
    for section, item in settings():
        if item.name == "options":
            continue
        about = item.metadata
        flags = _flags(section, item.name)
        names_known = about["choices"] or _NAMES.get(item.name, ())
        meaning = about["meaning"].replace("%", "%%") + (f" [{', '.join(names_known)}]" if names_known else "")
        destination = f"{section}__{item.name}"
        kind = str(item.type)
        if kind == "bool":
            parser.add_argument(*flags, dest=destination, action=argparse.BooleanOptionalAction, help=meaning)
        else:
            parser.add_argument(*flags, dest=destination, type=_TYPES[kind], metavar=kind.upper(), help=meaning)
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the cell, such as activation=relu; may be repeated",
    )


def flag(section: str, name: str) -> str:
    """What a setting is called on the command line: `--units`, or `--sampling-seed`."""
    return "--option" if name == "options" else _flags(section, name)[0]


def given_batches(arguments: argparse.Namespace) -> set[str]:
    """Those of streams and chunk that were given, one by one or in a config file."""
    if arguments.config:
        return {"streams", "chunk"}
    return {name for name in ("streams", "chunk") if getattr(arguments, f"data__{name}") is not None}


def config_from(arguments: argparse.Namespace) -> Config:
    """The preset or config file that was named (else the defaults), with the given settings in place.

    Raises:
        ConfigError: an unknown preset, an unreadable file, or an invalid value
    """
    config = _base(arguments)
    given = {name: value for name, value in vars(arguments).items() if "__" in name and value is not None}
    if "training__steps" in given and "training__seconds" not in given:
        given["training__seconds"] = 0.0  # steps asked for by name win over a preset's seconds
    if "data__corpus" in given:
        given["data__corpus"] = corpus_name(given["data__corpus"])
    return _with_given_cell(config, given.pop("model__cell", config.model.cell), arguments.option).with_values(**given)


def _with_given_cell(config: Config, cell: str, pairs: list[str]) -> Config:
    """The config with the given cell and switches. The switches of another cell mean nothing to this one."""
    same = cell == config.model.cell
    if same and not pairs:
        return config
    return with_cell(config, cell, (dict(config.model.options) if same else {}) | dict(map(_option, pairs)))


def whole_number(text: str) -> int:
    """A number of threads, steps or rounds: not negative."""
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return int(text)


def positive_number(text: str) -> int:
    """A number of which at least one is needed."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return int(text)


def corpus_name(given: str) -> str:
    """`given` as a corpus name: the path of a file, or what looks like one, stands for `file:PATH`."""
    if given in SOURCES or given.startswith(("file:", "own:")):
        return given
    looks_like_path = given.endswith(".txt") or "/" in given or os.path.exists(given)
    return f"file:{Path(given).resolve()}" if looks_like_path else given


def _flags(section: str, name: str) -> list[str]:
    flags = [f"--{section}-{name}".replace("_", "-")]
    if _NAMES_OF_SETTINGS[name] == 1 or section == "training":
        flags.insert(0, f"--{name}".replace("_", "-"))
    if name == "until_loss":
        flags.insert(0, "--until-val-loss")
    return flags


def _base(arguments: argparse.Namespace) -> Config:
    if arguments.preset and arguments.config:
        raise ConfigError("Use either --preset or --config, not both.")
    if arguments.preset:
        if arguments.preset not in PRESETS:
            raise ConfigError(f"There is no preset {arguments.preset!r}; choose one of {', '.join(PRESETS)}.")
        return PRESETS[arguments.preset].configs[0]
    if arguments.config:
        try:
            return Config.from_json(Path(arguments.config).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The config file {arguments.config} cannot be read: {error}.") from None
    return Config()


def _option(pair: str) -> tuple[str, OptionValue]:
    key, separator, value = pair.partition("=")
    if not separator:
        raise ConfigError(f"--option needs NAME=VALUE, not {pair!r}.")
    truth: dict[str, Any] = {"true": True, "false": False}
    return key, truth.get(value.lower(), value)
