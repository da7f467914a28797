"""Run files taken apart, changed, and put together again, by hand and by hypothesis."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from plain_values import json_values, replaced_somewhere
from safetensors.torch import load, save
from torch import Tensor

from playground.runs.archive import RunArchiveError, unpack
from playground.runs.records import StoreError
from playground.runs.settings import AppSettings

Parts = dict[str, bytes]

MANIFEST = "manifest.json"


def opened(raw: bytes) -> Parts:
    """The members of a run file by name."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """These members as a zip file, as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, raw in parts.items():
            archive.writestr(name, raw)
    return buffer.getvalue()


def sealed(parts: Mapping[str, bytes]) -> bytes:
    """These members as a run file whose manifest tells the truth about them, so that deeper checks are reached."""
    rest = {name: raw for name, raw in parts.items() if name != MANIFEST}
    manifest = json.loads(parts[MANIFEST])
    manifest["members"] = {
        name: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for name, raw in rest.items()
    }
    return zipped(rest | {MANIFEST: json.dumps(manifest).encode()})


def with_json(raw: bytes, member: str, change: Callable[[Any], Any]) -> bytes:
    """The run file with one JSON member changed in place (or replaced by what `change` returns), and sealed."""
    parts = opened(raw)
    value = json.loads(parts[member])
    replaced = change(value)
    parts[member] = json.dumps(value if replaced is None else replaced).encode()
    return sealed(parts)


def with_bytes(raw: bytes, member: str, content: bytes) -> bytes:
    """The run file with another content of one member, and sealed."""
    return sealed(opened(raw) | {member: content})


def with_checkpoint(
    raw: bytes,
    member: str,
    *,
    header: Callable[[dict], Any] | None = None,
    tensors: Callable[[dict[str, Tensor]], Any] | None = None,
) -> bytes:
    """The run file with the header or the tensors of one checkpoint changed in place, and sealed."""
    return with_bytes(raw, member, changed_checkpoint(opened(raw)[member], header, tensors))


def changed_checkpoint(
    raw: bytes,
    header: Callable[[dict], Any] | None = None,
    tensors: Callable[[dict[str, Tensor]], Any] | None = None,
) -> bytes:
    """A checkpoint's bytes with its header or tensors changed in place."""
    length = int.from_bytes(raw[:8], "little")
    described = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["unrolled"])
    values = load(raw)
    if header is not None:
        header(described)
    if tensors is not None:
        tensors(values)
    return save(values, metadata={"unrolled": json.dumps(described)})


def checkpoints(raw: bytes) -> list[str]:
    """The members that hold checkpoints, by step."""
    return sorted(name for name in opened(raw) if name.startswith("checkpoints/"))


def refusal(raw: bytes, **limits: Any) -> str:
    """The sentence with which the file is refused, whose form is checked here; fails if it is not refused."""
    with pytest.raises(RunArchiveError) as caught:
        unpack(raw, AppSettings(**limits))
    assert isinstance(caught.value, StoreError)
    said = str(caught.value)
    assert said.startswith("The run file was not imported: "), said
    assert said.endswith("."), said
    assert len(said) < 500
    return said


# ---------------------------------------------------------------------- strategies


@st.composite
def scribbled_on(draw: st.DrawFn, raw: bytes) -> bytes:
    """The file with a few bytes changed, cut short, or with something put in."""
    changed = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(changed) - 1))
        # zip's own records stand at the end
        place = len(changed) - 1 - place % 600 if draw(st.booleans()) and len(changed) > 600 else place
        match draw(st.integers(0, 3)):
            case 0:
                changed[place] ^= draw(st.integers(1, 255))
            case 1:
                del changed[place : place + draw(st.integers(1, 4_000))]
            case 2:
                changed[place:place] = draw(st.binary(min_size=1, max_size=40))
            case _:
                del changed[place:]
        if not changed:
            break
    return bytes(changed)


@st.composite
def rearranged(draw: st.DrawFn, raw: bytes) -> bytes:
    """The file with members left out, swapped, added or renamed; its manifest fitting or not."""
    parts = opened(raw)
    names = sorted(parts)
    for _ in range(draw(st.integers(1, 2))):
        first, second = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        match draw(st.integers(0, 3)):
            case 0:
                parts.pop(first, None)
            case 1:
                parts[first], parts[second] = parts.get(second, b""), parts.get(first, b"")
            case 2:
                parts[draw(st.text(min_size=1, max_size=30).filter(_can_be_a_name))] = draw(st.binary(max_size=60))
            case _:
                parts[first] = draw(st.binary(max_size=200))
    try:
        return sealed(parts) if draw(st.booleans()) else zipped(parts)
    except (KeyError, ValueError, TypeError):  # the manifest itself is gone or in pieces
        return zipped(parts)


def _can_be_a_name(name: str) -> bool:
    return "\0" not in name and not any("\ud800" <= character <= "\udfff" for character in name)


@st.composite
def with_other_values(draw: st.DrawFn, raw: bytes) -> bytes:
    """The file with values in its JSON members, its manifest or its checkpoints' headers replaced; sealed."""
    parts = opened(raw)
    member = draw(st.sampled_from(["run.json", "run.json", "samples.json", MANIFEST, *checkpoints(raw)]))
    if member.endswith(".json"):
        value = draw(replaced_somewhere(json.loads(parts[member])))
        parts[member] = json.dumps(value).encode("utf-8", "surrogatepass")
        return zipped(parts) if member == MANIFEST else sealed(parts)
    values = load(parts[member])
    length = int.from_bytes(parts[member][:8], "little")
    header = json.loads(json.loads(parts[member][8 : 8 + length])["__metadata__"]["unrolled"])
    header = draw(replaced_somewhere(header))
    parts[member] = save(values, metadata={"unrolled": json.dumps(header)})
    return sealed(parts)


@st.composite
def with_other_cells(draw: st.DrawFn, raw: bytes) -> bytes:
    """The file with cells of its tables replaced; sealed."""
    parts = opened(raw)
    member = draw(st.sampled_from(["metrics.csv", "evaluations.csv", "changes.csv"]))
    lines = [line.split(",") for line in parts[member].decode().splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        line = draw(st.sampled_from(lines))
        place = draw(st.integers(0, len(line) - 1))
        line[place] = draw(_CELLS)
    parts[member] = "\n".join(map(",".join, lines)).encode("utf-8", "surrogatepass")
    return sealed(parts)


_CELLS = st.one_of(
    st.sampled_from(
        ["", "NaN", "-inf", "1e999", "1_000", " 1", "٣", "0x10", "-1", "9" * 30, "true", '"', "=1+1", "\r"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=20),
)


@st.composite
def with_other_tensors(draw: st.DrawFn, raw: bytes) -> bytes:
    """The file with tensors of a checkpoint renamed, left out, reshaped, of another type or with NaN; sealed."""
    parts = opened(raw)
    member = draw(st.sampled_from(checkpoints(raw)))
    values = load(parts[member])
    name = draw(st.sampled_from(sorted(values)))
    kinds = [torch.float64, torch.float16, torch.int64, torch.bool, torch.uint8]
    match draw(st.integers(0, 5)):
        case 0:
            del values[name]
        case 1:
            values[draw(st.text(max_size=20))] = values.pop(name)
        case 2:
            values[name] = torch.zeros(draw(st.lists(st.integers(0, 4), max_size=4)))
        case 3:
            values[name] = values[name].to(draw(st.sampled_from(kinds)))
        case 4:
            values[name] = torch.full_like(values[name], draw(st.sampled_from([float("nan"), float("inf")])))
        case _:
            values[name] = values[draw(st.sampled_from(sorted(values)))].clone()
    length = int.from_bytes(parts[member][:8], "little")
    text = json.loads(parts[member][8 : 8 + length])["__metadata__"]["unrolled"]
    parts[member] = save(values, metadata={"unrolled": text})
    return sealed(parts)


def damaged(raw: bytes) -> st.SearchStrategy[bytes]:
    """Any of the ways above to change a run file."""
    return st.one_of(
        scribbled_on(raw),
        rearranged(raw),
        with_other_values(raw),
        with_other_cells(raw),
        with_other_tensors(raw),
    )


def manifest_like(raw: bytes) -> st.SearchStrategy[bytes]:
    """Zip files with any JSON as a manifest."""
    parts = opened(raw)
    return json_values().map(lambda value: zipped(copy.copy(parts) | {MANIFEST: json.dumps(value).encode()}))
