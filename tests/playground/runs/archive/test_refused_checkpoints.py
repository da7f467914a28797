"""Each way in which a checkpoint or a text in a run file can be wrong has a sentence that names the member."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from run_files import changed_checkpoint, checkpoints, opened, refusal, sealed, with_bytes, with_checkpoint


def full_checkpoint(raw: bytes) -> str:
    return checkpoints(raw)[-1]


def first_weight(value: float) -> Callable[[dict], None]:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["model.head_weight"].view(-1)[0] = value

    return change


def recast(name: str, kind: torch.dtype) -> Callable[[dict], None]:
    return lambda tensors: tensors.update({name: tensors[name].to(kind)})


def reshaped(name: str, *shape: int) -> Callable[[dict], None]:
    return lambda tensors: tensors.update({name: torch.zeros(shape)})


TENSORS = [
    (first_weight(float("nan")), "NaN or infinite values in the weight head_weight"),
    (first_weight(float("inf")), "NaN or infinite values in the weight head_weight"),
    (recast("model.head_weight", torch.float64), "head_weight as float64; float32 is expected"),
    (recast("model.head_weight", torch.float16), "head_weight as float16; float32 is expected"),
    (recast("model.head_weight", torch.int32), "head_weight as int32"),
    (recast("optimizer.head_weight/exp_avg", torch.int64), "exp_avg as int64"),
    (recast("state.0.0", torch.float64), "0.0 as float64"),
    (reshaped("model.head_weight", 3, 4), "with shape 3 × 4, not 4 × 3"),
    (reshaped("model.head_weight"), "with shape a single number, not 4 × 3"),
    (reshaped("optimizer.head_weight/step", 3), "with shape 3, not a single number"),
    (reshaped("optimizer.head_weight/exp_avg", 7), "with shape 7, not 4 × 3"),
    (reshaped("state.0.0", 2, 3), "with shape 2 × 3, not 1 × 3"),
    (lambda tensors: tensors.pop("model.head_weight"), "lacks the weight head_weight"),
    (lambda tensors: tensors.pop("state.0.0"), "lacks the carried state 0.0"),
    (lambda tensors: tensors.pop("optimizer.embedding/exp_avg"), "lacks the optimiser state embedding/exp_avg"),
    (reshaped("model.extra", 2), "has the weight extra"),
    (reshaped("state.1.0", 1, 3), "has the carried state 1.0"),
    (reshaped("optimizer.head_weight/surprise", 4, 3), "has the optimiser state head_weight/surprise"),
    (reshaped("average.head_weight", 4, 3), "has the averaged weight head_weight"),
    (reshaped("malware", 4), "an unknown tensor malware"),
    (reshaped("model", 4), "an unknown tensor model"),
]


@pytest.mark.parametrize(("change", "said"), TENSORS, ids=[said for _, said in TENSORS])
def test_tensors_that_cannot_stand(packed: bytes, change: Callable[[dict], Any], said: str) -> None:
    member = full_checkpoint(packed)
    found = refusal(with_checkpoint(packed, member, tensors=change))
    assert member in found
    assert said in found


def test_nan_in_the_state_and_the_optimiser(packed: bytes) -> None:
    for name in ("state.0.0", "optimizer.head_weight/exp_avg"):

        def spoil(tensors: dict[str, torch.Tensor], name: str = name) -> None:
            tensors[name].view(-1)[0] = float("nan")

        assert "NaN" in refusal(with_checkpoint(packed, full_checkpoint(packed), tensors=spoil))


HEADERS = [
    ({"step": 24}, "step 24 in its header"),
    ({"full": False}, "not full in its header"),
    ({"corpus_sha256": "0" * 64}, "another text's hash"),
    ({"planned_steps": 10**12}, "planned steps"),
    ({"planned_steps": 41}, "41 planned steps"),
    ({"evaluated_at": 26}, "numbers in its header"),
    ({"steps_above": 10**30}, "numbers in its header"),
    ({"seconds": float("nan")}, "numbers in its header"),
    ({"sums": [float("inf"), 0, 0, 0]}, "numbers in its header"),
    ({"best": [99, 1.0, 0]}, "numbers in its header"),
    ({"changes": [[1, "units", 5.0]]}, "an impossible change of units at step 1"),
    ({"changes": [[26, "learning_rate", 0.1]]}, "an impossible change of learning_rate at step 26"),
    ({"changes": [[1, "learning_rate", 1e9]]}, "an invalid change"),
    ({"changes": [[1, "learning_rate", float("nan")]]}, "an invalid change"),
    ({"format": 2}, "format 2"),
    ({"config": {}}, "another run's config"),
    ({"vocabulary": "{}"}, "another vocabulary"),
]


@pytest.mark.parametrize(("values", "said"), HEADERS, ids=[said for _, said in HEADERS])
def test_a_checkpoint_of_another_run(packed: bytes, values: dict, said: str) -> None:
    member = full_checkpoint(packed)
    found = refusal(with_checkpoint(packed, member, header=lambda header: header.update(values)))
    assert member in found
    assert said in found


def test_another_vocabulary_in_all_checkpoints(packed: bytes) -> None:
    parts = opened(packed)
    other = '{"level":"char","symbols":["a","b","c"]}'
    for member in checkpoints(packed):
        change = {"vocabulary": other}
        parts[member] = changed_checkpoint(parts[member], header=lambda header, c=change: header.update(c))
    assert "but its config gives" in refusal(sealed(parts))
    for vocabulary in (
        "{}",
        '{"level":"char","symbols":["ab"]}',
        '{"level":"word","symbols":["<unk>","<eos>"]}',
        "[" * 9_999,
    ):
        for member in checkpoints(packed):
            change = {"vocabulary": vocabulary}
            parts[member] = changed_checkpoint(parts[member], header=lambda h, c=change: h.update(c))
        assert "vocabulary" in refusal(sealed(parts))


def test_a_checkpoint_in_the_place_of_another(packed: bytes) -> None:
    parts = opened(packed)
    first, last = checkpoints(packed)[0], checkpoints(packed)[-1]
    parts[first], parts[last] = parts[last], parts[first]
    assert "in its header" in refusal(sealed(parts))


class Exploit:
    """What a pickle would do when it is opened."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("a pickle was opened",))


def test_a_pickle_inside_is_not_opened(packed: bytes) -> None:
    member = full_checkpoint(packed)
    buffer = io.BytesIO()
    torch.save({"model.head_weight": torch.zeros(4, 3)}, buffer)
    for content in (pickle.dumps(Exploit()), pickle.dumps({"a": 1}, protocol=4), buffer.getvalue()):
        found = refusal(with_bytes(packed, member, content))
        assert f"{member} is a pickle" in found
        assert "safetensors" in found


def test_something_else_in_the_place_of_a_checkpoint(packed: bytes) -> None:
    member = full_checkpoint(packed)
    whole = opened(packed)[member]
    for content in (b"", b"hello", b"\0" * 100, whole[:50], whole[:-1], (2**60).to_bytes(8, "little") + whole[8:]):
        found = refusal(with_bytes(packed, member, content))
        assert f"{member} cannot be read" in found


# ---------------------------------------------------------------------- the visitor's own text


def test_another_text(packed: bytes, packed_words: bytes) -> None:
    assert "text.txt is not the text of this run" in refusal(with_bytes(packed_words, "text.txt", b"other words"))
    assert "text.txt is not the text of this run" in refusal(with_bytes(packed, "text.txt", b"hello"))


def test_a_text_that_is_not_what_the_checkpoints_learned(packed_words: bytes) -> None:
    text = b"completely different words, again and again, so that there are enough of them\n" * 9
    parts = opened(packed_words) | {"text.txt": text}
    corpus = {"corpus": f"own:{hashlib.sha256(text).hexdigest()}"}
    run = json.loads(parts["run.json"])
    run["run"]["config"]["data"].update(corpus)
    parts["run.json"] = json.dumps(run).encode()
    for member in checkpoints(packed_words):
        parts[member] = changed_checkpoint(parts[member], header=lambda header: header["config"]["data"].update(corpus))
    assert "text.txt is not the text that the checkpoints were trained on" in refusal(sealed(parts))
