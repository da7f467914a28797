"""Running out of memory: recognising processes that the system killed for it."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

log = logging.getLogger("unrolled.memory")

RECENT_SECONDS = 10.0
"""A kill explains the end of a process noticed up to so much later: freeing much memory takes time."""

_OOM_KILL = re.compile(r"^oom_kill (\d+)$", re.M)


class OomKills:
    """Notices that Linux killed processes because memory ran out, by the counters that it keeps.

    Args:
        own: files with a line `oom_kill N` that counts the kills in this process's control group
        whole_machine: the same for the whole machine
    """

    def __init__(
        self,
        own: Iterable[Path] | None = None,
        whole_machine: Iterable[Path] = (Path("/proc/vmstat"),),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = _Counter(_files_of_own_group() if own is None else own, clock)
        self._all_over = _Counter(whole_machine, clock)

    def poll(self) -> None:
        """Read the counters; call it regularly, so that an old kill is not taken for a recent one."""
        self._own.poll()
        self._all_over.poll()

    def explain(self) -> str:
        """Why a process of ours was probably killed by signal 9 just now, as the middle of a sentence."""
        self.poll()
        if self._own.rose_recently():
            return "its process was killed by the system because memory ran out"
        if self._all_over.rose_recently():
            return "its process was killed, very likely by the system because the machine's memory ran out"
        return "its process was killed, perhaps because memory ran out"


class _Counter:
    """The sum of some counters, and when it last rose."""

    def __init__(self, files: Iterable[Path], clock: Callable[[], float]) -> None:
        self._files = list(files)
        self._clock = clock
        self._rose_at: float | None = None
        self._value = self._read()

    def poll(self) -> None:
        value = self._read()
        if value > self._value:
            self._rose_at = self._clock()
        self._value = value

    def rose_recently(self) -> bool:
        return self._rose_at is not None and self._clock() - self._rose_at < RECENT_SECONDS

    def _read(self) -> int:
        total = 0
        for file in self._files:
            try:
                found = _OOM_KILL.search(file.read_text())
            except OSError:  # not on this system, or not readable
                continue
            total += int(found.group(1)) if found else 0
        return total


def _files_of_own_group() -> list[Path]:
    """Where the kernel counts the kills in this process's control group, in cgroups v1 and v2."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        inside = path.lstrip("/")
        if not controllers:
            roots = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
            name = "memory.events"
        elif "memory" in controllers.split(","):
            roots = [Path("/sys/fs/cgroup/memory")]
            name = "memory.oom_control"
        else:
            continue
        # in a container the path may be the host's, and the group itself is at the root
        places = [place for root in roots for place in (root / inside / name, root / name)]
        found += [place for place in places if place.exists()][:1]
    return found


def prefer_as_oom_victim() -> None:
    """Ask Linux to kill this process, a worker, before the app or its trainer when memory runs out."""
    if sys.platform != "linux":
        return
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError as error:
        log.info("oom_score_adj cannot be set: %s", error)
