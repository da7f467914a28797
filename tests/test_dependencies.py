"""Who may import whom: the layers of the house, held by reading the imports of every module.

Nothing is executed. An import counts wherever it stands: at the top, inside a function, or for type checks alone.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("engine", "playground", "pages")

# Inside the engine: a part, and the parts it may import besides itself.
ENGINE = {
    "numbers": (),
    "config": (),
    "device": ("config",),
    "trace": ("config", "device"),
    "data": ("config",),
    "cells": ("config", "device", "trace"),
    "models": ("config", "device", "trace", "cells"),
    "training": ("numbers", "config", "device", "trace", "cells", "models", "data"),
    "analysis": ("config", "device", "trace", "cells", "models", "data"),
    "decoding": ("config", "device", "trace", "cells", "models", "data"),
}
# The engine's front puts the parts together: the public names, checks across registries, models written out as
# Python files, the shell, benchmarks.
ENGINE_FRONT = ("__init__", "__main__", "start", "validate", "presets", "export", "shell")

# Inside the playground: each layer may import those before it, and no part one beside it.
PLAYGROUND = (
    ("theme", "text"),
    ("notation", "charts", "diagrams", "runs"),
    ("components", "state"),
    ("frame",),
    ("access",),
    ("inside", "parts"),
    ("views",),
)
# The front of the playground puts the parts together.
PLAYGROUND_FRONT = ("__init__", "app")

NO_STREAMLIT = (
    "engine",
    "playground.charts",
    "playground.diagrams",
    "playground.runs",
    "playground.theme",
    "playground.notation",
    "playground.text",
)
NOT_IN_THE_ENGINE = {"streamlit", "altair", "sqlalchemy"}
PICKLES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve"}
UNPICKLING = {"read_pickle", "to_pickle"}


@dataclass(frozen=True)
class Import:
    """One imported thing: the module it comes from, and the name taken from it (none for `import module`)."""

    module: str
    name: str | None
    line: int


def violations(sources: Mapping[str, str]) -> list[str]:
    """What breaks the rule in these modules (dotted name to source text), one sentence each.

    A package is given as `package.__init__`.
    """
    imports = {module: list(_imports(module, text, sources)) for module, text in sources.items()}
    found: list[str] = []
    for module, items in imports.items():
        for item in items:
            found += [f"{module}:{item.line} {what}" for what in _wrong(module, item)]
        found += [f"{module}:{line} {what}" for line, what in _unpickling(sources[module])]
    for module in imports:
        if module.startswith("engine.") and _part(module) not in (*ENGINE, *ENGINE_FRONT):
            found.append(f"{module} is a part of the engine that the layers do not name")
        if module.startswith("playground.") and _part(module) not in (*_LAYER, *PLAYGROUND_FRONT):
            found.append(f"{module} is a part of the playground that the layers do not name")
        if _within(module, NO_STREAMLIT):
            path = _path_to_streamlit(module, imports)
            if path:
                found.append(f"{module} reaches Streamlit: {' -> '.join(path)}")
    return found


def _imports(module: str, text: str, sources: Mapping[str, str]) -> Iterator[Import]:
    """Every import of a module, names that are modules themselves told from names in a module."""
    package = module.split(".")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                is_module = inner in sources or f"{inner}.__init__" in sources
                yield Import(inner, None, node.lineno) if is_module else Import(base, alias.name, node.lineno)
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"} and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield Import(first.value, None, node.lineno)


def _called(node: ast.Call) -> str:
    """The last part of what is called: `load` of `torch.load(...)`."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _wrong(module: str, item: Import) -> Iterator[str]:
    top = item.module.split(".")[0]
    if top in PICKLES:
        yield f"imports {top}: weights and runs are never pickled"
    if item.module == "torch" and item.name in {"load", "save"}:
        yield f"imports torch.{item.name}: checkpoints are safetensors"
    checks = {"engine": _wrong_in_engine, "playground": _wrong_in_playground, "pages": _wrong_in_pages}
    yield from checks[module.split(".")[0]](module, item)


def _wrong_in_engine(module: str, item: Import) -> Iterator[str]:
    top = item.module.split(".")[0]
    if top in ("playground", "pages") or top in NOT_IN_THE_ENGINE:
        yield f"imports {item.module}: the engine knows nothing above it"
    part = _part(module)
    if top == "engine" and part in ENGINE:
        wanted = item.module.split(".")[1] if "." in item.module else "__init__"
        if wanted != part and wanted not in ENGINE[part]:
            yield f"imports {item.module}: {part} may import only {', '.join(ENGINE[part]) or 'nothing of ours'}"


_LAYER = {part: height for height, layer in enumerate(PLAYGROUND) for part in layer}


def _wrong_in_playground(module: str, item: Import) -> Iterator[str]:
    if _within(item.module, ("pages",)):
        yield f"imports {item.module}: pages stand above the playground"
    part, wanted = _part(module), _playground_part(item)
    if part not in _LAYER or wanted not in _LAYER:
        return
    if wanted != part and _LAYER[wanted] >= _LAYER[part]:
        below = ", ".join(name for layer in PLAYGROUND[: _LAYER[part]] for name in layer) or "nothing of ours"
        yield f"imports playground.{wanted}: {part} may import only {below}"
    if part == wanted == "views" and _view(module) != _view(item.module):
        yield f"imports {item.module}: a view never imports another view"


def _playground_part(item: Import) -> str:
    """The part of the playground that an import asks for; empty where it asks for something else."""
    parts = item.module.split(".")
    return parts[1] if parts[0] == "playground" and len(parts) > 1 else ""


def _view(module: str) -> str:
    """The page whose view a module of `playground.views` belongs to."""
    return [*module.split("."), "", ""][2]


def _wrong_in_pages(module: str, item: Import) -> Iterator[str]:
    top = item.module.split(".")[0]
    if top == "pages" and item.module != module:
        yield f"imports {item.module}: a page never imports another page"
    elif top == "engine":
        if item.name is None or not item.name[0].isupper():
            yield f"imports {item.name or item.module}: of the engine, pages use types alone; ask playground.access"
    elif top not in {"pages", "playground", "streamlit"} and top not in sys.stdlib_module_names:
        yield f"imports {item.module}: a page is a description, made of playground and Streamlit"


def _part(module: str) -> str:
    """The part of the engine a module belongs to: `shell.train` belongs to `shell`."""
    return module.split(".")[1]


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _unpickling(text: str) -> Iterator[tuple[int, str]]:
    """Calls that read or write pickles without importing pickle."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        called = _called(node)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if called in {"load", "save"} and isinstance(owner, ast.Name) and owner.id == "torch":
            yield node.lineno, f"calls torch.{called}: checkpoints are safetensors"
        if called in UNPICKLING:
            yield node.lineno, f"calls {called}: weights and runs are never pickled"
        for keyword in node.keywords:
            if keyword.arg == "allow_pickle" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            ):
                yield node.lineno, "allows numpy to unpickle"


def _path_to_streamlit(start: str, imports: Mapping[str, list[Import]]) -> list[str]:
    """The chain of modules by which importing `start` imports Streamlit; empty where it does not."""
    paths = {start: [start]}
    waiting = [start]
    while waiting:
        module = waiting.pop()
        for item in imports.get(module, []):
            if item.module.split(".")[0] == "streamlit":
                return [*paths[module], item.module]
            for reached in _executed(item.module, imports):
                if reached not in paths:
                    paths[reached] = [*paths[module], reached]
                    waiting.append(reached)
    return []


def _executed(module: str, imports: Mapping[str, list[Import]]) -> Iterator[str]:
    """Our modules that run when `module` is imported: itself, and the packages around it."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        yield from (known for known in (name, f"{name}.__init__") if known in imports)


def _our_sources() -> dict[str, str]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8")
        for package in OURS
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def test_every_module_keeps_the_rule() -> None:
    sources = _our_sources()
    assert sources, "no module was found: the test looks in the wrong place"
    found = violations(sources)
    assert not found, "\n".join(found)


FORBIDDEN = [
    ("engine.cells.lstm", "import playground.theme", "knows nothing above"),
    ("engine.cells.lstm", "from pages import train", "knows nothing above"),
    ("engine.training.loop", "import streamlit as st", "knows nothing above"),
    ("engine.config", "from engine.cells import CELLS", "nothing of ours"),
    ("engine.data.text", "from engine.device import threads", "data may import only config"),
    ("engine.cells.lstm", "from engine.models.stack import Stack", "cells may import only"),
    ("engine.models.stack", "from engine.training.events import Progress", "models may import only"),
    ("engine.training.loop", "from engine.decoding.sampling import sample", "training may import only"),
    ("engine.training.loop", "def late():\n    from engine.analysis import search", "training may import only"),
    ("engine.training.loop", "from ..decoding import sampling", "training may import only"),
    ("engine.analysis.units", "from engine import training", "analysis may import only"),
    ("engine.decoding.beam", "import engine", "decoding may import only"),
    ("engine.decoding.beam", "from engine import bench", "decoding may import only"),
    ("engine.odds_and_ends", "", "layers do not name"),
    ("engine.cells.lstm", "import pickle", "never pickled"),
    ("playground.runs.store", "from joblib import dump", "never pickled"),
    ("playground.access.models", "import torch\nweights = torch.load('x')", "safetensors"),
    ("playground.access.models", "from torch import load", "safetensors"),
    ("playground.access.models", "frame.to_pickle('x')", "never pickled"),
    ("playground.access.models", "import numpy\nnumpy.load('x', allow_pickle=True)", "unpickle"),
    ("playground.charts.loss", "import streamlit", "reaches Streamlit"),
    ("playground.charts.loss", "from streamlit.components import v2", "reaches Streamlit"),
    ("playground.runs.store", "import importlib\nimportlib.import_module('streamlit')", "reaches Streamlit"),
    ("playground.theme", "from playground import state", "reaches Streamlit"),
    ("playground.notation", "from playground.components.tokens import WIDTH", "reaches Streamlit"),
    ("playground.text", "from .state import Selection", "reaches Streamlit"),
    ("playground.text", "from playground.runs import store", "text may import only nothing of ours"),
    ("playground.state.link", "from playground.components import tokens", "state may import only"),
    ("playground.components.tokens", "from playground import views", "components may import only"),
    ("playground.frame.around", "from playground.access.models import load", "frame may import only"),
    ("playground.inside.page", "def late():\n    from playground.parts import launch", "inside may import only"),
    ("playground.views.runs.table", "from playground.views.train import live", "another view"),
    ("playground.views.runs.table", "from playground.views import train", "another view"),
    ("playground.odds_and_ends", "", "layers do not name"),
    ("playground.app", "import pages.home", "stand above"),
    ("pages.train", "from pages.home import card", "another page"),
    ("pages.train", "from . import home", "another page"),
    ("pages.train", "from engine import record", "types alone"),
    ("pages.train", "import engine.training", "types alone"),
    ("pages.train", "import torch", "a description"),
    ("pages.train", "import altair as alt", "a description"),
]

SURROUNDINGS = {
    "engine.__init__": "from engine.training.loop import train",
    "engine.shell.bench": "from engine.training.loop import train",
    "engine.training.__init__": "",
    "engine.training.loop": "def train(): ...",
    "engine.decoding.__init__": "",
    "engine.decoding.sampling": "",
    "playground.components.__init__": "import streamlit as st",
    "playground.state.__init__": "import streamlit as st",
    "playground.views.__init__": "",
    "playground.views.runs.__init__": "",
    "playground.views.train.__init__": "",
    "playground.components.tokens": "WIDTH = 1",
    "pages.home": "import streamlit as st",
}


@pytest.mark.parametrize(("module", "source", "said"), FORBIDDEN)
def test_a_forbidden_import_is_named(module: str, source: str, said: str) -> None:
    found = violations({**SURROUNDINGS, module: source})
    assert any(module in sentence and said in sentence for sentence in found), found


ALLOWED = [
    ("engine.__init__", "from engine.analysis.units import search\nfrom engine.training import loop"),
    ("engine.__main__", "from engine.shell import main"),
    ("engine.shell.train", "from engine.training.loop import train\nfrom engine.decoding import sampling"),
    ("engine.models.stack", "import torch\nfrom engine.cells.cell import Cell\nfrom engine.config import ModelConfig"),
    ("engine.training.loop", "from engine.data.batches import Streams\nfrom .events import Progress"),
    ("engine.decoding.sampling", "import numpy\nnumpy.load('x', allow_pickle=False)"),
    ("playground.charts.loss", "import altair as alt\nfrom playground.theme import CELLS"),
    ("playground.access.models", "import streamlit as st\nfrom playground.runs.store import Store\nimport engine"),
    ("pages.train", "from engine.config import Config, ConfigError\nfrom playground.access.runs import metrics"),
    (
        "pages.train",
        "import json\nimport streamlit as st\nfrom playground import state\nfrom playground.views.train import live",
    ),
    ("playground.views.runs.table", "from playground.views.runs import ticks\nfrom playground.access import models"),
]


@pytest.mark.parametrize(("module", "source"), ALLOWED)
def test_an_allowed_import_is_left_alone(module: str, source: str) -> None:
    assert violations({**SURROUNDINGS, module: source}) == []
