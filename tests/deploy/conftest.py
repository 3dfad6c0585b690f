"""Secrets, broker and database as deploy/ makes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.conftest import missing
from tests.deploy.machine import Broker, Database, make_secrets
from tests.testbed.rootfs import TestbedError, is_built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOX = "0b0b0b0b-0000-4000-8000-000000000001"
OTHER = "0b0b0b0b-0000-4000-8000-000000000002"
STOLEN = "0b0b0b0b-0000-4000-8000-000000000003"


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets of a cloud with three boxes."""
    folder = tmp_path_factory.mktemp("secrets")
    made = make_secrets(folder, "cloud", "cloud.example.org", "192.0.2.7")
    assert made.returncode == 0, made.stderr
    for box in (BOX, OTHER, STOLEN):
        assert make_secrets(folder, "box", box).returncode == 0
    return folder


def _needs_testbed() -> None:
    if not is_built() or os.geteuid() != 0:
        missing("the test bed (as root: scripts/testbed build)")


@pytest.fixture(scope="module")
def broker(secrets: Path) -> Iterator[Broker]:
    """The running broker."""
    _needs_testbed()
    one = Broker(secrets)
    try:
        yield one.start()
        print(one.log())
    finally:
        one.remove()


@pytest.fixture(scope="module")
def deployed(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The running database, without tables."""
    _needs_testbed()
    one = Database(tmp_path_factory.mktemp("database"), secrets)
    try:
        one.start()
        yield one
    except TestbedError as error:
        missing(f"the test bed ({error})")
    finally:
        one.remove()
