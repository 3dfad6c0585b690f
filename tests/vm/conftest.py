"""A machine that all tests of a run share: it takes minutes to boot."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import missing
from tests.testbed.rootfs import TestbedError
from tests.vm.image import prepared, why_not
from tests.vm.machine import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.vm.image import Image
    from tests.vm.machine import Machine

LIMIT_S = 3600
DATA_DISK = 128 << 20


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only when asked for, and with the patience that an emulated processor needs."""
    for item in items:
        if item.path.parent.name == "vm":
            item.add_marker(pytest.mark.timeout(LIMIT_S))
            if os.environ.get("KINEBOX_VM_TESTS") != "1":
                item.add_marker(pytest.mark.skip(reason="only with KINEBOX_VM_TESTS=1: takes minutes"))


@pytest.fixture(scope="session")
def image(models: Path) -> Image:
    """A disk with a release of this checkout."""
    if (absent := why_not()) is not None:
        missing(absent)
    try:
        return prepared()
    except TestbedError as error:
        missing(f"a virtual machine ({error})")
        raise


@pytest.fixture(scope="session")
def machine(image: Image) -> Iterator[Machine]:
    """Kinebox with the kernel's own test camera, an empty second disk, and a TPM."""
    began = time.monotonic()
    with running(image, disks=(DATA_DISK,), tpm=True) as one:
        print(f"\nthe machine has booted after {time.monotonic() - began:.0f} s")
        yield one
        print(f"\nthe machine was on for {time.monotonic() - began:.0f} s")
