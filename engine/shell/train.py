"""`python -m engine train`: one run in the terminal."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine.config import Config, ConfigError
from engine.data import Corpus, prepare_fitted, sorted_by_kind
from engine.presets import PRESETS
from engine.shell.arguments import add_settings, config_from, given_batches, whole_number
from engine.shell.directory import RunDirectory
from engine.shell.memory import check_memory
from engine.shell.printing import Printer, as_json, unread_notes
from engine.start import train
from engine.training.events import Diverged, Finished, Saved
from engine.training.run import Training
from engine.validate import validate

SORTED = (
    "The lines of this text seem to be sorted by kind: the validation part (the last tenth) differs from the training "
    "part. Shuffle the lines first, for instance with shuf."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `train`: where the config comes from, every setting, and where the run goes."""
    parser.add_argument("--preset", help=f"start from the settings of a preset: {', '.join(PRESETS)}")
    parser.add_argument("--config", metavar="FILE", help="start from a config in JSON format")
    add_settings(parser)
    parser.add_argument("--device", default="auto", help="device to train on: auto, cpu, cuda or mps")
    parser.add_argument("--threads", type=whole_number, default=0, help="number of CPU threads; 0 uses torch's default")
    parser.add_argument("--save", metavar="DIR", help="save config, events and checkpoints in this folder")
    parser.add_argument("--resume", metavar="DIR", help="continue the run in this folder exactly where it stopped")
    parser.add_argument(
        "--stop-at", type=whole_number, metavar="STEP", help="save and stop after this step, as Ctrl-C does"
    )


def run(arguments: argparse.Namespace, printer: Printer) -> int:
    """Train to the end, to `--stop-at` or to Ctrl-C. Returns the exit status: 0, or 1 if the run diverged."""
    _say_race(arguments.preset, printer)
    training, directory = _resumed(arguments) if arguments.resume else _started(arguments, printer)
    with _stop_on_interrupt() as interrupted:
        for event in training.events():
            printer.event(event)
            line = as_json(event)
            if directory and line is not None:
                directory.note(line)
            if directory and isinstance(event, Saved):
                directory.save(event.checkpoint)
            if isinstance(event, Diverged):
                return 1
            finished = isinstance(event, Finished)
            if not finished and (interrupted() or _reached(arguments.stop_at, training)):
                return _stop(training, directory, printer)
    if directory:
        directory.save(training.checkpoint())
    return 0


def _reached(stop_at: int | None, training: Training) -> bool:
    return stop_at is not None and training.step >= stop_at and training.step < (training.planned_steps or 0)


def _stop(training: Training, directory: RunDirectory | None, printer: Printer) -> int:
    if directory is None:
        directory = RunDirectory(Path(f"unrolled-run-{time.strftime('%Y%m%d-%H%M%S')}"))
        directory.create(training.config)
    directory.save(training.checkpoint())
    printer.message(
        "stopped",
        step=training.step,
        seconds=training.seconds,
        directory=str(directory.path),
        message=f"Stopped at step {training.step:,} and saved in {directory.path}. "
        f"Continue with: python -m engine train --resume {directory.path}",
    )
    return 0


def _say_race(preset: str | None, printer: Printer) -> None:
    rivals = len(PRESETS[preset].configs) if preset and preset in PRESETS else 1
    if rivals > 1:
        text = f"This preset compares {rivals} models; the shell trains the first. The app trains them side by side."
        printer.message("note", message=text)


def _started(arguments: argparse.Namespace, printer: Printer) -> tuple[Training, RunDirectory | None]:
    asked = validate(config_from(arguments))
    directory = RunDirectory(arguments.save) if arguments.save else None
    data, corpus = prepare_fitted(asked.data, given=given_batches(arguments))
    config = replace(asked, data=data)
    check_memory(config, len(corpus.vocabulary), arguments.device)
    for note in _notes(asked, config, corpus):
        printer.message("note", message=note)
    training = train(config, corpus, device=arguments.device)
    if directory:
        directory.create(config)
    return training, directory


def _notes(asked: Config, config: Config, corpus: Corpus) -> Iterator[str]:
    """What was done to the text and the settings so that they fit each other."""
    data = config.data
    yield from corpus.text_notes
    if data.corpus.startswith("file:") and sorted_by_kind(corpus.train_text + corpus.validation_text):
        yield SORTED
    if data != asked.data:
        yield (
            f"The training part has {len(corpus.train):,} tokens: --streams × --chunk was reduced from "
            f"{asked.data.streams} × {asked.data.chunk} to {data.streams} × {data.chunk}."
        )
    yield from unread_notes(config.sampling.prompt, corpus.vocabulary)


def _resumed(arguments: argparse.Namespace) -> tuple[Training, RunDirectory]:
    changed = [name for name, value in vars(arguments).items() if "__" in name and value is not None]
    if changed or arguments.preset or arguments.config or arguments.save:
        raise ConfigError(
            "A run continues with its own settings: use --resume alone (or with --device, --threads, --stop-at), "
            "or start a new run."
        )
    directory = RunDirectory(arguments.resume)
    checkpoint = directory.newest_full()
    config: Config = checkpoint.config
    return train(config, device=arguments.device, checkpoint=checkpoint), directory


@contextmanager
def _stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C sets a flag instead of breaking the step that is being made; a second one ends at once."""
    asked: list[bool] = []

    def ask(signum, frame) -> None:
        asked.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
