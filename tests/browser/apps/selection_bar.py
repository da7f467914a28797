"""A page with nothing on it but the selection bar, what it has told, and things that could be in its way.

Its link says how it is: `steps` kept, `tokens`, `words` for tokens, `layers`, `units`, `slow` (seconds that it draws),
`live` where the run trains, `nan` where it broke, `twice` for a second bar, `notation`.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

import streamlit as st

from playground.components.selection_bar import LABELS, Bar, heard, selection_bar, told
from playground.notation import NOTATIONS

KEY = "bar"
TEXT = "Once upon a time, there was a little girl named Lily.\nShe <b>loved</b> to play."
SIGNS = {" ": "␣", "\n": "⏎"}

st.set_page_config(layout="wide")
asked = st.query_params
kept = st.session_state.setdefault("kept", int(asked.get("steps", 20)))
place = st.session_state.setdefault(
    "place", {"step": 400, "t": 4, "layer": 1, "unit": 17, "present": False, "notation": asked.get("notation", "ng")}
)
words = st.session_state.setdefault("words", [])


def steps_kept() -> list[int]:
    """0, 1, 2, 5, 10, 20, 50, ... as they are kept in a run, and every hundred from the middle on."""
    first = [0, 1, 2, 5, 10, 20, 50]
    return (first + [100 * n for n in range(1, st.session_state.kept)])[: st.session_state.kept]


def loss_at(step: int) -> float | None:
    """Falls fast, then slowly, and is not measured at first; NaN where the link wants it."""
    if asked.get("nan") and step >= 500:
        return float("nan")
    return None if step < 10 else 1.5 + 2.7 / (1 + step / 60)


def bar_now() -> Bar:
    """The bar as the selection stands."""
    steps = steps_kept()
    newest = place["step"] == -1
    ahead = 7 if asked.get("live") else 0  # the newest weights of a run that trains are not among the kept
    step = steps[-1] + ahead if newest else max(known for known in steps if known <= place["step"])
    tokens = (TEXT.split() if asked.get("words") else list(TEXT)) * 7
    tokens = tokens[: int(asked.get("tokens", 23))]
    return Bar(
        steps=steps,
        losses=[loss_at(known) for known in steps],
        measured=[(known, loss) for known in range(10, steps[-1] + 1, 45) if (loss := loss_at(known)) is not None],
        training=[None if known == 0 else 4.2 - 0.02 * known for known in steps],
        step=step,
        newest=newest,
        live=bool(asked.get("live")),
        t=min(place["t"], len(tokens) - 1),
        names=[SIGNS.get(letter, letter) for letter in tokens],
        first=0 if place["notation"] == "pytorch" else 1,
        layer=min(place["layer"], int(asked.get("layers", 2)) - 1),
        layers=int(asked.get("layers", 2)),
        unit=min(place["unit"], int(asked.get("units", 128)) - 1),
        units=int(asked.get("units", 128)),
        labels=LABELS[place["notation"]],
        present=place["present"],
        notations=(NOTATIONS, place["notation"]),
        keys=[("A", "animate <b>both</b> passes")],
    )


def take(bar: Bar, key: str) -> None:
    """Take what the bar has told into the place, and remember the word."""
    words.append(dict(st.session_state[key].chosen))
    place.update(told(key, bar))


def put(**values: int) -> None:
    """Change the place from elsewhere."""
    place.update(values)


def grow() -> None:
    """One more step is kept."""
    st.session_state.kept += 1


@st.fragment
def frame() -> None:
    """The bar, and after it a picture that takes its time."""
    bar = bar_now()
    selection_bar(bar, key=KEY, on_choose=partial(take, bar, KEY))
    if asked.get("twice"):
        selection_bar(bar, key="second", on_choose=partial(take, bar, "second"))
    time.sleep(float(asked.get("slow", 0)))
    seen = {**place, "looked_at": bar.step, "heard": heard(KEY), "words": words}
    st.code(json.dumps(seen), language=None)
    st.button("To timestep 10", on_click=put, kwargs={"t": 9})
    st.button("Keep another step", on_click=grow)


if not st.toggle("Without the bar"):
    frame()
st.text_input("A field")
st.text_area("A text")
st.radio("A choice", ["one", "two"])
st.html('<select aria-label="A list"><option>one</option><option>two</option></select>')
st.html('<div style="height: 150vh"></div>')
