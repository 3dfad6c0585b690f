"""What every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.errors import ModelError
from models.load import model_bytes, model_dir
from tests.testbed.box import why_not
from tests.testbed.rootfs import TestbedError, is_built
from tests.testbed.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("KINEBOX_ASSUME_CLOCK", "1")  # where tests run, often nothing keeps the clock

LONGEST = (
    "ansible/test_fleet.py",
    "test_analyze.py",
    "device/test_box.py",
    "ansible/test_encryption.py",
    "device/test_follow.py",
    "uplink/test_box.py",
    "test_run.py",
    "deploy/test_image.py",
    "box/test_recovery.py",
    "box/test_life.py",
    "web/test_live_page.py",
    "gait/test_footage.py",
    "bench/test_bench.py",
    "web/test_ui_build.py",
)
"""Files of 20 seconds and more, the longest first: begun last, one of them would keep one process busy alone.

Not `cloud/test_everything_dies.py`: its boxes leave messages with the broker, which later tests would be told of.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def missing(what: str) -> None:
    """Skip because `what` is missing, or fail where KINEBOX_REQUIRE_TOOLS says nothing may be missing."""
    if os.environ.get("KINEBOX_REQUIRE_TOOLS") == "1":
        pytest.fail(f"missing: {what} (KINEBOX_REQUIRE_TOOLS=1 makes this a failure)")
    pytest.skip(f"missing: {what}")


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the built pose models."""
    try:
        for stage in ("detector", "landmark"):
            for precision in ("int8", "fp32"):
                model_bytes(stage, precision)
    except ModelError as error:
        missing(f"pose models ({error} {error.remedy})")
    return model_dir()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real footage and labels, kept beside the checkout and never committed."""
    path = Path(os.environ.get("KINEBOX_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"missing: footage in {path} (set KINEBOX_DATA)")
    return path


@pytest.fixture(scope="session")
def boxes() -> None:
    """Boxes can boot here (tests.testbed.box)."""
    if (absent := why_not()) is not None:
        missing(absent)


@pytest.fixture(scope="session")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL with TimescaleDB and Mosquitto, running, of this test run alone."""
    if not is_built() or os.geteuid() != 0:
        missing("the test bed (as root: scripts/testbed build)")
    servers = Servers(tmp_path_factory.mktemp("testbed"))
    try:
        servers.start()
    except TestbedError as error:
        missing(f"the test bed ({error})")
    yield servers
    servers.stop(erase=True)
