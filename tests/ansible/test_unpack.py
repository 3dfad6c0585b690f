"""A box that has nothing yet takes a release only with the signature and the files that it ought to have."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from edge.device import keys
from edge.device.release_build import seal
from tests.ansible.fleet import ANSIBLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A small one, with its key in `trusted`."""
    tree = tmp_path / "made"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/kinebox").write_text("#!/bin/sh\n")
    (tree / "bin/kinebox").chmod(0o755)
    (tree / "notes").write_text("what is new\n")
    (tmp_path / "trusted").mkdir()
    public = keys.new_key(tmp_path / "key.pem")
    shutil.copy(public, tmp_path / "trusted")
    seal(
        tree, [keys.signing_key(tmp_path / "key.pem")], name="kinebox", version="1.0", serial=1, python="3.13",
        platform="manylinux_2_28_x86_64",
    )  # fmt: skip
    return tree


def unpack(what: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    script = ANSIBLE / "roles/kinebox/files/unpack-release"
    return subprocess.run(
        [sys.executable, str(script), str(what), str(folder / "releases"), str(folder / "trusted")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("packed", [True, False], ids=["file", "folder"])
def test_what_is_signed_and_whole_is_taken(tmp_path: Path, release: Path, packed: bool) -> None:
    what = release
    if packed:
        what = tmp_path / "release.tar.gz"
        with tarfile.open(what, "w:gz") as archive:
            archive.add(release, ".")
    for _ in range(2):  # a run that was cut off is done again
        done = unpack(what, tmp_path)
        assert done.returncode == 0, done.stderr
        place = tmp_path / "releases/1.0"
        assert done.stdout == f"{place}\n"
        assert [path.name for path in place.parent.iterdir()] == ["1.0"]
        assert (place / "bin/kinebox").stat().st_mode & 0o777 == 0o755
        assert (place / "notes").read_text() == "what is new\n"


def _forged(tree: Path) -> None:
    text = (tree / "manifest.json").read_text()
    (tree / "manifest.json").write_text(text.replace('"serial": 1', '"serial": 2'))


def _linked(tree: Path) -> None:
    (tree / "notes").unlink()
    (tree / "notes").symlink_to("/etc/shadow")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_forged, "not signed"),
        (lambda tree: (tree.parent / "trusted/key.pub").unlink(), "not signed"),
        (lambda tree: (tree / "manifest.sig").write_text(""), "not signed"),
        (lambda tree: (tree / "notes").write_text("something else\n"), "damaged: notes"),
        (lambda tree: (tree / "more").write_text(""), "damaged: more"),
        (lambda tree: (tree / "notes").unlink(), "damaged: notes"),
        (_linked, "damaged: notes"),
    ],
    ids=["manifest", "stranger", "unsigned", "changed", "added", "missing", "link"],
)
def test_what_is_not_is_left(
    tmp_path: Path, release: Path, damage: Callable[[Path], object], says: str
) -> None:
    damage(release)
    done = unpack(release, tmp_path)
    assert done.returncode == 1
    assert says in done.stderr
    assert not list((tmp_path / "releases").iterdir())
