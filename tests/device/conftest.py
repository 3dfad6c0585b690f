"""A maker of releases for each test."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
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


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own."""
    place.mkdir()
    if os.geteuid() != 0:
        missing("a small file system (mounting one needs root)")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "kinebox-test", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    with mounted(tmp_path / "small", "2m") as place:
        yield place


@pytest.fixture
def disk_16m(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    with mounted(tmp_path / "disk", "16m") as place:
        yield place
