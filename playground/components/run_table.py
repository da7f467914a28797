"""The table of runs: sorted and filtered in the browser, updated row by row, chosen from by ticking.

Which runs are ticked is the server's to say. The browser shows a tick at once and counts what it has told the server;
an answer to an older word than its newest does not take the tick back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground import theme
from playground.components.assets import asset

_TABLE = st.components.v2.component(
    "unrolled_run_table",
    html=asset("run_table/table.html"),
    css=asset("run_table/table.css"),
    js=asset("run_table/table.js"),
)


@dataclass(frozen=True)
class Ticked:
    """What the browser says is ticked, in the order of ticking; `count` grows with every word of it."""

    ids: tuple[str, ...]
    count: int


def run_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    ticked: Sequence[str],
    heard: int,
    chosen: str,
    statuses: Mapping[str, str],
    key: str,
    on_tick: Callable[[], None],
) -> None:
    """The table.

    Args:
        rows: as `playground.views.runs.rows.row_for_visitor` makes them, in the order to begin with
        ticked: ids of the ticked runs
        heard: the count of the last word from the browser that `ticked` takes into account
        chosen: id of the run that all pages look at
        statuses: meaning of each status by name
        key: of the widget
        on_tick: called when the visitor ticks; `said(key)` is what was ticked
    """
    data = {
        "rows": list(rows),
        "ticked": list(ticked),
        "heard": heard,
        "chosen": chosen,
        "statuses": dict(statuses),
        "colors": dict(theme.FAMILIES),
        "letters": theme.RUN_LETTERS,  # those of the comparison, in the order of ticking
    }
    _TABLE(data=data, key=key, on_ticked_change=on_tick)


def said(key: str) -> Ticked | None:
    """What the browser last said is ticked in the table `key`; None for nothing, or nothing that can be."""
    word = (st.session_state.get(key) or {}).get("ticked")
    if not isinstance(word, Mapping):
        return None
    ids, count = word.get("ids"), word.get("count")
    if not isinstance(ids, list) or not isinstance(count, int) or not all(isinstance(one, str) for one in ids):
        return None
    return Ticked(tuple(dict.fromkeys(ids)), count)
