"""`python -m engine sample`: text from a saved run."""

from __future__ import annotations

import argparse
import sys

import torch

from engine.data import Vocabulary
from engine.decoding.sampling import sample
from engine.shell.arguments import positive_number, whole_number
from engine.shell.directory import saved_run
from engine.shell.printing import Printer, unread_notes
from engine.start import continuing, prompt_tokens, restored

MOST_TOKENS = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `sample`."""
    parser.add_argument("directory", metavar="DIR", help="folder of a run, as saved by `train --save`, or starter:NAME")
    parser.add_argument("--prompt", default="", help="text to continue")
    parser.add_argument(
        "--length", type=whole_number, default=400, help=f"number of tokens to sample, at most {MOST_TOKENS:,}"
    )
    parser.add_argument(
        "--until-line-end", action="store_true", help="stop at the first line end instead of at --length"
    )
    parser.add_argument(
        "--temperature",
        type=float,
        default=0.8,
        help="sampling temperature: below 1 sharpens the distribution, above 1 flattens it; 0 is greedy decoding",
    )
    parser.add_argument(
        "--top-k", type=int, default=0, help="sample from the k most probable tokens only; 0 turns it off"
    )
    parser.add_argument(
        "--top-p",
        type=float,
        default=1.0,
        help="sample from the smallest set of tokens with at least this probability; 1 turns it off",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the random draws")
    parser.add_argument("--step", type=int, help="training step of the checkpoint to use; by default the newest")
    # Two threads that share so small a step mostly wait for each other; only large models gain from more.
    parser.add_argument("--threads", type=positive_number, default=1, help="number of CPU threads")


def run(arguments: argparse.Namespace, printer: Printer, as_json: bool) -> int:
    """Print a sample, as it is written or as one JSON object."""
    torch.set_num_threads(arguments.threads)
    checkpoint = saved_run(arguments.directory).load(arguments.step)
    model, vocabulary = restored(checkpoint)
    prompt, start = prompt_tokens(arguments.prompt, vocabulary)
    if not as_json:
        for note in unread_notes(arguments.prompt, vocabulary):
            print(f"note: {note}", file=sys.stderr)
    added = continuing(prompt, start, vocabulary)
    pieces: list[str] = []
    if not as_json:
        sys.stdout.write(prompt)
    for token in sample(
        model,
        start,
        length=min(arguments.length, MOST_TOKENS),
        seed=arguments.seed,
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        forbidden=() if vocabulary.unknown is None else (vocabulary.unknown,),
        end=_line_end(vocabulary) if arguments.until_line_end else None,
    ):
        pieces.append(added(token))
        if not as_json:
            sys.stdout.write(pieces[-1])
            sys.stdout.flush()
    if as_json:
        instead = vocabulary.read_instead(arguments.prompt)
        printer.message(
            "sample",
            step=checkpoint.step,
            prompt=prompt,
            text="".join(pieces),
            left_out=sorted(token for token, other in instead.items() if not other),
            read_instead={token: other for token, other in instead.items() if other},
        )
    else:
        print()
    return 0


def _line_end(vocabulary: Vocabulary) -> int | None:
    """The token that ends a line; None where the vocabulary has none."""
    if vocabulary.end is not None:
        return vocabulary.end
    return vocabulary.symbols.index("\n") if "\n" in vocabulary.symbols else None
