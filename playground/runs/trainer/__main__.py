"""`python -m playground.runs.trainer [--app PID]`: be a trainer."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence

from playground.runs.records import StoreError
from playground.runs.settings import AppSettings, AppSettingsError
from playground.runs.store import Store
from playground.runs.trainer import processes
from playground.runs.trainer.trainer import Trainer

log = logging.getLogger("unrolled.trainer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Be a trainer; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m playground.runs.trainer", description="Trains waiting runs.")
    parser.add_argument("--heartbeat", action="store_true", help="write signs of life to the standard output")
    parser.add_argument("--app", type=int, metavar="PID", help="end when this process does")
    given = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format=processes.LOG_FORMAT, level=logging.INFO)
    try:
        settings = AppSettings.from_environment()
        heartbeat = processes.heartbeat_writer(sys.stdout.fileno()) if given.heartbeat else lambda: None
        trainer = Trainer(Store.of(settings), settings, given.app, heartbeat=heartbeat)
        signal.signal(signal.SIGTERM, trainer.end)
        signal.signal(signal.SIGINT, trainer.end)
        trainer.run()
    except (AppSettingsError, StoreError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
