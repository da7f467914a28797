"""The shell's commands, and how their errors are printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from engine.config import ConfigError, rename_settings
from engine.shell.printing import JsonPrinter, PeoplePrinter, Printer

COMMANDS = {
    "train": "train a model and print its progress",
    "sample": "generate text with a saved run",
    "export": "export a saved run as one Python file that needs only torch and safetensors",
    "units": "find the units of a saved run that track something, and switch them off",
    "corpora": "list the built-in and downloadable texts, or the presets",
    "bench": "measure this machine: `bench training`, `bench trace`",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as an error of ours, so that --json holds for bad arguments too."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise ConfigError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status: 2 when the input cannot be used."""
    argv = list(sys.argv[1:] if argv is None else argv)
    printer: Printer = JsonPrinter() if "--json" in argv else PeoplePrinter()
    try:
        return _dispatch(_parser(argv[0] if argv else "").parse_args(argv), printer)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; nothing is left to say to it
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        if not isinstance(error, _input_errors()) and not _is_out_of_memory(error):
            raise
        message = _sentence(error, argv)
        if "--json" in argv:
            printer.message("error", kind=type(error).__name__, message=message)
        else:
            print(f"error: {message}", file=sys.stderr)
        return 2


def _sentence(error: Exception, argv: Sequence[str]) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used ({error.strerror}): check its path and permissions."
    if _is_out_of_memory(error):
        from engine.shell.memory import SMALLER

        return _in_flags(f"Out of memory: {SMALLER}.")
    from_file = any(word.split("=")[0] in ("--config", "--resume") for word in argv)
    by_flags = argv[:1] == ["train"] and not from_file  # elsewhere a setting stands in a file
    return _in_flags(str(error)) if by_flags else str(error)


def _in_flags(message: str) -> str:
    """The settings of a message by their arguments."""
    from engine.shell.arguments import flag

    return rename_settings(message, flag)


def _is_out_of_memory(error: Exception) -> bool:
    from engine.device import is_out_of_memory

    return is_out_of_memory(error)


def _input_errors() -> tuple[type[Exception], ...]:
    from engine.data import DownloadError, TextError
    from engine.training.checkpoint import CheckpointError

    return ConfigError, TextError, DownloadError, CheckpointError, OSError


def _parser(command: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m engine",
        description="Train sequence models and sample from them.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, meaning in COMMANDS.items():
        added = commands.add_parser(name, help=meaning, description=meaning, allow_abbrev=False)
        added.add_argument("--json", action="store_true", help="print one JSON object per line, errors included")
        if name == command:  # only the chosen command's module is imported: torch is slow to load
            _add_arguments(name, added)
    return parser


def _add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    if command == "train":
        from engine.shell import train

        train.add_arguments(parser)
    elif command == "sample":
        from engine.shell import sample

        sample.add_arguments(parser)
    elif command == "export":
        from engine.shell import export

        export.add_arguments(parser)
    elif command == "units":
        from engine.shell import units

        units.add_arguments(parser)
    elif command == "corpora":
        parser.add_argument("--presets", action="store_true", help="list the presets instead")
    else:
        from engine.shell import bench

        bench.add_arguments(parser)


def _dispatch(arguments: argparse.Namespace, printer: Printer) -> int:
    if arguments.command in ("train", "bench"):
        from engine.device import keep_freed_memory

        keep_freed_memory()
    if arguments.command == "train":
        import torch

        from engine.shell import train
        from engine.training import optimizers

        optimizers.preload()  # imports, like torch itself: not part of the run's time
        if arguments.threads:
            torch.set_num_threads(arguments.threads)
        return train.run(arguments, printer)
    if arguments.command == "sample":
        from engine.shell import sample

        return sample.run(arguments, printer, arguments.json)
    if arguments.command == "export":
        from engine.shell import export

        return export.run(arguments, printer, arguments.json)
    if arguments.command == "units":
        from engine.shell import units

        return units.run(arguments, printer, arguments.json)
    if arguments.command == "corpora":
        from engine.shell import corpora

        return corpora.run(arguments, printer, arguments.json)
    from engine.shell import bench

    return bench.run(arguments, printer)
