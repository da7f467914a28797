"""What a visitor is likely to look at next, computed while they look at what is there.

One thread works for all visitors of an app process. A visitor's newest requests take the place of the older ones, so
there is never more to do than what could be looked at now.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import replace

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engine.config import ConfigError
from playground import state
from playground.access.background import BackgroundPool
from playground.inside.view import View, look
from playground.runs.records import StoreError
from playground.state import Selection

log = logging.getLogger("unrolled.prefetch")

Task = Callable[[], object]
Needs = Callable[[View], object]

MOST_VISITORS = 32
"""Visitors whose requests are kept; those of the visitor whose last request is oldest are dropped first."""

MOST_REQUESTS = 8
"""Requests kept of one visitor."""

_STEP = "inside.step"


class Prefetcher(BackgroundPool):
    """Does what visitors may ask for next. Whatever a task finds, it must keep by itself."""

    def __init__(self) -> None:
        super().__init__("prefetch")
        self._requested: OrderedDict[Hashable, list[Future]] = OrderedDict()

    def request(self, visitor: Hashable, tasks: Sequence[Task]) -> None:
        """Do these when there is time, the first of them first, and none of what the visitor requested before.

        The visitor who requested last is served first.
        """
        with self._changed:
            before = self._requested.pop(visitor, [])
            self._requested[visitor] = self.replace(before, [_guarded(task) for task in tasks[:MOST_REQUESTS]])
            while len(self._requested) > MOST_VISITORS:
                self.replace(self._requested.popitem(last=False)[1], [])


def _guarded(task: Task) -> Task:
    def attempt() -> None:
        try:
            task()
        except (StoreError, ConfigError) as error:
            log.debug("Prefetching failed: %s", error)  # whoever looks at it is told

    return attempt


@st.cache_resource(show_spinner=False)
def prefetcher() -> Prefetcher:
    """The one of this app process."""
    return Prefetcher()


def prefetch(views: Sequence[View], needs: Needs | None = None, *, passage: bool = False) -> None:
    """Have the training steps beside the chosen one computed before anybody asks; of a run that is followed none.

    Args:
        views: what is looked at: the chosen run first, then those it is compared with
        needs: computes what is drawn of a view besides
        passage: as `look` takes it
    """
    selection, step = state.current(), views[0].step
    before, st.session_state[_STEP] = st.session_state.get(_STEP), step
    context = get_script_run_ctx()
    if context is None:
        return
    following = selection.step == state.NEWEST and views[0].run.active
    steps = [] if following else beside(views[0].steps, step, before)
    prefetcher().request(
        context.session_id,
        [_seen(view, replace(selection, step=other), needs, passage) for other in steps for view in views],
    )


def _seen(now: View, selection: Selection, needs: Needs | None, passage: bool) -> Task:
    def compute() -> None:
        if now.snapshot is not None:
            view = look(now.snapshot, selection, passage=passage, findings=now.findings)
            if needs is not None:
                needs(view)

    return compute


def beside(steps: Sequence[int], step: int, before: int | None) -> list[int]:
    """The steps that are looked at next, likeliest first: onwards as from `before` to `step`, then the other way."""
    at = steps.index(step)
    around = [at + 1, at - 1] if before is None or before <= step else [at - 1, at + 1]
    return [steps[place] for place in around if 0 <= place < len(steps)]
