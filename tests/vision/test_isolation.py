"""Pixels have no network: what vision imports, and what its process can reach."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from edge.link import Hello
from edge.vision.isolation import has_network
from tests.vision.serving import Vision, receive

NETWORK = (
    "http urllib.request ssl ftplib smtplib asyncio fastapi uvicorn starlette httpx requests websockets paho"
)
PIXELS = "cv2 onnxruntime onnx edge.vision models"
VISION = "edge.vision.service, edge.vision.source, edge.link_socket"

ORDINARY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
"""What makes root an ordinary user: all rights of an administrator are gone."""
UNSHARE = """
import ctypes, sys
new_user, new_net = 0x10000000, 0x40000000
unshare = ctypes.CDLL(None).unshare
sys.exit(0 if unshare(new_net) == 0 or unshare(new_user | new_net) == 0 else 1)
"""


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded(modules: str, names: str) -> str:
    return python(f"import sys, {modules}\nprint(*[n for n in {names.split()!r} if n in sys.modules])")


def test_vision_loads_nothing_that_speaks_to_a_network() -> None:
    assert loaded(VISION, NETWORK) == ""


def test_the_hub_loads_nothing_that_sees() -> None:
    assert loaded("edge.hub.__main__", PIXELS) == ""


def test_the_way_out_starts_no_thread() -> None:
    """Libraries that start threads come after `leave_network`."""
    assert loaded("edge.vision.service", "numpy cv2 onnxruntime msgspec") == ""


@pytest.mark.parametrize("prefix", [[], ORDINARY], ids=["as we are", "ordinary user"])
def test_no_thread_of_vision_reaches_the_network(trace: Path, tmp_path: Path, prefix: list[str]) -> None:
    """A listener on this very machine is in the socket table of our network and of no thread of vision."""
    if prefix and os.geteuid() != 0:
        pytest.skip("already an ordinary user")
    probe = subprocess.run([*prefix, sys.executable, "-c", UNSHARE], check=False, timeout=30)
    if probe.returncode:
        pytest.skip("missing: the right to make a network namespace")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Vision(tmp_path / "link", trace, "--loop", prefix=prefix) as vision,
    ):
        listener = f":{server.getsockname()[1]:04X} "
        subscriber = vision.connect()
        assert listener in Path("/proc/self/net/tcp").read_text(encoding="ascii")
        threads = list(Path(f"/proc/{vision.process.pid}/task").iterdir())
        assert len(threads) > 1
        for thread in threads:
            assert listener not in (thread / "net/tcp").read_text(encoding="ascii"), thread
        (hello,) = receive(subscriber, 1)
        assert isinstance(hello, Hello)
        assert hello.network == "none"
        assert "refuses a network namespace" not in vision.stop()


def test_a_network_is_noticed_whoever_made_it(tmp_path: Path) -> None:
    """Service managers take the network away without our doing, and a refusal of theirs is no network left."""
    inside = """
        from edge.vision.isolation import has_network, leave_network
        assert leave_network()
        print(has_network())
    """
    probe = subprocess.run([sys.executable, "-c", UNSHARE], check=False, timeout=30)
    if probe.returncode:
        pytest.skip("missing: the right to make a network namespace")
    assert python(inside) == "False"
    interfaces = {path.name for path in Path("/sys/class/net").iterdir()} - {"lo"}
    assert has_network() is bool(interfaces)
