"""Presets: configs that each show something at once, tuned by measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from engine.cells import with_cell
from engine.config import Config


@dataclass(frozen=True)
class Preset:
    """A ready-made experiment: one config, or up to four that are trained on the same batches."""

    title: str
    shows: str
    """what to look for, in a sentence"""
    configs: tuple[Config, ...]
    start_paused: bool = False
    """whether it waits at step 0, to be stepped through by hand"""
    opens_on: Literal["loss", "gradient"] = "loss"
    """the chart on which it is to be seen first"""
    diverging: int | None = None
    """the place of the config whose run is meant to diverge"""
    divergence: str = ""
    """what that shows, in a sentence"""


_MINUTE = Config().with_values(
    corpus="tinyshakespeare",
    units=384,
    embedding=64,
    streams=64,
    chunk=64,
    input_dropout=0.1,
    dropout=0.2,
    forget_bias=0.0,
    learning_rate=6e-3,
    weight_decay=0.1,
    precision="auto",
    seconds=60.0,
    sampling__length=300,
)


_UNBOUNDED = Config().with_values(corpus="tinyshakespeare", steps=600)


def _race(cell: str) -> Config:
    return Config().with_values(cell=cell, units=96, embedding=32, steps=1_200, learning_rate=5e-3)


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "first-words": Preset(
            "First words",
            "a small LSTM goes from random characters to words in under a minute",
            (Config().with_values(units=128, embedding=48, steps=1_500, learning_rate=6e-3),),
        ),
        "hello": Preset(
            "Hello",
            "a network of three units without biases learns one word; it is paused at step 0, so that you can press "
            "Step and follow every number",
            (
                Config().with_values(
                    corpus="hello",
                    cell="rnn",
                    units=3,
                    embedding=0,
                    bias=False,
                    streams=1,
                    chunk=4,
                    optimizer="adamw",
                    learning_rate=0.05,
                    warmup=0,
                    schedule="constant",
                    steps=300,
                    clip_threshold=5.0,
                    sampling__prompt="h",
                    sampling__length=4,
                    sampling__temperature=0.0,
                ),
            ),
            start_paused=True,
        ),
        "shakespeare-in-three-seconds": Preset(
            "Shakespeare in three seconds",
            "reaches in three seconds the loss that nanoGPT's CPU configuration reaches in over a minute",
            (
                Config().with_values(
                    corpus="tinyshakespeare",
                    units=128,
                    embedding=32,
                    streams=32,
                    chunk=32,
                    forget_bias=0.0,
                    learning_rate=1.5e-2,
                    warmup=20,
                    precision="auto",
                    seconds=3.0,
                    evaluations=4,
                    sampling__length=120,
                ),
            ),
        ),
        "shakespeare-in-a-minute": Preset(
            "Shakespeare in a minute",
            "reaches a validation loss below 1.5 nats per character in a minute",
            (_MINUTE,),
        ),
        "a100-on-a-laptop": Preset(
            "An A100's result on a laptop",
            "reaches 1.4697, the validation loss that nanoGPT's README reports after three minutes on an A100, on two "
            "CPU cores",
            (_MINUTE.with_values(dropout=0.4, warmup=180, seconds=180.0),),
        ),
        "python-writer": Preset(
            "Python source code",
            "learns the indentation, brackets and keywords of Python",
            (
                Config().with_values(
                    corpus="python-source",
                    units=192,
                    steps=2_500,
                    learning_rate=5e-3,
                    chunk=96,
                    sampling__prompt="def ",
                    sampling__length=400,
                ),
            ),
        ),
        "why-clipping-matters": Preset(
            "Why clipping matters",
            "the same network with and without gradient clipping: without it, one exploding gradient ends training",
            tuple(
                Config().with_values(
                    cell="rnn",
                    units=128,
                    embedding=32,
                    options={"activation": "relu"},  # nothing holds its states down, so gradients can explode
                    initialisation="orthogonal",
                    output_bias="random",
                    optimizer="sgd",
                    learning_rate=0.2,
                    warmup=0,
                    schedule="constant",
                    steps=600,
                    clip=clip,
                )
                for clip in ("norm", "off")
            ),
            opens_on="gradient",
            diverging=1,
            divergence="without clipping, one exploding gradient causes an update so large that training cannot "
            "recover; the same network with gradient clipping keeps training",
        ),
        "a-state-without-bound": Preset(
            "An unbounded cell state",
            "the course's LSTM, h = o ⊙ c: as published, its gates keep each other open and c grows without bound "
            "within 20 steps; a penalty on large states and a limit on what is carried on prevent it",
            (with_cell(_UNBOUNDED, "lstm-course"), _UNBOUNDED.with_values(cell="lstm-course")),
            diverging=1,
            divergence="nothing in the published equations bounds the cell state, and a large one keeps its gates "
            "open; the same equations with a penalty on large states and a limit on what is carried on keep training",
        ),
        "rnn-gru-lstm": Preset(
            "RNN vs GRU vs LSTM",
            "compares three cells on the same text and batches, with the same seed",
            (_race("rnn"), _race("gru"), _race("lstm")),
        ),
    }
)


def preset_of(config: Config) -> Preset | None:
    """The preset that has exactly this config; None where there is none."""
    return next((preset for preset in PRESETS.values() if config in preset.configs), None)


def lesson_of_divergence(config: Config) -> str:
    """What it shows that a run of this config diverges, where it is meant to; "" where it is not."""
    preset = preset_of(config)
    if preset is None or preset.diverging is None or preset.configs[preset.diverging] != config:
        return ""
    return preset.divergence
