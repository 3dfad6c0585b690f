"""The inference library keeps to itself: newer releases of it report their use to their maker."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

RUN_ONCE = """
import numpy as np
from edge.vision.people import People
People("fp32").process(np.zeros((90, 160, 3), np.uint8), 0.0)
"""


def test_there_is_no_address_to_report_to() -> None:
    spec = importlib.util.find_spec("onnxruntime")
    assert spec is not None
    assert spec.origin is not None
    libraries = list(Path(spec.origin).parent.rglob("*.so*"))
    assert libraries
    for library in libraries:
        assert b"events.data.microsoft.com" not in library.read_bytes(), library


def test_a_run_leaves_nothing_in_the_home_folder(models: Path, tmp_path: Path) -> None:
    home = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    home |= {"HOME": str(tmp_path), "KINEBOX_MODELS": str(models)}
    home.pop("CI", None)  # reporting is off in CI
    subprocess.run([sys.executable, "-c", RUN_ONCE], env=home, check=True, timeout=120)
    assert list(tmp_path.rglob("*")) == []
