"""Both files as one archive."""

from __future__ import annotations

import io
import zipfile

from engine.export import bundle, script, weights

from .checkpoints import make_checkpoint


def test_it_holds_both_files_and_nothing_else() -> None:
    checkpoint = make_checkpoint("words", cell="gru")
    with zipfile.ZipFile(io.BytesIO(bundle(checkpoint))) as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == {
            "model.py": script(checkpoint).encode("utf-8"),
            "model.safetensors": weights(checkpoint),
        }
        assert {entry.external_attr >> 16 for entry in packed.infolist()} == {0o644}


def test_the_same_checkpoint_gives_the_same_bytes() -> None:
    assert bundle(make_checkpoint()) == bundle(make_checkpoint())
    assert bundle(make_checkpoint()) != bundle(make_checkpoint(seed=1))
