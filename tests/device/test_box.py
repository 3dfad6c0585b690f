"""Updates of a box that really boots: systemd restarts what is new, and takes back what does not work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from edge.device.keys import signing_key
from edge.device.manifest import FILE, decode
from edge.device.release_build import seal
from edge.link import CameraState, Hello, PoseFrame
from edge.vision.trace import TraceWriter
from tests.conftest import missing
from tests.testbed import box as boxes
from tests.testbed import software

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.testbed.box import Box

CRASHES = 'raise RuntimeError("this release does not start")\n'


@pytest.fixture(scope="module")
def layers() -> tuple[Path, ...]:
    """The installed release; asked for once: the sources may change meanwhile."""
    if why := boxes.why_not():
        missing(why)
    return software.installed()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the box finds in /srv: recordings and releases."""
    folder = tmp_path_factory.mktemp("srv")
    folder.chmod(0o755)
    record_nobody(folder / "nobody.trace", seconds=600)
    return folder


@pytest.fixture(scope="module")
def box(layers: tuple[Path, ...], outside: Path) -> Iterator[Box]:
    with boxes.boot("updated", *layers, binds={"/srv": outside}) as one:
        watch(one, "nobody.trace")
        yield one


def record_nobody(path: Path, seconds: int, rate: int = 15) -> None:
    """A recording of an empty room."""
    writer = TraceWriter(path, Hello(camera="cam0", source="generated", model="none", precision="fp32"))
    writer.write(CameraState(camera="cam0", state="live", monotonic_ns=0))
    for number in range(1, seconds * rate):
        at = round(number / rate * 1e9)
        writer.write(
            PoseFrame(
                camera="cam0", number=number, monotonic_ns=at, utc_ns=None, width=640, height=480,
                timings={"total": 1.0}, subjects=(),
            )
        )  # fmt: skip
    writer.close()


def watch(box: Box, recording: str) -> None:
    """Let the box see a recording, a file in /srv, instead of a camera."""
    box.write("/etc/kinebox/kinebox.env", f"KINEBOX_CAMERA=/srv/{recording}\nKINEBOX_VISION_OPTIONS=--loop\n")
    box.run("systemctl reset-failed kinebox-vision kinebox-hub; systemctl restart kinebox-vision kinebox-hub")
    healthy(box)


def healthy(box: Box, seconds: float = 240) -> dict[str, Any]:
    """What the box says of itself as soon as it is healthy and nothing is undecided."""
    deadline = time.monotonic() + seconds
    said: dict[str, Any] = {}
    while time.monotonic() < deadline:
        done = box.run(["/opt/kinebox/previous/bin/kinebox", "update", "status", "--json"], check=False)
        said = json.loads(done.stdout) if done.returncode == 0 else {"problem": done.stderr}
        if said.get("healthy") and said["software"]["pending"] is None:
            return said
        time.sleep(0.2)
    pytest.fail(f"the box is not healthy: {said}")


def release(layers: tuple[Path, ...], outside: Path, version: str, serial: int, **changed: str) -> str:
    """A release that differs from the installed one in some files of `edge`; its path inside the box."""
    settings, layer = layers
    tree = outside / version
    shutil.copytree(layer / "opt/kinebox/releases/test-1", tree, copy_function=os.link)
    for name, text in changed.items():
        path = tree / "lib/edge" / f"{name}.py"
        for byte_code in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            byte_code.unlink()
        path.unlink()
        path.write_text(text)
    was = decode((tree / FILE).read_bytes())
    seal(
        tree, [signing_key(settings.parent / "key.pem")],
        name=was.name, version=version, serial=serial, python=was.python, platform=was.platform,
    )  # fmt: skip
    return f"/srv/{version}"


def wait_for(box: Box, version: str) -> None:
    """Until a release is in use."""
    deadline = time.monotonic() + 240
    while box.run(["readlink", "/opt/kinebox/current"]).stdout.strip() != f"releases/{version}":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def update(box: Box, source: str, *options: str) -> tuple[int, str]:
    """Its exit code, and what it said."""
    command = ["/opt/kinebox/current/bin/kinebox", "update", "apply", source, *options]
    done = box.run(command, check=False, timeout=150)
    return done.returncode, done.stdout + done.stderr


def test_a_good_release_stays_and_a_hub_that_hangs_does_not_keep_it_away(
    box: Box, layers: tuple[Path, ...], outside: Path
) -> None:
    """Nobody can be asked whether somebody trains, and systemd's watchdog is off: after a while it goes on."""
    box.run("systemctl service-watchdogs no; systemctl kill --signal=STOP kinebox-hub")
    code, said = update(box, release(layers, outside, "good-2", 2))
    box.run("systemctl service-watchdogs yes")
    assert (code, "good-2 is installed and healthy" in said) == (0, True), said
    assert "it measures nobody, and is waited for no more" in said
    found = healthy(box)["software"]
    assert (found["current"], found["previous"], found["serial"]) == ("good-2", "test-1", 2)
    for unit in ("kinebox-vision", "kinebox-hub"):
        maps = box.run(f"cat /proc/$(systemctl show -P MainPID {unit})/maps").stdout
        assert "/opt/kinebox/releases/good-2/lib/" in maps
        assert "/releases/test-1/" not in maps


def test_a_release_that_crashes_is_taken_back(box: Box, layers: tuple[Path, ...], outside: Path) -> None:
    source = release(layers, outside, "bad-4", 4, **{"hub/__main__": CRASHES})
    command = box.enter("/opt/kinebox/current/bin/kinebox", "update", "apply", source)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as updating:
        wait_for(box, "bad-4")
        began = time.monotonic()
        said = updating.communicate()[0]
    found = healthy(box)
    print(
        f"\nbad release in use to the one before healthy: {time.monotonic() - began:.1f} s (aim: 60)\n{said}"
    )
    assert updating.returncode == 8
    assert "bad-4 was taken back" in said
    assert found["software"]["current"] == "good-2"
    assert found["software"]["last"]["result"] == "rolled_back"
    assert "kinebox" not in box.run("systemctl list-units --failed --no-legend 'kinebox*'").stdout


def test_a_power_cut_in_the_middle_of_the_decision(box: Box) -> None:
    """The box starts with the bad release, knows that it is on trial, and goes back."""
    box.run("systemd-run --quiet --unit=updating /opt/kinebox/current/bin/kinebox update apply /srv/bad-4")
    wait_for(box, "bad-4")
    box.cut()
    began = time.monotonic()
    box.start()
    found = healthy(box)
    print(f"\npower on to healthy, with a bad release on trial: {time.monotonic() - began:.1f} s")
    assert found["software"]["current"] == "good-2"
    assert (found["software"]["last"]["version"], found["software"]["last"]["result"]) == (
        "bad-4",
        "rolled_back",
    )
