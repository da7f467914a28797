"""The zip file itself: its members by name, read with a bound on their size.

The sizes that the zip file declares are not trusted: the bytes of a member are counted while it is inflated. The size
of the central directory is checked before it is parsed, so that one with millions of entries costs nothing.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from playground.runs.archive.layout import (
    EXPORT_AGAIN,
    MANIFEST,
    MAX_BYTES_OF,
    MAX_MEMBERS,
    RunArchiveError,
    refused,
    too_large,
)
from playground.text import size

_END = struct.Struct("<4s4H2LH")  # the record that ends a zip file (APPNOTE.TXT 4.3.16)
_MAX_ENTRY_BYTES = 46 + 400  # bytes of one entry of the central directory: fixed part, name and extra fields
_PIECE = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


class Members:
    """The members of a run archive of at most `limit` bytes, unpacked and packed.

    Raises:
        RunArchiveError: not a complete zip file, or members that a run archive does not have
    """

    def __init__(self, raw: bytes, limit: int) -> None:
        if len(raw) > limit:
            raise refused("", f"it is {size(len(raw))}, and the limit here is {size(limit)}", "Import a smaller one.")
        self._raw = raw
        self._limit = limit
        _check_frame(raw)
        self._infos = _checked(_listed(raw))
        if sum(info.file_size for info in self._infos.values()) > limit:
            raise too_large("", limit)

    @property
    def names(self) -> frozenset[str]:
        """The names of all members."""
        return frozenset(self._infos)

    def read(self, name: str, most: int | None = None) -> bytes:
        """A member's bytes, at most `most` of them (default: what such a member may have).

        Raises:
            RunArchiveError: it is missing, damaged, or larger than it may be
        """
        most = min(self._limit, MAX_BYTES_OF.get(name, self._limit) if most is None else most)
        return b"".join(self._pieces(name, most))

    def digest(self, name: str) -> tuple[int, str]:
        """A member's size and SHA-256, read piece by piece."""
        counted, digest = 0, hashlib.sha256()
        for piece in self._pieces(name, min(self._limit, MAX_BYTES_OF.get(name, self._limit))):
            counted += len(piece)
            digest.update(piece)
        return counted, digest.hexdigest()

    def _pieces(self, name: str, most: int) -> Iterator[bytes]:
        if name not in self._infos:
            raise refused(name, "is missing")
        if self._infos[name].file_size > most:
            raise too_large(name, most)
        counted = 0
        try:
            with zipfile.ZipFile(io.BytesIO(self._raw)) as archive, archive.open(self._infos[name]) as member:
                while piece := member.read(_PIECE):
                    counted += len(piece)
                    if counted > most:
                        raise too_large(name, most)
                    yield piece
        except RunArchiveError:
            raise
        except _DAMAGE as error:
            raise refused(name, f"is damaged ({type(error).__name__})") from None


def _check_frame(raw: bytes) -> None:
    """Check that `raw` begins and ends like a plain zip file, with a central directory of a plausible size."""
    if not raw.startswith(b"PK"):
        raise refused("", "it is not a zip file", "Choose a file whose name ends in .unrolled.zip.")
    if len(raw) < _END.size or not raw[-_END.size :].startswith(b"PK\5\6"):
        raise refused("", "it does not end like a zip file: it was truncated or modified", EXPORT_AGAIN)
    _, disk, first_disk, here, entries, length, start, comment = _END.unpack(raw[-_END.size :])
    if disk or first_disk or comment or here != entries or start + length + _END.size != len(raw):
        raise refused("", "its directory is not where it should be")
    if entries > MAX_MEMBERS or length > MAX_MEMBERS * _MAX_ENTRY_BYTES:
        raise refused("", f"it has more than the {MAX_MEMBERS} members a run file can have")


def _listed(raw: bytes) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return archive.infolist()
    except _DAMAGE as error:
        raise refused("", f"its directory is damaged ({type(error).__name__})") from None


def _checked(infos: list[zipfile.ZipInfo]) -> Mapping[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename
        # the name as stored: zipfile replaces backslashes on Windows and cuts at NUL
        _check_name(info.orig_filename)
        if info.orig_filename != name:
            raise refused(info.orig_filename, "is not a valid member name")
        if name in found:
            raise refused(name, "occurs twice")
        _check_kind(info)
        found[name] = info
    if MANIFEST not in found:
        raise refused(MANIFEST, "is missing, so this is not a run file", "Choose a file that was exported by Unrolled.")
    return found


def _check_name(name: str) -> None:
    if not name:
        raise refused("", "one of its members has no name")
    if re.match(r"([A-Za-z]:)?[\\/]", name) or ".." in re.split(r"[\\/]", name):
        raise refused(name, "is a path outside the file", "Do not use this file: it was not exported by Unrolled.")


def _check_kind(info: zipfile.ZipInfo) -> None:
    mode = info.external_attr >> 16
    if info.is_dir() or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise refused(info.filename, "is a link or a folder; a plain file is expected")
    if info.flag_bits & 0x2041:  # encrypted, strongly encrypted, or with a masked header
        raise refused(info.filename, "is encrypted", "Export the run again without a password.")
    if info.compress_type not in _METHODS:
        raise refused(info.filename, "uses an unsupported compression method (only deflate or none are supported)")
