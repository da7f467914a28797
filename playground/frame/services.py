"""What all visitors of one app process share: the settings, the store, the reader and the trainer."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading

import streamlit as st
import torch

from playground.frame.visitor import visitor as visitor
from playground.runs.executor import Executor
from playground.runs.executor import executor as process_executor
from playground.runs.reader import RunReader
from playground.runs.records import Run, TextLostError
from playground.runs.settings import AppSettings
from playground.runs.store import Store

_COLLECT_SECONDS = 30.0
_SWITCH_SECONDS = 0.001
"""A page that is being drawn takes the interpreter back from a thread that writes a text this soon, not after Python's
0.005 s: each page asks for it dozens of times."""


@st.cache_resource(show_spinner=False)
def settings() -> AppSettings:
    """The settings from the environment, read once."""
    return AppSettings.from_environment()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """Every run there is."""
    return Store.of(settings())


@st.cache_resource(show_spinner=False)
def reader() -> RunReader:
    """The one reader of live runs, however many people watch."""
    return RunReader(store())


@st.cache_resource(show_spinner=False)
def executor() -> Executor:
    """Whoever trains queued runs; its trainer starts with the first page, so that Train need not wait for it."""
    return process_executor(settings())


@st.cache_resource(show_spinner=False)
def tidy_memory() -> None:
    """Collect garbage on a timer instead of after every script run, and leave what was imported out of it."""
    torch.set_num_threads(1)  # the app only probes and samples; the cores are for those who train
    sys.setswitchinterval(_SWITCH_SECONDS)
    _answer_without_delay()
    gc.collect()
    gc.freeze()

    def collect() -> None:
        pause = threading.Event()
        while not pause.wait(_COLLECT_SECONDS):
            gc.collect()

    threading.Thread(target=collect, name="garbage", daemon=True).start()


def listed_runs(limit: int = 50) -> dict[str, Run]:
    """The newest runs that the visitor may choose among, by their ids."""
    return {run.id: run for run in store().runs(limit=limit, viewer=visitor())}


def own_text(digest: str) -> str:
    """A text that a visitor brought, by its hash. Raises LookupError, as the engine expects of a missing one, and
    StoreError where the store itself cannot be read."""
    try:
        return store().text(digest)
    except TextLostError as error:
        raise LookupError(str(error)) from None


def _answer_without_delay() -> None:
    """Let what is small leave at once, though what was sent before it is not acknowledged yet.

    Streamlit makes the socket at which it listens in such a way that asyncio does not: each small file, and each small
    message that follows another, waited 40 ms. Connections take the option over from that socket.
    """
    servers = [one for one in gc.get_objects() if type(one) is asyncio.Server]
    for listening in (one for server in servers for one in server.sockets):
        if listening.family in (socket.AF_INET, socket.AF_INET6):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
