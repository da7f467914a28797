"""A page with a fragment that shows the result of an analysis, which a thread of the app computes."""

import sys
import threading
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

import streamlit as st

from playground.access.jobs import ask
from playground.access.models import load
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.frame.fragments import fragment
from playground.parts.jobs import waiting
from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register
from playground.runs.trainer.job_worker import JobWorker

STEPS = 100


def steadily(given: JobInput) -> str:
    """Takes two seconds, and says how far it is."""
    for step in range(STEPS):
        given.report(step / STEPS)
        time.sleep(2.0 / STEPS)
    return f"found at step {given.step}"


class Thread:
    """Stands where the trainer is: computes what waits on a thread of the app."""

    def submit(self, _: object) -> None:
        """It looks by itself."""


@st.cache_resource
def work() -> None:
    """Compute what waits, for as long as the app runs."""
    register(JobKind("steadily", "Steady search", steadily))
    store, settings = services.store(), services.settings()

    def run() -> None:
        while True:
            claim = store.claim_job("thread")
            if claim is not None:
                JobWorker(store, claim, settings, alive=lambda: True).work()
            time.sleep(0.02)

    threading.Thread(target=run, daemon=True).start()
    services.executor = Thread


def count(name: str) -> int:
    """How often something was drawn in this session."""
    st.session_state[name] = st.session_state.get(name, 0) + 1
    return st.session_state[name]


def body() -> None:
    """The result, or what stands for it."""
    st.write(f"Fragment drawn {count('fragment')} times.")
    job = ask(load(snapshot_of("hello-rnn"), -1), "steadily", {})
    if not waiting(job, key="steady"):
        st.write(f"Result: {job.result}.")
    st.write("Below the result.")


work()
st.write(f"Page drawn {count('page')} times.")
fragment(body, key="body")()
st.write("The last element.")
