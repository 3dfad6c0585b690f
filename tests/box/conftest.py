"""A box that runs Kinebox on real footage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.errors import CameraError
from edge.footage import demo_video
from tests.box.recovery import layer
from tests.conftest import missing
from tests.testbed.box import boot
from tests.testbed.rootfs import TestbedError
from tests.testbed.software import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.testbed.box import Box


@pytest.fixture(scope="session")
def software(boxes: None, models: Path) -> tuple[Path, ...]:
    """A release of this checkout, as layers for a box."""
    try:
        return installed()
    except TestbedError as error:
        missing(f"a release for the boxes ({error})")
        raise


@pytest.fixture(scope="session")
def clip() -> Path:
    """Real footage of people who move."""
    try:
        return demo_video()
    except CameraError as error:
        missing(f"the demo footage ({error})")
        raise


@pytest.fixture(scope="module")  # and no longer: it takes half a processor
def box(software: tuple[Path, ...], clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A box whose camera is a clip that is played again and again."""
    with boot("box", layer(tmp_path_factory.mktemp("camera"), clip), *software) as one:
        yield one
