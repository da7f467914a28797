from pathlib import Path

import pytest

from playground.runs.store import migrations, schema
from playground.runs.store.blobs import BlobMissingError, Blobs, FileBlobs, TableBlobs


@pytest.fixture(params=["files", "table"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "files":
        return FileBlobs(tmp_path / "blobs")
    engine = schema.open_engine(f"sqlite:///{tmp_path}/blobs.sqlite")
    migrations.prepare(engine)
    return TableBlobs(engine)


def test_bytes_come_back_as_they_were(blobs: Blobs) -> None:
    blobs.put("run", "a", b"\0\xff" * 1000, durable=True)
    assert blobs.get("run", "a") == b"\0\xff" * 1000


def test_putting_again_replaces(blobs: Blobs) -> None:
    blobs.put("run", "a", b"old")
    blobs.put("run", "a", b"new")
    assert blobs.get("run", "a") == b"new"
    assert blobs.size() == 3


def test_what_is_missing_is_said(blobs: Blobs) -> None:
    with pytest.raises(BlobMissingError, match="missing"):
        blobs.get("run", "a")


def test_deleting_gives_space_back_and_forgives_what_is_gone(blobs: Blobs) -> None:
    blobs.put("run", "a", b"12345")
    blobs.put("run", "b", b"12345")
    blobs.put("other", "a", b"1")
    blobs.delete("run", ["a", "never there"])
    assert blobs.size() == 6
    blobs.delete_folder("run")
    blobs.delete_folder("never there")
    assert blobs.size() == 1


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FileBlobs(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.runs.store.blobs.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        blobs.put("run", "a", b"12345")
    assert list((tmp_path / "run").iterdir()) == []
