"""Export of a run: the run file, its model as code, its measurements as a table."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.export import bundle, script
from engine.training.checkpoint import Checkpoint, CheckpointError
from playground import state
from playground.access.runs import DEFAULT_RUN
from playground.charts.units import convert
from playground.frame import services
from playground.runs.archive import SUFFIX, pack
from playground.runs.records import CheckpointInfo, Run, StoreError
from playground.text import escape_markdown, shorten, size, visible

_CODE_HEIGHT = 420
_CHOSEN = "runs.export.chosen"


def export_panel(ticked: Sequence[Run]) -> Run:
    """Downloads of a ticked run, or of the current one; returns that run."""
    st.markdown("###### Export")
    run = _chosen(list(ticked) or [services.store().run(state.current().run or DEFAULT_RUN)])
    checkpoints = services.store().checkpoints(run.id)
    with st.container(horizontal=True):
        st.download_button(
            "Run file",
            lambda: pack(services.store(), run.id),
            f"{run.id}{SUFFIX}",
            "application/zip",
            key=f"runs.file.{run.id}",
            icon=":material/archive:",
            on_click="ignore",
            help="Settings, measurements, samples and checkpoints in one zip; created when you press the button.",
        )
        st.download_button(
            "Measurements",
            lambda: measurements(run.id),
            f"{run.id}.csv",
            "text/csv",
            key=f"runs.csv.{run.id}",
            icon=":material/table_chart:",
            on_click="ignore",
            disabled=not run.step,
            help="Training and validation loss at every measured step, as CSV.",
        )
    total = sum(checkpoint.bytes for checkpoint in checkpoints)
    kept = f"{len(checkpoints)} checkpoints, {size(total)}" if checkpoints else "no checkpoint yet"
    st.caption(
        f"The run file ({kept}) can be imported here and into any other Unrolled. If the run was trained on your own "
        "text, the file includes it."
    )
    return run


def _chosen(runs: Sequence[Run]) -> Run:
    """The run to export; where several are ticked, the visitor chooses one."""
    if len(runs) == 1:
        st.markdown(escape_markdown(shorten(visible(runs[0].name), 80)))
        return runs[0]
    # With the id: Streamlit knows an option by its label, and two runs may have one name.
    labels = {run.id: f"{shorten(visible(run.name), 60)} · {run.id}" for run in runs}
    before = st.session_state.get(_CHOSEN)
    shown = before if before in labels else runs[0].id
    key = state.labelled(f"runs.export.{shown}", *labels.values())
    chosen = st.selectbox("Run to export", [*labels], [*labels].index(shown), format_func=labels.__getitem__, key=key)
    st.session_state[_CHOSEN] = chosen
    return next(run for run in runs if run.id == chosen)


def code(run: Run) -> None:
    """The model as a script; made only once somebody opens it."""
    fold = st.expander(
        "Show the code: this model in plain PyTorch",
        icon=":material/code:",
        key=f"runs.code.{run.id}",
        on_change="rerun",
    )
    if not fold.open:
        return
    with fold:
        info = best_or_newest(run, services.store().checkpoints(run.id))
        if info is None:
            st.caption("No checkpoint yet, so there are no weights to export.")
            return
        try:
            code = script(_checkpoint(run.id, info.step))
        except (StoreError, CheckpointError, ValueError) as error:
            st.error(escape_markdown(str(error)), icon=":material/error:")
            return
        which = "best" if info.step == run.best_step else "newest"
        st.caption(
            f"Weights from step {info.step:,}, the {which} checkpoint. The script needs torch and safetensors: unpack "
            "both files into one folder and run it there."
        )
        st.download_button(
            "Code and weights",
            lambda: bundle(_checkpoint(run.id, info.step)),
            f"{run.id}-step-{info.step}.zip",
            "application/zip",
            key=f"runs.bundle.{run.id}",
            icon=":material/download:",
            on_click="ignore",
        )
        st.code("python model.py --prompt he --length 5", language="bash")
        st.code(code, language="python", height=_CODE_HEIGHT)


def best_or_newest(run: Run, checkpoints: Sequence[CheckpointInfo]) -> CheckpointInfo | None:
    """The kept checkpoint with the lowest validation loss, else the newest; None where there is none."""
    best = next((info for info in checkpoints if info.step == run.best_step), None)
    return best or max(checkpoints, key=lambda info: info.step, default=None)


def _checkpoint(run_id: str, step: int) -> Checkpoint:
    return Checkpoint.from_bytes(services.store().checkpoint(run_id, step))


def measurements(run_id: str) -> bytes:
    """What was measured of a run, one line for each step: training, and validation where the step was evaluated."""
    snapshot = services.reader().snapshot(run_id, watch=False)
    evaluated = snapshot.evaluations_frame[["step", "val_loss"]]
    evaluated = evaluated.assign(bits_per_character=convert(evaluated["val_loss"], "bits", snapshot.run.per_character))
    whole = snapshot.metrics_frame.merge(evaluated, on="step", how="outer", sort=True)
    return whole.to_csv(index=False, lineterminator="\n").encode()
