"""What every test can count on: nothing of the developer's own, one thread, and the real data where it is at hand."""

from __future__ import annotations

import functools
import gc
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:  # the process that hands the tests out waits for no library of theirs
    from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = os.environ.get("UNROLLED_TEST_DATA")
MARKED_BY_FOLDER = ("browser", "benchmark")

# Before anything of ours is imported: what the developer has set must not reach a test. Where the real data
# are stays, for the processes that pytest-xdist starts from this one.
for _name in [name for name in os.environ if name.startswith(("UNROLLED_", "STREAMLIT_"))]:
    if _name != "UNROLLED_TEST_DATA":
        del os.environ[_name]
# Nor may a test reach the developer's store and downloads: whoever needs them asks for `own_environment`, and whoever
# forgot to finds a place where nothing can be opened.
os.environ["UNROLLED_STORE"] = f"sqlite:///{os.devnull}/none/store.db"
os.environ["UNROLLED_DATA"] = f"{os.devnull}/none"
# AppTest shows what went wrong; visitors of the app get a sentence.
os.environ["STREAMLIT_CLIENT_SHOW_ERROR_DETAILS"] = "full"

# While tests are collected almost nothing becomes garbage: looking for it takes a third of that time.
gc.disable()

# Tests share a busy machine: how long one example takes says nothing about it. They try the same examples each time, so
# that they say the same each time; `pytest --hypothesis-profile=default` tries others.
settings.register_profile(
    "shared-machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared-machine")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests under tests/browser are browser tests, those under tests/benchmarks benchmarks.

    Tests of runs come first: they start processes and wait for them, and what waits longest must not come last.
    """
    items.sort(key=lambda item: "runs" not in item.path.parts)
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        for mark in MARKED_BY_FOLDER:
            if folder.startswith(mark):
                item.add_marker(mark)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: the collector of garbage need not go through them again and again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def components_looked_for_once() -> None:
    """Each AppTest reads the metadata of every installed package, for components: as long as it takes to draw a page.
    A server does it once, and so do the tests."""
    from streamlit.components.v2 import manifest_scanner

    manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests run side by side: one thread of torch each, which also makes sums come out the same."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store and a download cache of the test's own, empty at first."""
    monkeypatch.setenv("UNROLLED_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "data"))


@pytest.fixture
def shared_data(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real data sets, read-only, also set as the download cache; skips where there is none."""
    folder = Path(REAL_DATA) if REAL_DATA else ROOT.parent / "shared" / "data"
    if not (folder / "MANIFEST.tsv").is_file():
        pytest.skip(f"the real data sets are not at {folder}; UNROLLED_TEST_DATA names the folder that holds them")
    monkeypatch.setenv("UNROLLED_DATA", str(folder))
    return folder


@pytest.fixture
def global_random_state_unchanged() -> Iterator[None]:
    """Fails the test if it moved the global generators of random, numpy or torch."""
    import numpy as np
    import torch

    python, numpy, pytorch = random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()
    yield
    assert random.getstate() == python, "the global generator of the module random was moved"
    after = np.random.get_state(legacy=False)
    same = after["state"]["pos"] == numpy["state"]["pos"] and (after["state"]["key"] == numpy["state"]["key"]).all()
    assert same, "the global generator of numpy was moved"
    assert torch.equal(torch.get_rng_state(), pytorch), "the global generator of torch was moved"


class IdleTrainer:
    """Stands where the trainer is: remembers what it was asked to train, and trains nothing."""

    def __init__(self) -> None:
        self.submitted: list[str] = []

    def submit(self, run_ids: Sequence[str]) -> None:
        """Remember these runs."""
        self.submitted += run_ids

    def stop(self) -> None:
        """Nothing was started."""


@pytest.fixture
def idle_trainer(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[IdleTrainer]:
    """The pages' services for this test alone: its own empty store, and nobody who trains."""
    from engine.training.estimate import MachineSpeed
    from playground.access import estimates, jobs
    from playground.access.jobs import JobReader, job_reader
    from playground.frame import services
    from playground.inside import page
    from playground.runs.reader import RunReader

    trainer = IdleTrainer()
    shared = (services.settings, services.store, services.reader, job_reader)
    for service in shared:
        service.clear()
    monkeypatch.setattr(services, "executor", lambda: trainer)
    monkeypatch.setattr(services, "tidy_memory", lambda: None)
    # what has just been written is seen, however soon a test looks
    for reader in (RunReader, JobReader):
        monkeypatch.setattr(reader.__init__, "__defaults__", (0.0,))
    monkeypatch.setattr(page, "HEAD_START_SECONDS", 0.0)  # there is no browser that draws meanwhile
    monkeypatch.setattr(jobs, "FIRST_LOOK_SECONDS", 0.0)  # nor anybody who computes
    monkeypatch.setattr(estimates, "measure_machine", lambda: MachineSpeed(1e-4, 1e10))
    monkeypatch.setattr(sys, "path", sys.path.copy())  # the entry script changes it
    yield trainer
    for service in shared:
        service.clear()


@pytest.fixture
def own_recordings(idle_trainer: IdleTrainer) -> Iterator[None]:
    """The inside pages' models and recorded passes for this test alone."""
    from playground.access import models, traces
    from playground.inside.prefetch import prefetcher

    caches = (models.saved_models, models.live_models, traces.recordings, traces.tapes, prefetcher)
    for cache in caches:
        cache.clear()
    yield
    prefetcher().close()  # what it still does must not reach the next test
    for cache in caches:
        cache.clear()


@pytest.fixture
def open_page(idle_trainer: IdleTrainer) -> Callable[..., AppTest]:
    """Opens a page of the app as a visitor of a fresh session: `open_page("train", run="tales-gru")`."""

    from streamlit.testing.v1 import AppTest

    def opened(name: str = "home", **link: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(ROOT / "playground" / "app.py"), default_timeout=180)
        app.switch_page(f"../pages/{name}.py")
        for key, value in link.items():
            app.query_params[key] = value
        return app.run()

    return opened
