"""The Python file of an exported model: the cell of this run alone, its weights' loading, and its sampling."""

from __future__ import annotations

from engine.cells import CELLS, Cell, stacked
from engine.cells.fused import kernel_of
from engine.data import SOURCES, Vocabulary
from engine.export.template import fill
from engine.numbers import number
from engine.start import prompt_tokens
from engine.training.checkpoint import Checkpoint, CheckpointError
from engine.validate import validate

SCRIPT = "model.py"


def script(checkpoint: Checkpoint) -> str:
    """Python source that builds this model, loads `weights(checkpoint)` from beside it and samples.

    Nothing a user has written goes into it: symbols stand in the weights' metadata, names of files nowhere.

    Raises:
        ConfigError: a cell, option or other name in the config that does not exist
        CheckpointError: a vocabulary without a token that may be written
        TextError: an invalid vocabulary
    """
    config = validate(checkpoint.config)
    vocabulary = Vocabulary.from_json(checkpoint.vocabulary)
    if vocabulary.symbols == ("<unk>",):
        raise CheckpointError("This model's vocabulary has only <unk>, which is never generated: export another run.")
    model = config.model
    cell = _plainest(stacked(model.cell, model.units, model.layers, model.options)[-1])
    flags = _flags(checkpoint, vocabulary, cell)
    values = _values(checkpoint, vocabulary, cell)
    text = "characters" if vocabulary.level == "char" else "words" if flags["tokenised"] else "separated-words"
    pieces = ("head", cell.name, "model", "load", text, "sampling")
    return "\n\n\n".join(fill(piece, flags, values) for piece in pieces) + "\n"


def _plainest(cell: Cell) -> Cell:
    """The LSTM itself for a variant whose switches make it one."""
    return CELLS["lstm"](cell.units) if kernel_of(cell) == "lstm" else cell


def _flags(checkpoint: Checkpoint, vocabulary: Vocabulary, cell: Cell) -> dict[str, bool]:
    """What this run has and has not: by the names that the templates ask for."""
    model = checkpoint.config.model
    flags = {
        "word": vocabulary.level == "word",
        "tokenised": not getattr(vocabulary, "separated", True),
        "unknown": vocabulary.unknown is not None,
        "embedding": model.embedding > 0,
        "stacked": model.layers > 1,
        "bias": model.bias,
        "cell_state": "cell" in cell.state_names,
        "clock": "clock" in cell.carried,
        "linked": bool(cell.below),
        "tuple_state": len(cell.carried) > 1,
    }
    for option, value in cell.chosen.items():
        if isinstance(value, bool):
            flags[option] = value
        else:
            choices = cell.options[option].choices
            flags |= {str(choice): choice == value for choice in choices}
    if "peephole_output" in flags:
        for age in ("old", "new"):
            flags[f"output_sees_{age}"] = flags["peephole_output"] and flags[age]
    return flags


def _values(checkpoint: Checkpoint, vocabulary: Vocabulary, cell: Cell) -> dict[str, str | int | None]:
    """What is written out: numbers, and words of ours."""
    model = checkpoint.config.model
    token = "character" if vocabulary.level == "char" else "word"
    _, (start,) = prompt_tokens("", vocabulary)
    return {
        "token": token,
        "tokens": f"{token}s",
        "title": cell.title,
        "size": f"{model.layers} layer{'s' * (model.layers > 1)} of {model.units:,} unit{'s' * (model.units > 1)}",
        "learned": _learned(checkpoint, token),
        "vocabulary": len(vocabulary),
        "embedding": model.embedding,
        "units": model.units,
        "layers": model.layers,
        "unknown": vocabulary.unknown,
        "end": vocabulary.end,
        "start": start,
        "start_meaning": "a line end" if vocabulary.symbols[start] == "\n" else "the first symbol",
        "cell": type(cell).__name__,
        "blocks": len(cell.blocks),
        "modules": len(cell.modules),
    }


def _learned(checkpoint: Checkpoint, token: str) -> str:
    """What the weights were learned from, and how well; a text of the user's own is not named."""
    source = SOURCES.get(checkpoint.config.data.corpus)
    corpus = source.title if source else "a user's own text"
    steps = f"{checkpoint.step:,} step{'s' * (checkpoint.step != 1)} of training on {corpus}"
    if checkpoint.val_loss is None or checkpoint.evaluated_at != checkpoint.step:
        return steps
    return f"{steps} (validation loss {number(checkpoint.val_loss)} nats per {token})"
