"""Starts, stops and kills PostgreSQL and Mosquitto inside the test bed's folder, on loopback ports.

Plain chroot, no mounts and no namespaces: that works in unprivileged containers, too. The servers' data therefore
lies inside the folder, under /srv. A process counts as ours only while its kernel start time is the recorded one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.testbed import rootfs
from tests.testbed.rootfs import TestbedError

if TYPE_CHECKING:
    from collections.abc import Callable

_BIN: Final = "/usr/lib/postgresql/17/bin"
_ENVIRONMENT: Final = (
    "/usr/bin/env",
    "-i",
    f"PATH={_BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C.UTF-8",
    "TZ=UTC",
)
_WAIT_S: Final = 60.0

# A commit reaches the operating system before it is answered, so killing the server loses nothing that was
# answered; only a power cut would, and that is not tested here (KINEBOX_TESTBED_DURABLE=1: for measuring).
_QUICK: Final = "fsync = off\nfull_page_writes = off\n"
_POSTGRES: Final = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
dynamic_shared_memory_type = sysv
timezone = 'UTC'
max_connections = 60
max_worker_processes = 16
shared_buffers = 256MB
max_wal_size = 2GB
logging_collector = off
"""
_MOSQUITTO: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 30
# The default of 1000 drops what is queued for an absent consumer without a word.
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
log_dest stdout
log_type error
log_type warning
"""


class Servers:
    """PostgreSQL and Mosquitto of one state folder. Two folders, two independent pairs of servers."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.root = rootfs.rootfs()
        self.inside = f"/srv/{hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]}"
        self.data = self.root / self.inside.lstrip("/")
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def postgres_port(self) -> int:
        """Where PostgreSQL listens, or last listened."""
        return self._port("postgres")

    @property
    def mqtt_port(self) -> int:
        """Where Mosquitto listens, or last listened."""
        return self._port("mosquitto")

    def dsn(self, database: str = "kinebox", user: str = "postgres") -> str:
        """Connection string of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.postgres_port}/{database}"

    def start(self) -> None:
        """Start what does not run; returns when both answer."""
        rootfs.build()
        self.state.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o755)
        self.start_postgres()
        self.start_mosquitto()

    def stop(self, *, erase: bool = False) -> None:
        """Stop what runs; with `erase` their data goes, too."""
        self.stop_one("mosquitto", signal.SIGTERM)
        self.stop_one("postgres", signal.SIGINT)  # PostgreSQL's fast shutdown
        if erase:
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.rmtree(self.state, ignore_errors=True)

    def running(self) -> dict[str, int | None]:
        """Name of each server to its process, or None."""
        return {name: self._alive(name) for name in ("postgres", "mosquitto")}

    def stop_one(self, name: str, how: signal.Signals) -> None:
        """Send one server a signal (SIGKILL too) and wait until it is gone."""
        pid = self._alive(name)
        if pid is not None:
            os.kill(pid, how)
            _until(lambda: self._alive(name) is None, f"{name} does not stop on {how.name}")
        (self.state / f"{name}.pid").unlink(missing_ok=True)

    def start_postgres(self) -> None:
        """Start PostgreSQL, making its cluster the first time; returns when it takes connections."""
        if self._alive("postgres") is not None:
            return
        port = self._claim_port("postgres", "KINEBOX_TESTBED_PG_PORT")
        folder = self.data / "postgres"
        if not (folder / ".ready").exists():
            self._make_cluster(folder)
        quick = "" if os.environ.get("KINEBOX_TESTBED_DURABLE") == "1" else _QUICK
        (folder / "testbed.conf").write_text(_POSTGRES.format(port=port) + quick)
        # Left by a killed server; its number may since belong to a zombie or a stranger, which would block the start.
        (folder / "postmaster.pid").unlink(missing_ok=True)
        deadline = time.monotonic() + _WAIT_S
        while True:
            self._spawn("postgres", "postgres", f"{_BIN}/postgres", "-D", f"{self.inside}/postgres")
            # The children of a killed server hold its shared memory for a moment: then a start fails at once.
            _until(lambda: self._alive("postgres") is None or self._ready(), "PostgreSQL is not ready")
            if self._alive("postgres") is not None:
                return
            if time.monotonic() > deadline:
                raise TestbedError(f"PostgreSQL does not start: {self._log_tail('postgres')}")
            time.sleep(0.2)

    def start_mosquitto(self) -> None:
        """Start Mosquitto; returns when it takes connections."""
        if self._alive("mosquitto") is not None:
            return
        port = self._claim_port("mosquitto", "KINEBOX_TESTBED_MQTT_PORT")
        folder = self.data / "mosquitto"
        folder.mkdir(exist_ok=True)
        (folder / "mosquitto.conf").write_text(
            _MOSQUITTO.format(port=port, folder=f"{self.inside}/mosquitto")
        )
        self._inside("root", "chown", "-R", "mosquitto:", f"{self.inside}/mosquitto")
        self._spawn("mosquitto", "mosquitto", "mosquitto", "-c", f"{self.inside}/mosquitto/mosquitto.conf")
        _until(lambda: self._alive("mosquitto") is None or _listens(port), "Mosquitto is not ready")
        if self._alive("mosquitto") is None:
            raise TestbedError(f"Mosquitto does not start: {self._log_tail('mosquitto')}")

    def _make_cluster(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._inside("root", "chown", "postgres:", f"{self.inside}/postgres")
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self._inside("postgres", f"{_BIN}/initdb", "-D", f"{self.inside}/postgres", *options)
        with (folder / "postgresql.conf").open("a") as conf:
            conf.write("include 'testbed.conf'\n")
        (folder / ".ready").touch()

    def _ready(self) -> bool:
        command = (
            f"{_BIN}/pg_isready",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.postgres_port),
            "-d",
            "postgres",
        )
        done = subprocess.run(("chroot", str(self.root), *_ENVIRONMENT, *command), check=False)
        return done.returncode == 0

    def _inside(self, user: str, *command: str) -> None:
        full = ("chroot", f"--userspec={user}", str(self.root), *_ENVIRONMENT, *command)
        done = subprocess.run(full, capture_output=True, text=True, check=False)
        if done.returncode:
            raise TestbedError(f"{command[0]}: {done.stderr[-500:]}")

    def _spawn(self, name: str, user: str, *command: str) -> None:
        with (self.state / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ("chroot", f"--userspec={user}", str(self.root), *_ENVIRONMENT, *command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children[name] = process
        (self.state / f"{name}.pid").write_text(f"{process.pid} {_started(process.pid)}")

    def _alive(self, name: str) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            pid, started = (self.state / f"{name}.pid").read_text().split()
            if _started(int(pid)) == started:
                return int(pid)
            child = self._children.get(name)
            if child is not None and child.pid == int(pid):
                child.wait()  # it has ended, and is ours to reap
        return None

    def _port(self, name: str) -> int:
        return int((self.state / f"{name}.port").read_text())

    def _claim_port(self, name: str, variable: str) -> int:
        """The chosen port, else the one used before if it is free, else any free one. A restart keeps its port."""
        path = self.state / f"{name}.port"
        wanted = os.environ.get(variable)
        before = int(path.read_text()) if path.exists() else None
        port = int(wanted) if wanted else before if before and not _listens(before) else _free_port()
        path.write_text(str(port))
        return port

    def _log_tail(self, name: str) -> str:
        return "\n".join((self.state / f"{name}.log").read_text(errors="replace").splitlines()[-5:])


def _started(pid: int) -> str:
    """The kernel's start time of a process; "" for a zombie. OSError where there is none."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _until(condition: Callable[[], bool], failure: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TestbedError(f"{failure} after {_WAIT_S:.0f} s")
        time.sleep(0.02)
