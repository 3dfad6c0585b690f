"""A server of releases, over TLS: `python -m tests.device.release_server HOST PORT CERTIFICATE FOLDER`.

Files come in parts, where a part is asked for. The first answer for a file `broken-*` ends in its middle. What was
asked for is printed, a line each.
"""

from __future__ import annotations

import re
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_RANGE = re.compile(r"bytes=(\d+)-")


class Releases(ThreadingHTTPServer):
    """Serve a folder from another thread."""

    daemon_threads = True

    def __init__(self, host: str, port: int, certificate: Path, folder: Path) -> None:
        super().__init__((host, port), _Handler)
        self.folder = folder
        self.asked: list[str] = []
        self.says: dict[str, Any] = {}
        """Headers in place of the usual ones."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: Any) -> None:
        pass  # who hangs up


class _Handler(BaseHTTPRequestHandler):
    server: Releases

    def do_GET(self) -> None:
        part = self.headers.get("range", "")
        first = not any(line.startswith(self.path) for line in self.server.asked)
        self.server.asked.append(f"{self.path} {part}".strip())
        print(self.server.asked[-1], flush=True)
        if self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("location", "http://192.0.2.1/release.tar.gz")
            self.end_headers()
            return
        path = self.server.folder / self.path.removeprefix("/")
        if not path.is_file():
            self.send_error(404)
            return
        size, found = path.stat().st_size, _RANGE.fullmatch(part)
        begin = int(found[1]) if found else 0
        self.send_response(206 if found else 200)
        headers = {"content-length": size - begin} | self.server.says
        if found:
            headers["content-range"] = f"bytes {begin}-{size - 1}/{size}"
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        left = (size - begin) // 2 if first and path.name.startswith("broken-") else size - begin
        with path.open("rb") as file:
            file.seek(begin)
            while left and (chunk := file.read(min(left, 2**20))):
                self.wfile.write(chunk)
                left -= len(chunk)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    Releases(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])).serve_forever()
