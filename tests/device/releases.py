"""Small releases, signed, and a box that has one of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.device.gate import Patience
from edge.device.hub import Hub, Look
from edge.device.keys import new_key, signing_key
from edge.device.release_build import pack, seal
from edge.device.systemd import Systemd
from edge.device.tree import Tree, trees
from edge.device.update import Machine

if TYPE_CHECKING:
    from edge.device.hub import Activity

PATIENT = Patience(most=120, hold=0.0, look=0.01, measure=0.0)
"""For a box that becomes healthy."""
QUICK = Patience(most=0.2, hold=0.0, look=0.01, measure=0.0)
"""For one that does not."""
HEALTHY = Look("", camera=True, frames=100, uptime_s=1.0)
FILES = {
    "bin/kinebox": b"#!/bin/sh\n",
    "lib/edge/cli.py": b"x = 1\n" * 400,
    "lib/data": bytes(range(256)) * 12,
}


class Maker:
    """Who makes releases and has the key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trusted = folder / "update-keys"
        self.trusted.mkdir(parents=True)
        self.key = folder / "maker.pem"
        new_key(self.key).rename(self.trusted / "maker.pub")

    def make(self, version: str, serial: int, files: dict[str, bytes] | None = None, **manifest: Any) -> Path:
        """The folder of a release; `files` beside those that each has."""
        tree = self.folder / version
        for name, content in (FILES | {"lib/version": version.encode()} | (files or {})).items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(content)
        (tree / "bin/kinebox").chmod(0o755)
        said = {"name": "kinebox", "python": "any", "platform": "any"} | manifest
        seal(tree, [signing_key(self.key)], version=version, serial=serial, **said)
        return tree

    def packed(self, version: str, serial: int, files: dict[str, bytes] | None = None) -> Path:
        """The same as one file."""
        archive = self.folder / f"{version}.tar.gz"
        pack(self.make(version, serial, files), archive)
        return archive


class Units(Systemd):
    """A service manager that starts nothing and remembers what it was asked."""

    def __init__(self, *, running: bool = False) -> None:
        self.running = running
        self.restarts: list[str] = []
        self.gone = ""

    def link(self, tree: Tree, etc: Path | None = None) -> None:
        pass

    def in_use(self, _name: str) -> bool:
        return self.running

    def restart(self, name: str) -> None:
        self.restarts.append(name)

    def failed(self, _name: str) -> str:
        return self.gone


class StillHub(Hub):
    """A hub that always says the same."""

    def __init__(self, says: Look = HEALTHY, *, busy: bool = False) -> None:
        super().__init__(Path("/nowhere"))
        self.says = says
        self.is_busy = busy

    def look(self) -> Look:
        return self.says

    def activity(self) -> Activity:
        return "training" if self.is_busy else "idle"


def machine(root: Path, maker: Maker, **changes: Any) -> Machine:
    """A box on which nothing is installed and nothing runs."""
    box = Machine(root=root, trusted=maker.trusted, systemd=Units(), hub=StillHub(), patience=PATIENT)
    return replace(box, **changes)


def software(root: Path) -> Tree:
    return trees(root)["kinebox"]
