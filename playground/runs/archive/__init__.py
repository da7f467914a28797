"""Run archives: a run exported as one zip file, and imported again."""

from playground.runs.archive.layout import SUFFIX, RunArchiveError
from playground.runs.archive.pack import pack
from playground.runs.archive.run_archive import RunArchive
from playground.runs.archive.unpack import max_archive_bytes, unpack

__all__ = ["SUFFIX", "RunArchive", "RunArchiveError", "max_archive_bytes", "pack", "unpack"]
