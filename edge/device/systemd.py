"""The box's units: those of the release in use are the ones that systemd knows, and they are started anew with it."""

from __future__ import annotations

import logging
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.device.manifest import MODELS, SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.device.tree import Tree

log = logging.getLogger(__name__)

SERVICES = {
    SOFTWARE: ("kinebox-vision.service", "kinebox-hub.service"),
    MODELS: ("kinebox-vision.service",),
}
"""What runs each kind of release."""
MANY_RESTARTS = 3
"""After so many since it was started, a service of a new release does not get better."""
_ALL = "kinebox.target"
_KINDS = ("*.service", "*.timer", "*.target", "*.slice", "*.path", "*.socket", "*.mount")
_ETC = Path("/etc")
_LINKED = (
    ("systemd", _KINDS, "systemd/system"),
    ("systemd/sysusers.d", ("*.conf",), "sysusers.d"),
    ("systemd/tmpfiles.d", ("*.conf",), "tmpfiles.d"),
)
"""Folder of the release, which files of it, and where under /etc they are linked."""
_TIMEOUT_S = 30


class Systemd:
    """What is asked of the service manager; on a machine without it, nothing runs."""

    def link(self, tree: Tree, etc: Path = _ETC) -> None:
        """Let it find the units of whichever release is in use: links through `current` change with it."""
        if tree.name != SOFTWARE:
            return
        for folder, patterns, place in _LINKED:
            source, target = tree.current / folder, etc / place
            wanted = {path.name for pattern in patterns for path in source.glob(pattern)}
            target.mkdir(parents=True, exist_ok=True)
            for link in target.iterdir():
                if link.name not in wanted and link.is_symlink() and link.readlink().is_relative_to(source):
                    link.unlink()
            for name in sorted(wanted):
                link = target / name
                if not link.is_symlink() and not link.exists():  # what the operator put there stays
                    link.symlink_to(source / name)
        if etc == _ETC and _present():
            _ask("systemd-sysusers")
            _ask("systemd-tmpfiles", "--create")
            _ask("systemctl", "daemon-reload")

    def in_use(self, name: str) -> bool:
        """Whether the box is meant to run this kind of release: one that is being set up runs nothing yet."""
        return _present() and any(
            _ask("systemctl", question, "--quiet", unit).returncode == 0
            for question, units in (("is-enabled", (_ALL,)), ("is-active", SERVICES[name]))
            for unit in units
        )

    def restart(self, name: str) -> None:
        """Start anew what runs this kind of release, also what had given up; does not wait for it."""
        _ask("systemctl", "reset-failed", *SERVICES[name])
        for command in (("restart", *SERVICES[name]), ("start", _ALL)):
            done = _ask("systemctl", "--no-block", *command)
            if done.returncode:
                log.error("systemctl %s: %s", " ".join(command), done.stderr.strip())

    def failed(self, name: str) -> str:
        """Which of these services has been given up or ends again and again, in words; empty where none does."""
        for unit in SERVICES[name]:
            if _ask("systemctl", "is-failed", "--quiet", unit).returncode == 0:
                return f"{unit} failed"
            restarts = _ask("systemctl", "show", "--value", "--property=NRestarts", unit).stdout.strip()
            if restarts.isdigit() and int(restarts) >= MANY_RESTARTS:
                return f"{unit} ended {restarts} times"
        return ""


@contextmanager
def without_hub() -> Iterator[None]:
    """Stop the box's hub, where there is one and it runs, until the end of the block."""
    hub = "kinebox-hub.service"
    running = _present() and _ask("systemctl", "is-active", "--quiet", hub).returncode == 0
    if running:
        _ask("systemctl", "stop", hub)
    try:
        yield
    finally:
        if running:
            _ask("systemctl", "start", "--no-block", hub)


def _present() -> bool:
    return Path("/run/systemd/system").is_dir()


def _ask(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S
    )
