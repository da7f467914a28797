"""The two files of an exported model as one archive."""

from __future__ import annotations

import io
import zipfile

from engine.export.source import SCRIPT, script
from engine.export.tensors import WEIGHTS, weights
from engine.training.checkpoint import Checkpoint


def bundle(checkpoint: Checkpoint) -> bytes:
    """model.py and model.safetensors in a zip file, the same bytes for the same checkpoint.

    Nothing is compressed, as weights hardly become smaller, and what a compressor writes depends on its version.

    Raises:
        ConfigError, CheckpointError, TextError: as `script` and `weights` say
    """
    files = {SCRIPT: script(checkpoint).encode("utf-8"), WEIGHTS: weights(checkpoint)}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # dated 1980, not now
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = 0o644 << 16  # without it some programs unpack files that nobody may read
            packed.writestr(entry, content)
    return archive.getvalue()
