"""What is in the repository, what is not, and that the documents agree with the code."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from playground.runs.settings import describe

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [
    *(f"engine/{part}" for part in ("cells", "models", "data", "training", "analysis", "decoding", "export")),
    *(f"playground/{part}" for part in ("notation", "diagrams", "charts", "runs", "components", "state", "frame")),
    *(f"playground/{part}" for part in ("access", "inside", "parts", "views")),
    "pages",
    *(f"tests/{part}" for part in ("engine", "playground", "pages", "browser", "benchmarks")),
]
NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", ".unrolled"}
SETTING = re.compile(r"UNROLLED_[A-Z]+(?:_[A-Z]+)*")


def _files() -> list[Path]:
    """Every file of the repository: what git knows or would add; in a copy without git, what stands there."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False)
    if answer.returncode == 0 and (ROOT / ".git").exists():
        listed = [ROOT / name for name in answer.stdout.decode().split("\0") if name]
    else:
        listed = [path for path in ROOT.rglob("*") if not _left_out(path.relative_to(ROOT))]
    return sorted(path for path in listed if path.is_file())


def _left_out(path: Path) -> bool:
    return any(part in NOT_OURS or part.endswith(("_cache", ".egg-info", ".hypothesis")) for part in path.parts)


def _texts() -> dict[str, str]:
    """Every text file of the repository by its path; a file with NUL bytes or not in UTF-8 is no text."""
    texts = {}
    for path in _files():
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            texts[path.relative_to(ROOT).as_posix()] = text
    return texts


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folders_of_the_layout_exist(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_no_third_party_data_is_in_the_repository(shared_data: Path) -> None:
    lines = (shared_data / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()
    columns = lines[0].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=False)) for line in lines[1:] if line]
    foreign = {row["sha256"]: row["path"] for row in rows if int(row["bytes"]) > 0}
    found = {path: foreign.get(hashlib.sha256(path.read_bytes()).hexdigest()) for path in _files()}
    # A licence is the same text wherever it is used.
    assert {path: name for path, name in found.items() if name and "LICENSE" not in name} == {}


def test_no_path_of_one_machine_is_written_anywhere() -> None:
    of_a_machine = re.compile(r"(?<![\w.:/~}])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/\w")
    assert _lines_with(of_a_machine) == []


def test_no_package_registry_is_named() -> None:
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "download.pytorch" + ".org", "anaconda" + ".org")
    options = ("--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "registry" + ".npmjs")
    assert _lines_with(re.compile("|".join(map(re.escape, (*hosts, *options))))) == []


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number} {line.strip()[:120]}"
        for path, text in _texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_every_text_file_ends_with_one_line_end() -> None:
    wrong = [path for path, text in _texts().items() if text and (not text.endswith("\n") or text.endswith("\n\n"))]
    assert wrong == []


def test_tests_have_no_init_files() -> None:
    """With one in tests/engine and none in tests, pytest would shadow the package engine."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_module_beside_the_entry_script_shadows_another() -> None:
    """`streamlit run` puts playground/ first on sys.path: a module `random` there would replace Python's."""
    names = {path.stem for path in (ROOT / "playground").iterdir() if path.suffix == ".py" or path.is_dir()}
    names -= {"__init__", "__pycache__"}
    assert names & set(sys.stdlib_module_names) == set()
    assert names & set(packages_distributions()) == set()


def test_requirements_are_pinned_exactly() -> None:
    lines = [
        line.split("#")[0].strip()
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    ]
    loose = [line for line in lines if line and not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)]
    assert loose == []


def test_every_command_of_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    told = set(re.findall(r"\bmake ([a-z]+)\b", _code_of_the_readme()))
    assert {"run", "test"} <= told <= targets


def _code_of_the_readme() -> str:
    """What stands in the README between backquotes: inline and in blocks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"(?s)```.*?```|`[^`\n]+`", text))


def _settings_table() -> dict[str, list[str]]:
    """The README's table of settings: variable to the other cells of its row."""
    rows = {}
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and SETTING.fullmatch(cells[0].strip("`")):
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def test_the_readme_names_every_setting_that_the_code_reads_and_no_other() -> None:
    read = {
        name
        for path, text in _texts().items()
        if path.startswith(("engine/", "playground/", "pages/")) and path.endswith(".py")
        for name in SETTING.findall(text)
    }
    # A name that only begins others is a prefix in prose.
    read -= {name for name in read if any(other.startswith(f"{name}_") for other in read)}
    assert set(_settings_table()) == read


def test_the_readme_gives_the_defaults_and_meanings_of_the_settings() -> None:
    told = _settings_table()
    assert {name: told.get(name) for name, *_ in describe()} == {name: [shown, why] for name, shown, why in describe()}


OPTIONS = {
    "runner.postScriptGC": False,
    "runner.magicEnabled": False,
    "browser.gatherUsageStats": False,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 512,
    "server.maxMessageSize": 32,
    "server.showEmailPrompt": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
}


def test_streamlit_takes_every_option_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held because `runner.postScriptGC` is a hidden option: a new Streamlit may rename it in silence."""
    monkeypatch.delenv("STREAMLIT_CLIENT_SHOW_ERROR_DETAILS")
    ask = (
        "import json, sys; from streamlit import config; "
        "print(json.dumps({name: config.get_option(name) for name in sys.argv[1:]}))"
    )
    command = [sys.executable, "-c", ask, *OPTIONS]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(answer.stdout) == OPTIONS
    assert answer.stderr == ""
