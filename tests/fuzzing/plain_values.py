"""Any JSON, and JSON with a value replaced somewhere inside."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

SPECIAL = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 0.5, -0.0, 1e308, float("nan"), float("inf"),
        "", "x" * 5_000, "\0", "\ud800", "\u202e", "a\nb", "own:../../secret", "file:secret.txt", "<b>", "=1+1", [], {},
        [[]], {"": None},
    ]
).map(copy.deepcopy)  # fmt: skip
"""What breaks programs that expect something else. Copies: who draws a list may put something into it."""


def json_values(leaves: int = 12) -> st.SearchStrategy[Any]:
    """Any JSON value, the awkward ones often."""
    scalars = st.one_of(SPECIAL, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
        max_leaves=leaves,
    )


@st.composite
def replaced_somewhere(draw: st.DrawFn, value: Any) -> Any:
    """A copy of a JSON value with one to three values inside it replaced, left out or renamed."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(value))
        if not places:
            return draw(json_values(4))
        holder, key = draw(st.sampled_from(places))
        action = draw(st.integers(0, 5))
        if action == 0:
            del holder[key]
        elif action == 1 and isinstance(holder, dict):
            holder[draw(st.text(max_size=12))] = holder.pop(key)
        elif action == 2 and type(holder[key]) in (int, float) and abs(holder[key]) < 1e15:
            holder[key] = draw(st.sampled_from([-1, 0, 1, holder[key] + 1, holder[key] * 1000, float(holder[key])]))
        else:
            holder[key] = draw(st.one_of(SPECIAL, json_values(4)))
    return value


def _places(value: Any) -> Any:
    """(holder, key) of every value inside."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])
