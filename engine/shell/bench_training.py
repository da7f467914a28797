"""`python -m engine bench training`: every cell's tokens per second, beside a bare PyTorch loop in the same process."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn import functional as F

from engine.cells import CELLS
from engine.config import Config
from engine.data import Corpus, Streams, prepare
from engine.device import choose_device
from engine.shell.arguments import positive_number
from engine.shell.printing import Printer
from engine.start import train
from engine.training.events import Progress, Working

_TORCH_LAYERS: dict[str, Callable[[int, int], nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bench training`."""
    parser.add_argument(
        "--cell", action="append", choices=tuple(CELLS), help="cell to measure, may be repeated; by default all"
    )
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--chunk", type=int, default=64, help="sequence length in timesteps")
    parser.add_argument("--streams", type=int, default=32, help="batch size")
    parser.add_argument("--threads", type=positive_number, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--rounds", type=positive_number, default=12, help="rounds of measurement; the median is printed"
    )
    parser.add_argument("--steps", type=positive_number, default=6, help="updates per round")


def run(arguments: argparse.Namespace, printer: Printer) -> int:
    """Measure every cell; one line each."""
    arguments.device = choose_device(arguments.device).type
    torch.set_num_threads(arguments.threads)
    corpus = prepare(_config(arguments, "lstm").data)
    for cell in arguments.cell or CELLS:
        ours = _our_turns(_config(arguments, cell), corpus, arguments)
        rival_name = cell if cell in _TORCH_LAYERS else None
        if rival_name:
            rival = _bare_turns(_config(arguments, cell), corpus, arguments)
        else:
            lstm = _config(arguments, cell).with_values(cell="lstm", model__options={})
            rival = _our_turns(lstm, corpus, arguments)
        rate, ratio = _contest(ours, rival, arguments)
        facts = {
            "cell": cell,
            "tokens_per_second": round(rate),
            "ratio" if rival_name else "ratio_to_lstm": round(ratio, 3),
            "threads": arguments.threads,
            "units": arguments.units,
            "layers": _config(arguments, cell).model.layers,
            "chunk": arguments.chunk,
            "streams": arguments.streams,
            "device": arguments.device,
        }
        against = "the bare PyTorch loop" if rival_name else "our LSTM"
        printer.message("bench", message=f"{cell:18} {rate:10,.0f} tokens/s   {ratio:5.2f} of {against}", **facts)
    return 0


def _config(arguments: argparse.Namespace, cell: str) -> Config:
    return Config().with_values(
        cell=cell,
        units=arguments.units,
        layers=2 if CELLS[cell].below else 1,  # alone, a layer that asks for the one below is another cell
        chunk=arguments.chunk,
        streams=arguments.streams,
        steps=1_000_000,
        evaluations=1,
        sampling__length=0,
    )


Turn = Callable[[int], None]


def _our_turns(config: Config, corpus: Corpus, arguments: argparse.Namespace) -> Turn:
    """The real loop with its events on: a function that makes so many updates."""
    training = train(config, corpus, device=arguments.device)
    events = training.events()

    def turn(updates: int) -> None:
        goal = training.step + updates
        for event in events:
            if isinstance(event, (Progress, Working)) and event.step >= goal:
                return

    turn(3)  # past the first evaluation and the first calls of every kernel
    return turn


def _bare_turns(config: Config, corpus: Corpus, arguments: argparse.Namespace) -> Turn:
    """The loop one would write by hand: the same model from torch's modules, the same batches, no events."""
    model, data = config.model, config.data
    device = torch.device(arguments.device)
    vocabulary = len(corpus.vocabulary)
    with torch.random.fork_rng(devices=[]):  # torch's modules draw from the global generator: leave it as it was
        embedding = nn.Embedding(vocabulary, model.embedding).to(device)
        layers = _TORCH_LAYERS[model.cell](model.embedding, model.units).to(device)
        head = nn.Linear(model.units, vocabulary).to(device)
    parameters = [*embedding.parameters(), *layers.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=config.training.learning_rate, weight_decay=0.0, fused=True)
    streams = Streams(corpus.train, data.streams, data.chunk, config.training.seed)

    def updates() -> Iterator[None]:
        step, state = 0, None
        while True:
            batch = streams.batch(step)
            output, state = layers(embedding(batch.inputs.to(device)), state)
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
            loss = F.cross_entropy(head(output).flatten(0, 1), batch.targets.to(device).flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, config.training.clip_threshold)
            optimizer.step()
            step += 1
            yield

    made = updates()

    def turn(count: int) -> None:
        for _ in range(count):
            next(made)

    turn(3)
    return turn


def _contest(ours: Turn, rival: Turn, arguments: argparse.Namespace) -> tuple[float, float]:
    """Let both take turns; our median tokens a second, and the median of rival's time over ours."""
    our_seconds, ratios = [], []
    for round_ in range(arguments.rounds):
        pair = {}
        # Who goes first alternates, so that a drift of the machine's speed favours neither.
        for name, turn in (("ours", ours), ("rival", rival))[:: 1 if round_ % 2 else -1]:
            started = time.perf_counter()
            turn(arguments.steps)
            if arguments.device != "cpu":
                torch.accelerator.synchronize()
            pair[name] = time.perf_counter() - started
        our_seconds.append(pair["ours"])
        ratios.append(pair["rival"] / pair["ours"])
    tokens = arguments.steps * arguments.chunk * arguments.streams
    return tokens / statistics.median(our_seconds), statistics.median(ratios)
