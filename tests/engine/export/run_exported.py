"""Runs exported models where nothing of ours is: `python -I run_exported.py JOBS.json`, answers on standard output.

A job is a folder with model.py, tokens to read, and commands as one would type them behind `python model.py`.
"""

import contextlib
import importlib.util
import io
import json
import sys
from pathlib import Path

import torch


def loaded(path: Path):
    """The file as a module."""
    spec = importlib.util.spec_from_file_location("model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(module, tokens: list[int]) -> list[list[float]]:
    """The logits after each token."""
    model, _ = module.load()
    state, logits = model.initial_state(), []
    with torch.no_grad():
        for token in tokens:
            values, state = model(token, state)
            logits.append(values.tolist())
    return logits


def written(module, command: list[str]) -> str:
    """What a command prints."""
    sys.argv = ["model.py", *command]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        module.main()
    return printed.getvalue()


torch.set_num_threads(1)
answers = []
for job in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
    exported = loaded(Path(job["folder"]) / "model.py")
    texts = [written(exported, command) for command in job["commands"]]
    answers.append({"logits": read(exported, job["tokens"]), "texts": texts})
foreign = sorted({name.split(".")[0] for name in sys.modules} & {"engine", "playground", "pages", "streamlit"})
print(json.dumps({"answers": answers, "foreign": foreign}))
