"""Asking the real hub how it is."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge.device import hub as asked
from edge.device import update
from edge.device.gate import Patience, before, passes
from edge.device.hub import Hub, own_hub
from edge.device.tree import Before
from edge.web.server import listen_for_root
from tests.running import Box, record_squats

if TYPE_CHECKING:
    import pytest


def test_what_a_running_box_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody squats; then the camera stands still; then the box is off."""
    record_squats(tmp_path / "squats.trace")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    box = Box(tmp_path / "squats.trace", tmp_path / "state", "--loop")
    hub = Hub(tmp_path / "http.sock")
    try:
        box.wait(
            "/api/v1/status", lambda status: status["camera"]["state"] == "live" and status["camera"]["fps"]
        )
        assert hub.activity() == "training"
        was = before(hub, 1.0)
        assert was.camera
        assert 3 < was.fps < 40
        assert passes(hub, was, str, Patience(most=60, hold=1.0, look=0.1)) == ""
        much = Before(camera=True, fps=300.0)
        assert "before it were 300.0" in passes(hub, much, str, Patience(most=2, hold=0.3, look=0.1))
        os.kill(box.child("edge.vision.service"), signal.SIGSTOP)
        while hub.look().camera:
            time.sleep(0.1)
        assert "camera does not deliver" in passes(hub, was, str, Patience(most=0.3, hold=0, look=0.1))
        assert passes(hub, Before(), str, Patience(most=60, hold=0.2, look=0.1)) == ""
        assert (
            passes(hub, was, lambda: "kinebox-hub.service failed", Patience()) == "kinebox-hub.service failed"
        )
        os.kill(box.child("edge.vision.service"), signal.SIGCONT)
    finally:
        box.stop()
    assert "does not answer" in hub.look().problem
    assert hub.activity() == "idle"


def test_a_hub_that_hangs_is_waited_for_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "http.sock"
    hub = Hub(path)
    assert hub.activity() == "idle"  # there is none
    monkeypatch.setattr(asked, "_TIMEOUT_S", 0.05)
    monkeypatch.setattr(update, "SILENT_S", 0.5)
    monkeypatch.setattr(update, "_IDLE_LOOK_S", 0.05)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(100)  # it is connected, and never answered
        assert "does not answer" in hub.look().problem
        assert hub.activity() == "silent"
        began = time.monotonic()
        update.wait_until_idle(hub, 0.0)
        assert time.monotonic() - began >= 0.5
    assert "is waited for no more" in caplog.text
    assert hub.activity() == "idle"  # it has died: its socket is there, and nobody listens


def test_its_socket_is_for_root_and_itself_alone(tmp_path: Path) -> None:
    with listen_for_root(str(tmp_path)) as (one,):
        path = Path(one.getsockname())
        assert path.parent == tmp_path
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_it_shows_the_token_of_a_hub_that_listens_to_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEBOX_STATE", str(tmp_path))
    assert "authorization" not in own_hub()._headers
    (tmp_path / "web-token").write_text("secret\n")
    assert own_hub()._headers["authorization"] == "Bearer secret"
