"""Where releases lie, which of them is used, and what the box remembers of updates."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from edge.device.durable import point, sync, write_whole
from edge.device.manifest import FILE, MODELS, SOFTWARE, decode
from edge.errors import UpdateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.device.manifest import Manifest

ROOT = Path("/opt/kinebox")
RELEASES = "releases"


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """How the box was before an update: it shall not be worse after it."""

    camera: bool = False
    """Whether the camera delivered."""
    fps: float = 0.0


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A switch of which it is not decided yet whether it stays."""

    version: str
    came_from: str
    """The release that ran before, to which the box goes back."""
    older: str | None = None
    """What `previous` was."""
    before: Before = Before()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the last update ended."""

    version: str
    manifest: str
    """sha256 of its manifest."""
    result: Literal["installed", "rolled_back", "interrupted"]
    reason: str = ""
    at: float
    """UTC seconds, as far as the box knows the time."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the box remembers of updates."""

    serial: int = 0
    """The highest that was found good: nothing older is installed any more."""
    manifest: str = ""
    """sha256 of the manifest with that serial."""
    pending: Pending | None = None
    last: Outcome | None = None


class Tree:
    """The releases of one kind, side by side, and two links: `current` is used, `previous` was good before."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self.releases = root / RELEASES
        self.current = root / "current"
        self.previous = root / "previous"

    def version(self, link: Path) -> str | None:
        """The release to which `current` or `previous` leads; None without one."""
        try:
            name = link.readlink().name
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UpdateError(
                f"{link} is no symbolic link", "Remove it: releases are used by links"
            ) from error
        return name if self.release(name).is_dir() else None

    def release(self, version: str) -> Path:
        """The folder of a release."""
        return self.releases / version

    def use(self, link: Path, version: str) -> None:
        """Let `current` or `previous` lead to a release, by one rename."""
        point(link, f"{RELEASES}/{version}")

    def manifest(self, version: str) -> Manifest:
        """The manifest of an installed release. Raises UpdateError."""
        return decode(self._manifest_bytes(version))

    def digest(self, version: str) -> str:
        """sha256 of an installed release's manifest. Raises UpdateError."""
        return hashlib.sha256(self._manifest_bytes(version)).hexdigest()

    def state(self) -> State:
        """What is remembered; where nothing is, what the installed release says."""
        try:
            return msgspec.json.decode((self.root / "update.json").read_bytes(), type=State)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UpdateError(
                f"{self.root / 'update.json'} cannot be read: {error}", "Remove the file"
            ) from error
        version = self.version(self.current)
        if version is None:
            return State()
        return State(serial=self.manifest(version).serial, manifest=self.digest(version))

    def remember(self, state: State) -> None:
        """Keep what is remembered, all of it or nothing."""
        write_whole(self.root / "update.json", msgspec.json.format(msgspec.json.encode(state), indent=1))

    def outcome(
        self, version: str, result: Literal["installed", "rolled_back", "interrupted"], reason: str = ""
    ) -> Outcome:
        """How an update has just ended."""
        return Outcome(
            version=version, manifest=self.digest(version), result=result, reason=reason, at=time.time()
        )

    def remove(self, version: str) -> None:
        """Take a release away: under its name there is all of it, or nothing that counts as a release."""
        doomed = self.releases / f".{version}.removed"
        if doomed.exists():
            shutil.rmtree(doomed)
        try:
            self.release(version).rename(doomed)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # In an overlay, and of the layer below: such a folder cannot be renamed.
            doomed = self.release(version)
            (doomed / FILE).unlink(missing_ok=True)
            sync(doomed)
        sync(self.releases)
        shutil.rmtree(doomed)

    def tidy(self, *also: str) -> None:
        """Remove what was interrupted, and every release but the current, the previous and those named."""
        kept = {self.version(self.current), self.version(self.previous)}
        kept |= {name for name in also if (self.release(name) / FILE).exists()}
        for folder in sorted(self.releases.glob("*")):
            if folder.name.startswith("."):
                shutil.rmtree(folder)
            elif folder.name not in kept:
                self.remove(folder.name)

    def _manifest_bytes(self, version: str) -> bytes:
        path = self.release(version) / FILE
        try:
            return path.read_bytes()
        except OSError as error:
            raise UpdateError(
                f"{path} cannot be read: {error.strerror}", "Install that release again"
            ) from error


def trees(root: Path = ROOT) -> dict[str, Tree]:
    """The software's releases and the models', by the name in their manifests."""
    return {SOFTWARE: Tree(root, SOFTWARE), MODELS: Tree(root / "models", MODELS)}


@contextmanager
def locked(root: Path = ROOT, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock of all updates; False where another process holds it (`wait`: until it does not)."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
