"""The table of runs: sorted and filtered in the browser, updated row by row, chosen from by ticking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playground import theme
from playground.components import choice
from playground.components.component import Component

_TABLE = Component("run_table/table")


def run_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    ticked: Sequence[str],
    chosen: str,
    statuses: Mapping[str, str],
    key: str,
    on_tick: Callable[[], None],
) -> None:
    """The table.

    Args:
        rows: as `playground.views.runs.rows.row_for_visitor` makes them, in the order to begin with
        ticked: ids of the ticked runs
        chosen: id of the current run
        statuses: meaning of each status by name
        key: of the widget
        on_tick: called when the visitor ticks; `ticked_in(key)` is what is ticked then
    """
    data = {
        "rows": list(rows),
        "ticked": list(ticked),
        "chosen": chosen,
        "statuses": dict(statuses),
        "letters": theme.RUN_LETTERS,  # those of the comparison, in the order of ticking
    }
    _TABLE(data, key=key, on_choose=on_tick)


def ticked_in(key: str) -> list[str] | None:
    """Ids of the runs that the visitor ticked in the table `key`, in the order of ticking; None for nothing."""
    ids = choice.chosen(key, {"ids": _are_ids}).get("ids")
    return None if ids is None else list(dict.fromkeys(ids))


def _are_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
