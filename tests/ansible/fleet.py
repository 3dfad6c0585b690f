"""Three boxes as cloud-init leaves them, the cloud's broker, and a machine that provisions them over ssh."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import yaml

from tests.ansible.trace import record
from tests.deploy.machine import BROKER_FILES, ETC, make_secrets, until
from tests.deploy.places import DEPLOY
from tests.testbed import rootfs
from tests.testbed.box import Box
from tests.testbed.network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

ROOT: Final = Path(__file__).resolve().parents[2]
ANSIBLE: Final = ROOT / "ansible"
NAMES: Final = ("hall-1", "hall-2", "pool-1")
CANARY: Final = NAMES[-1]
"""The last one in the inventory: it comes first because it is the canary."""
PROGRAM: Final = Path(sys.executable).with_name("ansible-playbook")
_RECAP: Final = re.compile(
    r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE
)
_CLOUD_INIT: Final = """\
set -eu
echo "127.0.1.1 $(hostname)" >>/etc/hosts
: >/etc/resolv.conf
useradd --create-home --shell /bin/bash --groups sudo kinebox-admin
echo 'kinebox-admin ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users
install -d -m 0700 -o kinebox-admin -g kinebox-admin /home/kinebox-admin/.ssh
cat >/home/kinebox-admin/.ssh/authorized_keys
chown kinebox-admin: /home/kinebox-admin/.ssh/authorized_keys
"""
"""What firmware-config/cloud-init/user-data does."""


@dataclass
class Played:
    """How a playbook went."""

    status: int
    output: str
    seconds: float
    changed: dict[str, int] = field(default_factory=dict)
    """Tasks that changed something, by box; only boxes that the playbook came to."""
    failed: set[str] = field(default_factory=set)


class Fleet:
    """Use as a context manager: boxes are on inside of it."""

    def __init__(
        self, folder: Path, releases: Path, variables: dict[str, Any], names: Sequence[str] = NAMES
    ) -> None:
        """`folder`: for its files. `releases`: a folder that boxes see as /mnt/releases.

        `variables`: of the inventory, beside those that tell where boxes and broker are. The last of `names` is the
        canary.
        """
        self.folder = folder
        self.releases = releases
        self.secrets = folder / "secrets"
        self.timings: list[tuple[str, float]] = []
        self.network = Network()
        trace = folder / "squats.trace"
        record(trace)
        binds = {"/mnt/releases": releases, "/srv/squats.trace": trace}
        self.boxes = {name: Box(name, binds=binds, network=self.network) for name in names}
        self._variables = variables
        self._processes: list[subprocess.Popen[bytes]] = []
        self._broker = Path(tempfile.mkdtemp(dir=rootfs.rootfs() / "srv"))
        self._sockets = Path(tempfile.mkdtemp(prefix="ssh-"))
        """Of ssh's shared connections: their paths may have 108 bytes, and a test's own folder can be longer."""

    def __enter__(self) -> Self:
        began = time.monotonic()
        self.network.__enter__()
        try:
            made = make_secrets(self.secrets, "cloud", self.network.gateway)
            assert made.returncode == 0, made.stderr
            self._start_broker()
            self._start_consumer()
            key = self.folder / "id"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            for box in self.boxes.values():
                box.start()
                box.run(_CLOUD_INIT, stdin=key.with_suffix(".pub").read_text())
            self._write_inventory(key)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.timings.append((f"{len(self.boxes)} box(es) boot", time.monotonic() - began))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ThreadPoolExecutor() as pool:  # each has written a release
            for gone in [pool.submit(box.remove) for box in self.boxes.values()]:
                gone.result()
        for process in self._processes:
            process.kill()
            process.wait()
        self.network.__exit__(None, None, None)
        shutil.rmtree(self._broker)
        shutil.rmtree(self._sockets)

    def play(self, what: str, playbook: str, *options: str) -> Played:
        """Run a playbook as an operator does; `what`: its name in the table of times."""
        began = time.monotonic()
        inside = {
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._sockets),
            "HOME": str(self.folder),
        }
        done = subprocess.run(
            self.network.enter(str(PROGRAM), "--inventory", str(self.folder / "hosts.yml"), playbook, *options),
            cwd=ANSIBLE, env=os.environ | inside, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=900,
        )  # fmt: skip
        played = Played(done.returncode, done.stdout + done.stderr, time.monotonic() - began)
        for name, _ok, changed, unreachable, failed in _RECAP.findall(done.stdout):
            played.changed[name] = int(changed)
            if int(unreachable) + int(failed):
                played.failed.add(name)
        self.timings.append((what, played.seconds))
        return played

    def foreign_authority(self) -> Path:
        """A folder of an authority that the broker does not know."""
        folder = self.folder / "foreign"
        made = make_secrets(folder, "cloud", self.network.gateway)
        assert made.returncode == 0, made.stderr
        return folder

    def messages(self) -> list[dict[str, Any]]:
        """Windows and changes of sessions that the cloud has taken down, in the order of their coming."""
        lines = (self.folder / "messages").read_text(encoding="utf-8").splitlines()
        return [told for line in lines if (told := json.loads(line))]

    def lost(self) -> list[tuple[str, int]]:
        """(boot, number) of messages that did not come though a later one of the same box and boot did."""
        seen: dict[str, set[int]] = {}
        for told in self.messages():
            seen.setdefault(told["boot"], set()).add(told["seq"])
        return [(boot, seq) for boot, has in seen.items() for seq in range(1, max(has)) if seq not in has]

    def _write_inventory(self, key: Path) -> None:
        hosts = {name: {"ansible_host": self.network.address(box)} for name, box in self.boxes.items()}
        known = self.folder / "known_hosts"
        variables = {
            "ansible_user": "kinebox-admin",
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known}",
            "certs_authority": str(self.secrets),
            "kinebox_broker": f"mqtts://{self.network.gateway}",
            **self._variables,
        }
        inventory = {
            "kinebox": {"hosts": hosts, "vars": variables},
            "canary": {"hosts": {list(hosts)[-1]: None}},
        }
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")

    def _start_broker(self) -> None:
        self._broker.chmod(0o755)
        inside = f"/srv/{self._broker.name}"
        text = (DEPLOY / "mosquitto/mosquitto.conf").read_text().replace(ETC, inside)
        (self._broker / "mosquitto.conf").write_text(text)
        shutil.copy(DEPLOY / "mosquitto/acl", self._broker / "acl")
        for name, secret in BROKER_FILES.items():
            shutil.copy(self.secrets / secret, self._broker / name)
        (self._broker / "state").mkdir()
        root = str(rootfs.rootfs())
        subprocess.run(["chroot", root, "chown", "-R", "mosquitto:mosquitto", inside], check=True)
        for name in ("acl", "broker.key"):
            (self._broker / name).chmod(0o600)
        self._spawn(
            "broker", "chroot", "--userspec=mosquitto", root,
            "env", "-C", f"{inside}/state", "mosquitto", "-c", f"{inside}/mosquitto.conf",
        )  # fmt: skip

    def _start_consumer(self) -> None:
        file = self.folder / "messages"
        file.touch()
        command = [sys.executable, "-m", "tests.ansible.consumer", self.network.gateway]
        self._spawn(
            "consumer", *command, *map(str, (self.secrets / "ca.pem", self.secrets / "ingest-0.pem", file))
        )
        until(lambda: file.stat().st_size > 0, "the consumer")

    def _spawn(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                self.network.enter(*command), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._processes.append(process)
        return process
