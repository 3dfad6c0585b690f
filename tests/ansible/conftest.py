"""A fleet that is provisioned once, for the tests of a module."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.device import keys, manifest
from edge.device.release_build import seal
from tests.ansible.fleet import PROGRAM, Fleet
from tests.conftest import missing
from tests.testbed import software
from tests.testbed.rootfs import TestbedError, is_built

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def releases(boxes: None, models: Path) -> Iterator[Path]:
    """A folder with releases of this checkout (`good`, `better`), one that does not run (`bad`), and the models.

    On the file system of the cache, so that files are linked and not copied.
    """
    if not PROGRAM.exists():
        missing("Ansible (make test installs it)")
    if not is_built() or shutil.which("ssh") is None:
        missing("the servers' root file system (scripts/testbed build), or ssh")
    try:
        installed = software.installed()[1] / "opt/kinebox"
    except TestbedError as error:
        missing(f"a release ({error})")
    with tempfile.TemporaryDirectory(prefix="releases-", dir=installed.parents[2]) as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        key = software.signing_key()
        shutil.copy(key.with_suffix(".pub"), folder / "acme.pub")
        _derive(installed / "releases/test-1", folder / "good", 1, key, lambda _: None)
        _derive(installed / "releases/test-1", folder / "bad", 2, key, _break)
        _derive(installed / "releases/test-1", folder / "better", 3, key, lambda _: None)
        _derive(installed / "models/releases/test-1", folder / "models", 1, key, lambda _: None)
        _pack(folder / "bad")
        yield folder


@pytest.fixture(scope="module")
def fleet(releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Boxes that nobody has provisioned yet."""
    variables = {
        "kinebox_tenant": "acme",
        "kinebox_site": "hall",
        "kinebox_unknown_subjects": "anonymous",
        "kinebox_config": {"uplink": {"clock_wait_s": 1, "resend_after_s": 5}},
        "kinebox_update_keys": [str(releases / "acme.pub")],
        "kinebox_release_on_box": "/mnt/releases/good",
        "models_release_on_box": "/mnt/releases/models",
        "kinebox_camera": "/srv/squats.trace",
        "kinebox_env": {"KINEBOX_VISION_OPTIONS": "--loop"},
        "rollout_watch_s": 3,
    }
    with Fleet(tmp_path_factory.mktemp("fleet"), releases, variables) as one:
        yield one
        print("\n".join(f"{what:45} {seconds:6.1f} s" for what, seconds in one.timings))


def _derive(source: Path, target: Path, serial: int, key: Path, change: Callable[[Path], None]) -> None:
    """Another release of the same files but for a change."""
    subprocess.run(["cp", "--archive", "--link", str(source), str(target)], check=True)
    was = manifest.decode((target / manifest.FILE).read_bytes())
    change(target)
    seal(
        target, [keys.signing_key(key)], name=was.name, version=target.name, serial=serial,
        python=was.python, platform=was.platform,
    )  # fmt: skip


def _break(tree: Path) -> None:
    """Vision ends as soon as it begins."""
    for compiled in tree.glob("lib/edge/vision/__pycache__/service.*"):
        compiled.unlink()
    module = tree / "lib/edge/vision/service.py"
    module.unlink()  # a link to the good one
    module.write_text("raise SystemExit('this release is broken')\n", encoding="utf-8")


def _pack(tree: Path) -> None:
    """As scripts/build-release --tar does, packed less tightly and so in a third of the time."""
    first = [manifest.FILE, manifest.SIGNATURE]
    names = sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file())
    with tarfile.open(f"{tree}.tar.gz", "w:gz", compresslevel=1) as archive:
        for name in [*first, *(name for name in names if name not in first)]:
            archive.add(tree / name, name)
