"""Thirty viewers of one live run, as clients of Streamlit's protocol: how often each is given new data.

A client does what a browser does, less the drawing: it opens the page by its link, and asks for every fragment again
whenever that fragment's timer says so, and never while an answer is still on its way. An update is a loss chart whose
data differ from the ones before.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass, field
from itertools import pairwise

import psutil
import requests
from server import Server
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from watching import app, link, long_run, say
from websockets.asyncio.client import ClientConnection, connect

_LOSS = "chart.loss"


@dataclass
class Viewer:
    """One visitor of a page, by the protocol.

    Attributes:
        updates: when new data of the loss chart came, in seconds of the clock `time.monotonic`.
        timers: pause between two runs of each fragment, in seconds, and when the next is due.
    """

    url: str
    query: str
    updates: list[float] = field(default_factory=list)
    timers: dict[str, list[float]] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)
    page: str = ""
    failed: str = ""
    _busy: bool = True
    _data: bytes = b""

    async def watch(self, seconds: float) -> None:
        """Look at the page for so long."""
        address = f"{self.url.replace('http', 'ws', 1)}/_stcore/stream"
        async with connect(address, subprotocols=["streamlit"], max_size=None, compression=None) as stream:  # type: ignore[list-item]
            await self.ask(stream)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                try:
                    raw = await asyncio.wait_for(stream.recv(), timeout=max(0.005, self._until_due()))
                except TimeoutError:
                    await self._ask_what_is_due(stream)
                    continue
                self.take(ForwardMsg.FromString(raw))  # type: ignore[arg-type]
                await self._ask_what_is_due(stream)

    async def ask(self, stream: ClientConnection, fragment: str = "", button: str = "") -> None:
        """Ask for the whole page, or for one fragment of it."""
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string = self.query
        asked.fragment_id = fragment
        asked.is_auto_rerun = bool(fragment)
        if self.page:
            asked.page_script_hash = self.page
        else:
            asked.page_name = "train"
        if button:
            state = asked.widget_states.widgets.add()
            state.id, state.trigger_value = button, True
        self._busy = True
        await stream.send(message.SerializeToString())

    def take(self, message: ForwardMsg) -> None:
        """Take in one message of the server."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.page, self._busy = message.new_session.page_script_hash, True
            if not message.metadata.run.fragment_ids:
                self.timers.clear()  # the whole page runs: it sets its timers anew
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            timer = message.auto_rerun
            self.timers[timer.fragment_id] = [timer.interval, time.monotonic() + timer.interval]
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self.timers.pop(fragment, None)
        elif kind == "script_finished":
            self._busy = False
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._take_element(message.delta.new_element)

    def _take_element(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind == "button":
            self.buttons[element.button.label] = element.button.id
        elif kind == "exception":
            self.failed = element.exception.message
        elif kind == "vega_lite_chart" and _LOSS in element.vega_lite_chart.id:
            data = element.vega_lite_chart.data.data
            if data != self._data:
                self._data = data
                self.updates.append(time.monotonic())

    def _until_due(self) -> float:
        if self._busy or not self.timers:
            return 1.0
        return min(due for _, due in self.timers.values()) - time.monotonic()

    async def _ask_what_is_due(self, stream: ClientConnection) -> None:
        now = time.monotonic()
        for fragment, timer in self.timers.items():
            if timer[1] <= now:
                # A browser's timer goes on whatever the server does; what was missed is not made up for.
                timer[1] = max(timer[1] + timer[0], now)
                if not self._busy:
                    await self.ask(stream, fragment)


async def _started(server: Server) -> str:
    """Start a run that lasts, by its link; the query of the link that shows it."""
    starter = Viewer(server.url, link(long_run()).removeprefix("train?"))
    address = f"{server.url.replace('http', 'ws', 1)}/_stcore/stream"
    async with connect(address, subprotocols=["streamlit"], max_size=None) as stream:  # type: ignore[list-item]
        await starter.ask(stream)
        while "run=" not in starter.query:
            starter.take(ForwardMsg.FromString(await asyncio.wait_for(stream.recv(), timeout=60)))  # type: ignore[arg-type]
            if not starter._busy and "Train" in starter.buttons:
                await starter.ask(stream, button=starter.buttons.pop("Train"))
    return starter.query


async def _measure(server: Server, viewers: int, seconds: float) -> None:
    query = await _started(server)
    warm = 4.0
    crowd = [Viewer(server.url, query) for _ in range(viewers)]
    process = psutil.Process(server.process.pid)

    async def cpu() -> float:
        await asyncio.sleep(warm)
        before, started = process.cpu_times(), time.monotonic()
        await asyncio.sleep(seconds)
        after = process.cpu_times()
        return (after.user + after.system - before.user - before.system) / (time.monotonic() - started)

    begun = time.monotonic()
    used, *_ = await asyncio.gather(cpu(), *(viewer.watch(warm + seconds) for viewer in crowd))
    rates = [sum(at > begun + warm for at in viewer.updates) / seconds for viewer in crowd]
    pauses = [_longest_pause(viewer.updates, begun + warm, begun + warm + seconds) for viewer in crowd]
    say(
        "viewers",
        viewers=viewers,
        seconds=seconds,
        updates_per_second_min=round(min(rates), 2),
        updates_per_second_median=round(statistics.median(rates), 2),
        longest_pause=round(max(pauses), 2),
        app_cpu_cores=round(used, 2),
        failed=sorted({viewer.failed for viewer in crowd if viewer.failed}),
        budget_updates_per_second_min=1,
    )


def _longest_pause(moments: list[float], start: float, end: float) -> float:
    within = [start, *(moment for moment in moments if start < moment < end), end]
    return max(later - earlier for earlier, later in pairwise(within))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=15.0)
    arguments = parser.parse_args()
    with app(UNROLLED_WORKERS="1", UNROLLED_THREADS="1") as server:
        requests.get(server.url, timeout=30)
        asyncio.run(_measure(server, arguments.viewers, arguments.seconds))


if __name__ == "__main__":
    main()
