"""Downloads from a server on this machine: resumed, verified, never half a file."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from examples.cifar10.data.download import Archive, fetch
from examples.cifar10.errors import DownloadError

CONTENT = np.random.default_rng(0).bytes(300_000)
ARCHIVE = Archive(
    "file.tar.gz",
    len(CONTENT),
    hashlib.md5(CONTENT).hexdigest(),
    hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        content = CONTENT
        stop_after = None
        ranges = True

        def do_GET(self):
            cls = type(self)
            cls.requests.append(self.headers.get("Range"))
            start = 0
            if self.headers.get("Range") and cls.ranges:
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                last = len(cls.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(cls.content)}")
            elif self.path.endswith("missing.tar.gz"):
                self.send_error(404)
                return
            else:
                self.send_response(200)
            body = cls.content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if cls.stop_after is not None:
                body, cls.stop_after = body[: cls.stop_after], None
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    Handler.requests = []
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    Handler.url = f"http://127.0.0.1:{running.server_port}"
    yield Handler
    running.shutdown()
    running.server_close()
    thread.join()


def test_a_whole_file_with_progress(server, tmp_path):
    seen = []
    path = fetch(
        ARCHIVE, tmp_path / "data", server.url, lambda done, total: seen.append((done, total))
    )
    assert path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert [p.name for p in path.parent.iterdir()] == ["file.tar.gz"]
    fetch(ARCHIVE, tmp_path / "data", server.url)
    assert len(server.requests) == 1


def test_an_interruption_is_resumed(server, tmp_path):
    server.stop_after = 100_000
    path = fetch(ARCHIVE, tmp_path, server.url)
    assert path.read_bytes() == CONTENT
    assert server.requests[0] is None
    assert server.requests[1].startswith("bytes=")
    assert server.requests[1] != "bytes=0-"


def test_a_part_of_something_else_is_fetched_again(server, tmp_path):
    (tmp_path / "file.tar.gz.part").write_bytes(b"x" * 1000)
    assert fetch(ARCHIVE, tmp_path, server.url).read_bytes() == CONTENT


def test_a_server_without_ranges(server, tmp_path):
    server.ranges = False
    (tmp_path / "file.tar.gz.part").write_bytes(CONTENT[:1000])
    assert fetch(ARCHIVE, tmp_path, server.url).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"!", CONTENT + b"more", b"short"])
def test_something_else_never_gets_the_name(server, tmp_path, content):
    server.content = content
    with pytest.raises(DownloadError):
        fetch(ARCHIVE, tmp_path, server.url)
    assert not (tmp_path / "file.tar.gz").exists()


def test_a_wrong_file_in_place_is_not_overwritten(server, tmp_path):
    (tmp_path / "file.tar.gz").write_bytes(b"mine")
    with pytest.raises(DownloadError, match="delete it"):
        fetch(ARCHIVE, tmp_path, server.url)
    assert (tmp_path / "file.tar.gz").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("ftp://somewhere", "http or https"),
        ("http://127.0.0.1:9", "cannot download"),
    ],
)
def test_bad_addresses(tmp_path, address, match):
    with pytest.raises(DownloadError, match=match):
        fetch(ARCHIVE, tmp_path, address)


def test_a_missing_file(server, tmp_path):
    with pytest.raises(DownloadError, match="404"):
        fetch(ARCHIVE, tmp_path, f"{server.url}/missing.tar.gz")
