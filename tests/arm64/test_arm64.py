"""Kinebox on ARM: what is locked installs there and computes what it computes here, on an emulated processor.

Only with KINEBOX_ARM64=1: it takes minutes. It says nothing about speed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge.errors import CameraError
from edge.footage import demo_video
from models.load import model_dir
from models.originals import cache_dir
from tests.conftest import ROOT, missing
from tests.running import REPS, record_squats

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("KINEBOX_ARM64") != "1", reason="only with KINEBOX_ARM64=1: takes minutes"
    ),
    pytest.mark.timeout(900),
]

_SCRIPT = ROOT / "scripts" / "arm64"
_FP32_RAW = 2e-3
"""Pixels of the networks' own pictures, logits and metres: a float is added up in another order."""
_FP32_KEYPOINT_PX = 0.25
"""In a picture of 884 x 497: the crop is interpolated by other instructions, too."""
_INT8_WORSE = 2.0
"""INT8 rounds: what differs in the last bit before a rounding differs by a step after it. So it is judged by how far
it is from fp32: on ARM less than so many times what it is here. A kernel whose sums overflow is ten times as far."""


_DEGREES = {"A": 3, "B": 3, "C": 10, "none": 0}
"""By how much angles measured in INT8 may differ, by their grade."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the demo footage in which a man is to be seen (uint8[N, 497, 884, 3]), and the same as a clip."""
    try:
        capture = cv2.VideoCapture(str(demo_video()))
    except CameraError as error:
        missing(f"demo footage ({error})")
    read = [capture.read()[1] for _ in range(126)][112:]
    small = np.array([cv2.resize(bgr, (884, 497), interpolation=cv2.INTER_AREA) for bgr in read])
    folder = tmp_path_factory.mktemp("pictures")
    np.save(folder / "two.npy", small[:2])
    clip = cv2.VideoWriter(str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 15, (884, 497))
    for bgr in small:
        clip.write(bgr)
    clip.release()
    return folder


def prepared(minor: str) -> None:
    """Have Python `minor` with all run-time packages for aarch64."""
    if platform.machine() != "x86_64" or os.geteuid() != 0:
        missing("an x86-64 machine and root, to unpack another architecture's Debian")
    for tool in ("mmdebstrap", "qemu-aarch64"):
        if shutil.which(tool) is None:
            missing(f"{tool} (apt install mmdebstrap qemu-user)")
    subprocess.run([_SCRIPT, "prepare", minor], check=True, timeout=600)


def emulated(minor: str, *arguments: object, cpu: str = "cortex-a76", **environment: str) -> str:
    """Standard output of Python `minor` on ARM."""
    done = subprocess.run(
        [_SCRIPT, "run", minor, *map(str, arguments)],
        env={**os.environ, "KINEBOX_ARM64_CPU": cpu, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def native(*arguments: object) -> str:
    """The same here."""
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("minor", "cpu", "precisions"),
    [
        ("3.13", "cortex-a76", ("fp32", "int8")),
        ("3.11", "cortex-a76", ("fp32", "int8")),
        ("3.13", "cortex-a72", ("int8",)),
    ],
    ids=["3.13 on a Pi 5", "3.11 on a Pi 5", "3.13 on a Pi 4"],
)
def test_both_models_compute_the_same(
    models: Path, pictures: Path, tmp_path: Path, minor: str, cpu: str, precisions: Sequence[str]
) -> None:
    prepared(minor)
    script, seen = Path(__file__).with_name("outputs.py"), pictures / "two.npy"
    told = emulated(minor, "-c", "import platform; print(platform.machine(), platform.python_version())")
    assert told.startswith(f"aarch64 {minor}.")
    native(script, seen, tmp_path / "here.npz", "fp32", "int8")
    emulated(minor, script, seen, tmp_path / "there.npz", *precisions, cpu=cpu)
    here, there = np.load(tmp_path / "here.npz"), np.load(tmp_path / "there.npz")
    assert set(there) == {name for name in here if name.startswith(tuple(precisions))}
    for precision in precisions:
        assert f"{precision} keypoints 1" in there, "somebody is to be seen"
    for name in there:
        exact = here[name.replace("int8", "fp32")]
        difference = float(np.abs(here[name] - there[name]).max())
        if name.startswith("fp32"):
            print(f"\n{minor} {cpu} {name}: largest difference {difference:.2g}", end="")
            assert difference < (_FP32_KEYPOINT_PX if "keypoints" in name else _FP32_RAW), name
        else:
            ours, theirs = rms(here[name] - exact), rms(there[name] - exact)
            print(
                f"\n{minor} {cpu} {name}: {theirs:.3g} from fp32, here {ours:.3g}; between them {difference:.2g}",
                end="",
            )
            assert theirs < _INT8_WORSE * ours, name


def rms(difference: np.ndarray[Any, Any]) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(difference))))


def test_models_built_on_arm_are_the_same_files(models: Path, tmp_path: Path) -> None:
    prepared("3.13")
    if not any(cache_dir().glob("*.tflite")):
        missing("the published weights (kinebox models build)")
    emulated("3.13", "-m", "edge.cli", "models", "build", KINEBOX_MODELS=str(tmp_path))
    digests = [
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.onnx")}
        for folder in (tmp_path, model_dir())
    ]
    assert len(digests[0]) == 4
    assert digests[0] == digests[1]


def test_a_clip_is_analysed(models: Path, pictures: Path) -> None:
    prepared("3.11")
    command = ("-m", "edge.cli", "analyze", pictures / "clip.mp4", "--json")
    here, there = (
        json.loads(native(*command)),
        json.loads(emulated("3.11", *command, KINEBOX_MODELS=str(models))),
    )
    assert (there["frames"], there["fps"], there.get("warnings", [])) == (14, 15.0, [])
    assert len(here["subjects"]) == len(there["subjects"]) == 1
    metrics = [report["subjects"][0]["metrics"] for report in (here, there)]
    assert metrics[0].keys() == metrics[1].keys()
    for key, measured in metrics[0].items():
        assert metrics[1][key]["grade"] == measured["grade"], key
        assert metrics[1][key]["value"] == pytest.approx(
            measured["value"], abs=_DEGREES[measured["grade"]]
        ), key


def test_repetitions_are_counted(tmp_path: Path) -> None:
    prepared("3.13")
    trace = tmp_path / "squats.trace"
    record_squats(trace)
    report = json.loads(emulated("3.13", "-m", "edge.cli", "analyze", trace, "--json"))
    assert (report["subjects"][0]["exercise"], report["subjects"][0]["reps"]) == ("squat", REPS)
