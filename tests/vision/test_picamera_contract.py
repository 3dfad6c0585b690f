"""Our use of picamera2 against the real package, whose code runs here without its hardware."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.vision.picamera import CsiCamera, Request
from tests.conftest import ROOT, missing
from tests.vision import csi

_PACKAGE = ROOT / ".cache" / "picamera2"


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """What the real package says."""
    if not (_PACKAGE / "picamera2").is_dir():
        missing("picamera2 (scripts/install-test-tools)")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("real_picamera2.py")), str(_PACKAGE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def parameters(method: Any) -> list[list[Any]]:
    return [
        [p.name, p.kind.name, p.default is not p.empty] for p in inspect.signature(method).parameters.values()
    ]


def test_what_we_name_exists(real: dict[str, Any]) -> None:
    """Every member of our protocols is one of the real classes."""
    signatures = real["signatures"]
    for protocol, members in ((CsiCamera, signatures), (Request, signatures["CompletedRequest"])):
        ours = {name for name in vars(protocol) if not name.startswith("_")}
        assert ours - set(members) == set()


def test_the_stand_in_has_the_real_signatures(real: dict[str, Any]) -> None:
    signatures = real["signatures"]
    for kind, members in ((csi.StandIn, signatures), (csi.Request, signatures["CompletedRequest"])):
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_") or (name == "__init__" and kind is csi.StandIn):
                assert parameters(method) == members[name], name
    assert signatures["sensor_modes"] == signatures["camera_controls"] == "property"


def test_what_we_ask_for_passes_the_real_checks(real: dict[str, Any]) -> None:
    made = real["configuration"]
    assert (made["main"]["size"], made["main"]["format"]) == ([1280, 720], "RGB888")
    assert made["sensor"] == {"output_size": [2304, 1296], "bit_depth": 10}
    assert set(made["calls"]) >= {
        "__init__",
        "configure",
        "start",
        "capture_request",
        "cancel_all_and_flush",
        "close",
    }


def test_a_picture_that_does_not_come_is_given_up(real: dict[str, Any]) -> None:
    """The real class keeps the wish for it; closing must take it away, or waits behind it."""
    assert real["silence"]["raised"] == "TimeoutError"
    assert 0.2 <= real["silence"]["waited"] < 5
    assert (real["silence"]["jobs"], real["silence"]["jobs_closed"]) == (1, 0)


def test_no_camera_and_a_taken_one(real: dict[str, Any]) -> None:
    assert real["opened_without_camera"] == "None"
    assert real["busy"] == {"said": "busy", "leaked": 0, "acquired": 6}
