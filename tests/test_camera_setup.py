"""What the dashboard sets of the camera is kept, whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge.calibration import CameraSettings
from edge.camera_setup import FILE, CameraSetup
from edge.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURED = CameraSettings(height_m=1.7, field=60)
CHOSEN = CameraSettings(height_m=None, field=75)


def test_the_dashboard_goes_before_the_configuration(tmp_path: Path) -> None:
    setup = CameraSetup(tmp_path, CONFIGURED)
    assert setup.settings == CONFIGURED
    told = []
    setup.on_change = lambda: told.append(setup.settings)
    setup.choose(CHOSEN)
    assert told == [CHOSEN]
    again = CameraSetup(tmp_path, CONFIGURED)
    assert again.settings == CHOSEN
    assert again.keeper.lens("c", 1280, 720).field == 75


def test_a_release_that_knows_no_zones_reads_what_says_nothing_of_them(tmp_path: Path) -> None:
    CameraSetup(tmp_path, CONFIGURED).choose(CHOSEN)
    assert json.loads((tmp_path / FILE).read_text()) == {"field": 75.0}
    zones = ((0.0, 0.0), (0.2, 0.0), (0.2, 1.0)), ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0))
    CameraSetup(tmp_path, CONFIGURED).choose(CameraSettings(zones=zones, station=zones[0]))
    again = CameraSetup(tmp_path, CONFIGURED).settings
    assert (again.zones, again.station) == (zones, zones[0])


@pytest.mark.parametrize(
    "text", [b"", b"{", b'{"height_m": 9}', b'{"zones": [[[0, 0], [1, 1]]]}', b"\xff\xfe"]
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FILE).write_bytes(text)
    assert CameraSetup(tmp_path, CONFIGURED).settings == CONFIGURED


def test_what_cannot_be_kept_does_not_hold(tmp_path: Path) -> None:
    setup = CameraSetup(tmp_path / "state", CONFIGURED)
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        setup.choose(CHOSEN)
    assert setup.settings == CONFIGURED
