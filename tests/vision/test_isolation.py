"""Pixels have no network: what vision imports, and what its process can reach."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

NETWORK = (
    "http urllib.request ssl ftplib smtplib asyncio fastapi uvicorn starlette httpx requests websockets paho"
)
PIXELS = "cv2 onnxruntime onnx edge.vision models"


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


def loaded(module: str, names: str) -> str:
    return python(f"import sys, {module}\nprint(*[n for n in {names.split()!r} if n in sys.modules])")


def test_vision_loads_nothing_that_speaks_to_a_network() -> None:
    assert loaded("edge.vision.service", NETWORK) == ""


def test_the_hub_loads_nothing_that_sees() -> None:
    assert loaded("edge.hub", PIXELS) == ""


def test_in_its_namespace_vision_reaches_nothing() -> None:
    """A listener on this very machine cannot be reached once vision has left the network."""
    answer = python(
        """
        import socket
        from edge.vision.service import leave_network

        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname()).close()
        if not leave_network():
            print("refused by the kernel")
        else:
            try:
                socket.create_connection(("127.0.0.1", server.getsockname()[1]), timeout=2)
                print("reached")
            except OSError as error:
                print("unreachable")
        """
    )
    if answer == "refused by the kernel":
        pytest.skip("missing: the right to make a network namespace")
    assert answer == "unreachable"
