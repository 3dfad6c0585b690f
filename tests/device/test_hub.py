"""Asking the real hub how it is."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest

from edge.device import hub as asked
from edge.device.gate import Patience, before, passes
from edge.device.hub import Hub, own_hub
from edge.device.tree import Before
from tests.running import Box, record_squats

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_running_box_says(tmp_path: Path) -> None:
    """Somebody squats; then the camera stands still; then the box is off."""
    record_squats(tmp_path / "squats.trace")
    box = Box(tmp_path / "squats.trace", tmp_path / "state", "--loop")
    hub = Hub(f"http://127.0.0.1:{box.port}")
    try:
        box.wait(
            "/api/v1/status", lambda status: status["camera"]["state"] == "live" and status["camera"]["fps"]
        )
        assert hub.busy()
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
    assert not hub.busy()


def test_another_program_on_the_port_is_no_hub() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        look = Hub(
            f"http://127.0.0.1:{server.getsockname()[1]}"
        ).look()  # it is connected, and never answered
    assert "does not answer" in look.problem


@pytest.mark.parametrize(
    ("settings", "url", "token"),
    [
        ("", "http://127.0.0.1:8080", None),
        ("# KINEBOX_PORT=1\nKINEBOX_PORT=8081\n", "http://127.0.0.1:8081", None),
        ('KINEBOX_HOST="0.0.0.0"\n', "http://127.0.0.1:8080", "Bearer secret"),
        ("KINEBOX_HOST='::'\nKINEBOX_PORT = 80\n", "http://[::1]:80", "Bearer secret"),
        ("KINEBOX_HOST=192.0.2.7\n", "http://192.0.2.7:8080", "Bearer secret"),
    ],
)
def test_where_the_boxs_own_hub_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, url: str, token: str | None
) -> None:
    (tmp_path / "web-token").write_text("secret\n")
    (tmp_path / "kinebox.env").write_text(settings)
    monkeypatch.setattr(asked, "SETTINGS", tmp_path / "kinebox.env")
    monkeypatch.setenv("KINEBOX_STATE", str(tmp_path))
    for name in ("KINEBOX_HOST", "KINEBOX_PORT"):
        monkeypatch.delenv(name, raising=False)
    hub = own_hub()
    assert (hub._url, hub._headers.get("authorization")) == (url, token)
