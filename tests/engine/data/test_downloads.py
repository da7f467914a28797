"""Downloads against a server on this machine: checked, bounded, told about, and refused in sentences."""

import csv
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.data import downloads
from engine.data.downloads import DownloadError, RemoteFile

CONTENT = b"To be, or not to be.\n" * 20_000


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            self.send_error(404)
            return
        body = CONTENT * (5 if self.path == "/endless" else 1)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return  # the client has heard enough

    def log_message(self, *_):
        return


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def remote(address, content=CONTENT, path="plays/input.txt"):
    return RemoteFile(path, len(content), hashlib.sha256(content).hexdigest(), address)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")


def test_a_file_is_downloaded_once_with_progress_and_then_read_from_the_cache(server, tmp_path):
    told = []
    file = remote(server + "/file")
    assert not downloads.is_here(file, tmp_path)
    assert downloads.read(file, lambda done, total: told.append((done, total)), tmp_path) == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert len(told) > 3
    assert downloads.is_here(file, tmp_path)
    assert downloads.read(remote("http://127.0.0.1:9/nowhere"), None, tmp_path) == CONTENT


def test_the_cache_folder_is_the_setting(server, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "elsewhere"))
    assert downloads.read(remote(server + "/file")) == CONTENT
    assert (tmp_path / "elsewhere" / "plays" / "input.txt").read_bytes() == CONTENT


def test_without_the_setting_the_platforms_cache_is_used(monkeypatch):
    monkeypatch.delenv("UNROLLED_DATA")
    assert downloads.cache_folder().name == "unrolled"


def test_a_damaged_file_in_the_cache_is_downloaded_again(server, tmp_path):
    path = tmp_path / "plays" / "input.txt"
    path.parent.mkdir()
    path.write_bytes(b"x" * len(CONTENT))
    assert downloads.read(remote(server + "/file"), None, tmp_path) == CONTENT


def test_several_files_share_one_progress(server, tmp_path):
    told = []
    files = [remote(server + "/file"), remote(server + "/file", path="plays/two.txt")]
    contents = list(downloads.read_all(files, lambda done, total: told.append((done, total)), tmp_path))
    assert contents == [CONTENT, CONTENT]
    assert told == sorted(told)
    assert told[-1] == (2 * len(CONTENT), 2 * len(CONTENT))


def test_without_a_network_a_sentence_says_what_to_do(tmp_path):
    with pytest.raises(
        DownloadError, match=r"cannot be reached\. Check the network.*put the file at .*built-in corpus"
    ):
        downloads.read(remote("http://127.0.0.1:9/file"), None, tmp_path)


def test_an_address_that_is_gone_is_said_with_its_status(server, tmp_path):
    with pytest.raises(DownloadError, match="answered 404"):
        downloads.read(remote(server + "/gone"), None, tmp_path)


def test_another_content_is_thrown_away(server, tmp_path):
    with pytest.raises(DownloadError, match=r"sent another file than expected .*\(its SHA-256 differs\)"):
        downloads.read(remote(server + "/file", CONTENT[:-1] + b"!"), None, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_download_larger_than_the_file_is_stopped(server, tmp_path):
    with pytest.raises(DownloadError, match="stopped: it is larger than the file should be"):
        downloads.read(remote(server + "/endless"), None, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_download_that_takes_too_long_is_stopped(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LONGEST_SECONDS", 0.0)
    with pytest.raises(DownloadError, match="took more than"):
        downloads.read(remote(server + "/file"), None, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "plays").write_text("a file where a folder should be")
    with pytest.raises(DownloadError, match=r"could not be saved at .*UNROLLED_DATA"):
        downloads.read(remote(server + "/file"), None, tmp_path)


def test_a_listener_that_stops_stops_the_download(server, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        downloads.read(remote(server + "/file"), stop, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_sizes_checksums_and_addresses_are_those_of_the_manifest(shared_data):
    with (shared_data / "MANIFEST.tsv").open(encoding="utf-8") as table:
        rows = {row["path"]: row for row in csv.DictReader(table, delimiter="\t")}
    for file in (downloads.TINY_SHAKESPEARE, downloads.NAMES, *downloads.WIKITEXT_2):
        row = rows[file.path]
        assert (file.size, file.sha256, file.address) == (int(row["bytes"]), row["sha256"], row["url"])
        assert downloads.is_here(file)
