"""What a service could reach if it turned against its box: tried from within its own sandbox, in a booted box."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.box.recovery import CLIP, LOGIN
from tests.box.sandbox import attempts
from tests.testbed.box import boot
from tests.testbed.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.testbed.box import Box

VISION, HUB, CLOCK = "kinebox-vision.service", "kinebox-hub.service", "kinebox-clock.service"
STREAM, DATAGRAM = int(socket.SOCK_STREAM), int(socket.SOCK_DGRAM)
FAMILIES = {
    "inet": int(socket.AF_INET), "inet6": int(socket.AF_INET6), "netlink": int(socket.AF_NETLINK),
    "packet": int(socket.AF_PACKET), "alg": int(socket.AF_ALG), "vsock": int(socket.AF_VSOCK), "bluetooth": 31,
}  # fmt: skip
SOCKETS = {name: ["open_socket", family, DATAGRAM] for name, family in FAMILIES.items()}
OWN = {
    VISION: ("/run/kinebox", "/tmp", "/var/lib/kinebox-vision", "/var/tmp"),  # noqa: S108 - of its own
    HUB: ("/tmp", "/var/cache/kinebox", "/var/lib/kinebox", "/var/tmp"),  # noqa: S108
    CLOCK: ("/run/kinebox", "/tmp", "/var/tmp"),  # noqa: S108
}
FOLDERS = (
    *(
        "/",
        "/boot",
        "/dev",
        "/dev/shm",  # noqa: S108
        "/etc",
        "/etc/kinebox",
        "/home",
        "/opt/kinebox",
        "/opt/kinebox/models",
        "/proc",
    ),
    *("/root", "/run", "/srv", "/sys/fs/cgroup", "/usr/bin", "/var", "/var/cache", "/var/lib", "/var/log"),
)
WRITES = {folder: ["write", folder] for folder in FOLDERS}
RIGHTS: dict[str, list[object]] = {
    "unshare": ["system_call", "unshare", 0x40000000],
    "io_uring": ["system_call", "425", 8, 0],  # EFAULT where it is allowed
    "ptrace": ["system_call", "ptrace", 16, 1, 0, 0],
    "setuid": ["system_call", "setuid", 0],
    "reboot": ["system_call", "reboot", 0],
    "memory": ["write_and_execute"],
}
NODES = {
    "camera": ("/dev/video0", 81, 0), "memory": ("/dev/mem", 1, 1), "input": ("/dev/input0", 13, 64),
    "graphics": ("/dev/card0", 226, 0), "sound": ("/dev/pcm0", 116, 0), "tunnel": ("/dev/tun", 10, 200),
    "kernel log": ("/dev/kmsg0", 1, 11), "terminal": ("/dev/tty0", 4, 0),
}  # fmt: skip
DEVICES: dict[str, list[object]] = {name: ["open_device", path] for name, (path, *_) in NODES.items()}
REFUSED = {"EACCES", "EPERM", "EROFS", "ENOENT", "EAFNOSUPPORT"}


@pytest.fixture(scope="module", autouse=True)
def _devices(box: Box) -> Iterator[None]:
    """Devices that everybody may open, as far as the file system is concerned, and a kernel that knows cameras."""
    for path, major, minor in NODES.values():
        box.run(f"mknod {path} c {major} {minor} && chmod 666 {path}")
    box.run(
        "cp /proc/devices /run/devices && grep -q video4linux /run/devices || "
        "sed -i '/^Character/a \\ 81 video4linux' /run/devices; mount --bind /run/devices /proc/devices"
    )
    yield
    box.run(f"umount /proc/devices; rm {' '.join(path for path, *_ in NODES.values())}")


@pytest.fixture(scope="module", autouse=True)
def _strangers(box: Box) -> Iterator[None]:
    """Others on the box who listen, and one whose process is to be seen."""
    for name, what in (("abstract", "ABSTRACT-LISTEN:stranger"), ("tcp", "TCP-LISTEN:7777,bind=127.0.0.1")):
        box.run(f"systemd-run --unit=stranger-{name} --collect socat {what},fork EXEC:true")
    yield
    box.run("systemctl stop stranger-abstract stranger-tcp")


def others(box: Box) -> dict[str, list[object]]:
    process = int(box.show("stranger-tcp.service", "MainPID")["MainPID"])
    return {
        "its process": ["send_signal", process],
        "D-Bus": ["connect_unix", "/run/dbus/system_bus_socket", STREAM],
        "systemd": ["connect_unix", "/run/systemd/private", STREAM],
        "camera's login": ["look", "/etc/ssh"],
    }


def refused(answers: dict[str, str]) -> bool:
    """Whether every attempt was."""
    return set(answers.values()) <= REFUSED


def test_outside_a_sandbox_nearly_everything_works(box: Box) -> None:
    """So the probes can tell."""
    unit = "kinebox-open.service"
    box.write(f"/etc/systemd/system/{unit}", "[Service]\nExecStart=/bin/true\n")
    rights = {name: how for name, how in RIGHTS.items() if name not in ("reboot", "unshare", "ptrace")}
    asked = SOCKETS | WRITES | rights | others(box) | {"abstract": ["connect_unix", "@stranger", STREAM]}
    for able in ("alg", "vsock", "bluetooth", "/boot", "/proc", "/sys/fs/cgroup"):  # not on every kernel
        asked.pop(able, None)
    answers = attempts(box, unit, asked)
    assert all(answer.startswith("ok") or answer == "EFAULT" for answer in answers.values()), answers


def test_vision_reaches_nobody(box: Box) -> None:
    asked = SOCKETS | others(box) | {
        "abstract": ["connect_unix", "@stranger", STREAM],
        "journal": ["connect_unix", "/run/systemd/journal/socket", DATAGRAM],
        "old log": ["connect_unix", "/dev/log", DATAGRAM],
    }  # fmt: skip
    answers = attempts(box, VISION, asked)
    assert answers.pop("abstract") == "ECONNREFUSED"  # nobody has that name in its network
    assert refused(answers), answers


@pytest.mark.parametrize("unit", OWN)
def test_what_can_be_written_is_its_own_and_cannot_be_run(box: Box, unit: str) -> None:
    others = {folder for own in OWN.values() for folder in own} - set(OWN[unit])
    answers = attempts(box, unit, WRITES | {folder: ["write", folder] for folder in others})
    assert refused(answers), answers
    assert set(attempts(box, unit, {folder: ["write", folder] for folder in OWN[unit]}).values()) == {"ok"}
    answers = attempts(box, unit, {folder: ["run_written", folder] for folder in OWN[unit]})
    assert refused(answers), answers
    # A folder of its own is emptied and gone a moment after the probe.
    assert "probe" not in box.run("ls --ignore='systemd-private-*' /tmp /var/tmp").stdout


def test_vision_sees_cameras_and_no_other_device(box: Box) -> None:
    answers = attempts(box, VISION, DEVICES)
    assert answers.pop("camera") in ("ENXIO", "ENODEV", "ok")  # it may; only that there is none
    assert refused(answers), answers


def test_the_hub_sees_no_device(box: Box) -> None:
    answers = attempts(box, HUB, DEVICES)
    assert refused(answers), answers


def test_the_hub_has_the_network_of_browsers_and_nothing_more(box: Box) -> None:
    answers = attempts(box, HUB, SOCKETS | others(box))
    assert [answers.pop(name) for name in ("inet", "inet6")] == ["ok", "ok"]
    assert refused(answers), answers


@pytest.mark.parametrize(
    ("unit", "state"),
    [(VISION, "/var/lib/kinebox"), (HUB, "/var/lib/kinebox-vision"), (CLOCK, "/var/lib/kinebox")],
)
def test_nobody_reads_the_others_state(box: Box, unit: str, state: str) -> None:
    box.run(f"touch {state}/secret")
    answers = attempts(box, unit, {"list": ["look", state], "read": ["look", f"{state}/secret"]})
    assert refused(answers), answers


def test_the_camera_s_address_and_login_are_visions(box: Box) -> None:
    def environment(unit: str) -> list[str]:
        process = box.show(unit, "MainPID")["MainPID"]
        return box.run(f"tr '\\0' '\\n' </proc/{process}/environ").stdout.splitlines()

    assert {f"KINEBOX_CAMERA={CLIP}", LOGIN.strip()} <= set(environment(VISION))
    assert not [line for line in environment(HUB) if "KINEBOX_CAMERA" in line]
    assert refused(attempts(box, HUB, {"settings": ["look", "/etc/kinebox/kinebox.env"]}))


def test_certificates_are_the_hubs(box: Box) -> None:
    box.run(
        "cd /etc/kinebox/certs && echo key > device.key && chown root:kinebox device.key && chmod 640 device.key"
    )
    asked: dict[str, list[object]] = {"key": ["look", "/etc/kinebox/certs/device.key"]}
    assert attempts(box, HUB, asked) == {"key": "ok 'key\\n'"}
    assert refused(attempts(box, VISION, asked))


@pytest.mark.parametrize("unit", [VISION, HUB, CLOCK])
def test_nobody_gains_rights(box: Box, unit: str) -> None:
    answers = attempts(box, unit, RIGHTS | {"others": ["processes"]})
    assert answers.pop("others") == "ok 1"  # itself
    assert refused(answers), answers


def test_only_the_clocks_own_service_may_ask_the_kernel(box: Box) -> None:
    asked: dict[str, list[object]] = {"kernel": ["ask_the_clock"], "Kinebox": ["clock_is_right"]}
    assert attempts(box, CLOCK, {"kernel": ["ask_the_clock"]}) == {"kernel": "ok"}
    for unit in (VISION, HUB):
        assert attempts(box, unit, asked) == {"kernel": "EPERM", "Kinebox": "ok False"}
    box.run("touch /run/kinebox/clock")
    for unit in (VISION, HUB):
        assert attempts(box, unit, asked) == {"kernel": "EPERM", "Kinebox": "ok True"}
    box.run("rm /run/kinebox/clock")


def test_a_camera_with_an_address_opens_that_one_address(box: Box, software: tuple[Path, ...]) -> None:
    rtsp = box.read("/opt/kinebox/current/systemd/rtsp/kinebox-vision.service.d/60-rtsp.conf")
    with (
        Network() as network,
        boot("rtsp", *software, network=network) as here,
        boot("other", network=network) as other,
    ):
        camera = network.gateway
        here.write("/etc/kinebox/camera-login", "somebody:secret", mode=0o600)
        here.write(
            "/etc/systemd/system/kinebox-vision.service.d/60-rtsp.conf", rtsp.replace("192.0.2.10", camera)
        )
        here.run("systemctl daemon-reload")
        asked: dict[str, list[object]] = {
            "camera": ["connect_tcp", camera, 7],
            "neighbour": ["connect_tcp", network.address(other), 22],
            "itself": ["connect_tcp", "127.0.0.1", 22],
            "login": ["look", "/run/credentials/probe-kinebox-vision.service"],
            "netlink": SOCKETS["netlink"],
            "packet": SOCKETS["packet"],
        }
        answers = attempts(here, VISION, asked)
        assert answers.pop("camera") == "ECONNREFUSED"  # its answer: nothing listens there
        assert answers.pop("login") == "ok ['camera-login']"
        assert set(answers.values()) <= REFUSED | {"TIMEOUT"}, answers
        hub = attempts(here, HUB, asked | {"login": ["look", "/etc/kinebox/camera-login"]})
        assert [hub[name] for name in ("neighbour", "itself", "login")] == ["ok", "ok", "EACCES"]
