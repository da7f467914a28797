"""model.py: executed where nothing of ours is, it is the model of the run."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.cells import CELLS
from engine.config import ConfigError
from engine.data import TextError, Vocabulary
from engine.decoding.sampling import sample
from engine.export import script, weights
from engine.models.language_model import LanguageModel
from engine.start import continuation, prompt_tokens
from engine.training.checkpoint import Checkpoint, CheckpointError

from .checkpoints import VOCABULARIES, make_checkpoint, model_of, variants

ROOT = Path(__file__).resolve().parents[3]
SETTINGS: list[dict[str, Any]] = [
    {"temperature": 0.0, "seed": 1},
    {"temperature": 0.8, "seed": 2},
    {"temperature": 1.3, "seed": 3, "top_k": 4, "top_p": 0.9},
]
PROMPTS = ["The", "", 'cat, "It\nsaid 3.14 \U0001f600 don']
LENGTH = 16


@dataclass(frozen=True)
class Exported:
    """A checkpoint, and what its exported file answered."""

    checkpoint: Checkpoint
    logits: torch.Tensor
    texts: list[str]


def _checkpoints() -> dict[str, Checkpoint]:
    """Every cell, its options, depth, biases and input by characters; both kinds of state with every vocabulary.

    Options that are not the default meet half of the rest, in which every two settings still meet.
    """
    made = {}
    for (cell, options), layers, bias, embedding in product(variants(), (1, 2), (True, False), (0, 4)):
        if options != CELLS[cell].check_options({}) and (layers + bias + embedding) % 2:
            continue
        values: dict[str, Any] = {
            "cell": cell,
            "options": options,
            "layers": layers,
            "bias": bias,
            "embedding": embedding,
        }
        made[str(values)] = make_checkpoint("characters", seed=len(made), **values)
    for cell, vocabulary in product(("gru", "lstm-coupled"), VOCABULARIES):
        made[f"{cell} {vocabulary}"] = make_checkpoint(vocabulary, seed=len(made), cell=cell, layers=3)
    return made


def _command(prompt: str, settings: dict[str, Any]) -> list[str]:
    flags = [text for name, value in settings.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    return ["--prompt", prompt, "--length", str(LENGTH), *flags]


def _tokens(checkpoint: Checkpoint) -> list[int]:
    size = len(Vocabulary.from_json(checkpoint.vocabulary))
    return torch.randint(size, (12,), generator=torch.Generator().manual_seed(0)).tolist()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """All models of this file run in one bare interpreter: no path, no environment, another folder."""
    folder = tmp_path_factory.mktemp("exported")
    checkpoints, jobs = _checkpoints(), []
    for number, checkpoint in enumerate(checkpoints.values()):
        out = folder / str(number)
        out.mkdir()
        (out / "model.py").write_text(script(checkpoint), encoding="utf-8")
        (out / "model.safetensors").write_bytes(weights(checkpoint))
        commands = [_command(prompt, chosen) for prompt, chosen in zip(PROMPTS, SETTINGS, strict=True)]
        jobs.append({"folder": str(out), "tokens": _tokens(checkpoint), "commands": commands})
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    runner = shutil.copy(Path(__file__).with_name("run_exported.py"), folder)
    command = [sys.executable, "-I", str(runner), str(folder / "jobs.json")]
    ran = subprocess.run(command, cwd=folder, env={}, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["foreign"] == []
    return {
        name: Exported(checkpoint, torch.tensor(answer["logits"]), answer["texts"])
        for (name, checkpoint), answer in zip(checkpoints.items(), told["answers"], strict=True)
    }


def _text(model: LanguageModel, vocabulary: Vocabulary, asked: str, settings: dict[str, Any]) -> str:
    """What the engine's sampler prints: <unk> is never drawn, the length decides. The file leaves out what it has no
    symbol for, where the engine takes the nearest."""
    known = asked if vocabulary.unknown is not None else "".join(c for c in asked if c in vocabulary.symbols)
    start = vocabulary.encode(known).tolist()
    prompt = vocabulary.decode(start)
    if not start:
        prompt, start = prompt_tokens("", vocabulary)
    forbidden = () if vocabulary.unknown is None else (vocabulary.unknown,)
    tokens = list(sample(model, start, length=LENGTH, forbidden=forbidden, **settings))
    return prompt + continuation(prompt, start, tokens, vocabulary) + "\n"


@torch.no_grad()
def test_the_logits_are_those_of_the_model(exported: dict[str, Exported]) -> None:
    for name, ran in exported.items():
        model = model_of(ran.checkpoint)
        logits, _ = model(torch.tensor(_tokens(ran.checkpoint)).unsqueeze(1), model.initial_state(1))
        torch.testing.assert_close(
            ran.logits, logits[:, 0], rtol=1e-5, atol=1e-5, msg=lambda why, name=name: name + why
        )


def test_the_same_prompt_seed_and_settings_write_the_same_text(exported: dict[str, Exported]) -> None:
    for name, ran in exported.items():
        model, vocabulary = model_of(ran.checkpoint), Vocabulary.from_json(ran.checkpoint.vocabulary)
        wanted = [_text(model, vocabulary, *pair) for pair in zip(PROMPTS, SETTINGS, strict=True)]
        if model.config.options.get("activation") == "relu" and not model.config.bias:
            # It can fall silent, all its logits equal; which of equals top-k keeps, nobody promises.
            assert ran.texts[:2] == wanted[:2], name
        else:
            assert ran.texts == wanted, name


def test_the_models_tell_each_other_apart(exported: dict[str, Exported]) -> None:
    """Or the comparisons above would hold for any model."""
    assert len({str(ran.logits[-1].tolist()) for ran in exported.values()}) > 0.9 * len(exported)


def test_every_file_is_in_form_and_free_of_lint(tmp_path: Path) -> None:
    for number, checkpoint in enumerate(_checkpoints().values()):
        (tmp_path / f"model{number}.py").write_text(script(checkpoint), encoding="utf-8")
    for command in (["format", "--check"], ["check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
        ran = subprocess.run([*ruff, str(tmp_path)], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout[-4_000:]


def test_every_file_is_short_and_holds_one_cell() -> None:
    for name, checkpoint in _checkpoints().items():
        text = script(checkpoint)
        classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
        assert len(classes) == 2, name
        assert classes[1] == "LanguageModel"
        assert text.count("\n") <= 200, name


def test_what_a_run_does_not_have_is_not_in_its_file() -> None:
    plain = script(make_checkpoint(cell="lstm-peephole", bias=False, options={"peephole_forget": False}))
    for absent in ("self.bias", "b_i", "peephole_forget", "p_f", "UNKNOWN", "END", "LAYERS", "one_hot(torch"):
        assert absent not in plain
    for present in ("self.peephole_update * cell", "p_o ⊙ c_t", "bias=False"):
        assert present in plain


def test_a_variant_that_is_switched_off_is_written_as_the_lstm() -> None:
    off = {"relevance_gate": False, "output_tanh": True}
    assert script(make_checkpoint(cell="lstm-course", options=off)) == script(make_checkpoint(cell="lstm"))


def test_the_head_says_what_was_learned_from_what() -> None:
    assert "7 steps of training on Tales:" in script(make_checkpoint())
    scored = replace(make_checkpoint(layers=2), val_loss=1.2345, evaluated_at=7)
    assert "LSTM, 2 layers of 5 units" in script(scored)
    assert "(validation loss 1.23 nats per character)" in script(scored)
    assert "validation" not in script(replace(scored, evaluated_at=6))


def test_nothing_that_a_user_wrote_is_in_the_file() -> None:
    plain = make_checkpoint()
    evil = '"""\nimport os\n\\'
    config = plain.config.with_values(corpus=f"file:/srv/me/{evil}.txt", sampling__prompt=evil)
    text = script(replace(plain, config=config))
    assert "import os" not in text
    assert "/srv/me" not in text
    assert text.replace("a user's own text", "Tales") == script(plain)


def test_what_cannot_be_exported_is_refused() -> None:
    plain = make_checkpoint()
    with pytest.raises(ConfigError, match=r"model\.cell is 'elman'"):
        script(replace(plain, config=plain.config.with_values(cell="elman")))
    with pytest.raises(ConfigError, match="no option 'gate'"):
        script(replace(plain, config=plain.config.with_values(options={"gate": True})))
    with pytest.raises(TextError, match="not JSON"):
        script(replace(plain, vocabulary="{"))
    with pytest.raises(CheckpointError, match="has only <unk>"):
        script(replace(plain, vocabulary='{"level":"char","symbols":["<unk>"]}'))
