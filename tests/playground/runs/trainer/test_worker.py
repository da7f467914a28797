"""A worker on real, very small runs, in this process: what pages ask, and what stays in the store."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from sqlalchemy import Connection

from engine.analysis.text_facts import text_facts
from engine.config import Config
from engine.data import Corpus, TextFacts
from engine.training import meters
from engine.training.checkpoint import Checkpoint
from engine.training.events import Evaluated, Progress, Working
from playground.runs.records import Metric, Run, RunNotFoundError, RunWrite
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.trainer import loading
from playground.runs.trainer import worker as worker_module
from playground.runs.trainer.loading import explain
from playground.runs.trainer.recorder import WRITE_SECONDS, Recorder
from playground.runs.trainer.worker import Worker

Work = Callable[..., Run]


@pytest.fixture
def work(store: Store, settings: AppSettings) -> Work:
    """Claim what waits longest and train it until its worker lets go; `meanwhile` is called at every event."""

    def run(meanwhile: Callable[[Worker], object] | None = None, **changed: float) -> Run:
        claim = store.claim("trainer")
        assert claim is not None
        worker = Worker(store, claim, replace(settings, **changed), alive=lambda: True)
        if meanwhile is not None:
            between = worker._between_events

            def then() -> None:
                meanwhile(worker)
                between()

            worker._between_events = then  # type: ignore[method-assign]
        worker.work()
        return store.run(next(iter(claim.numbers)))

    return run


@pytest.fixture
def at_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are read after every event, not by the clock."""
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.0)


def once(step: int, ask: Callable[[], object]) -> Callable[[Worker], None]:
    """Do `ask` the first time that a run reaches `step`."""
    done: list[bool] = []

    def meanwhile(worker: Worker) -> None:
        if not done and any(loaded.training.step >= step for loaded in worker.runs.values()):
            done.append(True)
            ask()

    return meanwhile


def losses(store: Store, run_id: str) -> list[tuple[int, float, float]]:
    return [(row.step, row.loss, row.grad_norm) for row in store.metrics(run_id)]


def test_a_run_is_trained_to_its_end(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny)
    run = work()
    assert (run.status, run.step, run.planned_steps, run.why) == ("finished", 40, 40, "steps")
    assert run.parameters
    assert len(run.corpus_sha256) == 64
    assert run.device == "cpu"
    assert run.best_loss == min(row.val_loss for row in store.evaluations(run_id))
    assert losses(store, run_id)[-1][0] == 40
    assert {sample.step for sample in store.samples(run_id)} == {row.step for row in store.evaluations(run_id)}
    assert {info.step for info in store.checkpoints(run_id)} >= {0, 1, 2, 4, 8, 16, 32, 40}
    assert [change.key for change in store.changes(run_id)] == ["running", "finished"]
    assert store.claim("another") is None


@pytest.mark.usefixtures("at_every_event")
def test_a_run_that_was_paused_and_resumed_has_the_losses_of_one_that_was_not(
    store: Store, tiny: Config, work: Work
) -> None:
    undisturbed = store.create_run(tiny)
    work()
    run_id = store.create_run(tiny)
    for step in (5, 13, 29):
        assert work(once(step, lambda: store.command(run_id, "pause"))).status == "paused"
        assert store.run(run_id).message.startswith("Paused at step")
        store.command(run_id, "resume")
    assert work().status == "finished"
    assert losses(store, run_id) == losses(store, undisturbed)
    newest = [Checkpoint.from_bytes(store.checkpoint(run, 40)) for run in (run_id, undisturbed)]
    assert all((newest[0].tensors[name] == tensor).all() for name, tensor in newest[1].tensors.items())


@pytest.mark.usefixtures("at_every_event")
def test_a_paused_worker_lingers_and_goes_on_at_once(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny, steps=3)
    seen: list[tuple[str, int]] = []
    alive = Worker._wait_for_commands

    def ask(worker: Worker) -> bool:
        seen.append((store.run(run_id).status, store.run(run_id).step))
        if len(seen) == 1:
            store.command(run_id, "step", 2)
        else:
            store.command(run_id, "resume")
        return alive(worker)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "_wait_for_commands", ask)
        assert work(linger=30.0).status == "finished"
    assert seen == [("paused", 3), ("paused", 5)]
    assert [change.key for change in store.changes(run_id)] == [
        "running", "paused", "running", "paused", "running", "finished",
    ]  # fmt: skip


@pytest.mark.usefixtures("at_every_event")
def test_a_pause_is_not_counted_as_time_of_the_run(
    store: Store, tiny: Config, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run(tiny, steps=3)
    waited = Worker._wait_for_commands

    def ask(worker: Worker) -> bool:
        monkeypatch.setattr(meters.time, "perf_counter", lambda: perf_counter() + 1_000.0)  # a long pause
        store.command(run_id, "resume")
        return waited(worker)

    perf_counter = time.perf_counter
    monkeypatch.setattr(Worker, "_wait_for_commands", ask)
    run = work(linger=1e6)
    assert run.status == "finished"
    assert run.seconds < 100
    assert store.metrics(run_id)[-1].seconds < 100


def test_what_a_run_does_beside_its_updates_is_in_its_message_until_it_is_done(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    claim = store.claim("trainer")
    assert claim is not None
    recorder = Recorder(store, claim.numbers)
    for event, message in (
        (Working(0, "plan", 0.0), "Measuring speed to set the number of steps."),
        (Progress(1, 2.5, 1.5, 1.0, 0.01, 1.0, 9e4, 4.0, 3.0, seconds_left=20.0), ""),
        (Working(1, "evaluation", 0.456, seconds_left=17.5), "Evaluating: 46% of the validation tokens."),
        (Evaluated(1, 2.0, 2.9, 2.1, True, False, 5.0, 4.0, tokens_read=4_096, tokens_in_all=9_999), ""),
    ):
        recorder.record_event(run_id, event)
        recorder.flush()
        assert store.run(run_id).message == message
    assert store.run(run_id).seconds_left == 17.5
    (judged,) = store.evaluations(run_id)
    assert (judged.tokens_read, judged.tokens_in_all, judged.partial) == (4_096, 9_999, True)


def test_a_lingering_worker_makes_room_for_a_run_that_waits(store: Store, tiny: Config, work: Work) -> None:
    first = store.create_run(tiny, steps=3)
    second = store.create_run(tiny)
    assert work(linger=60.0).id == first
    assert store.run(first).status == "paused"
    assert work().id == second


def test_steps_can_be_trained_from_a_run_that_never_started(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny, start=False)
    store.command(run_id, "step", 1)
    assert (work().status, store.run(run_id).step) == ("paused", 1)
    store.command(run_id, "step", 10)
    assert (work().status, store.run(run_id).step) == ("paused", 11)
    (info,) = [info for info in store.checkpoints(run_id) if info.step == 11]
    assert info.full


def test_a_run_that_starts_paused_waits_at_step_0_with_its_first_weights(
    store: Store, tiny: Config, work: Work
) -> None:
    undisturbed = store.create_run(tiny)
    work()
    run_id = store.create_run(tiny, steps=0)
    run = work()
    assert (run.status, run.step, run.planned_steps, run.message) == ("paused", 0, 40, "Paused at step 0.")
    assert store.metrics(run_id) == []
    assert [(info.step, info.full) for info in store.checkpoints(run_id)] == [(0, True)]
    store.command(run_id, "step", 1)
    assert (work().status, store.run(run_id).step) == ("paused", 1)
    store.command(run_id, "resume")
    assert work().status == "finished"
    assert losses(store, run_id) == losses(store, undisturbed)


def test_a_run_that_starts_paused_is_stepped_by_the_worker_that_lingers(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny, steps=0)
    lingering = Worker._wait_for_commands
    seen: list[int] = []

    def ask(worker: Worker) -> bool:
        seen.append(store.run(run_id).step)
        store.command(run_id, "step", 1) if len(seen) < 4 else store.command(run_id, "stop")
        return lingering(worker)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "_wait_for_commands", ask)
        assert work(linger=30.0).status == "stopped"
    assert seen == [0, 1, 2, 3]
    assert {0, 1, 2} <= {info.step for info in store.checkpoints(run_id)}


def test_a_finished_run_goes_on_from_its_end_by_the_steps_asked_for(store: Store, tiny: Config, work: Work) -> None:
    """At a constant rate its losses are those of a run that was planned so long."""
    longer = store.create_run(tiny.with_values(schedule="constant", steps=51, evaluations=4))
    work()
    run_id = store.create_run(tiny.with_values(schedule="constant"))
    work()
    for steps, end in ((1, 41), (10, 51)):
        store.command(run_id, "step", steps)
        run = work()
        assert (run.status, run.step, run.planned_steps, run.why) == ("finished", end, end, "steps")
        assert run.message == f"Completed {end} steps."
        assert store.evaluations(run_id)[-1].step == end
        assert store.checkpoints(run_id)[-1].full
    ours = {row.step: row.grad_norm for row in store.metrics(run_id)}
    theirs = {row.step: row.grad_norm for row in store.metrics(longer)}
    assert set(ours) == set(theirs) == set(range(1, 52))
    assert ours == theirs


@pytest.mark.usefixtures("at_every_event")
def test_a_run_that_goes_on_from_its_end_survives_a_crash_on_the_way(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny)
    work()
    store.command(run_id, "step", 10)

    def crash() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(once(44, crash))
    store.interrupt({run_id: 2}, "killed")
    store.command(run_id, "resume")
    run = work()
    assert (run.status, run.step) == ("finished", 50)


@pytest.mark.usefixtures("at_every_event")
def test_what_happened_to_a_run_says_who_did_it(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny, owner="ann")
    assert work(once(5, lambda: store.command(run_id, "pause", by="ann"))).status == "paused"
    assert store.run(run_id).message.startswith("Paused by its owner at step")
    store.command(run_id, "resume", by="ann")
    work(once(20, lambda: store.command(run_id, "stop", by="ann")))
    assert store.run(run_id).message.startswith("Stopped by its owner at step")
    store.command(run_id, "resume")
    store.command(run_id, "learning_rate", 0.005, by="ann")
    work(once(30, lambda: store.command(run_id, "stop")))
    assert store.run(run_id).message.startswith("Stopped at step"), "by the app itself"
    (mark,) = [change for change in store.changes(run_id) if change.key == "learning_rate"]
    assert (mark.value, mark.text) == (0.005, "by its owner")


@pytest.mark.usefixtures("at_every_event")
def test_a_run_that_diverged_says_who_had_set_its_learning_rate(
    store: Store, tiny: Config, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.training.divergence.MARGIN", -100.0)  # every step is a bad one
    run_id = store.create_run(tiny.with_values(steps=200), owner="ann")
    run = work(once(10, lambda: store.command(run_id, "learning_rate", 0.5, by="ann")))
    assert run.status == "diverged"
    assert run.message.endswith("The learning rate had been changed to 0.5 at step 10, by its owner.")


@pytest.mark.usefixtures("at_every_event")
def test_stopping_saves_and_a_stopped_run_can_go_on(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny)
    run = work(once(7, lambda: store.command(run_id, "stop")))
    assert run.status == "stopped"
    assert store.checkpoints(run_id)[-1].full
    store.command(run_id, "resume")
    assert work().status == "finished"


@pytest.mark.usefixtures("at_every_event")
def test_a_setting_is_changed_marked_and_saved(store: Store, tiny: Config, work: Work) -> None:
    config = tiny.with_values(schedule="constant")
    run_id = store.create_run(config)
    work(once(10, lambda: store.command(run_id, "learning_rate", 0.005)))
    (mark,) = [change for change in store.changes(run_id) if change.key == "learning_rate"]
    assert mark.value == 0.005
    assert 10 <= mark.step < 40
    rates = {row.step: row.learning_rate for row in store.metrics(run_id)}
    assert rates[mark.step] == pytest.approx(0.01)
    assert rates[mark.step + 1] == pytest.approx(0.005)
    last = Checkpoint.from_bytes(store.checkpoint(run_id, 40))
    assert last.changes == ((mark.step, "learning_rate", 0.005),)


@pytest.mark.usefixtures("at_every_event")
def test_a_setting_out_of_range_is_refused_and_the_run_goes_on(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny)
    assert work(once(3, lambda: store.command(run_id, "learning_rate", 1e9))).status == "finished"
    (refused,) = [change for change in store.changes(run_id) if change.key == "refused"]
    assert "learning_rate" in refused.text


@pytest.mark.usefixtures("at_every_event")
def test_a_crash_goes_on_from_the_newest_full_checkpoint_and_another_change_rewrites_what_came_after(
    store: Store, tiny: Config, work: Work
) -> None:
    run_id = store.create_run(tiny)

    class Crash(BaseException):
        """Ends the worker where it stands, as a kill does."""

    def crash() -> None:
        raise Crash

    def after_flush(worker: Worker) -> None:
        if worker.runs[run_id].training.step >= 33:
            worker.recorder.flush()
            crash()

    with pytest.raises(Crash):
        work(after_flush)
    assert store.run(run_id).step == 33
    full = [info.step for info in store.checkpoints(run_id) if info.full][-1]
    assert full < 33
    store.interrupt({run_id: 1}, "killed")
    store.command(run_id, "resume")
    store.command(run_id, "learning_rate", 0.001)
    assert work().status == "finished"
    steps = [row.step for row in store.metrics(run_id)]
    assert steps == list(range(1, 41))
    assert store.run(run_id).rewritten > 0
    (mark,) = [change for change in store.changes(run_id) if change.key == "learning_rate"]
    assert mark.step == full


def test_being_told_to_end_saves_and_says_so(store: Store, tiny: Config, work: Work) -> None:
    run_id = store.create_run(tiny)

    def tell(worker: Worker) -> None:
        worker.end_requested = worker.runs[run_id].training.step >= 9

    run = work(tell)
    assert run.status == "interrupted"
    assert "ended at step 9" in run.message
    assert store.checkpoints(run_id)[-1].full
    store.command(run_id, "resume")
    assert work().status == "finished"


def test_a_run_that_comes_apart_says_why_and_what_to_do(store: Store, tiny: Config, work: Work) -> None:
    config = tiny.with_values(learning_rate=1000.0, clip="off", optimizer="sgd", steps=400, gain=20.0)
    store.create_run(config)
    run = work()
    assert run.status == "diverged"
    assert run.message
    assert run.suggestion
    config.with_values(**{name.replace(".", "__"): value for name, value in run.suggestion.items()})


def test_a_race_reads_the_same_batches_in_step(store: Store, tiny: Config, work: Work) -> None:
    ids = store.create_race([tiny, tiny, tiny.with_values(cell="gru", learning_rate=0.001)])
    apart: list[int] = []

    def watch(worker: Worker) -> None:
        steps = [loaded.training.step for loaded in worker.runs.values()]
        apart.append(max(steps) - min(steps))

    work(watch)
    assert {store.run(run_id).status for run_id in ids} == {"finished"}
    assert losses(store, ids[0]) == losses(store, ids[1]), "equal configs of one race train equally"
    assert max(apart) <= 1
    alone = store.create_run(tiny.with_values(cell="gru", learning_rate=0.001))
    work()
    assert losses(store, ids[2]) == losses(store, alone), "a race changes nothing in its runs"


@pytest.mark.usefixtures("at_every_event")
def test_the_runs_of_a_race_share_the_analysis_of_their_text(
    store: Store, tiny: Config, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Corpus] = []

    def slow_facts(corpus: Corpus) -> TextFacts:
        asked.append(corpus)
        time.sleep(0.2)  # so that the second run asks before the first is answered
        return text_facts(corpus)

    monkeypatch.setattr(worker_module, "text_facts", slow_facts)
    ids = store.create_race([tiny, tiny.with_values(cell="gru")])
    work()
    assert len(asked) == 1
    assert {store.run(run_id).text_facts for run_id in ids} == {text_facts(asked[0])}


def test_a_race_is_paused_together_and_goes_on_when_one_has_ended(store: Store, tiny: Config, work: Work) -> None:
    short, long = store.create_race([tiny.with_values(steps=10), tiny])
    assert work(once(5, lambda: store.command(long, "pause"))).status == "paused"
    assert {store.run(run_id).status for run_id in (short, long)} == {"paused"}
    store.command(short, "resume")
    work(once(20, lambda: store.command(short, "pause")))
    assert (store.run(short).status, store.run(long).status) == ("finished", "paused")
    store.command(long, "resume")
    work()
    assert store.run(long).status == "finished"


def test_a_branch_starts_from_its_parents_weights(store: Store, tiny: Config, work: Work) -> None:
    parent = store.create_run(tiny)
    work()
    branch = store.create_run(tiny.with_values(learning_rate=0.001), parent=(parent, 16))
    work()
    first = Checkpoint.from_bytes(store.checkpoint(branch, 0))
    origin = Checkpoint.from_bytes(store.checkpoint(parent, 16))
    assert all((first.part("model")[name] == tensor).all() for name, tensor in origin.part("model").items())
    assert store.run(branch).status == "finished"
    assert store.run(branch).parent == (parent, 16)


def test_an_own_text_is_trained_on(store: Store, tiny: Config, work: Work) -> None:
    digest = store.put_text("to be or not to be, that is the question. " * 20)
    store.create_run(tiny.with_values(corpus=f"own:{digest}"))
    assert work().status == "finished"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"corpus": "own:" + "0" * 64}, "paste or upload it again"),
        ({"corpus": "nothing of ours"}, "nothing of ours"),
        ({"streams": 1000}, "streams"),
        ({"cell": "transformer"}, "transformer"),
    ],
)
def test_a_run_that_cannot_be_trained_says_why(store: Store, tiny: Config, work: Work, values: dict, said: str) -> None:
    store.create_run(tiny.with_values(**values))
    run = work()
    assert run.status == "failed"
    assert said in run.message
    assert run.resumable


def test_a_model_over_the_limit_is_refused(store: Store, tiny: Config, work: Work) -> None:
    store.create_run(tiny)
    run = work(max_parameters=5)
    assert run.status == "failed"
    assert "UNROLLED_MAX_PARAMETERS" in run.message


def test_a_fault_of_our_own_is_said_without_its_traceback(
    store: Store, tiny: Config, work: Work, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret path")

    monkeypatch.setattr(loading.engine, "train", fault)
    store.create_run(tiny)
    run = work()
    assert run.status == "failed"
    assert "ZeroDivisionError" in run.message
    assert "secret" not in run.message
    assert "a secret path" in caplog.text


def test_running_out_of_memory_is_said() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)  # more than any machine has
    for error in (MemoryError(), refused.value, RuntimeError("CUDA out of memory. Tried to allocate 20 MiB")):
        assert "Not enough memory" in explain(error)


def test_a_worker_whose_run_was_deleted_saves_it_and_it_can_come_back(
    store: Store, endless: Config, work: Work, at_every_event: None
) -> None:
    run_id = store.create_run(endless)
    with pytest.raises(RunNotFoundError, match="deleted"):
        work(once(5, lambda: store.delete_run(run_id)))
    assert store.runs() == []
    store.restore_run(run_id)
    run = store.run(run_id)
    assert (run.status, run.resumable) == ("stopped", True)
    assert store.checkpoints(run_id)[-1].step == run.step >= 5


def test_a_worker_whose_run_was_removed_ends_quietly(store: Store, endless: Config, work: Work) -> None:
    run_id = store.create_run(endless)
    other = store.create_run(endless, start=False)

    def remove() -> None:
        store.delete_run(run_id)
        store.purge(older_than=0)

    with pytest.raises(RunNotFoundError, match="no run"):
        work(once(5, remove))
    assert [run.id for run in store.runs()] == [other]
    assert store.blobs.size() == 0


def test_the_live_slot_is_filled_only_while_somebody_watches(
    store: Store, tiny: Config, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", 1e9)
    filled: list[int] = []
    put = store.put_live

    def note(run_id: str, checkpoint: Checkpoint, **kwargs: int) -> None:
        filled.append(checkpoint.step)
        put(run_id, checkpoint, **kwargs)

    monkeypatch.setattr(store, "put_live", note)
    store.watch(store.create_run(tiny))
    run = work()
    assert len(filled) > 3
    assert store.live(run.id) is None, "a run that has ended has no live weights"
    monkeypatch.setattr("playground.runs.store.artifacts.WATCHED_SECONDS", -1.0)
    filled.clear()
    store.create_run(tiny)
    work()
    assert filled == []


def test_writes_come_a_few_times_a_second_but_for_the_first_point(
    store: Store, tiny: Config, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    write_in_transaction = store.write_in_transaction

    def count(connection: Connection, entry: RunWrite) -> int:
        metrics = sum(isinstance(row, Metric) for row in entry.rows)
        if metrics:
            writes.append(metrics)
        return write_in_transaction(connection, entry)

    monkeypatch.setattr(store, "write_in_transaction", count)
    run_id = store.create_run(tiny.with_values(steps=300))
    started = time.monotonic()
    work()
    assert writes[0] == 1, "the first point is written at once"
    assert sum(writes) == len(store.metrics(run_id))
    assert len(writes) <= (time.monotonic() - started) / WRITE_SECONDS + 4, "and what evaluations and the end bring"
