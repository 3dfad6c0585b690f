"""The proxy before the API, with deploy/caddy/Caddyfile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.conftest import missing
from tests.deploy.machine import free_port, until
from tests.deploy.places import DEPLOY, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CADDYFILE = DEPLOY / "caddy/Caddyfile"


class Api(BaseHTTPRequestHandler):
    """Says what it was asked, and for whom."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['X-Forwarded-For']} {self.headers['Host']}".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""


def caddy(*arguments: str, **environment: str) -> list[str]:
    # Ours lies where scripts/install-test-tools unpacks it.
    program = shutil.which("caddy") or shutil.which("caddy", path=str(ROOT / ".cache/caddy/usr/bin"))
    if program is None:
        missing("caddy")
    return [
        "env",
        *(f"{name}={value}" for name, value in environment.items()),
        str(program),
        *arguments,
        "--adapter",
        "caddyfile",
    ]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the proxy; without TLS, as nobody would sign a certificate for it here."""
    home = tmp_path_factory.mktemp("caddy")
    api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    url = f"http://localhost:{free_port()}"
    command = caddy(
        "run", "--config", str(CADDYFILE), HOME=str(home), KINEBOX_DOMAIN=url,
        KINEBOX_API=f"127.0.0.1:{api.server_port}",
    )  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"XDG_DATA_HOME": str(home)}
        )
    try:
        until(lambda: get(url, "/up")[0] == 200, f"the proxy answers: {(home / 'log').read_text()}")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        api.shutdown()
        api.server_close()


def get(url: str, path: str) -> tuple[int, str]:
    request = urllib.request.Request(url + path, headers={"X-Forwarded-For": "192.0.2.66"})  # noqa: S310 (ours)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def test_it_hands_on_and_says_for_whom(proxy: str) -> None:
    status, text = get(proxy, "/api/me")
    assert status == 200
    assert text == f"/api/me 127.0.0.1 {proxy.removeprefix('http://')}"  # what the browser claimed is gone


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
def test_what_is_for_the_operator_stays_inside(proxy: str, path: str) -> None:
    assert get(proxy, path) == (404, "")


def test_a_mistake_is_noticed(tmp_path: Path) -> None:
    environment = {"KINEBOX_DOMAIN": "cloud.example.org", "HOME": str(tmp_path)}

    def validate(file: Path) -> int:
        command = caddy("validate", "--config", str(file), **environment)
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert validate(CADDYFILE) == 0
    wrong = tmp_path / "Caddyfile"
    wrong.write_text(CADDYFILE.read_text().replace("reverse_proxy", "reverse_proxi"))
    assert validate(wrong) == 1
