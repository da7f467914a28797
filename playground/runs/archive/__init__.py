"""Run files: a run as one zip file, to take away and to bring in."""

from playground.runs.archive.form import SUFFIX, ParcelError
from playground.runs.archive.pack import pack
from playground.runs.archive.parcel import Parcel
from playground.runs.archive.unpack import most_bytes, unpack

__all__ = ["SUFFIX", "Parcel", "ParcelError", "most_bytes", "pack", "unpack"]
