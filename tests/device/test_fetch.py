"""Bringing a release from a server that may be gone, slow to the end, or somebody else's."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from edge.device import fetch as fetching
from edge.device.fetch import fetch, forget_others, ready
from edge.device.manifest import MODELS
from edge.device.wanted import Source, Wanted
from edge.errors import ConfigError, UpdateError
from tests.deploy.machine import make_secrets
from tests.device.release_server import Releases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority") / "secrets"
    made = make_secrets(folder, "cloud", "127.0.0.1")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def server(authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    monkeypatch.setattr(fetching, "PAUSE_S", 0.01)
    (tmp_path / "served").mkdir()
    both = tmp_path / "server.pem"
    both.write_bytes((authority / "broker.pem").read_bytes() + (authority / "broker.key").read_bytes())
    with Releases("127.0.0.1", 0, both, tmp_path / "served") as one:
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture
def source(server: Releases, authority: Path) -> Source:
    return Source(url=f"https://127.0.0.1:{server.server_address[1]}", ca=authority / "ca.pem")


def named(version: str, content: bytes = CONTENT, url: str | None = None) -> Wanted:
    return Wanted(1, version, hashlib.sha256(content).hexdigest(), url, 0.0)


def put(server: Releases, version: str, content: bytes = CONTENT) -> None:
    (server.folder / f"{version}.tar.gz").write_bytes(content)


def test_what_was_broken_off_goes_on_where_it_ended(server: Releases, source: Source, tmp_path: Path) -> None:
    put(server, "broken-1")
    one = named("broken-1")
    path = fetch(one, source, tmp_path / "cache")
    assert path == ready(one, tmp_path / "cache")
    assert path.read_bytes() == CONTENT
    assert server.asked == ["/broken-1.tar.gz", f"/broken-1.tar.gz bytes={len(CONTENT) // 2}-"]
    assert fetch(one, source, tmp_path / "cache") == path
    assert len(server.asked) == 2  # it is here
    put(server, "next")
    assert fetch(named("next"), source, tmp_path / "cache") == path  # same bytes, same file
    assert len(server.asked) == 2


def test_what_is_not_wanted_any_more_is_removed(tmp_path: Path) -> None:
    ones = [named(name, name.encode()) for name in ("a", "b", "c")]
    for one in ones:
        ready(one, tmp_path).touch()
    (tmp_path / f"{ones[2].sha256}.partial").touch()
    (tmp_path / "told-kinebox").touch()
    forget_others(ones[:2], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "told-kinebox", ready(ones[0], tmp_path).name, ready(ones[1], tmp_path).name
    }  # fmt: skip


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"1", CONTENT[:-1] + b"\0\1", b""])
def test_another_file_is_not_kept(server: Releases, source: Source, tmp_path: Path, content: bytes) -> None:
    put(server, "other", content)
    with pytest.raises(UpdateError, match=r"not what the cloud named|is no release"):
        fetch(named("other"), source, tmp_path / "cache")
    assert not [*(tmp_path / "cache").iterdir()]


def test_a_part_of_another_file_is_not_kept(server: Releases, source: Source, tmp_path: Path) -> None:
    one = named("new")
    put(server, "new")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / f"{one.sha256}.partial").write_bytes(b"old")
    with pytest.raises(UpdateError, match="not what the cloud named"):
        fetch(one, source, tmp_path / "cache")
    assert fetch(one, source, tmp_path / "cache").read_bytes() == CONTENT


def test_a_server_that_is_gone(server: Releases, source: Source, authority: Path, tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="answers 404"):
        fetch(named("nothing"), source, tmp_path / "cache")
    put(server, "here")
    with pytest.raises(UpdateError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(named("here"), Source(url=source.url), tmp_path / "cache")
    away = Source(url="https://127.0.0.1:9", ca=authority / "ca.pem")
    with pytest.raises(UpdateError, match="refused"):
        fetch(named("here"), away, tmp_path / "cache")
    with pytest.raises(UpdateError, match="not encrypted"):
        fetch(named("x", url=f"{source.url}/elsewhere/x"), source, tmp_path / "cache")
    assert not [*(tmp_path / "cache").iterdir()]


def test_what_has_no_room_is_not_begun(
    server: Releases, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(server, "large")
    server.says["content-length"] = fetching.MAX_BYTES + 1
    with pytest.raises(UpdateError, match="is no release: 1073741825 bytes"):
        fetch(named("large"), source, tmp_path / "cache")
    server.says.clear()
    monkeypatch.setattr(fetching, "LEAST_BYTES", 2**62)
    with pytest.raises(UpdateError, match="there is room for 0"):
        fetch(named("large"), source, tmp_path / "cache")
    assert not [*(tmp_path / "cache").iterdir()]


@pytest.mark.parametrize(
    "url", ["http://host/x", "https://", "https://bob:secret@host", "ftp://host", "host"]
)
def test_releases_come_encrypted(url: str) -> None:
    with pytest.raises(ConfigError, match="no address of releases"):
        Source(url=url)


def test_they_come_from_where_the_owner_says() -> None:
    source = Source(url="https://host/releases/")
    assert source.place(named("1.0")) == "https://host/releases/1.0.tar.gz"
    assert source.place(named("1.0")._replace(kind=MODELS)) == "https://host/releases/models/1.0.tar.gz"
    assert source.place(named("1.0", url="https://host/releases/a/b")) == "https://host/releases/a/b"
    for url in (
        "https://host/",
        "https://host.evil/releases/1",
        "https://host/releases/../x",
        "https://other/1",
    ):
        with pytest.raises(ConfigError, match="not below"):
            source.place(named("1.0", url=url))
