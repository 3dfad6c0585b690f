"""The cloud's machine as deploy/ describes it: its broker and its database, with its secrets, really running."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.deploy.places import DEPLOY
from tests.testbed import rootfs
from tests.testbed.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Callable

    import paho.mqtt.client as paho

ETC = "/etc/mosquitto/kinebox"
"""Where the configuration says that its files are."""
BROKER_FILES = {
    "ca.pem": "ca.pem",
    "crl.pem": "crl.pem",
    "broker.pem": "broker.pem",
    "broker.key": "broker.key",
}


def make_secrets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run deploy/make-secrets on a folder."""
    return subprocess.run(
        [str(DEPLOY / "make-secrets"), *arguments],
        env=os.environ | {"KINEBOX_SECRETS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def hang_up(client: paho.Client) -> None:
    """Leave, and let go of everything: paho closes its last sockets when the client itself goes."""
    client.disconnect()
    client.loop_stop()
    client.on_connect = client.on_disconnect = client.on_message = None
    client.on_publish = client.on_subscribe = None


class Broker:
    """Mosquitto with deploy/mosquitto in the test bed. Only the port and the folder of its files are others."""

    def __init__(self, secrets: Path) -> None:
        self.port = free_port()
        self.secrets = secrets
        self.folder = Path(tempfile.mkdtemp(dir=rootfs.rootfs() / "srv"))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.state.mkdir()
        inside = f"/srv/{self.folder.name}"
        text = (DEPLOY / "mosquitto/mosquitto.conf").read_text()
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1").replace(ETC, inside)
        (self.folder / "mosquitto.conf").write_text(text)
        shutil.copy(DEPLOY / "mosquitto/acl", self.folder / "acl")
        self._chroot("root", "chown", "mosquitto:", f"{inside}/state", f"{inside}/acl")
        (self.folder / "acl").chmod(0o600)
        self._command = ("env", "-C", f"{inside}/state", "mosquitto", "-c", f"{inside}/mosquitto.conf")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Broker:
        for name, secret in BROKER_FILES.items():
            (self.folder / name).unlink(missing_ok=True)
            shutil.copy(self.secrets / secret, self.folder / name)
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                ["chroot", "--userspec=mosquitto", str(rootfs.rootfs()), *self._command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(lambda: self._listens() or self._ended(), "Mosquitto listens")
        assert not self._ended(), self.log()
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _chroot(self, user: str, *command: str) -> None:
        subprocess.run(["chroot", f"--userspec={user}", str(rootfs.rootfs()), *command], check=True)

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class Database:
    """PostgreSQL of its own that asks for passwords, with deploy/postgres run as its image runs it."""

    def __init__(self, state: Path, secrets: Path) -> None:
        self.servers = Servers(state)
        self.secrets = secrets

    def start(self) -> None:
        """Make the cluster, the database and its logins."""
        self.servers.state.mkdir(exist_ok=True)
        self.servers.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.servers.start_postgres()
        with psycopg.connect(self.servers.dsn("postgres"), autocommit=True) as db:
            db.execute("create database kinebox")
        self.make_roles()
        hba = self.servers.data / "postgres/pg_hba.conf"
        hba.write_text("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        with psycopg.connect(self.servers.dsn("postgres"), autocommit=True) as db:
            db.execute("select pg_reload_conf()")

    def make_roles(self) -> None:
        """Run postgres/roles.sh inside, with the container's paths."""
        inside = Path(tempfile.mkdtemp(dir=self.servers.data))
        inside.chmod(0o755)
        here = f"{self.servers.inside}/{inside.name}"
        for service in ("schema", "ingest", "api"):
            shutil.copy(self.secrets / f"database-{service}.conf", inside / f"database-{service}")
        shutil.copy(DEPLOY / "postgres/roles.sql", inside)
        script = (DEPLOY / "postgres/roles.sh").read_text()
        script = script.replace("/run/secrets", here).replace("/etc/kinebox", here)
        (inside / "roles.sh").write_text(script)
        environment = {
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": "kinebox",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.servers.postgres_port),
            "PATH": "/usr/lib/postgresql/17/bin:/usr/bin:/bin",
        }
        assignments = [f"{name}={value}" for name, value in environment.items()]
        command = ["chroot", str(self.servers.root), "env", "-i", *assignments, "sh", f"{here}/roles.sh"]
        subprocess.run(command, check=True)
        shutil.rmtree(inside)

    def environment(self, service: str) -> dict[str, str]:
        """What the unit or container of a service is told: an address without a secret, and a file with it."""
        return {
            "KINEBOX_DATABASE_URL": f"postgresql://127.0.0.1:{self.servers.postgres_port}/kinebox?service=kinebox",
            "PGSERVICEFILE": str(self.secrets / f"database-{service}.conf"),
        }

    def run(
        self, service: str, module: str, *arguments: str, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of ours as one of the logins."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments], env=os.environ | self.environment(service) | more,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def remove(self) -> None:
        self.servers.stop(erase=True)
