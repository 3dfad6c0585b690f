"""Who may talk to the dashboard."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from edge.errors import ConfigError
from edge.web.guard import SECURITY_HEADERS, Failures
from edge.web.settings import WebSettings
from edge.web.token import access_token
from tests.web.box import Box, handshake, record, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "correct-horse-battery-staple"  # noqa: S105
EVERYWHERE = "0.0.0.0"  # noqa: S104
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def open_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """As if bound beyond loopback: any address is its own, and a token is needed."""
    with running(
        tmp_path_factory.mktemp("box"), host=EVERYWHERE, names=("kine.example",), token=TOKEN
    ) as box:
        yield box


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:9999", 200),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("192.168.1.20", 421),
        ("evil.example@127.0.0.1:x", 421),
        ("user@evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_host_header(shared_box: Box, host: str, status: int) -> None:
    with shared_box.client() as http:
        response = http.get("/api/v1/status", headers={"host": host})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [("192.168.1.20:8080", 200), ("[fe80::1]", 200), ("kine.example", 200), ("evil.example", 421)],
)
def test_host_header_beyond_loopback(open_box: Box, host: str, status: int) -> None:
    with open_box.client() as http:
        response = http.get("/api/v1/status", headers={"host": host, "authorization": f"Bearer {TOKEN}"})
    assert response.status_code == status


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example", "http://["],
)
def test_another_site_gets_no_websocket_and_changes_nothing(shared_box: Box, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, shared_box.watch(origin=origin):
        pass
    assert refused.value.response.status_code == 403
    session_id = record(shared_box.store)
    with shared_box.client(headers={"origin": origin}) as http:
        assert http.delete(f"/api/v1/sessions/{session_id}").status_code == 403
        assert http.put("/api/v1/exercise", json={"exercise": "plank"}).status_code == 403
        response = http.get("/api/v1/status")
    assert not [name for name in response.headers if name.startswith("access-control-")]
    assert shared_box.store.session(session_id)
    assert shared_box.chosen == []


def test_the_dashboard_itself_gets_a_websocket(shared_box: Box) -> None:
    with shared_box.watch(origin=shared_box.url) as socket:
        assert '"hello"' in socket.recv(5)


@pytest.mark.parametrize(("host", "status"), [("localhost", 101), ("evil.example", 421)])
def test_a_websocket_under_a_wrong_name(shared_box: Box, host: str, status: int) -> None:
    with handshake(shared_box, host) as connection:
        assert connection.recv(12) == f"HTTP/1.1 {status}".encode()


def test_without_the_token(open_box: Box) -> None:
    with open_box.client() as http:
        api, page, health = (
            http.get("/api/v1/sessions"),
            http.get("/", headers=PAGE),
            http.get("/healthz"),
        )
    assert (api.status_code, api.headers["www-authenticate"]) == (401, "Bearer")
    assert api.json()["code"] == "token_needed"
    assert page.status_code == 401
    assert "링크" in page.text
    assert health.status_code == 503  # answered: the camera is not live
    with pytest.raises(InvalidStatus) as refused, open_box.watch():
        pass
    assert refused.value.response.status_code == 401


def test_from_the_link_to_the_cookie(open_box: Box) -> None:
    with open_box.client() as http:
        redirect = http.get(f"/?view=live&token={TOKEN}", headers=PAGE)
        assert (redirect.status_code, redirect.headers["location"]) == (303, "/?view=live")
        cookie = redirect.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "path=/" in cookie
        assert http.get("/api/v1/status").status_code == 200  # with the cookie alone
        value = http.cookies["kinebox_token"]
    # Cookies of other programs on the same address come along, in whatever shape.
    with open_box.watch(additional_headers={"Cookie": f'a={{"b"}}; =; kinebox_token={value}; x'}) as socket:
        assert '"hello"' in socket.recv(5)


def test_the_redirect_stays_on_the_box(open_box: Box) -> None:
    with httpx.Client(verify=False) as http:  # noqa: S501
        response = http.get(f"{open_box.url}//evil.example/?token={TOKEN}")
    assert response.headers["location"] == "/evil.example/"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer \xe9"},
        {"cookie": "kinebox_token=wrong"},
        {"cookie": f"other={TOKEN}"},
        {"cookie": "kinebox_token=\x01; ;;=,"},
    ],
)
def test_wrong_tokens(open_box: Box, headers: dict[str, str]) -> None:
    with open_box.client() as http:
        response = http.get("/api/v1/status", headers={k: v.encode("latin-1") for k, v in headers.items()})
    assert response.status_code in (401, 429)


def test_a_websocket_takes_no_token_from_its_address(open_box: Box) -> None:
    from websockets.sync.client import connect

    address = f"ws://127.0.0.1:{open_box.port}/api/v1/live?token={TOKEN}"
    with pytest.raises(InvalidStatus) as refused, connect(address):
        pass
    assert refused.value.response.status_code == 401


def test_a_looping_client_is_told_to_wait_and_the_right_token_still_gets_in(open_box: Box) -> None:
    with open_box.client() as http:
        answers = [
            http.get("/api/v1/status", headers={"authorization": "Bearer wrong"})
            for _ in range(Failures.LIMIT + 1)
        ]
        assert answers[-1].status_code == 429
        assert 0 < int(answers[-1].headers["retry-after"]) <= 61
        right = http.get("/api/v1/status", headers={"authorization": f"Bearer {TOKEN}"})
    assert right.status_code == 200


def test_failures_are_forgotten_and_bounded() -> None:
    now = [0.0]
    failures = Failures(lambda: now[0])
    assert [failures.add("a") for _ in range(11)] == [0] * 10 + [61]
    now[0] = 59.0
    assert failures.add("a") == 2
    assert failures.add("b") == 0
    now[0] = 60.0
    assert failures.add("a") == 0
    for number in range(5000):
        failures.add(str(number))
    assert len(failures._since) == Failures.ADDRESSES


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/status", 200), ("/", 503), ("/api/v1/sessions/1", 422), ("/metrics", 200), ("/healthz", 503)],
)
def test_every_answer_has_the_security_headers(shared_box: Box, path: str, status: int) -> None:
    with shared_box.client() as http:
        response = http.get(path)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "server" not in response.headers
    assert "'unsafe-" not in response.headers["content-security-policy"]


def test_a_fault_of_ours_tells_nothing(box: Box) -> None:
    box.state.camera = None  # type: ignore[assignment]
    with box.client() as http:
        response = http.get("/api/v1/status")
    assert response.status_code == 500
    assert response.json() == {
        "title": "Internal Server Error",
        "status": 500,
        "code": "internal_server_error",
        "detail": "",
        "type": "about:blank",
    }
    assert response.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "host", [EVERYWHERE, "::", "192.168.1.20", "box.local", "127.0.0.1.evil.example", ""]
)
def test_no_way_to_the_network_without_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="open to everyone"):
        WebSettings(host=host)
    with pytest.raises(ConfigError, match="characters"):
        WebSettings(host=host, token="short")  # noqa: S106


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:81/"),
        ("localhost", "http://localhost:81/"),
        ("::1", "http://[::1]:81/"),
    ],
)
def test_the_address_to_open(host: str, url: str) -> None:
    assert WebSettings(host=host).url(81) == url


def test_the_address_to_open_beyond_loopback() -> None:
    assert WebSettings(host="192.168.1.20", token=TOKEN).url(81) == f"http://192.168.1.20:81/?token={TOKEN}"
    anywhere = WebSettings(host=EVERYWHERE, token=TOKEN).url(81)
    assert EVERYWHERE not in anywhere
    assert anywhere.endswith(f":81/?token={TOKEN}")


def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    token = access_token(folder)
    file = folder / "web-token"
    assert len(token) >= 43
    assert access_token(folder) == token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    file.chmod(0o644)
    assert access_token(folder) == token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("")  # a power cut in the middle of an older version's writing
    assert access_token(folder) not in ("", token)
    assert [path.name for path in folder.iterdir()] == ["web-token"]


def test_a_token_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "web-token").write_bytes(b"\xff" * 50)
    with pytest.raises(ConfigError, match="web-token"):
        access_token(tmp_path)
    (tmp_path / "web-token").unlink()
    (tmp_path / "web-token").mkdir()
    with pytest.raises(ConfigError):
        access_token(tmp_path)
