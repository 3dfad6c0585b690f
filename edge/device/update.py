"""Updates from beginning to end: checked, brought to its place, switched when nobody moves, kept or taken back."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - the dataclass names it
from typing import TYPE_CHECKING

import msgspec

from edge.device import gate, switch
from edge.device.hub import Hub, own_hub
from edge.device.keys import TRUSTED, trusted_keys
from edge.device.manifest import ANY, SOFTWARE
from edge.device.systemd import Systemd
from edge.device.tree import ROOT, Before, Outcome, locked, trees
from edge.device.unpack import is_whole, opened, unpack
from edge.device.wanted import called, tried
from edge.errors import UpdateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from edge.device.manifest import Manifest
    from edge.device.tree import Tree
    from edge.device.unpack import Release

log = logging.getLogger(__name__)

ROOM = 2
"""So many times the size of a release must be free."""
_IDLE_LOOK_S = 1.0
SILENT_S = 15.0
"""After so long a hub that does not answer is waited for no more. Its watchdog (10 s) has ended it by then."""


class UpdateLaterError(UpdateError):
    """Nothing is wrong with the release: it can be installed at another time."""


@dataclass(frozen=True)
class Machine:
    """What is updated, and who says whether it is well."""

    root: Path = ROOT
    trusted: Path = TRUSTED
    systemd: Systemd = field(default_factory=Systemd)
    hub: Hub = field(default_factory=own_hub)
    patience: gate.Patience = field(default_factory=gate.Patience)


class TreeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The releases of one kind."""

    current: str | None
    previous: str | None
    serial: int
    """Nothing older is installed."""
    pending: str | None
    """A release of which it is not decided yet whether it stays."""
    last: Outcome | None


class UpdateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What `kinebox update status` says."""

    software: TreeStatus
    models: TreeStatus
    healthy: bool
    busy: bool
    """Whether somebody is before the camera."""
    problem: str = ""
    refused: str = ""
    """What the cloud wanted last and why it is not installed, if it was refused or taken back."""


def status(box: Machine) -> UpdateStatus:
    """Which releases there are, and how the box is."""
    both = trees(box.root)
    software, models = (_tree_status(tree) for tree in both.values())
    look = box.hub.look()
    problem = look.problem or ("" if look.camera else "the camera does not deliver")
    refused = [(name, one) for name, tree in both.items() if (one := tried(tree)) is not None]
    return UpdateStatus(
        software=software,
        models=models,
        healthy=not problem,
        busy=box.hub.activity() == "training",
        problem=problem,
        refused="; ".join(f"{called(name, one.version)}: {one.reason}" for name, one in refused),
    )


def apply(box: Machine, source: Path, *, wait_s: float = 0.0, expected: tuple[str, str] | None = None) -> str:
    """Install the release in `source` and keep it if the box is healthy with it; returns what happened.

    wait_s: how long to wait for the end of a session; expected: the name and version that it must have. Raises
    UpdateLaterError where nothing is wrong with it, UpdateError where it is refused or was taken back.
    """
    with _alone(box.root):
        with opened(source, trusted_keys(box.trusted)) as release:
            tree, name = trees(box.root)[release.manifest.name], release.manifest.version
            if expected is not None and (tree.name, name) != expected:
                raise UpdateError(f"this is {tree.name} {name}, not {' '.join(expected)}", "Fetch it again")
            try:
                _finish(box, tree)
            except UpdateError as error:  # that one is gone; this is another
                log.warning("%s", error)
            tree.tidy(name)
            if tree.version(tree.current) == name and tree.digest(name) == release.digest:
                return f"{name} is installed already"
            _refuse_unfit(release.manifest, release.digest, tree)
            on_trial = tree.version(tree.current) is not None and box.systemd.in_use(tree.name)
            if on_trial and not wait_s:
                wait_until_idle(box.hub, 0)  # told before anything is unpacked
            was = gate.before(box.hub, box.patience.measure) if on_trial else Before()
            _bring(release, tree)
        if on_trial:
            wait_until_idle(box.hub, wait_s)
        with _undisturbed() as asked_to_stop:
            switch.begin(tree, name, was)
            if on_trial:
                _start(box, tree)
                return _decide(box, tree, asked_to_stop)
            switch.keep(tree)
            _start(box, tree)
            return f"{name} is installed"


def resume(box: Machine) -> list[str]:
    """Decide what a power cut left undecided; returns what happened. Raises UpdateError after going back."""
    with locked(box.root) as mine:
        found = [_finish(box, tree) for tree in trees(box.root).values()] if mine else []
    return [text for text in found if text]


def roll_back(box: Machine, name: str = SOFTWARE, *, automatic: bool = False) -> list[str]:
    """Go back to the previous release of the software or the models; returns what happened.

    automatic: only where an update is on trial and nobody else decides about it, as when a service has failed for
    good after a power cut. At any other time an older release would not help.
    """
    if automatic:
        with locked(box.root) as mine:
            pending = [tree for tree in trees(box.root).values() if mine and tree.state().pending]
            return [_back(box, tree, "a service failed") for tree in pending]
    with _alone(box.root):
        tree = trees(box.root)[name]
        if tree.state().pending:
            return [_back(box, tree, "taken back by hand")]
        version = switch.swap(tree)
        _start(box, tree)
        return [f"{version} is used again"]


def _finish(box: Machine, tree: Tree) -> str:
    """Decide about a release that is on trial; empty where there is none. Raises UpdateError after going back."""
    pending = tree.state().pending
    if pending is None:
        return ""
    log.warning("the update to %s was interrupted: deciding now", pending.version)
    box.systemd.link(tree)
    if tree.version(tree.current) == pending.came_from:
        switch.undo(tree, "the power went before the switch")
        return f"the update to {pending.version} was interrupted; {pending.came_from} is used"
    with _undisturbed() as asked_to_stop:
        return _decide(box, tree, asked_to_stop)


def _decide(box: Machine, tree: Tree, asked_to_stop: Callable[[], str]) -> str:
    """Keep the release on trial, or go back and raise UpdateError."""
    pending = tree.state().pending
    assert pending is not None
    began = time.monotonic()

    def failed() -> str:
        return asked_to_stop() or box.systemd.failed(tree.name)

    try:
        reason = gate.passes(box.hub, pending.before, failed, box.patience)
    except BaseException:  # a fault of ours: what is not known to be good does not stay
        _back(box, tree, "the updater failed")
        raise
    if not reason:
        switch.keep(tree)
        return f"{pending.version} is installed and healthy"
    took = time.monotonic() - began
    raise UpdateError(
        f"{pending.version} was taken back after {took:.0f} s because {reason}", _back(box, tree, reason)
    )


def _back(box: Machine, tree: Tree, reason: str) -> str:
    name = switch.undo(tree, reason)
    _start(box, tree)
    text = f"{name} is used again"
    log.warning("%s, because %s", text, reason)
    return text


def _start(box: Machine, tree: Tree) -> None:
    """Run what is current now."""
    box.systemd.link(tree)
    if box.systemd.in_use(tree.name):
        box.systemd.restart(tree.name)


def _tree_status(tree: Tree) -> TreeStatus:
    state = tree.state()
    return TreeStatus(
        current=tree.version(tree.current),
        previous=tree.version(tree.previous),
        serial=state.serial,
        pending=None if state.pending is None else state.pending.version,
        last=state.last,
    )


def _refuse_unfit(manifest: Manifest, digest: str, tree: Tree) -> None:
    state, name = tree.state(), manifest.version
    if manifest.serial < state.serial or (manifest.serial == state.serial and digest != state.manifest):
        raise UpdateError(
            f"{name} (serial {manifest.serial}) does not follow what this box already ran (serial {state.serial})",
            "To go back to the release before: kinebox update rollback",
        )
    if manifest.platform != ANY and manifest.machine != platform.machine():
        raise UpdateError(
            f"{name} is for {manifest.machine}, and this box is {platform.machine()}",
            "Take the other release",
        )
    if manifest.python != ANY and shutil.which(f"python{manifest.python}") is None:
        raise UpdateError(
            f"{name} needs Python {manifest.python}, which is not here", "Take the other release"
        )
    tree.releases.mkdir(parents=True, exist_ok=True)
    disk = os.statvfs(tree.releases)
    needed, free = ROOM * manifest.size, disk.f_bavail * disk.f_frsize
    if free < needed:
        raise UpdateLaterError(
            f"{name} needs {needed // 2**20} MB free in {tree.releases}, and there are {free // 2**20}",
            "Free some space",
        )
    if disk.f_files > 0 and disk.f_favail < ROOM * len(manifest.files):
        raise UpdateLaterError(f"{name} has more files than the disk has room for", "Free some space")


def _bring(release: Release, tree: Tree) -> None:
    name = release.manifest.version
    if tree.release(name).exists():
        if tree.digest(name) == release.digest and is_whole(tree.release(name), release.manifest):
            return
        if name in (tree.version(tree.current), tree.version(tree.previous)):
            raise UpdateError(
                f"another release called {name} is in use", "Give the new one a name of its own"
            )
        tree.remove(name)
    unpack(release, tree)


def wait_until_idle(hub: Hub, wait_s: float) -> None:
    """Wait for the end of a session. Raises UpdateLaterError where it lasts longer than `wait_s`."""
    deadline = time.monotonic() + wait_s
    told, silent = False, None
    while (activity := hub.activity()) != "idle":
        now = time.monotonic()
        if activity == "silent":
            silent = now if silent is None else silent
            if now - silent >= SILENT_S:
                log.warning(
                    "the hub has not answered for %.0f s: it measures nobody, and is waited for no more",
                    now - silent,
                )
                return
            time.sleep(_IDLE_LOOK_S)
            continue
        silent = None
        if now >= deadline:
            raise UpdateLaterError(
                "somebody is before the camera: nothing is changed now",
                "Try again later, or give --wait SECONDS",
            )
        if not told:
            log.info("waiting for the end of a session")
            told = True
        time.sleep(_IDLE_LOOK_S)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    if os.geteuid() != 0 and root == ROOT:
        raise UpdateError("updates are root's", "Use sudo")
    with locked(root) as mine:
        if not mine:
            raise UpdateLaterError(
                "another update is under way", "Wait until it has ended: kinebox update status"
            )
        yield


@contextmanager
def _undisturbed() -> Iterator[Callable[[], str]]:
    """A lost terminal does not end the decision. Who asks the update to stop is heard where it decides."""
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    earlier = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield lambda: "it was asked to stop" if set(asked) - {signal.SIGHUP} else ""
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
