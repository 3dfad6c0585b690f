"""Installing releases: what is taken, what is refused, and what is left behind in either case."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.device import update
from edge.device.gate import Patience
from edge.device.hub import Look
from edge.device.manifest import MODELS, SOFTWARE
from edge.device.tree import locked, trees
from edge.device.unpack import is_whole
from edge.device.update import apply, resume, roll_back, status
from edge.errors import UpdateError
from tests.device.releases import HEALTHY, PATIENT, QUICK, Maker, StillHub, Units, machine, software

if TYPE_CHECKING:
    from pathlib import Path


def releases(root: Path) -> list[str]:
    return sorted(path.name for path in software(root).releases.iterdir())


def used(root: Path) -> tuple[str | None, str | None]:
    tree = software(root)
    for link in (tree.current, tree.previous):
        version = tree.version(link)
        assert version is None or is_whole(tree.release(version), tree.manifest(version))
    return tree.version(tree.current), tree.version(tree.previous)


def test_the_first_release_stays_at_once(tmp_path: Path, maker: Maker) -> None:
    box = machine(tmp_path / "opt", maker)
    assert apply(box, maker.packed("1", 1)) == "1 is installed"
    assert used(box.root) == ("1", "1")
    assert (box.root / "current/bin/kinebox").stat().st_mode & 0o777 == 0o755
    assert apply(box, maker.folder / "1") == "1 is installed already"
    said = status(box)
    assert (said.software.current, said.software.serial, said.models.current) == ("1", 1, None)


def test_a_healthy_release_stays_and_two_are_kept(tmp_path: Path, maker: Maker) -> None:
    box = machine(tmp_path / "opt", maker, systemd=Units(running=True))
    for serial in (1, 2, 3, 4):
        healthy = " and healthy" if serial > 1 else ""
        assert apply(box, maker.packed(str(serial), serial)) == f"{serial} is installed{healthy}"
    assert used(box.root) == ("4", "3")
    assert releases(box.root) == ["3", "4"]
    assert box.systemd.restarts == [SOFTWARE] * 4


@pytest.mark.parametrize(
    ("hub", "gone", "reason"),
    [
        (StillHub(Look("the hub does not answer (refused)")), "", "the hub does not answer"),
        (
            StillHub(HEALTHY._replace(problem="the outbox cannot be written")),
            "",
            "the outbox cannot be written",
        ),
        (StillHub(), "kinebox-hub.service failed", "kinebox-hub.service failed"),
    ],
)
def test_a_release_that_does_not_work_is_taken_back(
    tmp_path: Path, maker: Maker, hub: StillHub, gone: str, reason: str
) -> None:
    box = machine(tmp_path / "opt", maker, systemd=Units(running=True))
    apply(box, maker.packed("1", 1))
    apply(box, maker.packed("2", 2))
    units = Units(running=True)
    units.gone = gone
    with pytest.raises(UpdateError, match=rf"3 was taken back after \d+ s because {reason}") as raised:
        apply(replace(box, hub=hub, systemd=units, patience=QUICK), maker.packed("3", 3))
    assert raised.value.remedy == "2 is used again"
    assert units.restarts == [SOFTWARE, SOFTWARE]
    assert used(box.root) == ("2", "1")
    last = status(box).software.last
    assert last is not None
    assert (last.version, last.result) == ("3", "rolled_back")
    assert reason in last.reason
    assert "4 is installed" in apply(box, maker.packed("4", 4))
    assert used(box.root) == ("4", "2")


def test_what_worked_before_must_work_after(tmp_path: Path, maker: Maker) -> None:
    """The frame rate, too. The hub of this test counts 25 frames a second before the update and 5 after it."""

    class Counting(StillHub):
        rate = 25.0
        seconds = 0.0
        frames = 0.0

        def look(self) -> Look:
            now = update.time.monotonic()
            self.frames += self.rate * (now - self.seconds) if self.seconds else 0
            self.seconds = now
            return Look("", camera=True, frames=round(self.frames), uptime_s=now)

    class Slower(Units):
        def restart(self, _name: str) -> None:
            hub.rate = 5.0

    hub = Counting()
    box = machine(tmp_path / "opt", maker, hub=hub, patience=Patience(6, 0.6, 0.1, 0.6))
    apply(box, maker.packed("1", 1))
    with pytest.raises(UpdateError, match=r"frames a second, before it were 2\d\."):
        apply(replace(box, systemd=Slower(running=True)), maker.packed("2", 2))
    assert used(box.root)[0] == "1"


def test_nothing_changes_while_somebody_moves(tmp_path: Path, maker: Maker) -> None:
    hub = StillHub(busy=True)
    box = machine(tmp_path / "opt", maker, systemd=Units(running=True), hub=hub)
    apply(replace(box, systemd=Units()), maker.packed("1", 1))
    with pytest.raises(UpdateError, match="somebody is before the camera"):
        apply(box, maker.packed("2", 2))
    assert used(box.root) == ("1", "1")
    assert box.systemd.restarts == []
    threading.Timer(0.3, setattr, (hub, "is_busy", False)).start()
    assert "2 is installed" in apply(box, maker.folder / "2.tar.gz", wait_s=30)


def test_nothing_older_is_installed(tmp_path: Path, maker: Maker) -> None:
    box = machine(tmp_path / "opt", maker)
    for serial in (1, 3):
        apply(box, maker.packed(str(serial), serial))
    for version, serial in (("2", 2), ("other", 3)):
        with pytest.raises(UpdateError, match=rf"{version} \(serial {serial}\) does not follow"):
            apply(box, maker.packed(version, serial))
    assert roll_back(box) == ["1 is used again"]
    with pytest.raises(UpdateError, match="does not follow"):
        apply(box, maker.folder / "2.tar.gz")
    with pytest.raises(UpdateError, match="no earlier release"):
        roll_back(box)
    assert "3 is installed" in apply(box, maker.folder / "3.tar.gz")  # what was good may come back
    (box.root / "update.json").unlink()
    with pytest.raises(UpdateError, match="does not follow"):
        apply(box, maker.folder / "2.tar.gz")


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"platform": "manylinux_2_28_riscv64"}, "is for riscv64"), ({"python": "3.99"}, "needs Python 3.99")],
)
def test_what_is_for_other_machines_is_refused(
    tmp_path: Path, maker: Maker, changes: dict[str, str], why: str
) -> None:
    box = machine(tmp_path / "opt", maker)
    with pytest.raises(UpdateError, match=why):
        apply(box, maker.make("1", 1, **changes))
    assert not software(box.root).releases.exists()


def test_too_little_room_is_told_before_anything_is_written(small_disk: Path, maker: Maker) -> None:
    box = machine(small_disk / "opt", maker)
    apply(box, maker.packed("1", 1))
    with pytest.raises(UpdateError, match=r"2 needs 2 MB free in .*, and there are 1"):
        apply(box, maker.packed("2", 2, {"large": bytes(1_200_000)}))
    assert releases(box.root) == ["1"]


def test_a_release_below_an_overlay_is_removed_in_its_place(disk_16m: Path, maker: Maker) -> None:
    """Its folder cannot be renamed there. A power cut in the middle leaves something that is no release."""
    lower, upper, work, opt = (disk_16m / name for name in ("lower", "upper", "work", "opt"))
    for folder in (lower, upper, work, opt):
        folder.mkdir()
    for serial in (1, 2):
        apply(machine(lower, maker), maker.packed(str(serial), serial))
    layers = f"redirect_dir=off,lowerdir={lower},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", opt], check=True)
    try:
        box = machine(opt, maker)
        with pytest.raises(OSError, match="Invalid cross-device link"):
            software(opt).release("1").rename(opt / "elsewhere")
        apply(box, maker.packed("3", 3))
        assert (used(opt), releases(opt)) == (("3", "2"), ["2", "3"])
        (software(opt).releases / "4").mkdir()  # as far as a power cut let it be removed
        assert apply(box, maker.packed("4", 4)) == "4 is installed"
        assert (used(opt), releases(opt)) == (("4", "3"), ["3", "4"])
    finally:
        subprocess.run(["umount", "--lazy", opt], check=True)


def test_models_are_updated_in_the_same_way(tmp_path: Path, maker: Maker) -> None:
    box = machine(tmp_path / "opt", maker, systemd=Units(running=True))
    apply(box, maker.packed("1", 1))
    apply(box, maker.make("m1", 1, {"a.onnx": b"weights"}, name=MODELS))
    apply(box, maker.make("m2", 2, {"a.onnx": b"better"}, name=MODELS))
    assert (box.root / "models/current/a.onnx").read_bytes() == b"better"
    assert used(box.root) == ("1", "1")
    assert box.systemd.restarts == [SOFTWARE, MODELS, MODELS]
    assert roll_back(box, MODELS) == ["m1 is used again"]
    assert trees(box.root)[MODELS].version(box.root / "models/current") == "m1"


def test_one_update_at_a_time(tmp_path: Path, maker: Maker) -> None:
    box = machine(tmp_path / "opt", maker)
    with locked(box.root), pytest.raises(UpdateError, match="another update is under way"):
        apply(box, maker.packed("1", 1))
    with locked(box.root):  # who holds it decides
        assert resume(box) == []
        assert roll_back(box, automatic=True) == []


def test_without_an_update_on_trial_nothing_is_taken_back(tmp_path: Path, maker: Maker) -> None:
    box = machine(tmp_path / "opt", maker)
    for serial in (1, 2):
        apply(box, maker.packed(str(serial), serial))
    assert roll_back(box, automatic=True) == []
    assert resume(box) == []
    assert used(box.root) == ("2", "1")


def _try(box: update.Machine, source: Path) -> None:
    apply(box, source)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_asked_to_stop_goes_back_and_a_lost_terminal_is_no_reason(
    tmp_path: Path, maker: Maker, number: int
) -> None:
    box = machine(tmp_path / "opt", maker)
    apply(box, maker.packed("1", 1))
    box = replace(box, systemd=Units(running=True), patience=Patience(30, 1.5, 0.1, 0.0))
    process = multiprocessing.get_context("spawn").Process(target=_try, args=(box, maker.packed("2", 2)))
    process.start()
    while (pending := software(box.root).state().pending) is None:
        update.time.sleep(0.02)
    assert pending.version == "2"
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join()
    assert used(box.root)[0] == ("1" if number == signal.SIGTERM else "2")


@pytest.mark.parametrize(("answer", "version"), [(HEALTHY, "2"), (Look("the hub does not answer"), "1")])
def test_an_updater_that_was_killed_is_finished_by_the_next(
    tmp_path: Path, maker: Maker, answer: Look, version: str
) -> None:
    box = machine(tmp_path / "opt", maker)
    apply(box, maker.packed("1", 1))
    silent = StillHub(Look("the hub does not answer"))
    trial = replace(box, systemd=Units(running=True), hub=silent, patience=Patience(120, measure=0.0))
    process = multiprocessing.get_context("spawn").Process(target=_try, args=(trial, maker.packed("2", 2)))
    process.start()
    while software(box.root).version(software(box.root).current) != "2":
        update.time.sleep(0.02)
    process.kill()
    process.join()
    after = replace(box, hub=StillHub(answer), patience=PATIENT if answer is HEALTHY else QUICK)
    if version == "2":
        assert resume(after) == ["2 is installed and healthy"]
    else:
        with pytest.raises(UpdateError, match="2 was taken back"):
            resume(after)
    assert used(box.root)[0] == version
    assert software(box.root).state().pending is None
