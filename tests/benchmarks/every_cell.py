"""Does every cell train at its defaults? Each cell with each of its switches, on three texts, with several seeds, as
the app and the shell set a run up, for the first steps of its schedule, in which a state that runs away shows.

Not part of `make bench`: all of it takes hours on one thread. The runs that stand in the log are not made again, so it
can be stopped and gone on with:

    PYTHONPATH=. python tests/benchmarks/every_cell.py --log every_cell.jsonl
    PYTHONPATH=. python tests/benchmarks/every_cell.py --log every_cell.jsonl --table
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import mean

import torch

from engine.analysis.text_facts import text_facts
from engine.cells import CELLS
from engine.config import Config, OptionValue
from engine.data import Corpus, prepare
from engine.shell import train as shell
from engine.shell.arguments import config_from
from engine.training.events import Diverged, Evaluated, Progress
from engine.training.run import Training
from playground.state.draft import from_preset

Options = dict[str, OptionValue]

CORPORA = ("tales", "python-docs", "tinyshakespeare")
SEEDS = (1337, 1, 2, 3, 4)


def cases() -> Iterator[tuple[str, Options]]:
    """Every cell, as it is and with each of its switches in each other position; of two switches both as well."""
    for name, cell in CELLS.items():
        yield name, {}
        others = {key: [each for each in it.choices if each != it.default] for key, it in cell.options.items()}
        changed = [[{key: value} for value in values] for key, values in others.items()]
        yield from ((name, one) for one in itertools.chain(*changed))
        if len(changed) == 2:
            yield from ((name, one | other) for one, other in itertools.product(*changed))


def shell_config(corpus: str, cell: str, options: Options) -> Config:
    """What `python -m engine train --corpus CORPUS --cell CELL --option NAME=VALUE` trains."""
    parser = argparse.ArgumentParser()
    shell.add_arguments(parser)
    switches = [f"--option={key}={str(value).lower()}" for key, value in options.items()]
    return config_from(parser.parse_args(["--corpus", corpus, "--cell", cell, *switches]))


def app_config(corpus: str, cell: str, options: Options) -> Config:
    """What the page Train starts for a new visitor who chooses this text, this cell and these switches."""
    draft = from_preset("first-words").edited("data", "corpus", corpus).edited("model", "cell", cell)
    return draft.edited("model", "options", options).config


SET_UP = {"shell": shell_config, "app": app_config}


def train(config: Config, corpus: Corpus, steps: int) -> dict[str, float | int | str | None]:
    """Train for so many steps of the schedule: the last validation loss, the largest gradient norm and hidden state."""
    training = Training(config, corpus, facts=partial(text_facts, corpus), device="cpu")
    loss, at, largest_norm, largest_hidden = math.nan, 0, 0.0, 0.0
    for event in training.events():
        if isinstance(event, Evaluated):
            loss, at = event.val_loss, event.step
        if isinstance(event, Progress):
            largest_norm = max(largest_norm, event.grad_norm)
            largest_hidden = max(largest_hidden, training.largest_states()["hidden"])
        if isinstance(event, Diverged):
            return {"diverged": event.step, "reason": event.reason}
        if event.step >= steps and not isinstance(event, Progress):
            break
    return {"diverged": None, "loss": loss, "at": at, "norm": largest_norm, "hidden": largest_hidden}


def run_all(arguments: argparse.Namespace) -> None:
    """Make the runs that are not in the log yet, seed after seed."""
    done = {_key(row) for row in _rows(arguments.log)}
    corpora: dict[str, Corpus] = {}
    wanted = itertools.product(arguments.seed, arguments.corpus, cases(), arguments.set_up)
    for seed, name, (cell, options), set_up in wanted:
        if arguments.cell and cell not in arguments.cell:
            continue
        config = SET_UP[set_up](name, cell, options).with_values(training__seed=seed)
        config = config.with_values(evaluations=4, sampling__length=0)  # which the training does not depend on
        if cell == "lstm-depth-gated":
            config = config.with_values(layers=2)  # one layer of it is an LSTM
        row = {"set_up": set_up, "corpus": name, "cell": cell, "options": options, "seed": seed}
        row |= {"steps": arguments.steps, "needs": dict(CELLS[cell](1, options).trains_with)}
        if _key(row) in done:
            continue
        corpora[name] = corpora.get(name) or prepare(config.data)
        row |= train(config, corpora[name], arguments.steps)
        with arguments.log.open("a") as log:
            log.write(json.dumps(row) + "\n")


def table(rows: list[dict]) -> str:
    """The log by cell, switches and text, in Markdown: runs that diverged, and of the others mean loss and extremes."""
    groups: dict[tuple, list[dict]] = defaultdict(list)
    for row in rows:
        switches = ", ".join(f"{key}={value}" for key, value in row["options"].items())
        groups[row["cell"], switches, row["set_up"], row["corpus"]].append(row)
    lines = ["| cell | switches | set up by | text | runs | diverged | loss | largest norm | largest h |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for key, group in sorted(groups.items()):
        stood = [row for row in group if row["diverged"] is None]
        numbers = "- | - | -"
        if stood:
            loss, norm = mean(row["loss"] for row in stood), max(row["norm"] for row in stood)
            numbers = f"{loss:.3f} | {norm:.3g} | {max(row['hidden'] for row in stood):.3g}"
        lines.append(f"| {' | '.join(key)} | {len(group)} | {len(group) - len(stood)} | {numbers} |")
    return "\n".join(lines)


def _rows(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _key(row: dict) -> str:
    return json.dumps([row[name] for name in ("set_up", "corpus", "cell", "options", "seed", "steps", "needs")])


def main() -> None:
    """Make the runs, or print the table of those in the log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, required=True, help="where the runs are written, a JSON object a line")
    parser.add_argument("--table", action="store_true", help="print what the log holds, and train nothing")
    parser.add_argument("--cell", nargs="*", choices=CELLS, help="these cells alone")
    parser.add_argument("--corpus", nargs="*", default=CORPORA, help="names of corpora")
    parser.add_argument("--seed", nargs="*", type=int, default=SEEDS)
    parser.add_argument("--set-up", nargs="*", default=("shell",), choices=SET_UP, help="by whose defaults")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if not arguments.table:
        run_all(arguments)
    print(table(_rows(arguments.log)))


if __name__ == "__main__":
    main()
