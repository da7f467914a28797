"""Each way in which a run file can be wrong has a sentence that names the member at fault."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from run_files import MANIFEST, opened, refusal, sealed, with_bytes, with_json, zipped

from playground.runs.archive import csv_rows
from playground.runs.settings import AppSettings

# ---------------------------------------------------------------------- the zip file


def test_what_is_no_zip_file(packed: bytes) -> None:
    assert "not a zip file" in refusal(b"")
    assert "not a zip file" in refusal(b"name,loss\n1,2\n")
    assert "not a zip file" in refusal(b"\x80\x04\x95" + packed)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file(packed: bytes, share: float) -> None:
    assert "truncated" in refusal(packed[: int(len(packed) * share)])


def test_bytes_added_at_the_end_or_the_beginning(packed: bytes) -> None:
    assert "truncated or modified" in refusal(packed + b"x" * 30)
    assert "is not where it should be" in refusal(b"PK\3\4" + packed)


def test_a_file_larger_than_the_limit(packed: bytes) -> None:
    big = AppSettings(max_store_mb=1).max_store_bytes + 1
    assert "the limit here is 1" in refusal(b"PK" + b"\0" * big, max_store_mb=1)


def test_an_edited_member(packed: bytes) -> None:
    for name in sorted(set(opened(packed)) - {MANIFEST}):
        parts = opened(packed)
        changed = bytearray(parts[name] or b"?")
        changed[len(changed) // 2] ^= 1
        said = refusal(zipped(parts | {name: bytes(changed)}))
        assert name in said
        assert "it was modified" in said


def test_a_member_that_is_missing(packed: bytes) -> None:
    for name in sorted(opened(packed)):
        parts = opened(packed)
        del parts[name]
        said = refusal(zipped(parts))
        assert name in said
        assert "is missing" in said
        if name != MANIFEST:
            assert f"{name} is missing" in refusal(sealed(parts)), "also where the manifest does not list it"


def test_a_member_that_nobody_expects(packed: bytes) -> None:
    for name in ("notes.txt", "weights.pkl", "checkpoints/step-25.safetensors", "samples.JSON", "é"):
        parts = opened(packed) | {name: b"x"}
        assert "is not a member of a run file" in refusal(zipped(parts))
        assert "is not a member of a run file" in refusal(sealed(parts))
    late = opened(packed) | {"checkpoints/step-000030.safetensors": b"x"}
    assert "step-000030.safetensors is not in manifest.json" in refusal(zipped(late))
    assert "is not listed in run.json" in refusal(sealed(late))


CLIMBING = ("../run.json", "checkpoints/../../x", "/etc/passwd", "C:/x", "C:\\x", "..\\x", "\\\\host\\x", "a/..", "..")


@pytest.mark.parametrize("name", CLIMBING)
def test_a_path_that_climbs_out(packed: bytes, name: str) -> None:
    said = refusal(sealed(opened(packed) | {name: b"x"}))
    assert "is a path outside the file" in said


def with_info(raw: bytes, name: str, change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    """The file with what zip says of one member changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in opened(raw).items():
            info = zipfile.ZipInfo(member)
            if member == name:
                change(info)
            archive.writestr(info, content)
    return buffer.getvalue()


def test_a_link(packed: bytes) -> None:
    def link(info: zipfile.ZipInfo) -> None:
        info.external_attr = (stat.S_IFLNK | 0o777) << 16

    assert "run.json is a link" in refusal(with_info(packed, "run.json", link))


def test_a_way_of_packing_that_is_not_used(packed: bytes) -> None:
    def squeezed(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_LZMA

    assert "run.json uses an unsupported compression method" in refusal(with_info(packed, "run.json", squeezed))


def test_a_member_twice(packed: bytes) -> None:
    buffer = io.BytesIO(packed)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("run.json", b"{}")
    assert "run.json occurs twice" in refusal(buffer.getvalue())


def patched_entry(raw: bytes, name: str, offset: int, form: str, value: int) -> bytes:
    """The file with one number of a member's entry in the list of members changed."""
    changed = bytearray(raw)
    place = raw.index(b"PK\1\2" + raw[raw.rindex(name.encode()) - 42 : raw.rindex(name.encode())])
    struct.pack_into(form, changed, place + offset, value)
    return bytes(changed)


def test_an_encrypted_member(packed: bytes) -> None:
    said = refusal(patched_entry(packed, "run.json", 8, "<H", 1))
    assert "run.json is encrypted" in said
    assert "without a password" in said


def test_a_member_without_a_name(packed: bytes) -> None:
    bare = with_info(packed, "run.json", lambda info: setattr(info, "filename", ""))
    assert "has no name" in refusal(bare)


def test_a_zip_bomb_is_not_unpacked(packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = sealed(opened(packed) | {"samples.json": b" " * 60_000_000})
    assert len(bomb) < 200_000
    read = count_inflated(monkeypatch)
    assert "samples.json is larger than the 40 MB allowed" in refusal(bomb)
    assert read() < 1_000_000


def test_a_zip_bomb_that_understates_itself_is_cut_off(packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = patched_entry(sealed(opened(packed) | {"run.json": b" " * 30_000_000}), "run.json", 24, "<L", 900)
    read = count_inflated(monkeypatch)
    assert "run.json" in refusal(bomb)
    assert read() < 3_000_000, "the size in the header is no leave to inflate all"


def test_many_small_members_that_are_too_much_together(packed: bytes) -> None:
    parts = opened(packed)
    for step in range(100, 130):
        parts[f"checkpoints/step-{step:06d}.safetensors"] = b"\0" * 100_000
    assert "is larger than the 1" in refusal(sealed(parts), max_store_mb=1)


def count_inflated(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts the bytes that come out of members from now on."""
    counted = [0]
    read = zipfile.ZipExtFile.read

    def counting(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        piece = read(self, n)
        counted[0] += len(piece)
        return piece

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counting)
    return lambda: counted[0]


def test_a_list_of_members_without_end(packed: bytes) -> None:
    parts = opened(packed) | {f"{number}": b"" for number in range(500)}
    assert "more than the 72 members" in refusal(zipped(parts))


# ---------------------------------------------------------------------- the manifest and the run


def test_a_newer_format(packed: bytes) -> None:
    parts = opened(packed) | {"something new.json": b"{}"}
    manifest = json.loads(parts[MANIFEST]) | {"format": 2}
    said = refusal(zipped(parts | {MANIFEST: json.dumps(manifest).encode()}))
    assert "has format 2, but this version of Unrolled reads format 1" in said
    assert "Update Unrolled" in said


def of_run(**values: Any) -> Callable[[Any], None]:
    return lambda plain: plain["run"].update(values)


def of_config(section: str, **values: Any) -> Callable[[Any], None]:
    return lambda plain: plain["run"]["config"][section].update(values)


RUN_CHANGES = [
    (of_config("model", units=-1), "invalid config"),
    (of_config("model", cell="transformer"), "invalid config"),
    (of_config("data", corpus="no such text"), "invalid config"),
    (of_config("data", corpus="file:/etc/passwd"), "from a path"),
    (of_config("data", corpus="own:../../etc"), "not a SHA-256"),
    (of_config("training", learning_rate="fast"), "invalid config"),
    (of_config("training", surprise=1), "invalid config"),
    (of_config("model", units=4), "42 parameters, but its config gives 56"),
    (of_config("model", dropout=0.5), "another run's config"),
    (of_config("training", learning_rate=0.5), "another run's config"),
    (of_run(name="x" * 201), "at most 200 characters"),
    (of_run(name="bell \x07"), "without control characters"),
    (of_run(name="two\nlines"), "without control characters"),
    (of_run(name="half \ud800"), "without NUL characters or unpaired"),
    (of_run(message="x" * 5_000), "at most 2,000 characters"),
    (of_run(status="hacked"), "one of queued, running"),
    (of_run(step=-1), "from 0 to 40"),
    (of_run(step=41), "from 0 to 40"),
    (of_run(step=True), "from 0 to 40"),
    (of_run(step=10**400), "from 0 to 40"),
    (of_run(planned_steps=41), "41 planned steps, but its config gives 40"),
    (of_run(planned_steps=10**9), "from 1 to 200,000"),
    (of_run(parameters=5), "5 parameters, but its config gives"),
    (of_run(parameters=10**12), "from 0 to 20,000,000"),
    (of_run(best_loss="low"), "a number"),
    (of_run(created=-5.0), "from 0 to"),
    (of_run(threads=10_000), "from 1 to 256"),
    (of_run(suggestion={"learning_rate": "x"}), "an object of settings"),
    (of_run(suggestion=[1]), "an object of settings"),
    (of_run(evaluation_steps=[1, "2"]), "a list of steps"),
    (of_run(evaluation_steps=list(range(2_000))), "a list of at most 1,000"),
    (of_run(text_facts={"seen": 2}), "facts on its text"),
    (of_run(text_facts=[1]), "facts on its text"),
    (of_run(parent=["x", 1, 2]), "a list of at most 2"),
    (of_run(corpus_sha256="0" * 64), "another text's hash"),
    (lambda plain: plain["run"].pop("config"), "invalid config"),
    (lambda plain: plain["run"].pop("name"), "nothing as the run's name"),
    (lambda plain: plain.update(run=[]), "no JSON object where "),
    (lambda plain: plain.update(checkpoints={}), "a list of at most 64"),
    (lambda plain: plain["checkpoints"].pop(), "is not listed in run.json"),
    (lambda plain: plain["checkpoints"].append({"step": 39, "full": True, "created": 0}), "step-000039"),
    (lambda plain: plain["checkpoints"].reverse(), "a checkpoint's step"),
    (lambda plain: plain["checkpoints"][-1].update(full=False), "has full in its header"),
]


@pytest.mark.parametrize(("change", "said"), RUN_CHANGES, ids=[said for _, said in RUN_CHANGES])
def test_a_run_that_cannot_stand(packed: bytes, change: Callable[[Any], Any], said: str) -> None:
    def changed(plain: Any) -> None:
        change(plain)

    assert said in refusal(with_json(packed, "run.json", changed))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"run": NaN}', b"1" * 9_000]
)
def test_json_that_is_none(packed: bytes, content: bytes) -> None:
    for member in ("run.json", MANIFEST):
        parts = opened(packed) | {member: content}
        assert member in refusal(zipped(parts) if member == MANIFEST else sealed(parts))


def test_a_model_too_large_here_is_refused_before_it_is_built(packed: bytes) -> None:
    assert "allowed here (UNROLLED_MAX_PARAMETERS)" in refusal(
        with_json(packed, "run.json", of_run(parameters=None)), max_parameters=20
    )


# ---------------------------------------------------------------------- tables and samples


TABLES = [
    ("metrics.csv", b"", "does not begin with the columns step, loss"),
    ("metrics.csv", b"step,loss\n1,2\n", "does not begin with the columns step, loss"),
    ("metrics.csv", b"\xff", "is not UTF-8"),
    ("changes.csv", b'step,key,value,text,when\n1,"a', "is not a CSV file"),
    ("changes.csv", b"step,key,value,text,when\n1,<b>,,,0\n", "line 2: <b> is not a kind of change"),
    ("changes.csv", b"step,key,value,text,when\n1,paused,,\x07,0\n", "line 2: a text has control characters"),
    ("changes.csv", b"step,key,value,text,when\n1,paused,inf,,0\n", "line 2: inf is not a finite number"),
    ("changes.csv", b"step,key,value,text,when\n1,paused,,,-1\n", "line 2: -1 is not a time in seconds since 1970"),
]


@pytest.mark.parametrize(("member", "content", "said"), TABLES, ids=[said for *_, said in TABLES])
def test_a_table_that_cannot_stand(packed: bytes, member: str, content: bytes, said: str) -> None:
    found = refusal(with_bytes(packed, member, content))
    assert member in found
    assert said in found


METRIC_LINES = [
    ("1,hello,1,1,1,1,1,1,1", "line 2: hello is not a number"),
    ("1,,1,1,1,1,1,1,1", "line 2: nothing is not a number"),
    ("1,1_0,1,1,1,1,1,1,1", "line 2: 1_0 is not a number"),
    ("1,٣,1,1,1,1,1,1,1", "is not a number"),
    (f"1,{'9' * 50},1,1,1,1,1,1,1", "is not a number"),
    ("1.0,1,1,1,1,1,1,1,1", "1.0 is not a whole number"),
    ("-1,1,1,1,1,1,1,1,1", "-1 is not a whole number"),
    ("41,1,1,1,1,1,1,1,1", "step 41, but the run has steps 0 to 40"),
    ("9999999999,1,1,1,1,1,1,1,1", "the run has steps 0 to 40"),
    ("1,1", "has 2 values in line 2; 9 are expected"),
    ("2,1,1,1,1,1,1,1,1\n1,1,1,1,1,1,1,1,1", "step 1 after step 2"),
    ("2,1,1,1,1,1,1,1,1\n2,1,1,1,1,1,1,1,1", "step 2 after step 2"),
]


@pytest.mark.parametrize(("lines", "said"), METRIC_LINES, ids=[said for _, said in METRIC_LINES])
def test_metrics_that_cannot_stand(packed: bytes, lines: str, said: str) -> None:
    header = opened(packed)["metrics.csv"].splitlines()[0] + b"\n"
    found = refusal(with_bytes(packed, "metrics.csv", header + lines.encode()))
    assert "metrics.csv" in found
    assert said in found


def test_a_table_without_end(packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(csv_rows.MAX_ROWS_OF, "metrics.csv", 10)
    assert "metrics.csv has more than 10 rows" in refusal(packed)


SAMPLES = [
    (lambda rows: {}, "is not a list"),
    (lambda rows: [1], "no JSON object where "),
    (lambda rows: rows * 2, "as step"),
    (lambda rows: [rows[0] | {"step": 41}], "from 0 to 40"),
    (lambda rows: [rows[0] | {"text": 5}], "a text of at most"),
    (lambda rows: [rows[0] | {"text": "nul \0"}], "without NUL"),
    (lambda rows: [rows[0] | {"text": "\udfff"}], "without NUL characters or unpaired"),
    (lambda rows: [rows[0] | {"verbatim_share": 1.5}], "from 0 to 1"),
    (lambda rows: [rows[0] | {"longest_verbatim": 1.5}], "a whole number"),
]


@pytest.mark.parametrize(("change", "said"), SAMPLES, ids=[said for _, said in SAMPLES])
def test_samples_that_cannot_stand(packed: bytes, change: Callable[[Any], Any], said: str) -> None:
    found = refusal(with_json(packed, "samples.json", change))
    assert "samples.json" in found
    assert said in found
