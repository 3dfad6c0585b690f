"""A maker of releases for each test."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import missing
from tests.device.releases import Maker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "maker")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0:
        missing("a small file system (mounting one needs root)")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "kinebox-test", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)
