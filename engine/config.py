"""Configs: everything that determines a run, frozen, with JSON both ways.

Each setting, its default, its range and its one-line meaning stand here and nowhere else: the shell,
the pages and the checks all read them from the dataclass fields. What is checked here are types,
ranges and what must hold across fields. Whether a name (a cell, a corpus, an optimiser) exists is
checked by `engine.validate`, which knows the registries.
"""

from __future__ import annotations

import functools
import json
import math
import re
import reprlib
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, get_type_hints

VERSION = 1

OptionValue = bool | str


STATE_PENALTY = 2.0
"""The penalty on large states for cells whose equations do not bound them; AWD-LSTM (Merity, Keskar and Socher 2018)
has the same."""

CARRIED_LIMIT = 3.0
"""The limit on the carried state of such cells."""


class ConfigError(ValueError):
    """An invalid setting. The message names it and says what to change."""


def setting(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    unit: str = "",
    written: Literal["always", "when set"] = "always",
) -> Any:
    """One field of a config: its default, what it means, and what values it may take.

    A setting that came after version 1 had gone out is written down only where it is not at its default, so that
    a config which does not use it stays the same text, which earlier versions can read too.
    """
    about = {"meaning": meaning, "low": low, "high": high, "choices": choices, "unit": unit, "written": written}
    return field(default=default, metadata=about)


@functools.cache  # there are four sections, and reading their types takes longer than checking their values
def _types(section: type) -> dict[str, Any]:
    """The type of each field of a section."""
    return get_type_hints(section)


@dataclass(frozen=True)
class _Section:
    """A part of a config whose fields check themselves."""

    section: ClassVar[str]

    def __post_init__(self) -> None:
        kind: type = type(self)
        hints = _types(kind)
        for item in fields(self):
            checked = _checked(f"{self.section}.{item.name}", getattr(self, item.name), item, hints[item.name])
            object.__setattr__(self, item.name, checked)


@dataclass(frozen=True)
class DataConfig(_Section):
    """What a model reads, and how it is cut into batches."""

    section: ClassVar[str] = "data"

    corpus: str = setting("tales", "text to train on: a built-in or downloadable corpus, or a text of your own")
    level: str = setting(
        "char",
        "what a token is: a character (one Unicode code point; accented letters are composed, NFC) or a word",
        choices=("char", "word"),
    )
    vocabulary_limit: int = setting(
        10_000,
        "largest size of the vocabulary; rarer tokens are read as <unk>",
        low=2,
        high=50_000,
        unit="tokens",
    )
    streams: int = setting(
        32,
        "batch size: sequences read in parallel, each from its own part of the text",
        low=1,
        high=1024,
        unit="sequences",
    )
    chunk: int = setting(
        64,
        "sequence length: timesteps between two updates; backpropagation through time is truncated there",
        low=1,
        high=1024,
        unit="timesteps",
    )


@dataclass(frozen=True)
class ModelConfig(_Section):
    """The recurrent language model: embedding, stacked cells, output layer."""

    section: ClassVar[str] = "model"

    cell: str = setting("lstm", "type of recurrent cell")
    units: int = setting(128, "hidden units in each layer", low=1, high=2048, unit="units")
    layers: int = setting(1, "stacked recurrent layers", low=1, high=8, unit="layers")
    bidirectional: bool = setting(
        False,
        "whether each layer also reads the sequence backwards; impossible for a model that predicts the next token",
        written="when set",
    )
    embedding: int = setting(
        64, "size of the learned token embedding; 0 uses one-hot inputs", low=0, high=2048, unit="dimensions"
    )
    input_dropout: float = setting(0.0, "dropout probability on the input embeddings", low=0.0, high=0.95)
    dropout: float = setting(0.0, "dropout probability between layers and before the output layer", low=0.0, high=0.95)
    initialisation: str = setting(
        "pytorch", "initialisation of the recurrent weights", choices=("pytorch", "orthogonal", "identity")
    )
    gain: float = setting(
        1.0,
        "factor on the initial recurrent weights; above 1 gradients tend to explode, below 1 to vanish",
        low=0.0,
        high=20.0,
    )
    forget_bias: float = setting(
        1.0,
        "initial bias of the forget gate, where the cell has one; a higher one keeps the cell state longer",
        low=-10.0,
        high=10.0,
    )
    bias: bool = setting(True, "whether the cells and the output layer have biases")
    output_bias: str = setting(
        "frequencies",
        "initial bias of the output layer: the log frequency of each token, or small random values",
        choices=("frequencies", "random"),
    )
    options: Mapping[str, OptionValue] = field(
        default_factory=dict, metadata={"meaning": "options of the chosen cell, by name"}
    )


@dataclass(frozen=True)
class TrainingConfig(_Section):
    """How the weights are found, and when to stop."""

    section: ClassVar[str] = "training"

    optimizer: str = setting("adamw", "optimisation algorithm")
    learning_rate: float = setting(6e-3, "peak learning rate, reached after the warm-up", low=1e-8, high=1e3)
    weight_decay: float = setting(
        0.0,
        "weight decay of the weight matrices: decoupled in AdamW, an L2 penalty in the other optimisers",
        low=0.0,
        high=10.0,
    )
    state_penalty: float = setting(
        0.0,
        "weight of a penalty on large hidden states: the mean square of each layer's hidden state is added to the "
        "training loss; 0 turns it off",
        low=0.0,
        high=1_000.0,
        written="when set",
    )
    carried_limit: float = setting(
        0.0,
        "limit on the magnitude of each state value carried from one sequence to the next; 0 turns it off",
        low=0.0,
        high=1e6,
        written="when set",
    )
    momentum: float = setting(
        0.9, "momentum coefficient; for RMSprop the decay of the mean square", low=0.0, high=0.9999
    )
    schedule: str = setting(
        "cosine",
        "how the learning rate changes after the warm-up; cosine and linear decay end at 2% of its peak",
        choices=("cosine", "linear", "constant"),
    )
    warmup: int = setting(
        50,
        "steps over which the learning rate rises to its peak; at most half of the run",
        low=0,
        high=100_000,
        unit="steps",
    )
    clip: str = setting(
        "norm",
        "gradient clipping: by the norm of the whole gradient, by value, or off",
        choices=("norm", "value", "off"),
    )
    clip_threshold: float = setting(1.0, "largest gradient norm, or gradient value, after clipping", low=1e-6, high=1e6)
    averaging: float = setting(
        0.0,
        "decay of an exponential moving average of the weights, used for evaluation and sampling; 0 turns it off",
        low=0.0,
        high=0.99999,
    )
    precision: str = setting(
        "float32",
        "number format of matrix products; auto uses bfloat16, about twice as fast, where the hardware supports it",
        choices=("float32", "bfloat16", "auto"),
    )
    steps: int = setting(
        2_000, "number of optimiser updates, unless a time limit is set", low=1, high=1_000_000, unit="steps"
    )
    seconds: float = setting(
        0.0,
        "wall time from which the number of steps is planned; 0 uses the number of steps",
        low=0.0,
        high=86_400.0,
        unit="s",
    )
    until_loss: float = setting(
        0.0, "stop once the validation loss is this low; 0 turns it off", low=0.0, high=20.0, unit="nats per token"
    )
    seed: int = setting(
        1337, "seed of all random numbers of the run: initial weights, batches and dropout", low=0, high=2**31 - 1
    )
    evaluations: int = setting(
        20,
        "number of evaluations on the validation part, more frequent early in the run",
        low=1,
        high=200,
        unit="evaluations",
    )
    patience: int = setting(
        0,
        "early stopping: evaluations without an improvement after which the run stops; 0 turns it off",
        low=0,
        high=200,
        unit="evaluations",
    )


@dataclass(frozen=True)
class SamplingConfig(_Section):
    """The text written at each evaluation, always from the same prompt and seed."""

    section: ClassVar[str] = "sampling"

    prompt: str = setting("", "text that the sample continues; if empty, the sample starts on a new line")
    length: int = setting(
        200, "tokens sampled at each evaluation; 0 turns sampling off", low=0, high=2_000, unit="tokens"
    )
    temperature: float = setting(
        0.8,
        "sampling temperature: below 1 sharpens the distribution, above 1 flattens it; 0 is greedy decoding",
        low=0.0,
        high=10.0,
    )
    seed: int = setting(1, "seed of the random draws of the sample", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class Config:
    """One run, wholly determined: data, model, training, sampling. Frozen."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def to_json(self, indent: int | None = None) -> str:
        """This config as JSON text; `Config.from_json` gives it back, equal."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """This config as plain dictionaries, with the version of the format."""
        return {"version": VERSION, **{name: _plain(getattr(self, name)) for name in SECTIONS}}

    @classmethod
    def from_json(cls, text: str) -> Config:
        """The config that `text` describes.

        Raises:
            ConfigError: not JSON, a newer version, an unknown key, or an invalid value.
        """
        try:
            return cls.from_dict(json.loads(text))
        except ConfigError:
            raise
        except (ValueError, RecursionError) as error:  # not JSON, or a number of too many digits
            raise ConfigError(f"This config is not JSON: {error}. Export one from the app to see the format.") from None

    @classmethod
    def from_dict(cls, plain: Any) -> Config:
        """The config that nested dictionaries describe; missing keys take their defaults."""
        if not isinstance(plain, Mapping):
            raise ConfigError("A config must be a JSON object with the keys data, model, training and sampling.")
        version = plain.get("version", VERSION)
        if version != VERSION:
            hint = "update Unrolled to open it" if isinstance(version, int) and version > VERSION else "use version 1"
            raise ConfigError(
                f"This config has version {_shown(version)}; this Unrolled reads version {VERSION}: {hint}."
            )
        _refuse_unknown("the config", plain, {"version", *SECTIONS})
        sections: dict[str, Any] = {name: _section(name, plain.get(name, {})) for name in SECTIONS}
        return cls(**sections)

    def with_values(self, **values: Any) -> Config:
        """A copy with settings replaced, named `section__setting` or, where unique, `setting`.

        Raises:
            ConfigError: a name that is no setting, or an invalid value.
        """
        changed: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            section, key = locate(name)
            changed.setdefault(section, {})[key] = value
        parts = {section: replace(getattr(self, section), **new) for section, new in changed.items()}
        return replace(self, **parts)


SECTIONS: Mapping[str, type[_Section]] = types.MappingProxyType(
    {kind.section: kind for kind in (DataConfig, ModelConfig, TrainingConfig, SamplingConfig)}
)


def rename_settings(message: str, name: Callable[[str, str], str]) -> str:
    """A message with the settings in it, such as data.streams, called as `name` calls their section and key."""
    known = {(section, item.name) for section, item in settings()}
    return re.sub(
        rf"\b({'|'.join(SECTIONS)})\.([a-z_]+)\b",
        lambda found: name(found[1], found[2]) if (found[1], found[2]) in known else found[0],
        message,
    )


def settings() -> Iterator[tuple[str, Field]]:
    """Every setting as (section, field), in order; a field's metadata holds meaning, range and unit."""
    for name, kind in SECTIONS.items():
        for item in fields(kind):
            yield name, item


def locate(name: str) -> tuple[str, str]:
    """Section and key of a setting given as `section__key` or as a key that one section alone has."""
    section, _, key = name.rpartition("__")
    found = [(s, item.name) for s, item in settings() if item.name == key and section in ("", s)]
    if not found:
        raise ConfigError(f"There is no setting named {_shown(name)}; `config.settings()` lists them all.")
    if len(found) > 1:
        raise ConfigError(f"{name!r} is in several sections: use one of {', '.join(f'{s}__{k}' for s, k in found)}.")
    return found[0]


def _section(name: str, plain: Any) -> _Section:
    if not isinstance(plain, Mapping):
        raise ConfigError(f"The section {name!r} of a config must be a JSON object of settings.")
    kind = SECTIONS[name]
    _refuse_unknown(f"the section {name!r}", plain, {item.name for item in fields(kind)})
    return kind(**plain)


def _refuse_unknown(where: str, plain: Mapping, known: set[str]) -> None:
    unknown = sorted(str(key) for key in plain if key not in known)
    if unknown:
        names = ", ".join(map(_shown, unknown[:5]))
        raise ConfigError(f"Unknown key {names} in {where}. Known keys: {', '.join(sorted(known))}.")


def _checked(name: str, value: Any, item: Field, kind: Any) -> Any:
    """`value` in its exact type, or a ConfigError that says what is allowed."""
    if item.name == "options":
        return _checked_options(name, value)
    about = item.metadata
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = _as_float(value)
    if type(value) is not kind:
        raise ConfigError(f"{name} must be {_type_name(kind)}, not {_shown(value)}.")
    if kind is float and not math.isfinite(value):
        raise ConfigError(f"{name} must be a finite number, not {value}.")
    if about["choices"] and value not in about["choices"]:
        raise ConfigError(f"{name} is {_shown(value)}; choose one of {', '.join(about['choices'])}.")
    if about["low"] is not None and not about["low"] <= value <= about["high"]:
        raise ConfigError(
            f"{name} is {_shown(value)}; choose a value from {about['low']:,.10g} to {about['high']:,.10g}."
        )
    if kind is str and ("\0" in value or len(value) > 4_096 or not _is_unicode(value)):
        raise ConfigError(f"{name} must be valid Unicode text of at most 4,096 characters, without NUL.")
    return value


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf if whole > 0 else -math.inf


def _is_unicode(text: str) -> bool:
    """Whether UTF-8 can hold the text: half a character, as a broken argument of the shell has it, it cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _shown(value: Any) -> str:
    """A value of any kind and size, short enough for a sentence and safe to print."""
    if type(value) is int and abs(value) < 10**12:
        return f"{value:,}"
    try:
        shown = repr(value) if isinstance(value, float) else reprlib.repr(value)
    except ValueError:  # Python writes no numbers of more than 4,300 digits
        shown = "a number with thousands of digits"
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")


def _checked_options(name: str, value: Any) -> Mapping[str, OptionValue]:
    good = isinstance(value, Mapping) and all(
        isinstance(key, str) and isinstance(entry, (bool, str)) for key, entry in value.items()
    )
    if not good or len(value) > 16:
        raise ConfigError(f"{name} must map at most 16 names to true, false or a word, not {_shown(value)}.")
    return _FrozenOptions(sorted(value.items()))


class _FrozenOptions(dict):
    """A dictionary that refuses changes, so that a frozen config stays frozen (and can be pickled or hashed)."""

    def _refuse(self, *_: Any, **__: Any) -> None:
        raise TypeError("A config is frozen: make a copy with config.with_values(options=...).")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse  # type: ignore[assignment]

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))

    def __reduce__(self) -> tuple:
        return (_FrozenOptions, (list(self.items()),))


def _type_name(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}[kind]


def _plain(section: _Section) -> dict[str, Any]:
    plain = asdict(section)
    if "options" in plain:
        plain["options"] = dict(plain["options"])
    unset = {
        item.name
        for item in fields(section)
        if item.metadata.get("written") == "when set" and plain[item.name] == item.default
    }
    return {name: value for name, value in plain.items() if name not in unset}
