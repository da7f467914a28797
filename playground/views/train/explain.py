"""The words beside a picture: what one sees, what to try, and how to do the same elsewhere."""

from __future__ import annotations

import streamlit as st

from engine import PRESETS
from playground import notation, state
from playground.access.runs import setting_changes, watched
from playground.frame import scroll, services
from playground.parts import launch
from playground.runs.reader import Snapshot
from playground.state import draft as drafts

_OWN_FILE = "my-text.txt"

_TRY = {
    "why-clipping-matters": "Two RNNs with ReLU, trained by SGD at a high rate. Watch the gradient norm: "
    "one run clips its gradient; in the other it explodes.",
    "rnn-gru-lstm": "Same text, same batches. Which cell’s loss falls fastest per step, and which per second of "
    "computing time?",
    "hello": "A network of three units learns one word. The run is paused at step 0: each press of Step makes one "
    "update, shown in the charts. Resume trains to the end; Step then continues from there.",
}


def what_you_see_while_training(selection: state.Selection) -> None:
    """The loss and how it is made, in at most 80 words, and experiments that start with one click."""
    by_words = watched(selection.run)[0].run.config.data.level == "word"
    counted = "words and word n-grams" if by_words else "characters and character n-grams"
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("###### What you see")
        st.markdown(
            "Truncated backpropagation through time computes the gradient of the loss over each sequence, and the "
            "optimiser moves the weights against it. Thin line: training loss; bold line: validation loss. Where they "
            f"diverge, the model *overfits*. Dashed: baselines that count {counted}. The gradient norm is shown "
            "before and after clipping; a sudden rise is an *exploding* gradient."
        )
        st.latex(_loss_equation(selection.notation))
    with right:
        st.markdown("###### Try")
        for name, look_for in _TRY.items():
            if st.button(PRESETS[name].title, key=f"try.{name}", icon=":material/science:"):
                drafts.keep(drafts.from_preset(name))
                launch.start()
                scroll.ask_for_top()
                st.rerun()
            st.caption(look_for)


def _loss_equation(name: str) -> str:
    """The loss of a sequence in a notation. A course that has a letter for the scores writes softmax around it."""
    probability = notation.term("prediction", name).latex
    if name in ("cs231n", "pytorch"):
        probability = rf"\operatorname{{softmax}}({notation.term('logits', name).latex})"
    return rf"\mathcal{{L}} = -\frac{{1}}{{T}} \sum_t \log {probability}\,[\text{{next token}}]"


def _how_alike(snapshot: Snapshot) -> str:
    """Whether the command repeats the run, and if not, what it lacks."""
    lacks = []
    if snapshot.run.parent:
        lacks.append("starts from random weights, not from the checkpoint that this run branched from")
    if setting_changes(snapshot):
        lacks.append("lacks the changes made to this run during training")
    training = snapshot.run.config.training
    if not training.seconds and (snapshot.run.planned_steps or 0) > training.steps:
        lacks.append("ends where the schedule ends, not where this run was continued to")
    return f"It {', and '.join(lacks)}." if lacks else "The same seed reproduces the run."


def how_to_repeat(selection: state.Selection) -> None:
    """The same run from the shell, and its whole config."""
    snapshot = watched(selection.run)[0]
    config = snapshot.run.config
    with st.expander("Show the code: the same run from the shell", icon=":material/terminal:"):
        st.caption(f"Save the settings as config.json, then run the command. {_how_alike(snapshot)}")
        st.code("python -m engine train --config config.json --save my-run", language="bash")
        with st.container(horizontal=True):
            if config.data.corpus.startswith("own:"):
                digest = config.data.corpus.removeprefix("own:")
                config = config.with_values(corpus=f"file:{_OWN_FILE}")
                st.download_button(
                    _OWN_FILE, lambda: services.store().text(digest), _OWN_FILE, key="download.text", on_click="ignore"
                )
            settings = config.to_json(indent=2)
            st.download_button("config.json", settings, "config.json", key="download.config", on_click="ignore")
        st.code(settings, language="json", wrap_lines=True)
