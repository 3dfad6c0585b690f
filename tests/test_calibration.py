"""How the camera stands is kept, and forgotten when the camera was moved."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from edge.calibration import FILE, Keeper, camera_settings
from edge.errors import ConfigError
from edge.link import MarkerSeen
from tests.motion.test_floor import homography
from tests.truth.camera import Camera
from tests.truth.walking import walk

if TYPE_CHECKING:
    from pathlib import Path

    from edge.link import Homography

WALK = walk(duration_s=4)


def seen(
    tilt: float = 20.0, roll: float = 0.0, height: float = 1.2, camera: str = "c", at: float = 0.0
) -> MarkerSeen:
    view = Camera(yaw=90, tilt=tilt, roll=roll, distance=4, height=height, target=(0.0, 1.0, 0.0)).placed(
        WALK
    )
    where: Homography = homography(view, (view.centre[0] + at, view.centre[2] - 2))  # type: ignore[assignment]
    return MarkerSeen(camera=camera, monotonic_ns=1, width=1280, height=720, homography=where, spread_px=0.1)


def test_a_marker_calibrates_and_is_kept(tmp_path: Path) -> None:
    assert Keeper(tmp_path).lens("c", 1280, 720).tilt is None
    assert Keeper(tmp_path).take(seen(roll=3.0))
    lens = Keeper(tmp_path).lens("c", 640, 360)  # the same picture, smaller
    assert lens.tilt == pytest.approx(20, abs=0.01)
    assert lens.roll == pytest.approx(3, abs=0.01)
    assert lens.above == pytest.approx(1.2, abs=0.001)


def test_another_camera_is_not_calibrated_and_costs_the_first_nothing(tmp_path: Path) -> None:
    Keeper(tmp_path).take(seen())
    keeper = Keeper(tmp_path)
    assert keeper.lens("other", 640, 480).above is None
    told = keeper.status()
    assert (told.source, told.tilt, told.dropped) == ("none", None, "other_camera")
    for tilt in (31.0, 30.5, 31.5):  # contradicts the marker, which was not before this camera
        keeper.walked(tilt)
    assert keeper.lens("other", 640, 480).tilt == 31.0
    assert keeper.lens("c", 1280, 720).tilt == pytest.approx(20, abs=0.01)
    assert (keeper.status().source, keeper.status().dropped) == ("marker", None)


def test_walks_before_another_camera_say_nothing_of_this_one(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.lens("c", 1280, 720)
    for tilt in (9.0, 10.0, 10.5):
        keeper.walked(tilt)
    again = Keeper(tmp_path)
    assert again.lens("other", 1280, 720).tilt is None
    assert (again.status().walks, again.status().dropped) == (0, "other_camera")
    assert again.lens("c", 640, 360).tilt == 10.0
    assert again.lens("c", 640, 480).tilt is None
    assert Keeper(tmp_path).status().dropped == "picture_size"


def test_another_field_in_the_configuration_is_noticed_at_the_start(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(seen())
    wider = Keeper(tmp_path, field=66.5).status()
    assert (wider.source, wider.dropped) == ("marker", None)
    assert wider.tilt != pytest.approx(20, abs=0.001)
    assert Keeper(tmp_path, field=110.0).status().dropped == "other_lens"
    walks = Keeper(tmp_path, field=110.0)
    walks.lens("c", 1280, 720)
    for tilt in (9.0, 10.0, 10.5):
        walks.walked(tilt)
    assert Keeper(tmp_path, field=110.0).status().source == "walks"
    lost = Keeper(tmp_path, field=90.0).status()
    assert (lost.source, lost.walks, lost.dropped) == ("none", 0, "other_lens")


def test_a_file_that_does_not_say_its_field_is_read_with_the_present_one(tmp_path: Path) -> None:
    Keeper(tmp_path).take(seen())
    kept = json.loads((tmp_path / FILE).read_text())
    del kept["marker"]["field"]
    (tmp_path / FILE).write_text(json.dumps(kept))
    keeper = Keeper(tmp_path)
    assert (keeper.status().source, keeper.status().dropped) == ("marker", None)
    assert keeper.status().tilt == pytest.approx(20, abs=0.01)


def test_a_page_that_was_moved_changes_nothing(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    assert keeper.take(seen())
    assert not keeper.take(seen(at=0.5))
    assert keeper.dropped is None


def test_a_camera_that_was_moved_is_noticed_by_the_marker(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(seen())
    assert keeper.take(seen(tilt=26))
    assert keeper.dropped == "camera_moved"
    assert keeper.lens("c", 1280, 720).tilt == pytest.approx(26, abs=0.01)


def test_and_by_two_walks_that_contradict_it(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(seen())
    assert not keeper.walked(21.0)
    assert not keeper.walked(31.0)
    assert keeper.walked(30.0)
    assert keeper.dropped == "camera_moved"
    assert Keeper(tmp_path).lens("c", 1280, 720).above is None


def test_one_walk_against_it_is_an_error_of_that_walk(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(seen())
    for tilt in (31.0, 20.0, 31.0, 20.5):
        assert not keeper.walked(tilt)
    assert keeper.current is not None


def test_another_shape_of_picture_drops_it(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(seen())
    assert keeper.lens("c", 640, 480).above is None
    assert keeper.dropped == "picture_size"


def test_a_page_that_was_printed_smaller_or_another_lens_is_refused(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, field=100.0)
    assert not keeper.take(seen())
    assert keeper.current is None


def test_walks_that_agree_tell_the_tilt(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    assert not keeper.walked(9.0)
    assert not keeper.walked(10.0)
    assert keeper.walked(10.5)
    assert Keeper(tmp_path).lens("c", 1280, 720).tilt == 10.0
    for tilt in (3.0, 17.0, 4.0):
        keeper.walked(tilt)
    assert keeper.lens("c", 1280, 720).tilt is None


def test_status_says_what_is_known_and_why_the_last_does_not_hold(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    assert (keeper.status().source, keeper.status().tilt, keeper.status().dropped) == ("none", None, None)
    keeper.take(seen(roll=3.0))
    marker = keeper.status()
    assert marker.source == "marker"
    assert (marker.tilt, marker.roll, marker.above) == pytest.approx((20, 3, 1.2), abs=0.01)
    before = time.time()
    for _ in range(2):
        keeper.walked(31.0)
    lost = Keeper(tmp_path).status()  # over a restart, too
    assert (lost.source, lost.tilt, lost.walks, lost.dropped) == ("none", None, 0, "camera_moved")
    assert lost.dropped_utc is None or before - 1 <= lost.dropped_utc <= time.time() + 1
    for tilt in (31.0, 30.5, 31.5):
        keeper.walked(tilt)
    walks = keeper.status()
    assert (walks.source, walks.tilt, walks.roll, walks.above) == ("walks", 31.0, None, None)
    assert (walks.walks, walks.dropped) == (3, "camera_moved")


def test_another_lens_reads_the_marker_anew_or_forgets_it(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(seen())
    keeper.use_field(66.5)
    assert keeper.status().source == "marker"
    assert keeper.status().tilt == pytest.approx(20, abs=1)
    assert keeper.status().tilt != pytest.approx(20, abs=0.001)
    keeper.use_field(110.0)
    lost = Keeper(tmp_path).status()
    assert (lost.source, lost.dropped) == ("none", "other_lens")
    for tilt in (31.0, 30.5, 31.5):
        keeper.walked(tilt)
    keeper.use_field(66.0)
    assert (keeper.status().source, keeper.status().walks) == ("none", 0)


def test_walks_that_agree_tell_roll_and_height_as_far_as_each_shows_them(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for tilt, roll, above in ((None, 3.0, None), (10.0, None, 1.2), (11.0, 3.5, 1.25), (None, None, None)):
        assert not keeper.walked(tilt, roll, above)
    assert keeper.walked(roll=4.0)
    lens = Keeper(tmp_path).lens("c", 1280, 720)
    assert (lens.tilt, lens.roll, lens.above) == (None, 3.5, None)
    assert keeper.walked(10.5, None, 1.22)
    found = Keeper(tmp_path).status()
    assert (found.source, found.tilt, found.roll, found.above) == ("walks", 10.5, 3.5, 1.22)
    assert Keeper(tmp_path).lens("c", 1280, 720).above is None  # too rough for lengths
    for roll, above in ((-4.0, 2.0), (9.0, 0.8), (-6.0, 1.7), (12.0, 0.6)):
        keeper.walked(roll=roll, above=above)
    assert keeper.status().roll is None
    assert keeper.status().above is None
    assert keeper.lens("c", 1280, 720).roll == 0.0


def test_roll_that_contradicts_the_marker_twice_drops_it_too(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(seen(roll=1.0))
    assert not keeper.walked(roll=8.0)
    assert not keeper.walked()
    assert keeper.walked(roll=7.5)
    assert keeper.dropped == "camera_moved"


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'{"marker": 3}', b"\xff\xfe"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FILE).write_bytes(text)
    assert Keeper(tmp_path).current is None


def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    keeper = Keeper(blocked / "state")
    assert keeper.take(seen())
    assert keeper.lens("c", 1280, 720).above is not None


def test_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    assert camera_settings(file).height_m is None
    file.write_text('[camera]\nheight_m = 1.82\nfield = 75\n[uplink]\nurl = "mqtts://x"\n')
    assert camera_settings(file).height_m == 1.82
    assert camera_settings(file).field == 75
    for bad in ("[camera]\nheight_m = 18", "[camera]\nheigth_m = 1.8", "[camera", "[camera]\nfield = 'wide'"):
        file.write_text(bad)
        with pytest.raises(ConfigError):
            camera_settings(file)
