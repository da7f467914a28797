"""What a visitor is likely to look at next, computed while they look at what is there.

One thread works for all visitors of an app process. A visitor's newest wishes take the place of the older ones, so
there is never more to do than what could be looked at now.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace

import streamlit as st
import torch
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engine.config import ConfigError
from playground import state
from playground.inside.view import View, look
from playground.runs.reader import Snapshot
from playground.runs.records import StoreError
from playground.state import Selection

log = logging.getLogger("unrolled.ahead")

Task = Callable[[], object]
Needs = Callable[[View], object]

MOST_VISITORS = 32
"""Visitors whose wishes are kept; those of the one not heard of longest are dropped first."""

MOST_WISHES = 8
"""Wishes kept of one visitor."""

_CLOSE_SECONDS = 5.0
_STEP = "inside.step"


class Ahead:
    """Does what visitors may ask for next. Whatever a task finds, it must keep by itself."""

    def __init__(self) -> None:
        self._wishes: OrderedDict[Hashable, deque[Task]] = OrderedDict()
        self._changed = threading.Condition()
        self._busy = self._closing = False
        self._thread: threading.Thread | None = None
        # A thread that the interpreter takes down in the middle of torch takes the whole process down with it.
        atexit.register(self.close)

    def wish(self, visitor: Hashable, tasks: Iterable[Task]) -> None:
        """Do these when there is time, the first of them first, and none of what the visitor wished before."""
        with self._changed:
            self._wishes.pop(visitor, None)
            wished = deque([*tasks][:MOST_WISHES])
            if not wished or self._closing:
                return
            self._wishes[visitor] = wished
            while len(self._wishes) > MOST_VISITORS:
                self._wishes.popitem(last=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def idle(self, seconds: float) -> bool:
        """Wait so long at most until nothing is left to do; says whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._wishes and not self._busy, seconds)

    def close(self) -> None:
        """End after what is being done now."""
        with self._changed:
            self._closing = True
            self._wishes.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _next(self) -> Task | None:
        """A wish of the visitor heard of last; waits for one. None at the end."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._wishes or self._closing)
            if self._closing:
                return None
            visitor = next(reversed(self._wishes))
            task = self._wishes[visitor].popleft()
            if not self._wishes[visitor]:
                del self._wishes[visitor]
            self._busy = True
            return task

    def _work(self) -> None:
        torch.set_num_threads(1)  # counts for the thread that says it
        while (task := self._next()) is not None:
            try:
                task()
            except (StoreError, ConfigError) as error:
                log.debug("What was computed ahead cannot be had: %s", error)  # whoever looks at it is told
            except Exception:
                # Whatever it is must not end the thread that works for everybody.
                log.exception("Something could not be computed ahead.")


@st.cache_resource(show_spinner=False)
def ahead() -> Ahead:
    """The one of this app process."""
    return Ahead()


def look_ahead(views: Sequence[View], needs: Needs | None = None) -> None:
    """Have the training steps beside the chosen one computed before anybody asks; of a run that is followed none.

    Args:
        views: what is looked at: the chosen run first, then those it is compared with
        needs: computes what is drawn of a view besides
    """
    selection, step = state.current(), views[0].step
    before, st.session_state[_STEP] = st.session_state.get(_STEP), step
    context = get_script_run_ctx()
    if context is None:
        return
    following = selection.step == state.NEWEST and views[0].run.active
    steps = [] if following else beside(views[0].steps, step, before)
    ahead().wish(
        context.session_id,
        [_seen(view.snapshot, replace(selection, step=other), needs) for other in steps for view in views],
    )


def _seen(run: Snapshot | None, selection: Selection, needs: Needs | None) -> Task:
    def compute() -> None:
        if run is not None:
            view = look(run, selection)
            if needs is not None:
                needs(view)

    return compute


def beside(steps: Sequence[int], step: int, before: int | None) -> list[int]:
    """The steps that are looked at next, likeliest first: onwards as from `before` to `step`, then the other way."""
    at = steps.index(step)
    around = [at + 1, at - 1] if before is None or before <= step else [at - 1, at + 1]
    return [steps[place] for place in around if 0 <= place < len(steps)]
