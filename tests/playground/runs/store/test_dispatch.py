from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.config import Config
from playground.runs.records import RunNotFoundError, RunRefusedError, RunWrite
from playground.runs.store import Store
from playground.runs.store.dispatch import Claim


def claimed(store: Store) -> Claim:
    claim = store.claim("trainer")
    assert claim is not None
    return claim


def test_the_run_that_waits_longest_is_claimed_first(store: Store, tiny: Config) -> None:
    ids = [store.create_run(tiny) for _ in range(3)]
    assert [next(iter(claimed(store).numbers)) for _ in ids] == ids
    assert store.claim("trainer") is None
    assert {run.status for run in store.runs()} == {"running"}


def test_each_run_is_claimed_once_however_many_trainers_ask(store: Store, tiny: Config) -> None:
    ids = {store.create_run(tiny) for _ in range(12)}
    stores = [Store(store.url, store.starters) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda number: stores[number % 4].claim(f"trainer {number % 4}"), range(24)))
    got = [run_id for claim in claims if claim is not None for run_id in claim.numbers]
    assert len(got) == 12
    assert set(got) == ids


def test_a_race_is_claimed_whole_and_in_its_order(store: Store, tiny: Config) -> None:
    ids = store.create_race([tiny, tiny, tiny])
    assert list(claimed(store).numbers) == ids


def test_the_queue_says_who_is_busy_and_who_waits_where(store: Store, tiny: Config) -> None:
    store.register_trainer(1, "here", 0.0, 2)
    first, second, third = (store.create_run(tiny) for _ in range(3))
    claimed(store)
    state = store.queue_state()
    assert (state.workers, state.busy, state.waiting) == (2, 1, (second, third))
    assert (state.place(third), state.place(first)) == (2, None)


def test_a_run_without_a_worker_obeys_at_once(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    for kind, status in (("pause", "paused"), ("resume", "queued"), ("stop", "stopped"), ("step", "queued")):
        store.command(run_id, kind)
        assert store.run(run_id).status == status
    assert store.steps_wanted(run_id) == 1
    store.command(run_id, "resume")
    assert store.steps_wanted(run_id) is None
    assert [change.key for change in store.changes(run_id)] == ["paused", "queued", "stopped", "queued"]


def test_asking_for_what_is_so_already_changes_nothing(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny, start=False)
    store.command(run_id, "pause")
    store.command(run_id, "pause")
    assert store.run(run_id).status == "paused"
    assert store.changes(run_id) == []


def test_a_run_with_a_worker_gets_a_command(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    claimed(store)
    store.command(run_id, "pause")
    store.command(run_id, "learning_rate", 0.5)
    assert [(command.kind, command.value) for command in store.commands([run_id])] == [
        ("pause", None),
        ("learning_rate", 0.5),
    ]
    assert store.run(run_id).status == "running"
    store.delete_commands([run_id], store.commands([run_id])[0].id)
    assert [command.kind for command in store.commands([run_id])] == ["learning_rate"]


def test_command_numbers_are_never_used_again(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    claimed(store)
    store.command(run_id, "pause")
    (first,) = store.commands([run_id])
    store.delete_commands([run_id], first.id)
    store.command(run_id, "resume")
    assert [command.kind for command in store.commands([run_id], after=first.id)] == ["resume"]


def test_a_changed_setting_waits_for_the_worker_and_orders_of_the_past_do_not(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.command(run_id, "clip_threshold", 0.0)
    claimed(store)
    store.command(run_id, "pause")
    store.interrupt({run_id: 1}, "crashed")
    assert store.run(run_id).status == "interrupted"
    store.command(run_id, "resume")
    claimed(store)
    assert [command.kind for command in store.commands([run_id])] == ["clip_threshold"]


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("explode", None, "no command"),
        ("learning_rate", None, "positive number"),
        ("learning_rate", float("nan"), "positive number"),
        ("clip_threshold", -1.0, "0 for off"),
        ("step", 0, "from 1 to"),
    ],
)
def test_commands_that_cannot_be_are_refused(
    store: Store, tiny: Config, kind: str, value: float | None, said: str
) -> None:
    with pytest.raises(RunRefusedError, match=said):
        store.command(store.create_run(tiny), kind, value)


def test_a_finished_run_is_not_resumed_and_a_diverged_one_does_not_go_on(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, status="finished")
    for kind, value in (("resume", None), ("learning_rate", 0.1)):
        with pytest.raises(RunRefusedError, match="has finished"):
            store.command(run_id, kind, value)
    store.command(run_id, "stop")
    assert store.run(run_id).status == "finished"
    store.record(run_id, status="diverged")
    with pytest.raises(RunRefusedError, match="diverged"):
        store.command(run_id, "step", 1)
    with pytest.raises(RunNotFoundError):
        store.command("nowhere", "stop")


def test_a_finished_run_goes_on_step_by_step(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, status="finished", why="steps")
    store.command(run_id, "step", 10)
    assert (store.run(run_id).status, store.run(run_id).why) == ("queued", "")
    assert store.steps_wanted(run_id) == 10


def test_a_race_goes_on_from_its_end_only_when_all_of_it_has_ended(store: Store, tiny: Config) -> None:
    first, second = store.create_race([tiny, tiny])
    store.record(first, status="finished")
    store.record(second, status="paused")
    store.command(first, "step", 1)
    assert [store.run(run).status for run in (first, second)] == ["finished", "queued"]
    store.record(second, status="finished")
    store.command(first, "step", 1)
    assert [store.run(run).status for run in (first, second)] == ["queued", "queued"]


COMMANDS = (
    ("pause", None),
    ("resume", None),
    ("step", 1),
    ("stop", None),
    ("learning_rate", 100),
    ("clip_threshold", 0),
)


@pytest.mark.parametrize(("kind", "value"), COMMANDS)
@pytest.mark.parametrize("claim", [False, True], ids=["waits", "trains"])
def test_only_its_owner_commands_a_run(store: Store, tiny: Config, kind: str, value: float | None, claim: bool) -> None:
    run_id = store.create_run(tiny, owner="ann")
    if claim:
        claimed(store)
    before = store.run(run_id)
    with pytest.raises(RunRefusedError, match="belongs to another visitor"):
        store.command(run_id, kind, value, by="bob")
    assert store.run(run_id) == before
    assert store.commands([run_id]) == []
    store.command(run_id, kind, value, by="ann")


def test_a_run_that_nobody_owns_is_everybodys(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.command(run_id, "stop", by="bob")
    assert store.run(run_id).message == "Stopped by a visitor at step 0."


def test_a_stranger_commands_no_race_through_the_one_run_of_it_that_is_theirs(store: Store, tiny: Config) -> None:
    first, second = store.create_race([tiny, tiny], owner="ann")
    store.record(second, owner="bob")
    with pytest.raises(RunRefusedError, match="belongs to another visitor"):
        store.command(second, "stop", by="bob")
    assert store.run(first).status == "queued"


def test_a_command_says_who_asked(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny, owner="ann")
    store.command(run_id, "pause", by="ann")
    assert store.run(run_id).message == "Paused by its owner before training began."
    store.command(run_id, "stop")
    assert store.run(run_id).message == "Stopped at step 0.", "the app itself"
    store.command(run_id, "resume", by="ann")
    claimed(store)
    store.command(run_id, "learning_rate", 0.5, by="ann")
    store.command(run_id, "stop")
    assert [(command.kind, command.actor) for command in store.commands([run_id])] == [
        ("learning_rate", "its owner"),
        ("stop", ""),
    ]


def test_a_race_is_paused_and_resumed_together(store: Store, tiny: Config) -> None:
    first, second = store.create_race([tiny, tiny])
    store.command(second, "pause")
    assert {run.status for run in store.runs()} == {"paused"}
    store.command(first, "resume")
    assert store.queue_state().waiting == (first, second)


def test_a_worker_does_not_let_go_when_something_was_asked_meanwhile(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    number = claimed(store).numbers[run_id]
    entry = RunWrite(run_id, columns={"status": "paused"}, claim=number)
    store.command(run_id, "resume")
    assert not store.release([entry], after=0)
    (command,) = store.commands([run_id])
    store.delete_commands([run_id], command.id)
    assert store.release([entry], after=command.id)
    assert store.run(run_id).status == "paused"
    store.command(run_id, "resume")
    assert store.run(run_id).status == "queued"


def test_what_was_asked_of_a_worker_that_died_is_done_without_it(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    number = claimed(store).numbers[run_id]
    store.record(run_id, status="paused", claim=number)
    store.command(run_id, "resume")
    assert store.interrupt({run_id: number}, "killed") == [run_id]
    assert store.run(run_id).status == "queued"
    assert store.commands([run_id]) == []


def test_only_the_runs_that_a_dead_worker_still_had_are_marked(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    old = claimed(store)
    store.release([RunWrite(run_id, columns={"status": "paused"}, claim=old.numbers[run_id])])
    store.command(run_id, "resume")
    new = claimed(store)
    assert store.interrupt(old.numbers, "killed") == []
    assert store.run(run_id).status == "running"
    assert store.interrupt(new.numbers, "Interrupted: killed.") == [run_id]
    run = store.run(run_id)
    assert (run.status, run.message, run.resumable) == ("interrupted", "Interrupted: killed.", True)
    assert run.ended is not None


def test_striking_a_trainer_off_marks_what_it_had(store: Store, tiny: Config) -> None:
    trainer = store.register_trainer(1, "here", 0.0, 2)
    run_id = store.create_run(tiny)
    store.claim(trainer)
    assert store.heartbeat(trainer)
    assert store.unregistered_trainers() == []
    assert store.remove_trainer(trainer, "gone") == [run_id]
    assert not store.heartbeat(trainer)
    assert store.trainers() == []
    assert store.run(run_id).status == "interrupted"


def test_runs_of_a_trainer_nobody_knows_are_found(store: Store, tiny: Config) -> None:
    store.create_run(tiny)
    claimed(store)
    assert store.unregistered_trainers() == ["trainer"]
