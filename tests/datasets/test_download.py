"""Downloads from a server of our own: whole, cut short, wrong, refused, interrupted, and never twice."""

import hashlib
import http.server
import threading

import pytest

from ntkfield.datasets import download

CONTENT = bytes(range(256)) * 4096
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests_seen.append(self.path)
        if self.path == "/missing.bin":
            self.send_error(404)
            return
        content = CONTENT[::-1] if self.path == "/wrong.bin" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path == "/short.bin" else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.requests_seen = []
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_file_is_downloaded_once(server, tmp_path, caplog):
    caplog.set_level("INFO", "ntkfield")
    path = download.fetch(f"{server.url}/good.bin", MD5, tmp_path / "new")
    assert path == tmp_path / "new" / "good.bin"
    assert path.read_bytes() == CONTENT
    assert "downloading good.bin: 50 %" in caplog.text
    assert download.fetch(f"{server.url}/good.bin", MD5, tmp_path / "new") == path
    assert server.requests_seen == ["/good.bin"]


def test_another_file_under_the_name_is_replaced(server, tmp_path):
    (tmp_path / "good.bin").write_bytes(b"something else")
    assert download.fetch(f"{server.url}/good.bin", MD5, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("short.bin", OSError, r"short.bin could not be downloaded \(\w+\): try again, or give the path of a copy"),
        ("missing.bin", OSError, "could not be downloaded"),
        ("wrong.bin", ValueError, f"checksum is not {MD5}: try again"),
    ],
)
def test_a_failed_download_leaves_nothing(server, tmp_path, name, error, message):
    with pytest.raises(error, match=message):
        download.fetch(f"{server.url}/{name}", MD5, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_server_is_said_in_one_sentence(tmp_path, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match="could not be downloaded"):
        download.fetch(f"{server.url}/good.bin", MD5, tmp_path)


def test_an_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    def interrupt(self, size):
        assert not (tmp_path / "good.bin").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(download._Progress, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download.fetch(f"{server.url}/good.bin", MD5, tmp_path)
    assert list(tmp_path.iterdir()) == []
