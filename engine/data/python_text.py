"""Text that every Python brings with it: its documentation and its own source code.

Both are those of the Python that runs, so they differ a little between versions; a corpus's hash tells.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

from engine.data.text import TextError, decode

# Modules of the standard library with much plain, well-commented Python in them, in the order in
# which they are read. The last ones, about a tenth of the text, become the validation part.
SOURCE_FILES = (
    "argparse.py",
    "ast.py",
    "bisect.py",
    "calendar.py",
    "cmd.py",
    "codecs.py",
    "collections/__init__.py",
    "configparser.py",
    "contextlib.py",
    "copy.py",
    "csv.py",
    "dataclasses.py",
    "difflib.py",
    "enum.py",
    "fileinput.py",
    "fractions.py",
    "functools.py",
    "gettext.py",
    "heapq.py",
    "inspect.py",
    "json/decoder.py",
    "json/encoder.py",
    "logging/__init__.py",
    "numbers.py",
    "optparse.py",
    "pdb.py",
    "pprint.py",
    "queue.py",
    "random.py",
    "sched.py",
    "shlex.py",
    "shutil.py",
    "socketserver.py",
    "statistics.py",
    "string.py",
    "tempfile.py",
    "textwrap.py",
    "threading.py",
    "timeit.py",
    "tokenize.py",
    "trace.py",
    "traceback.py",
    "urllib/parse.py",
    "uuid.py",
    "weakref.py",
)


def documentation() -> str:
    """The texts behind Python's `help()`, by topic in alphabetical order.

    Raises:
        TextError: this Python was installed without them.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise TextError(
            "This Python was installed without its documentation (pydoc_data): choose another corpus."
        ) from None
    return _tidy("\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n")


def source(library: Path | None = None) -> tuple[str, tuple[str, ...]]:
    """The source of the modules in `SOURCE_FILES`, and the files that this Python does not have.

    Args:
        library: the folder of the standard library; by default that of the Python that runs.

    Raises:
        TextError: none of them is there as a file.
    """
    library = library or Path(sysconfig.get_path("stdlib"))
    found: list[str] = []
    missing: list[str] = []
    for name in SOURCE_FILES:
        path = library / name
        if path.is_file():
            found.append(_tidy(path.read_text(encoding="utf-8")))
        else:
            missing.append(name)
    if not found:
        raise TextError(f"This Python has no source files in {library}: choose another corpus.")
    return "\n\n".join(found), tuple(missing)


def _tidy(text: str) -> str:
    return decode(text.encode("utf-8"), limit=None)
