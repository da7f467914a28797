"""The app as a visitor meets it: started by the documented command, on a free port, with a store of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "playground" / "app.py"


@dataclass(frozen=True)
class Server:
    """A running app: its address, its process, and the files its words and its runs go to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    database: Path

    def tail(self, lines: int = 60) -> str:
        """The last lines that the server and its trainer printed."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def serving(folder: Path, *, entry: Path = ENTRY, **settings: str) -> Iterator[Server]:
    """Runs the app with its files in `folder`, waits until it answers, and leaves no process behind.

    `settings` are further environment variables of the app, such as UNROLLED_WORKERS.

    Raises:
        AssertionError: it ended, or did not answer within a minute; with what it printed.
    """
    port = _free_port()
    log = folder / "server.log"
    command = [str(Path(sys.executable).with_name("streamlit")), "run", str(entry)]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(folder) | settings,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", process, log, _database(folder))
    try:
        _wait_for_health(server)
        yield server
    finally:
        end_with_children(process)


def end_with_children(process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """Asks the process and all its descendants to end, and kills those that have not after `seconds`."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        _, alive = psutil.wait_procs(family, timeout=seconds)
        for child in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    if process.poll() is None:
        process.kill()
    process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """The developer's environment without its settings of the app, of Streamlit and of the import path.

    Without PYTHONPATH, because plain `streamlit run playground/app.py` has to find its modules by itself.
    """
    foreign = ("UNROLLED_", "STREAMLIT_", "PYTHONPATH", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    own = {"UNROLLED_STORE": f"sqlite:///{_database(folder)}", "UNROLLED_DATA": str(folder / "data")}
    return kept | own


def _database(folder: Path) -> Path:
    return folder / "store.db"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for_health(server: Server, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended = server.process.poll()
        assert ended is None, f"the app ended with {ended}:\n{server.tail()}"
        try:
            with urlopen(f"{server.url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the app did not answer within {seconds:g} s:\n{server.tail()}")
