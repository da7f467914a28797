"""Trains the starter runs that ship with the code, and checks that they can be reproduced.

    python -m playground.runs.starters make [ID ...]     train and write them (all, or these)
    python -m playground.runs.starters check [ID ...]    train again and compare

Each is trained on one thread with a fixed seed: bit for bit the same on one machine, and within
`TOLERANCE` of the validation loss on another. `check` says which of the two it found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import engine
from engine.analysis.hypotheses import hypothesis
from engine.analysis.labelled_text import split_texts
from engine.analysis.unit_search import find_units
from engine.config import Config
from engine.training.checkpoint import Checkpoint, keep
from engine.training.events import Diverged, Evaluated, Finished, Planned, Progress, Sampled, Saved, TextRead
from playground.runs.records import FINISHED, CheckpointInfo, Finding, Run
from playground.runs.settings import ROOT
from playground.runs.store import Store
from playground.runs.store.starter_files import (
    FOLDER,
    ORDER,
    StarterRun,
    StarterRuns,
    checkpoint_name,
    run_to_plain,
    to_columns,
)
from playground.runs.trainer.recorder import Recorder, end_of_run

TOLERANCE = 0.02
"""Nats per token by which the validation loss may differ on another machine."""

MAX_BYTES = 10_000_000
"""All starter runs together."""

CHECKPOINTS = {"tales-lstm": 12, "tales-gru": 9, "tales-rnn": 9, "tales-words": 10}
FEW_CHECKPOINTS = 18
"""Checkpoints of each, and of a small one: fewer than other runs keep, to keep the repository small."""

# Large and regularised enough that a unit learns to tell the inside of a quotation: with 64 units, or without dropout,
# none does.
TALES = Config().with_values(
    corpus="tales",
    units=160,
    embedding=32,
    forget_bias=2.0,
    input_dropout=0.1,
    dropout=0.3,
    weight_decay=0.1,
    streams=8,
    chunk=256,
    steps=6_000,
    warmup=100,
    learning_rate=4e-3,
    evaluations=20,
    sampling__length=300,
)

STARTERS: Mapping[str, tuple[str, Config]] = {
    "tales-lstm": ("LSTM on Tales", TALES),
    "tales-gru": ("GRU on Tales", TALES.with_values(cell="gru")),
    "tales-rnn": ("RNN on Tales", TALES.with_values(cell="rnn")),
    "hello-rnn": (
        "hello, with three units",
        Config().with_values(
            corpus="hello",
            cell="rnn",
            units=3,
            embedding=0,
            bias=False,
            streams=1,
            chunk=4,
            steps=500,
            warmup=0,
            schedule="constant",
            learning_rate=0.02,
            evaluations=12,
            sampling__prompt="h",
            sampling__length=4,
            sampling__temperature=0.0,
        ),
    ),
    "tales-words": (
        "LSTM on Tales, word by word",
        TALES.with_values(
            level="word",
            vocabulary_limit=1_000,
            units=64,
            forget_bias=3.0,
            input_dropout=0.0,
            dropout=0.2,
            weight_decay=0.0,
            chunk=64,
            learning_rate=5e-3,
            steps=1_500,
            evaluations=16,
            sampling__length=80,
        ),
    ),
}


TELLS: Mapping[str, Sequence[str]] = {"tales-lstm": ("quotes",), "tales-words": ("quotes", "line-position")}
"""Hypotheses whose best unit ships with a name, by run; one that is not clearly above its baseline does not."""

_SEARCHED = 100_000


def make(run_id: str, folder: Path) -> StarterRun:
    """Train a starter run and write it to `folder`/`run_id`, replacing what is there."""
    title, config = STARTERS[run_id]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(f"sqlite:///{scratch}/store.sqlite", StarterRuns(Path(scratch)))
        kept = _train(store, title, config)
        target = folder / run_id
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _write(store, kept, target)
        store.close()
    return StarterRun(target)


def _train(store: Store, title: str, config: Config) -> str:
    """Train in a store of its own, which thins the checkpoints like those of any run."""
    run_id = store.create_run(config, name=title)
    claim = store.claim("starters")
    assert claim is not None
    training = engine.train(config, device="cpu")
    recorder = Recorder(store, claim.numbers, training.corpus.train_text)
    for event in training.events():
        match event:
            case Saved():
                store.put_checkpoint(run_id, event.checkpoint)
            case Finished():
                columns, _ = end_of_run(event)
                recorder.add(run_id, corpus_sha256=training.corpus.sha256, **columns)
            case Diverged():
                raise SystemExit(f"{title} diverged at step {event.step}: {event.reason}")
            case Planned() | Progress() | TextRead() | Evaluated() | Sampled():
                recorder.record_event(run_id, event)
    recorder.flush()
    return run_id


def _write(store: Store, run_id: str, target: Path) -> None:
    """`run.json` and the checkpoints: weights alone, in half precision but for the last. Nobody can train a starter run
    on, only start a branch from it."""
    steps = [info.step for info in store.checkpoints(run_id)]
    infos = []
    most = CHECKPOINTS.get(target.name, FEW_CHECKPOINTS)
    for step in sorted(keep(steps, steps[-1], store.run(run_id).best_step, most)):
        checkpoint = Checkpoint.from_bytes(store.checkpoint(run_id, step)).weights_only(half=step != steps[-1])
        # durations cannot be reproduced
        raw = replace(checkpoint, seconds=0.0, train_seconds=0.0).to_bytes()
        (target / checkpoint_name(step)).write_bytes(raw)
        infos.append(CheckpointInfo(step, False, len(raw), hashlib.sha256(raw).hexdigest()))
    plain = {
        "run": _starter_fields(store.run(run_id), target.name),
        "metrics": to_columns(store.metrics(run_id)),
        "evaluations": to_columns(store.evaluations(run_id)),
        "samples": to_columns(store.samples(run_id)),
        "checkpoints": to_columns(infos),
        "findings": to_columns(findings(Checkpoint.from_bytes(raw), TELLS.get(target.name, ()))),
    }
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=True)
    (target / "run.json").write_text(text + "\n", encoding="utf-8")


def findings(checkpoint: Checkpoint, hypotheses: Sequence[str]) -> list[Finding]:
    """The best unit for each hypothesis, with its score and the baseline, where it is clearly above that."""
    model, vocabulary = engine.restored(checkpoint)
    found = []
    for name in hypotheses:
        asked = hypothesis(name)
        fit, held_out = split_texts(engine.prepare(checkpoint.config.data, vocabulary=vocabulary), asked, _SEARCHED)
        search = find_units(model, fit, held_out, asked)
        best = search.best
        if search.found:
            named = Finding(best.layer, best.unit, best.quantity, asked.title, name, best.score, search.baseline)
            found.append(replace(named, step=checkpoint.step))
    return sorted(found, key=lambda one: one.place)


def _starter_fields(run: Run, run_id: str) -> dict[str, Any]:
    plain = run_to_plain(replace(run, id=run_id, status=FINISHED, starter=True))
    for name in ("version", "rewritten", "live_step", "parent", "race", "spark", "deleted"):
        del plain[name]
    return plain


def check(run_id: str, folder: Path) -> tuple[bool, str]:
    """Train a starter run again and compare; whether it is close enough, and a sentence on it."""
    kept = StarterRun(folder / run_id)
    with tempfile.TemporaryDirectory() as scratch:
        again = make(run_id, Path(scratch))
        same = _weights(kept) == _weights(again)
        if same:
            return True, "bit for bit the same"
        before, now = kept.run.val_loss, again.run.val_loss
        assert before is not None
        assert now is not None
        close = abs(before - now) <= TOLERANCE
        verdict = "close enough for another machine" if close else f"more than {TOLERANCE} apart"
        return close, f"validation loss {before:.4f} kept, {now:.4f} made again: {verdict}"


def _weights(run: StarterRun) -> list[tuple[int, bytes]]:
    from safetensors.torch import save

    infos = run.rows(CheckpointInfo)
    return [(info.step, save(Checkpoint.from_bytes(run.checkpoint(info.step)).part("model"))) for info in infos]


def size(folder: Path) -> int:
    """Bytes of all starter runs."""
    return sum(path.stat().st_size for path in folder.glob("*/*"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make or check; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m playground.runs.starters", description="The starter runs.")
    parser.add_argument("action", choices=("make", "check"))
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"which: {', '.join(ORDER)} (default: all)")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.ids) - set(STARTERS))
    if unknown:
        parser.error(f"there is no starter run {', '.join(unknown)}; choose from {', '.join(ORDER)}")
    good = True
    for run_id in given.ids or ORDER:
        started = time.perf_counter()
        if given.action == "make":
            run = make(run_id, FOLDER).run
            said = f"{run.parameters:,} parameters, {run.step:,} steps, validation loss {run.val_loss:.4f}"
        else:
            close, said = check(run_id, FOLDER)
            good = good and close
        sys.stdout.write(f"{run_id}: {said} ({time.perf_counter() - started:.0f} s)\n")
        sys.stdout.flush()
    total = size(FOLDER)
    sys.stdout.write(f"{total / 1e6:.2f} MB in {FOLDER.relative_to(ROOT)}, of at most {MAX_BYTES / 1e6:.0f} MB\n")
    return 0 if good and total <= MAX_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
