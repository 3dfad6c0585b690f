"""A box that runs what the cloud wants: a signed desired state, a server of releases, and a box that really boots."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.device import manifest, release_build
from edge.device.keys import signing_key
from tests.deploy.machine import make_secrets
from tests.device.releases import Maker
from tests.device.test_box import healthy, record_nobody, release, watch
from tests.running import RATE, record_squats
from tests.testbed import box as boxes
from tests.testbed import software
from tests.testbed.network import Network
from tests.vision.clips import write_clip
from wire.desired import DesiredState, Version, seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.testbed.box import Box

ME = "7b3e1f6a-1c57-4f0e-9a6d-2f3b8c1d4e5f"
PORT = 8443
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
UNITS = ("kinebox-fetch.service", "kinebox-follow.service")
CONFIG = f"""\
[uplink]
url = "mqtts://10.77.0.1"
tenant = "acme"
site = "hall"
device = "{ME}"
desired_key = "/etc/kinebox/desired.pem"
"""


class Cloud:
    """What wants releases, and the server that has them."""

    def __init__(self, box: Box, served: Path) -> None:
        self.box = box
        self.served = served
        self.serial = 0
        self.software: Version | None = None

    def wants(self, version: str, file: Path | None = None, **models: Version) -> None:
        """Let the box have a newer desired state, as its hub would keep it, and look at once."""
        self.software = named("kinebox", version, file)
        self.wants_models(**models)

    def wants_models(self, **models: Version) -> None:
        """The same, with models by role, and the software that was wanted last."""
        self.serial += 1
        state = DesiredState(
            device=ME, serial=self.serial, issued=1.7e9, models=models, software=self.software
        )
        self.box.write("/var/lib/kinebox/desired.json", seal(state, "k", KEY.sign).decode())
        self.box.run("chown kinebox: /var/lib/kinebox/desired.json")
        self.look()

    def look(self) -> None:
        """What the timer starts; it does so seldom enough for systemd's limit on starts, which a test is not."""
        self.box.run(["systemctl", "reset-failed", *UNITS], check=False)  # also where one is not loaded yet
        self.since = self.box.run(["date", "+%F %T.%6N"]).stdout.strip()
        self.box.run("systemctl start kinebox-fetch.service", check=False)

    def said(self) -> str:
        """By both steps since the last look, once they have ended."""
        deadline = time.monotonic() + 240
        while any(self._under_way(unit) for unit in UNITS):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return self.log()

    def _under_way(self, unit: str) -> bool:
        """Whether it runs or waits to be started: the second step does not start in the moment the first ends."""
        found = self.box.show(unit, "ActiveState", "Job")
        return found["Job"] != "" or found["ActiveState"] in {"activating", "deactivating"}

    def log(self) -> str:
        self.box.run(["journalctl", "--sync"])
        return self.box.run(
            ["journalctl", "--since", self.since, "-o", "cat", "-t", "kinebox-fetch", "-t", "kinebox-update"]
        ).stdout


def named(name: str, version: str, file: Path | None = None) -> Version:
    """Something to run, as the cloud names it."""
    sha256 = "ab" * 32
    if file is not None:
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return Version(name=name, version=version, sha256=sha256)


@pytest.fixture(scope="module")
def layers() -> tuple[Path, ...]:
    from tests.conftest import missing

    if why := boxes.why_not():
        missing(why)
    return software.installed()


@pytest.fixture(scope="module")
def cloud(layers: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    served, outside = folder / "served", folder / "outside"
    for made in (served, outside):
        made.mkdir()
        made.chmod(0o755)
    record_squats(outside / "squats.trace")
    record_nobody(outside / "nobody.trace", seconds=120, rate=RATE)
    write_clip(outside / "nobody.mp4", frames=300, size=(320, 240))
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        secrets = make_secrets(folder / "secrets", "cloud", network.gateway)
        assert secrets.returncode == 0, secrets.stderr
        both = folder / "server.pem"
        both.write_bytes(
            b"".join((folder / "secrets" / f"broker.{kind}").read_bytes() for kind in ("pem", "key"))
        )
        command = [sys.executable, "-m", "tests.device.release_server", network.gateway, str(PORT), str(both)]
        server = stack.enter_context(
            subprocess.Popen(
                network.enter(*command, str(served)),
                cwd=Path(__file__).parents[2],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(server.kill)
        box = stack.enter_context(boxes.boot("follows", *layers, binds={"/srv": outside}, network=network))
        box.write(
            "/etc/kinebox/desired.pem",
            KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        )
        box.write("/etc/kinebox/updates-ca.pem", (folder / "secrets/ca.pem").read_text())
        box.write("/etc/kinebox/config.toml", CONFIG)
        watch(box, "squats.trace")
        yield Cloud(box, served)


def test_without_a_place_to_fetch_from_it_says_so_once(cloud: Cloud) -> None:
    cloud.wants("any")
    assert "[updates] in config.toml names no place" in cloud.said()
    cloud.look()
    assert cloud.said().count("names no place") == 0
    place = f'[updates]\nurl = "https://10.77.0.1:{PORT}"\nca = "/etc/kinebox/updates-ca.pem"\n'
    cloud.box.write("/etc/kinebox/config.toml", CONFIG + place)


def test_what_is_not_to_be_had_is_said(cloud: Cloud) -> None:
    cloud.wants("nothing")
    assert "https://10.77.0.1:8443/nothing.tar.gz cannot be fetched: the server answers 404" in cloud.said()


@pytest.mark.parametrize(
    ("name", "serial", "says"),
    [("forged", 9, "not signed by a key that this box trusts"), ("older", 1, "does not follow")],
)
def test_what_is_refused_is_not_fetched_again(
    cloud: Cloud, layers: tuple[Path, ...], tmp_path: Path, name: str, serial: int, says: str
) -> None:
    maker = Maker(tmp_path)
    if name == "older":
        maker.key = layers[0].parent / "key.pem"
    file = shutil.copy(maker.packed(name, serial), cloud.served)
    cloud.wants(name, Path(file))
    assert says in cloud.said()
    assert cloud.box.show("kinebox-follow.service", "Result")["Result"] == "exit-code"
    assert "." not in cloud.box.run("ls /var/cache/kinebox/fetched").stdout
    status = json.loads(cloud.box.run("/opt/kinebox/current/bin/kinebox update status --json").stdout)
    assert status["refused"].startswith(f"{name}: ")
    assert says in status["refused"]
    if name == "forged":
        cloud.look()
        assert cloud.said() == ""
    assert cloud.box.run("readlink /opt/kinebox/current").stdout == "releases/test-1\n"


def models(
    layers: tuple[Path, ...], cloud: Cloud, scratch: Path, serial: int, *, damaged: bool = False
) -> Version:
    """A release of the models that the box has, served: `models/m-SERIAL.tar.gz`."""
    version, served = f"m-{serial}", cloud.served / "models"
    tree = scratch / version
    shutil.copytree(layers[1] / "opt/kinebox/models/releases/test-1", tree)
    if damaged:
        for weights in tree.glob("*.onnx"):
            data = weights.read_bytes()
            weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    key = signing_key(layers[0].parent / "key.pem")
    release_build.seal(
        tree, [key], name="kinebox-models", version=version, serial=serial, python="any", platform="any"
    )
    served.mkdir(exist_ok=True)
    release_build.pack(tree, served / f"{version}.tar.gz")
    return named("blazepose", version, served / f"{version}.tar.gz")


def test_what_is_wanted_waits_for_the_end_of_a_session_and_is_followed(
    cloud: Cloud, layers: tuple[Path, ...], tmp_path: Path
) -> None:
    box = cloud.box
    while not healthy(box)["busy"]:
        time.sleep(0.2)
    release(layers, tmp_path, "broken-2", 2)  # the server breaks off in its middle
    file = cloud.served / "broken-2.tar.gz"
    names = manifest.decode((tmp_path / "broken-2" / manifest.FILE).read_bytes()).files
    with tarfile.open(file, "w") as archive:
        for name in (manifest.FILE, manifest.SIGNATURE, *names):
            archive.add(tmp_path / "broken-2" / name, name)
    cloud.wants("broken-2", file, pose=models(layers, cloud, tmp_path, 2))
    deadline = time.monotonic() + 120
    while "waiting for the end of a session" not in cloud.log():
        assert time.monotonic() < deadline, cloud.log()
        time.sleep(0.2)
    links = box.run("readlink /opt/kinebox/current /opt/kinebox/models/current").stdout
    assert links == "releases/test-1\n" * 2
    watch(box, "nobody.trace")
    said = cloud.said()
    assert "m-2 is installed and healthy" in said
    assert "broken-2 is installed and healthy" in said
    found = healthy(box)
    for name, version in (("software", "broken-2"), ("models", "m-2")):
        assert (found[name]["current"], found[name]["previous"]) == (version, "test-1")
    assert not found["refused"]
    version = box.run(
        "cd /; PYTHONPATH=/opt/kinebox/current/lib python3 -c 'import edge.version; print(edge.version.running())'"
    )
    assert version.stdout == "broken-2\n"
    cloud.look()
    assert cloud.said() == ""  # it runs
    cloud.wants("test-1")  # as when the cloud takes a rollout back
    assert "test-1 is used again" in cloud.said()
    assert healthy(box)["software"]["current"] == "test-1"


def test_models_that_do_not_work_are_taken_back(
    cloud: Cloud, layers: tuple[Path, ...], tmp_path: Path
) -> None:
    """Apart from the software, which is not to be had here."""
    box = cloud.box
    watch(box, "nobody.mp4")
    cloud.wants("nothing", pose=models(layers, cloud, tmp_path, 3, damaged=True))
    said = cloud.said()
    assert "nothing.tar.gz cannot be fetched: the server answers 404" in said
    assert "m-3 was taken back" in said
    found = healthy(box)
    assert (found["models"]["current"], found["software"]["current"]) == ("m-2", "test-1")
    assert found["refused"].startswith("models m-3: ")
    cloud.wants("test-1")
    assert cloud.said() == ""
    cloud.wants_models(pose=named("blazepose", "test-1"))
    assert "test-1 is used again" in cloud.said()
    cloud.wants_models(pose=named("other", "4"))
    assert "other is wanted as pose, and this Kinebox knows blazepose as pose only" in cloud.said()
    assert healthy(box)["models"]["current"] == "test-1"
