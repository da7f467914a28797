"""What it costs a run to be watched: tokens a second of a worker on one thread, against the bare PyTorch loop.

The two take turns on one core: the worker trains while one page in Chromium watches it, then it is paused and a bare
loop of the same model on the same batches has the core. The app and the browser stay on another core, so that what
the browser draws does not count. Each turn is measured twice: by wall time, which also sees a worker that waits, and
by the processor time of the process, which a busy machine disturbs less. The ratios are medians over the turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F
from train_page import TrainPage
from watching import Watched, link, long_run, say, watched

from engine.data import Streams, prepare

WORKER_CORE, APP_CORE = 0, 1
_BUDGET = 0.95


@dataclass(frozen=True)
class Rate:
    """Tokens a second, by the wall clock and by the processor time used."""

    wall: float
    processor: float


def bare(seconds: float) -> Rate:
    """The loop one would write by hand: torch's own modules, the same batches, no events."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = long_run()
    corpus = prepare(config.data)
    model, data, vocabulary = config.model, config.data, len(corpus.vocabulary)
    embedding, lstm = nn.Embedding(vocabulary, model.embedding), nn.LSTM(model.embedding, model.units)
    head = nn.Linear(model.units, vocabulary)
    parameters = [*embedding.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=config.training.learning_rate, weight_decay=0.0, fused=True)
    streams = Streams(corpus.train, data.streams, data.chunk, config.training.seed)
    state: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(step: int) -> None:
        nonlocal state
        batch = streams.batch(step)
        outputs, (hidden, cell) = lstm(embedding(batch.inputs), state)  # (time, batch, unit)
        state = hidden.detach(), cell.detach()
        loss = F.cross_entropy(head(outputs).flatten(0, 1), batch.targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, config.training.clip_threshold)
        optimizer.step()

    for step in range(20):
        update(step)
    steps, started, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - started < seconds:
        update(20 + steps)
        steps += 1
    tokens = steps * data.streams * data.chunk
    return Rate(tokens / (time.perf_counter() - started), tokens / (time.process_time() - used))


def _bare_on_the_workers_core(seconds: float) -> Rate:
    command = [sys.executable, __file__, "--bare", str(seconds)]
    answer = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {WORKER_CORE}),
    )
    return Rate(**json.loads(answer.stdout))


def _watched_turn(bench: Watched, train: TrainPage, seconds: float) -> Rate:
    """The worker's rate over `seconds`, from its steps as the page shows them and its processor time."""
    config = long_run()
    worker = max(bench.trainer.children(), key=lambda child: child.create_time())
    step = train.step
    train.passes(step)
    first, started, used = train.step, time.perf_counter(), worker.cpu_times()
    bench.page.wait_for_timeout(1000 * seconds)
    shown = train.step
    train.passes(shown)
    steps, wall, now = train.step - first, time.perf_counter() - started, worker.cpu_times()
    tokens = steps * config.data.streams * config.data.chunk
    return Rate(tokens / wall, tokens / (now.user + now.system - used.user - used.system))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--bare", type=float, help="only the bare loop, for so many seconds: for this script itself")
    arguments = parser.parse_args()
    if arguments.bare:
        print(json.dumps(asdict(bare(arguments.bare))))
        return
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        sys.exit("This benchmark keeps the worker and the app on two cores apart: it needs Linux and two cores.")
    os.sched_setaffinity(0, {APP_CORE})  # the app and the browser, started from here, stay there too
    ours, theirs = [], []
    with watched(link(long_run()), UNROLLED_WORKERS="1", UNROLLED_THREADS="1") as bench:
        for thread in bench.trainer.threads():
            os.sched_setaffinity(thread.id, {WORKER_CORE})
        train = TrainPage(bench.page)
        train.train()
        train.pause()
        for _ in range(arguments.turns):
            train.press("Resume")
            train.reaches("running")
            ours.append(_watched_turn(bench, train, arguments.seconds))
            train.pause()
            theirs.append(_bare_on_the_workers_core(arguments.seconds))
        cores = {tuple(child.cpu_affinity()) for child in bench.trainer.children()}
        assert cores <= {(WORKER_CORE,)}, f"the worker ran on {cores}"
        train.press("Stop")
        bench.visits.check()
    pairs = list(zip(ours, theirs, strict=True))
    say(
        "overhead",
        turns=len(pairs),
        threads=1,
        ratio=round(statistics.median(mine.wall / other.wall for mine, other in pairs), 3),
        ratio_of_processor_time=round(statistics.median(mine.processor / other.processor for mine, other in pairs), 3),
        tokens_per_second=round(statistics.median(rate.wall for rate in ours)),
        bare_tokens_per_second=round(statistics.median(rate.wall for rate in theirs)),
        budget_ratio=_BUDGET,
    )


if __name__ == "__main__":
    main()
