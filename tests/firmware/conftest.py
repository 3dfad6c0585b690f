"""A system with the settings of every box in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import missing
from tests.firmware.places import SHARED
from tests.firmware.system import System, why_not

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def system(tmp_path: Path) -> System:
    """Debian with firmware-config/shared in its /etc."""
    if (reason := why_not()) is not None:
        missing(reason)
    made = System(tmp_path / "system")
    made.lay(SHARED, "/etc")
    for profile in (made.files / "etc/NetworkManager/system-connections").iterdir():
        profile.chmod(0o600)
    return made
