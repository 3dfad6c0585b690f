"""What goes wrong with a box, and how long until it works again: seconds from the blow to a picture of a new process.

`python -m tests.box.measure` prints them; the tests ask only that each one ends well.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from tests.box.running import frames, until
from tests.testbed.rootfs import TestbedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.testbed.box import Box

CLIP = "/srv/camera/clip.mp4"
LOGIN = "KINEBOX_CAMERA_LOGIN=somebody:secret\n"
"""No file asks for one."""
SETTINGS = f"KINEBOX_CAMERA={CLIP}\nKINEBOX_VISION_OPTIONS=--loop\n{LOGIN}"
VISION, HUB = "kinebox-vision.service", "kinebox-hub.service"
WATCHDOG_S = 10


def layer(folder: Path, clip: Path) -> Path:
    """To be laid over a box: real footage as its camera, and the settings that say so."""
    folder.mkdir(exist_ok=True)
    for inside in ("etc/kinebox", "srv/camera"):
        (folder / inside).mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "etc/kinebox/kinebox.env").write_text(SETTINGS)
    shutil.copyfile(clip, folder / CLIP.lstrip("/"))
    return folder


def forget(box: Box) -> None:
    """What failed before does not count: five starts in five minutes, and systemd gives up for a while."""
    box.run(["systemctl", "reset-failed", VISION, HUB])


def process(box: Box, unit: str) -> int:
    return int(box.show(unit, "MainPID")["MainPID"])


def works_anew(box: Box, unit: str, before: int, seconds: float = 60) -> None:
    """Wait until another process than `before` has dealt with a picture."""
    until(
        lambda: process(box, unit) not in (0, before) and frames(box, unit) > 0,
        f"another {unit} gets pictures", seconds,
    )  # fmt: skip


def timed(blow: Callable[[], object], healed: Callable[[], None]) -> float:
    began = time.monotonic()
    blow()
    healed()
    return time.monotonic() - began


def service_start(box: Box) -> float:
    """Both services from a stop to the first picture that the hub has dealt with."""
    forget(box)
    box.run("systemctl stop kinebox.target kinebox-vision.service kinebox-hub.service")
    return timed(
        lambda: box.run("systemctl start --no-block kinebox.target"), lambda: works_anew(box, HUB, 0)
    )


def killed(box: Box, unit: str) -> float:
    forget(box)
    before = process(box, unit)
    return timed(lambda: box.run(["kill", "-KILL", str(before)]), lambda: works_anew(box, unit, before))


def power_cut(box: Box) -> float:
    """From switching on to the first picture that the hub has dealt with."""
    box.cut()
    return timed(box.start, lambda: works_anew(box, HUB, 0))


def both_stalled(box: Box) -> dict[str, float]:
    """Every thread of both stops for ever, as when a driver never answers: nothing but the watchdog can tell."""
    forget(box)
    before = {unit: process(box, unit) for unit in (VISION, HUB)}
    began = time.monotonic()
    box.run(["kill", "-STOP", *map(str, before.values())])
    healed: dict[str, float] = {}
    while len(healed) < len(before):
        for unit in before.keys() - healed.keys():
            if process(box, unit) not in (0, before[unit]) and frames(box, unit) > 0:
                healed[unit] = time.monotonic() - began
        if time.monotonic() - began > 120:
            raise TestbedError(f"only {healed} came back")
        time.sleep(0.1)
    return healed


def given_up(box: Box) -> float:
    """The camera's file is taken away until vision has given up; from its return on."""
    box.run(f"mv {CLIP} {CLIP}.away && systemctl kill -s KILL {VISION}")
    until(lambda: box.show(VISION, "ActiveState")["ActiveState"] == "failed", "vision gives up", 120)
    return timed(lambda: box.run(f"mv {CLIP}.away {CLIP}"), lambda: works_anew(box, VISION, 0))


def bad_release(box: Box) -> float:
    """A release on trial whose vision does not start, and nobody who watches; until the last good one works again."""
    forget(box)
    box.run(_BAD_RELEASE)
    taken = timed(lambda: box.run(["systemctl", "restart", "--no-block", VISION]), lambda: _is_back(box))
    box.run(f"rm -rf {OPT}/releases/bad")
    return taken


def _is_back(box: Box) -> None:
    until(
        lambda: box.run(f"readlink {OPT}/current").stdout == "releases/test-1\n",
        "the good release is used",
        90,
    )
    until(lambda: frames(box, VISION) > 0 and frames(box, HUB) > 0, "it works")


OPT = "/opt/kinebox"
_BAD_RELEASE = f"""\
cd {OPT}/releases
mkdir bad
cp -r test-1/bin test-1/systemd test-1/manifest.json bad/
ln -s ../test-1/lib bad/lib
sed -i 's/^from/sys.exit(1)\\nfrom/' bad/bin/kinebox-vision
PYTHONPATH=test-1/lib python3 -c '
from edge.device import switch, tree
switch.begin(tree.Tree(tree.ROOT, "kinebox"), "bad", tree.Before())'
"""
