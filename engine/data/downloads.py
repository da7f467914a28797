"""Files of public corpora: fetched once, checked by their SHA-256, kept in one cache folder.

The folder is `UNROLLED_DATA`, or the platform's cache. It is laid out as `CORPUS/FILE`, and a file that
already stands there, whole, is read without a network and without writing, so the folder may be
filled by hand and may be read-only.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from engine.data.text import TextError

Progress = Callable[[int, int], None]  # bytes done, bytes in all

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
LONGEST_SECONDS = 600.0
_PIECE_BYTES = 65_536


class DownloadError(TextError):
    """A corpus that cannot be had now. The message says why, and what to do."""


@dataclass(frozen=True)
class RemoteFile:
    """One file of a corpus: where it lives in the cache folder and on the network, and what it must be."""

    path: str
    size: int  # bytes
    sha256: str
    address: str


TINY_SHAKESPEARE = RemoteFile(
    path="tinyshakespeare/input.txt",
    size=1_115_394,
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    address="https://raw.githubusercontent.com/karpathy/char-rnn/"
    "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
)
NAMES = RemoteFile(
    path="names/names.txt",
    size=228_145,
    sha256="0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
    address="https://raw.githubusercontent.com/karpathy/makemore/988aa59e4d8fefa526d06f3b453ad116258398d4/names.txt",
)
_WIKITEXT = (
    "https://raw.githubusercontent.com/pytorch/examples/"
    "77f55b912142e11fcfdf5b530231fb9c52f181e8/word_language_model/data/wikitext-2/"
)
WIKITEXT_2 = (
    RemoteFile(
        path="wikitext-2/train.txt",
        size=10_797_148,
        sha256="9e9fa1ad55b1c2c95b08e37dd8e653f638fac2c6de904b79e813611eefbc985f",
        address=_WIKITEXT + "train.txt",
    ),
    RemoteFile(
        path="wikitext-2/valid.txt",
        size=1_121_681,
        sha256="f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
        address=_WIKITEXT + "valid.txt",
    ),
    RemoteFile(
        path="wikitext-2/test.txt",
        size=1_256_449,
        sha256="d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
        address=_WIKITEXT + "test.txt",
    ),
)


def cache_folder() -> Path:
    """The folder of downloaded files: `UNROLLED_DATA`, or the platform's cache for this program."""
    chosen = os.environ.get("UNROLLED_DATA", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("unrolled"))


def is_here(file: RemoteFile, folder: Path | None = None) -> bool:
    """Whether the file stands in the cache folder with its full size (its content is checked when it is read)."""
    path = (folder or cache_folder()) / file.path
    return path.is_file() and path.stat().st_size == file.size


def read(file: RemoteFile, progress: Progress | None = None, folder: Path | None = None) -> bytes:
    """The content of a corpus file, from the cache folder or, the first time, from the network.

    Args:
        file: which one.
        progress: called with (bytes done, bytes in all) while it downloads.
        folder: the cache folder; by default `cache_folder()`.

    Raises:
        DownloadError: no network, no such address any more, another content than expected, a full disk.
    """
    folder = folder or cache_folder()
    raw = _whole(folder / file.path, file) if is_here(file, folder) else None
    if raw is None:
        _download(file, folder, progress)
        raw = _whole(folder / file.path, file)
    if raw is None:
        raise DownloadError(f"{folder / file.path} changed while it was being read. Try again.")
    return raw


def read_all(
    files: Sequence[RemoteFile], progress: Progress | None = None, folder: Path | None = None
) -> Iterator[bytes]:
    """The contents of several files, in order, with one progress for all of them."""
    total = sum(file.size for file in files)
    before = 0
    for file in files:
        yield read(file, progress and partial(_shifted, progress, before, total), folder)
        before += file.size


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def _whole(path: Path, file: RemoteFile) -> bytes | None:
    """The bytes of a file in the cache, or None if they are not the ones expected."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DownloadError(f"{path} cannot be read ({error.strerror}): make it readable or delete it.") from None
    return raw if hashlib.sha256(raw).hexdigest() == file.sha256 else None


def _download(file: RemoteFile, folder: Path, progress: Progress | None) -> None:
    import pooch
    import requests

    target = folder / file.path
    host = urlsplit(file.address).hostname
    what = f"{file.path} ({file.size / 1e6:.1f} MB)"
    downloader = pooch.HTTPDownloader(
        progressbar=_Watch(file, progress), chunk_size=_PIECE_BYTES, timeout=(CONNECT_SECONDS, READ_SECONDS)
    )
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            file.address, f"sha256:{file.sha256}", fname=target.name, path=target.parent, downloader=downloader
        )
    except DownloadError:
        raise
    except requests.exceptions.HTTPError as error:
        status = error.response.status_code if error.response is not None else "with an error"
        raise DownloadError(
            f"{what} could not be downloaded: {host} answered {status}. Try again later, or put the file at {target} "
            "yourself."
        ) from None
    except requests.exceptions.RequestException:
        raise DownloadError(
            f"{what} could not be downloaded: {host} cannot be reached. Check the network and try again, "
            f"put the file at {target} yourself, or choose a built-in corpus."
        ) from None
    except OSError as error:
        raise DownloadError(
            f"{what} could not be saved at {target} ({error.strerror or error}): "
            "set UNROLLED_DATA to a writable folder with enough free space."
        ) from None
    except ValueError:
        raise DownloadError(
            f"{host} sent another file than expected for {what} (its SHA-256 differs), so it was discarded. "
            "Try again on another network."
        ) from None


class _Watch:
    """Pooch's progress bar: passes progress on, and stops a download that is too large or takes too long."""

    total = 0  # set by pooch from the answer's header; the size known beforehand is the one relied on

    def __init__(self, file: RemoteFile, progress: Progress | None) -> None:
        self.file = file
        self.progress = progress
        self.done = 0
        self.started = time.monotonic()
        self.finished = False

    def update(self, count: int) -> None:
        if self.finished:
            return
        self.done += count
        if self.done > self.file.size + 2 * _PIECE_BYTES:
            raise DownloadError(f"The download of {self.file.path} was stopped: it is larger than the file should be.")
        if time.monotonic() - self.started > LONGEST_SECONDS:
            raise DownloadError(
                f"The download of {self.file.path} took more than {LONGEST_SECONDS / 60:g} minutes. Try again later."
            )
        if self.progress:
            self.progress(min(self.done, self.file.size), self.file.size)

    def reset(self) -> None:
        """Called by pooch when all has arrived."""
        self.finished = True
        if self.progress:
            self.progress(self.file.size, self.file.size)

    def close(self) -> None:
        """Nothing is held open."""
