"""A page with nothing on it but the picture of the unrolled network, what it has told, and a field to write in.

Its link says what is drawn: `run`, `probe`, `repeat` (how often the probe is read), `t`, `of`, `changed` for a what-if,
`slow` (seconds that the server takes).
"""

import json
import sys
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

import streamlit as st

from engine.trace import Change
from playground.access.runs import snapshot_of
from playground.components.unrolled import said, unrolled
from playground.inside.view import look
from playground.state import Selection
from playground.views.unrolled.picture import picture

KEY = "picture"

st.set_page_config(layout="wide")
asked = st.query_params
chosen = st.session_state.setdefault(
    "chosen", {"t": int(asked.get("t", 4)), "layer": 0, "unit": 0, "target": asked.get("of", "sum"), "folded": False}
)
words = st.session_state.setdefault("words", [])
steps = st.session_state.setdefault("steps", [-1])


def take() -> None:
    """Take what was chosen in the picture, and remember the word."""
    words.append(dict(st.session_state[KEY].chosen))
    word = said(KEY)
    if word is not None:
        chosen.update({name: value for name, value in vars(word).items() if value is not None})


def put(**values: int) -> None:
    """Choose from elsewhere."""
    chosen.update(values)


@st.fragment
def frame() -> None:
    """The picture as it stands."""
    run, probe = asked.get("run", "tales-lstm"), asked.get("probe", "They ate the fish, and then")
    place = {name: chosen[name] for name in ("t", "layer", "unit")}
    text = probe * int(asked.get("repeat", 1))
    view = look(snapshot_of(run), Selection(run=run, probe=text, step=steps[-1], **place))
    changes = [Change("hidden", 0, 2, 0, 1.0)] if "changed" in asked else []
    other = view.what_if(changes) if changes else None
    of = chosen["target"] if chosen["target"] == "sum" else int(chosen["target"])
    time.sleep(float(asked.get("slow", 0)))
    unrolled(picture(view, of, other, changes), key=KEY, on_choose=take, folded=chosen["folded"])
    st.code(json.dumps({**chosen, "words": words}), language=None)
    st.button("To timestep 3", on_click=put, kwargs={"t": 2})
    st.button("Training step 0", on_click=steps.append, args=(0,))


frame()
st.text_input("A field")
