"""Where a model computes, with how many threads, and from which random numbers.

All that differs between devices is decided here. Random numbers are never drawn from torch's global
generator: each purpose has its own, derived from the run's seed, so that a run is a function of its
config and its steps, and the caller's random state stays as it was.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from engine.config import ConfigError

# Parameters of mallopt(3), from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

_OUT_OF_MEMORY = re.compile(
    r"out of memory|not enough memory|can(no|')t allocate memory|bad_alloc|bad allocation", re.I
)

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class DeviceTraits:
    """What the training loop does differently on a kind of device."""

    fused_optimizer: bool
    """whether torch has one-kernel optimiser updates there"""
    steps_between_reads: int
    """reading a loss waits for an asynchronous device; this many steps go by between two reads"""


_TRAITS = {
    "cpu": DeviceTraits(fused_optimizer=True, steps_between_reads=1),
    "cuda": DeviceTraits(fused_optimizer=True, steps_between_reads=10),
    "mps": DeviceTraits(fused_optimizer=False, steps_between_reads=10),
}


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: no such device, or it is not present on this machine.
    """
    if name not in DEVICES:
        raise ConfigError(f"There is no device {name!r}; choose one of {', '.join(DEVICES)}.")
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if present[kind]))
    if not present[name]:
        raise ConfigError(f"This machine has no {name} device that torch can use: choose cpu or auto.")
    return torch.device(name)


def traits(device: torch.device) -> DeviceTraits:
    """What is particular to this kind of device."""
    return _TRAITS.get(device.type, _TRAITS["mps"])


def derived_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose of a run, such as ("dropout", step); independent between purposes."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *purpose: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for one purpose of a run."""
    return torch.Generator(device).manual_seed(derived_seed(seed, *purpose))


def keep_freed_memory() -> None:
    """Let the C library keep large freed blocks instead of giving them back to the kernel after every update.

    Each update frees and takes the same few large tensors; with glibc's defaults every one of them is unmapped and
    faulted in again, page by page. It concerns the whole process, so only our own (the shell, a training worker) ask
    for it. Where the C library is another one, nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def computes_in_bfloat16(device: torch.device, precision: str) -> bool:
    """Whether products are done in bfloat16: when asked for, and under "auto" where the machine has it built in."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def arithmetic(device: torch.device, precision: str) -> AbstractContextManager:
    """The context in which a forward pass runs, for the precision a run asks for."""
    enabled = computes_in_bfloat16(device, precision)
    return torch.autocast(device.type, torch.bfloat16) if enabled else nullcontext()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that an allocation failed: Python's own, torch's on any device, the system's."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error)) is not None
