from dataclasses import replace

import pytest

from engine.config import Config
from playground.runs.limits import check_config, check_quota, describe_storage, limit_usage
from playground.runs.records import LimitError, Storage
from playground.runs.settings import AppSettings
from playground.runs.store import Store


def plain(text: str) -> str:
    """`text` with ordinary spaces before its units."""
    return " ".join(text.split())


def test_a_config_within_the_limits_passes(settings: AppSettings, tiny: Config) -> None:
    check_config(settings, tiny, parameters=100)


@pytest.mark.parametrize(
    ("values", "name"),
    [({"steps": 1_000}, "UNROLLED_MAX_STEPS"), ({"training__seconds": 60.0}, "UNROLLED_MAX_SECONDS")],
)
def test_a_run_that_is_too_long_is_refused_by_the_name_of_the_limit(
    settings: AppSettings, tiny: Config, values: dict, name: str
) -> None:
    with pytest.raises(LimitError, match=name):
        check_config(replace(settings, max_steps=999, max_seconds=59.0), tiny.with_values(**values))


def test_a_model_that_is_too_large_is_refused(settings: AppSettings, tiny: Config) -> None:
    with pytest.raises(LimitError, match="UNROLLED_MAX_PARAMETERS"):
        check_config(replace(settings, max_parameters=99), tiny, parameters=100)


def test_a_visitor_has_only_so_many_runs(settings: AppSettings, store: Store, tiny: Config) -> None:
    few = replace(settings, max_runs_per_visitor=2)
    store.create_run(tiny, owner="ada")
    check_quota(few, store, "ada")
    check_quota(few, store, "bob", 2)
    with pytest.raises(LimitError, match="UNROLLED_MAX_RUNS_PER_VISITOR"):
        check_quota(few, store, "ada", 2)


def test_the_queue_has_an_end_but_idle_workers_take_runs_past_it(
    settings: AppSettings, store: Store, tiny: Config
) -> None:
    none = replace(settings, max_queue=0)
    store.register_trainer(1, "here", 0.0, 1)
    check_quota(none, store, "ada")
    store.create_run(tiny)
    with pytest.raises(LimitError, match="UNROLLED_MAX_QUEUE"):
        check_quota(none, store, "ada")


def test_a_model_that_takes_too_much_memory_is_refused(settings: AppSettings, tiny: Config) -> None:
    few = replace(settings, max_memory_mb=100)
    check_config(few, tiny, memory_bytes=100_000_000)
    with pytest.raises(LimitError, match=r"101\sMB.* 100\sMB .*UNROLLED_MAX_MEMORY_MB.*batch"):
        check_config(few, tiny, memory_bytes=101_000_000)


def test_a_full_store_starts_no_run_until_some_are_removed(settings: AppSettings, store: Store, tiny: Config) -> None:
    text = store.put_text("x" * 100_000)
    run_id = store.create_run(tiny.with_values(corpus=f"own:{text}"))
    store.max_bytes = store.storage().used
    with pytest.raises(LimitError, match=r"UNROLLED_MAX_STORE_MB\): delete runs"):
        check_quota(settings, store, "ada")
    store.delete_run(run_id)
    store.purge(older_than=0)
    check_quota(settings, store, "ada")


def test_limits_are_said_before_they_bite(settings: AppSettings, store: Store, tiny: Config) -> None:
    few = replace(settings, max_runs_per_visitor=5, max_memory_mb=300, workers=2)
    assert limit_usage(few, store, "ada").summary() == "", "what is far from its limit is not said in the short line"
    for _ in range(4):
        store.create_run(tiny, owner="ada")
    store.max_bytes = int(store.storage().used / 0.85)
    said = plain(limit_usage(few, store, "ada").summary())
    assert "4 of your 5 runs training or queued" in said
    assert "a run started now would be number 3 in the queue" in said, "two of the four have a worker each"
    assert "of storage left" in said
    store.max_bytes = store.storage().used
    assert "the store is full" in limit_usage(few, store, "ada").summary()


def test_every_limit_is_in_the_long_list(settings: AppSettings, store: Store) -> None:
    few = replace(
        settings, max_steps=111, max_seconds=120.0, max_parameters=333, max_memory_mb=444, max_queue=55,
        max_runs_per_visitor=6, workers=7,
    )  # fmt: skip
    store.max_bytes = 888_000_000
    said = plain(limit_usage(few, store, "ada").details())
    for part in (
        "111 steps",
        "333 parameters",
        "444 MB",
        "55 are queued",
        "at most 6 runs",
        "0 of 7 workers",
        "888 MB",
    ):
        assert part in said


def test_a_disk_with_less_room_than_the_limit_is_said() -> None:
    assert "10 MB are free on its disk" in plain(describe_storage(Storage(used=0, limit=10**9, free_disk=10**7)))
    assert "disk" not in plain(describe_storage(Storage(used=0, limit=10**9, free_disk=10**10)))
    assert "20 MB of it in deleted runs" in plain(
        describe_storage(Storage(used=10**8, limit=10**9, restorable=2 * 10**7))
    )
    assert "until some are deleted" in plain(describe_storage(Storage(used=10**9, limit=10**9)))
