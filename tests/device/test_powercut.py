"""A power cut at any moment of an update: the box boots a whole release, and the next start decides."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.device.hub import Look
from edge.device.unpack import is_whole
from edge.device.update import apply, resume
from edge.errors import UpdateError
from tests.device.releases import HEALTHY, PATIENT, QUICK, Maker, StillHub, Units, machine, software
from tests.powercut import CUTS, Step, cuts, trace

if TYPE_CHECKING:
    from pathlib import Path

    from edge.device.update import Machine

SILENT = Look("the hub does not answer")


class Traced:
    """An update from 2 to 3, traced; before it 1 was installed, too."""

    def __init__(self, folder: Path, maker: Maker, end: str) -> None:
        self.root, self.before = folder / "opt", folder / "before"
        box = machine(self.root, maker)
        for serial in (1, 2):
            apply(box, maker.packed(str(serial), serial))
        shutil.copytree(self.root, self.before, symlinks=True)
        self.release = maker.packed("3", 3)
        program = (str(self.root), str(maker.trusted), str(self.release), end)
        self.steps: list[Step] = trace(self.root, "tests.device.updater", *program)


def booted(root: Path) -> str:
    """What boots: the release that is used, which must be whole, as must be the one to go back to."""
    tree = software(root)
    for link in (tree.current, tree.previous):
        version = tree.version(link)
        try:
            boots = version is not None and is_whole(tree.release(version), tree.manifest(version))
        except UpdateError:
            boots = False
        if not boots:
            return f"{link.name} does not boot"
    return tree.version(tree.current) or ""


def outcome(box: Machine, traced: Traced, answer: Look, said: list[str]) -> str:
    """What a box is after a cut, a start and its decision: the release that it then uses, after what it booted."""
    first = booted(box.root)
    if len(said) > 1 and first != said[1]:
        return f"{said[1]} was lost"
    with suppress(UpdateError):
        resume(replace(box, hub=StillHub(answer), patience=PATIENT if answer is HEALTHY else QUICK))
    second = booted(box.root)
    if software(box.root).state().pending is not None:
        return "undecided"
    with suppress(UpdateError):  # and the next update finds nothing in its way
        apply(replace(box, hub=StillHub(HEALTHY)), traced.release)
    if booted(box.root) != "3":
        return "cannot be updated any more"
    left = sorted(path.name for path in software(box.root).releases.iterdir())
    return f"{first} then {second}" if len(left) == 2 else f"{left} are left"


@pytest.mark.parametrize("end", ["good", "bad"])
def test_a_box_boots_and_decides_after_any_cut(tmp_path: Path, maker: Maker, end: str) -> None:
    traced = Traced(tmp_path, maker, end)
    kinds = Counter((step.kind, step.file) for step in traced.steps)
    assert kinds["rename", ".current.new"] == (1 if end == "good" else 2)
    found: Counter[str] = Counter()
    for number, (state, said) in enumerate(cuts(traced.steps, tmp_path, CUTS, traced.before)):
        box = machine(state, maker, systemd=Units(running=True))
        answer = HEALTHY if number % 2 else SILENT
        end_of_it = outcome(box, traced, answer, said[:2])
        found[end_of_it] += 1
        assert answer is SILENT or end == "bad" or end_of_it != "3 then 2"
    assert set(found) <= {"2 then 2", "3 then 3", "3 then 2"}, found
    assert found["2 then 2"] > CUTS / 10


def test_the_method_sees_a_missing_sync(tmp_path: Path, maker: Maker) -> None:
    traced = Traced(tmp_path, maker, "good")
    for unsynced in (("sync", "releases"), ("sync all", "")):
        steps = [step for step in traced.steps if (step.kind, step.file) != unsynced]
        assert len(steps) < len(traced.steps)
        broken = cuts(steps, tmp_path, 10 * CUTS, traced.before)
        assert any("does not boot" in booted(state) for state, _ in broken), unsynced
        broken.close()
        shutil.rmtree(tmp_path / "cut")
