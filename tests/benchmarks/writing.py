"""Characters a second of text written one by one, on one thread: `python tests/benchmarks/writing.py`.

Everything counts: the model's step, the draw, the log-probabilities and the Python around them. Beside each number
stands the naive loop (the model called for every token, torch's own softmax and draw). The two take turns, and medians
are compared, so that a busy machine slows both alike. Last, how long it takes from a prompt to the first token.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import torch

from engine.cells import CELLS
from engine.config import ModelConfig
from engine.decoding.writing import Writing
from engine.models.language_model import LanguageModel

SYMBOLS = 65
LEAST, CELL_HELD_TO_IT = 2_000, "lstm"  # characters a second that a text on the page is to come at
HOWS: dict[str, dict[str, float]] = {
    "temperature 0.8": {"temperature": 0.8},
    "greedy": {"temperature": 0.0},
    "top-k 10": {"temperature": 0.8, "top_k": 10},
    "nucleus 0.9": {"temperature": 0.8, "top_p": 0.9},
}
Turn = Callable[[int], None]


def model_of(cell: str, units: int, layers: int = 1, symbols: int = SYMBOLS) -> LanguageModel:
    return LanguageModel(ModelConfig(cell=cell, units=units, embedding=64, layers=layers), symbols, seed=1)


def ours(model: LanguageModel, **how: float) -> Turn:
    """Writes so many tokens more."""
    writing = Writing(model, [1] * 20, seed=1, **how)

    def turn(length: int) -> None:
        for _ in writing.write(length):
            pass

    return turn


def naive(model: LanguageModel) -> Turn:
    """The loop one would write by hand: the model, a softmax and torch's draw for every token."""

    @torch.no_grad()
    def endless() -> Iterator[tuple[int, float]]:
        generator = torch.Generator().manual_seed(1)
        logits, state = model(torch.ones(20, 1, dtype=torch.int64), model.initial_state(1))
        while True:
            last = logits[-1, 0]
            token = torch.multinomial(torch.softmax(last / 0.8, 0), 1, generator=generator)
            yield int(token), float(torch.log_softmax(last, 0)[token])
            logits, state = model(token.view(1, 1), state)

    text = endless()

    def turn(length: int) -> None:
        for _ in range(length):
            next(text)

    return turn


def contest(turns: dict[str, Turn], rounds: int, length: int) -> dict[str, float]:
    """Median characters a second of each, the contenders taking turns."""
    rates: dict[str, list[float]] = {name: [] for name in turns}
    for round_ in range(rounds + 1):
        for name, turn in turns.items():
            began = time.perf_counter()
            turn(length)
            if round_:  # the first turn warms up
                rates[name].append(length / (time.perf_counter() - began))
    return {name: statistics.median(values) for name, values in rates.items()}


def cells(rounds: int, length: int) -> bool:
    """Every cell at 256 units, and the LSTM at other sizes; whether the least is reached where it is asked for."""
    sizes = {f"{cell}, 256 units": model_of(cell, 256) for cell in CELLS}
    sizes |= {f"lstm, {units} units": model_of("lstm", units) for units in (64, 128, 512)}
    sizes["lstm, 3 layers of 256"] = model_of("lstm", 256, layers=3)
    sizes["lstm, 256 units, 10,000 words"] = model_of("lstm", 256, symbols=10_000)
    print(f"{'model':32}{'characters/s':>14}{'naive loop':>14}{'ratio':>8}")
    reached = True
    for name, model in sizes.items():
        rates = contest({"ours": ours(model, temperature=0.8), "naive": naive(model)}, rounds, length)
        print(
            f"{name:32}{rates['ours']:14,.0f}{rates['naive']:14,.0f}{rates['ours'] / rates['naive']:8.2f}", flush=True
        )
        if name == f"{CELL_HELD_TO_IT}, 256 units":
            reached = rates["ours"] >= LEAST
    return reached


def choices(rounds: int, length: int) -> None:
    """The LSTM of 256 units under each way to choose the next token."""
    model = model_of("lstm", 256)
    rates = contest({name: ours(model, **how) for name, how in HOWS.items()}, rounds, length)
    for name, rate in rates.items():
        print(f"{'lstm, 256 units, ' + name:32}{rate:14,.0f}")


def prompts(rounds: int) -> None:
    """From a prompt to the first token of the LSTM of 256 units."""
    model = model_of("lstm", 256)
    for length in (1, 100, 10_000, 100_000):
        seconds = []
        for _ in range(rounds if length <= 10_000 else 1):
            began = time.perf_counter()
            next(Writing(model, [1] * length, seed=1).write(1))
            seconds.append(time.perf_counter() - began)
        print(f"first token after a prompt of {length:>7,}: {1e3 * statistics.median(seconds):8,.1f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--length", type=int, default=1_000, help="characters in one turn")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"torch {torch.__version__}, {chosen.threads} thread(s), {SYMBOLS} symbols, embedding 64")
    reached = cells(chosen.rounds, chosen.length)
    choices(chosen.rounds, chosen.length)
    prompts(chosen.rounds)
    if not reached:
        raise SystemExit(f"Too slow: the LSTM of 256 units writes fewer than {LEAST:,} characters a second.")


if __name__ == "__main__":
    main()
