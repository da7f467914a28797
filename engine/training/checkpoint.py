"""Checkpoints: a run at one step, as safetensors with a JSON header. Never pickle.

Two kinds. *Weights* can be looked into, sampled from and branched from. *Full* ones also hold the
optimiser and the carried state, and continuing from them repeats the undisturbed run bit for bit
(random numbers and the place in the text are functions of the step, so they need not be stored).
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from engine.config import Config, ConfigError

FORMAT = 1
CHECKPOINT_LIMIT = 40
"""Checkpoints kept of one run."""

_HEADER = "unrolled"
_MAX_HEADER_BYTES = 8_000_000


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or does not belong; the message says which and what to do."""


@dataclass(frozen=True)
class Best:
    """The lowest validation loss so far, and the evaluations in a row since without a lower one."""

    step: int = 0
    loss: float = math.inf
    since: int = 0
    compared: float = math.inf
    """the same loss over the tokens that every evaluation of the run reads: what decides which is lower"""

    def after(self, step: int, loss: float, compared: float) -> Best:
        """The best once the evaluation at `step` gave `loss`; one that is not finite is never the best."""
        if compared < self.compared:
            return Best(step, loss, 0, compared)
        return replace(self, since=self.since + 1)


@dataclass(frozen=True)
class Checkpoint:
    """A run at one step.

    `tensors` holds, by prefix: `model.` the weights, `average.` their running average, and in full
    checkpoints `optimizer.` and `state.` (the carried state, (streams, units) each).
    """

    step: int
    full: bool
    config: Config
    corpus_sha256: str
    vocabulary: str
    """the vocabulary as JSON, so that a checkpoint can be used without its corpus"""
    planned_steps: int
    extended_to: int = 0
    """the step at which a run ends that went on after its end; 0 for one that did not"""
    seconds: float = 0.0
    train_seconds: float = 0.0
    evaluated_at: int = 0
    """the last step at which an evaluation was finished"""
    val_loss: float | None = None
    """the loss that it gave"""
    steps_above: int = 0
    """updates in a row whose loss was far above a uniform guess"""
    sums: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """losses added up and not reported yet (see `Meters.sums`)"""
    best: Best = field(default_factory=Best)
    changes: tuple[tuple[int, str, float], ...] = ()
    tensors: Mapping[str, Tensor] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under `prefix`, without it."""
        start = f"{prefix}."
        return {name[len(start) :]: tensor for name, tensor in self.tensors.items() if name.startswith(start)}

    def weights(self) -> dict[str, Tensor]:
        """The weights to look into: the running average where the run keeps one."""
        return self.part("average") or self.part("model")

    def weights_only(self, half: bool = False) -> Checkpoint:
        """The same step without what only continuing needs; in half precision if asked."""
        kept = self.weights()
        if half:
            kept = {name: tensor.half() for name, tensor in kept.items()}
        return replace(self, full=False, tensors={f"model.{name}": tensor for name, tensor in kept.items()})

    def to_bytes(self) -> bytes:
        """This checkpoint as one safetensors file."""
        header = {
            "format": FORMAT,
            "step": self.step,
            "full": self.full,
            "config": self.config.to_dict(),
            "corpus_sha256": self.corpus_sha256,
            "vocabulary": self.vocabulary,
            "planned_steps": self.planned_steps,
            "extended_to": self.extended_to,
            "seconds": self.seconds,
            "train_seconds": self.train_seconds,
            "evaluated_at": self.evaluated_at,
            "val_loss": self.val_loss,
            "steps_above": self.steps_above,
            "sums": list(self.sums),
            "best": _plain_best(self.best),
            "changes": [list(change) for change in self.changes],
        }
        tensors = {name: tensor.contiguous() for name, tensor in self.tensors.items()}
        return save(tensors, metadata={_HEADER: json.dumps(header)})

    @classmethod
    def from_bytes(cls, raw: bytes) -> Checkpoint:
        """The checkpoint in `raw`.

        Raises:
            CheckpointError: not safetensors, no header of ours, a newer format, or a header that does not fit.
        """
        header, tensors = _read(raw)
        if header.get("format") != FORMAT:
            raise CheckpointError(
                f"This checkpoint has format {header.get('format')!r}; this version of Unrolled reads format {FORMAT}: "
                "update Unrolled."
            )
        try:
            return cls(
                step=_count(header["step"]),
                full=_exactly(bool, header["full"]),
                config=Config.from_dict(header["config"]),
                corpus_sha256=_exactly(str, header["corpus_sha256"]),
                vocabulary=_exactly(str, header["vocabulary"]),
                planned_steps=_count(header["planned_steps"]),
                extended_to=_count(header.get("extended_to", 0)),
                seconds=float(header["seconds"]),
                train_seconds=float(header["train_seconds"]),
                evaluated_at=_count(header["evaluated_at"]),
                val_loss=None if header.get("val_loss") is None else float(header["val_loss"]),
                steps_above=_count(header["steps_above"]),
                sums=_sums(header["sums"]),
                best=_best(header["best"]),
                changes=tuple(map(_change, header["changes"])),
                tensors=tensors,
            )
        except ConfigError as error:
            raise CheckpointError(f"This checkpoint's config is invalid: {error}") from None
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"This checkpoint's header is damaged ({error!r}): use another checkpoint.") from None


Plain = TypeVar("Plain")


def _exactly(kind: type[Plain], value: Any) -> Plain:
    if type(value) is not kind:
        raise TypeError(f"{reprlib.repr(value)} instead of {kind.__name__}")
    return value


def _count(value: Any) -> int:
    if _exactly(int, value) < 0:
        raise ValueError(f"{value} where no negative number is allowed")
    return value


def _sums(values: Any) -> tuple[float, float, float, float]:
    first, second, third, fourth = map(float, values)
    return first, second, third, fourth


def _plain_best(best: Best) -> list[Any]:
    # JSON has no infinity: a run that was never evaluated has no best loss
    loss, compared = (value if math.isfinite(value) else None for value in (best.loss, best.compared))
    return [best.step, loss, best.since, compared]


def _best(values: Any) -> Best:
    # one of an older Unrolled holds no fourth: every evaluation read the same tokens
    step, loss, since, *compared = values or (0, None, 0)
    (compared_loss,) = compared or (loss,)
    return Best(_count(step), _loss(loss), _count(since), _loss(compared_loss))


def _loss(value: Any) -> float:
    return math.inf if value is None else float(value)


def _change(values: Any) -> tuple[int, str, float]:
    step, key, value = values
    return _count(step), _exactly(str, key), float(value)


def _read(raw: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    length = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or length > min(len(raw) - 8, _MAX_HEADER_BYTES):
        raise CheckpointError("This file is not a safetensors checkpoint, or it is truncated: save it again.")
    try:
        described = json.loads(raw[8 : 8 + length]).get("__metadata__", {})
        header = json.loads(described[_HEADER])
        tensors = load(raw)
    except KeyError:
        raise CheckpointError("This safetensors file was not written by Unrolled: it contains no run.") from None
    except (SafetensorError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise CheckpointError(f"This checkpoint is damaged ({error}): use another one.") from None
    if not isinstance(header, dict):
        raise CheckpointError("This checkpoint is damaged (its header is not a JSON object): use another one.")
    return header, tensors


def keep(
    steps: Iterable[int], newest: int, best: int | None, limit: int = CHECKPOINT_LIMIT, required: Iterable[int] = ()
) -> set[int]:
    """Which of `steps` to keep when at most `limit` may stay: log-spaced, with the first, last, newest and best.

    The one whose neighbours are nearest to each other on a log scale goes first; `required` ones never go.
    """
    kept = sorted(set(steps))
    fixed = {kept[0] if kept else 0, newest, best, *required}
    while len(kept) > limit:
        candidates = [i for i in range(1, len(kept) - 1) if kept[i] not in fixed]
        if not candidates:
            break
        kept.pop(min(candidates, key=lambda i: (kept[i + 1] + 1) / (kept[i - 1] + 1)))
    return set(kept)
