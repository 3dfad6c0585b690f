"""A real V4L2 camera: the kernel's own test driver (vivid), seen by the real services, unplugged and plugged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.box.sandbox import attempts
from tests.vm.looking import more_frames, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vm.machine import Machine

VISION, HUB = "kinebox-vision.service", "kinebox-hub.service"
DRIVER = "/sys/bus/platform/drivers/vivid"


@pytest.fixture(autouse=True)
def _plugged_in_again(machine: Machine) -> Iterator[None]:
    yield
    machine.run(f"[ -e {DRIVER}/vivid.0 ] || echo vivid.0 >{DRIVER}/bind")


def restarts(machine: Machine) -> str:
    return machine.show(VISION, "NRestarts")["NRestarts"]


def test_pictures_come_from_a_real_camera(machine: Machine) -> None:
    assert "Driver name      : vivid" in machine.run("v4l2-ctl --device /dev/video0 --info").stdout
    wait_for(machine, "live")
    more_frames(machine)
    told = machine.run("/opt/kinebox/current/bin/kinebox doctor --json", check=False).stdout
    assert "/dev/video0" in told, told


def test_udev_gives_cameras_to_the_services_group(machine: Machine) -> None:
    assert machine.run("stat --format='%A %G' /dev/video0").stdout == "crw-rw---- video\n"
    told = machine.run("udevadm test /sys/class/video4linux/video0 2>&1").stdout
    assert "70-kinebox-camera.rules" in told


def test_vision_opens_the_camera_and_no_disk(machine: Machine) -> None:
    asked: dict[str, list[object]] = {
        "camera": ["open_device", "/dev/video0"],
        "disk": ["open_device", "/dev/vda"],
        "serial": ["open_device", "/dev/ttyS0"],
        "memory": ["open_device", "/dev/mem"],
    }
    machine.run("chmod 666 /dev/vda /dev/ttyS0 /dev/mem")
    answered = attempts(machine, VISION, asked)
    assert answered.pop("camera") == "ok"
    assert set(answered.values()) == {"EPERM"}
    assert set(attempts(machine, HUB, asked).values()) <= {"ENOENT", "EPERM"}


@pytest.mark.parametrize("turn", [1, 2])
def test_a_camera_that_is_unplugged_comes_back(machine: Machine, turn: int) -> None:
    wait_for(machine, "live")
    before = restarts(machine)
    machine.run(f"echo vivid.0 >{DRIVER}/unbind")
    assert machine.run("ls /dev/video0", check=False).returncode
    wait_for(machine, "lost", "unplugged", "not_found")
    machine.run(f"echo vivid.0 >{DRIVER}/bind")
    wait_for(machine, "live")
    more_frames(machine)
    assert restarts(machine) == before
