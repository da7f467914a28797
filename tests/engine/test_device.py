"""Where a model computes, and from which random numbers."""

from __future__ import annotations

import sys

import pytest
import torch

from engine import device
from engine.config import ConfigError
from engine.device import arithmetic, choose_device, computes_in_bfloat16, derived_seed, generator, traits


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_takes_the_fastest_that_is_there(
    cuda: bool, mps: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, cuda=cuda, mps=mps)
    assert choose_device().type == chosen


def test_a_device_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=False, mps=False)
    for name in ("cuda", "mps"):
        with pytest.raises(ConfigError, match=f"no {name} device.*cpu or auto"):
            choose_device(name)
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "", "cuda:0", "CPU"])
def test_a_device_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="choose one of auto, cpu, cuda, mps"):
        choose_device(name)


def test_every_kind_of_device_has_traits() -> None:
    for name in ("cpu", "cuda", "mps", "xpu"):
        assert traits(torch.device(name)).steps_between_reads >= 1
    assert traits(torch.device("cpu")).steps_between_reads == 1


def test_seeds_of_different_purposes_differ() -> None:
    seeds = [derived_seed(*parts) for parts in [(1, "a"), (2, "a"), (1, "b"), (1, "a", 0), (1, "a", 1), (11, "a")]]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(1, "a") == seeds[0]


def test_a_derived_seed_stays_what_it_is_for_good() -> None:
    """Stored runs are continued from it."""
    assert derived_seed(1337, "weights") == 7_003_259_077_288_036_395


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_generators_are_their_own() -> None:
    one, other = generator(1, "dropout", 3), generator(1, "dropout", 4)
    drawn = torch.rand(3, generator=one)
    assert not torch.equal(drawn, torch.rand(3, generator=other))
    assert torch.equal(drawn, torch.rand(3, generator=generator(1, "dropout", 3)))


def test_products_are_in_bfloat16_only_where_asked_for() -> None:
    cpu = torch.device("cpu")
    values = torch.ones(2, 2)
    with arithmetic(cpu, "float32"):
        assert (values @ values).dtype == torch.float32
    with arithmetic(cpu, "bfloat16"):
        assert (values @ values).dtype == torch.bfloat16
    assert computes_in_bfloat16(cpu, "bfloat16")
    assert not computes_in_bfloat16(cpu, "float32")


@pytest.mark.parametrize("there", [True, False])
def test_auto_finds_out_whether_the_cpu_has_bfloat16(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: there)
    assert computes_in_bfloat16(torch.device("cpu"), "auto") is there
    assert not computes_in_bfloat16(torch.device("mps"), "auto")


def test_keeping_freed_memory_does_nothing_where_there_is_no_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(device.ctypes, "CDLL", lambda _: pytest.fail("looked for a C library"))
    device.keep_freed_memory()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(device.ctypes, "CDLL", lambda _: object())
    device.keep_freed_memory()
