"""How the camera stands and what its owner says of it, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from edge.calibration import CameraSettings
from edge.web.records import CameraChoice, Problem
from tests.test_calibration import seen

if TYPE_CHECKING:
    from tests.web.box import Box


def test_what_is_set_is_told_and_kept(box: Box) -> None:
    with box.client() as http:
        before = http.get("/api/v1/camera").json()
        assert (before["camera"], before["height_m"], before["field"]) == ("cam0", None, 66.0)
        assert before["calibration"]["source"] == "none"
        after = http.put("/api/v1/camera", json={"height_m": 1.82, "field": 70})
        assert (after.status_code, after.json()) == (200, before | {"height_m": 1.82, "field": 70.0})
        assert http.get("/api/v1/camera").json() == after.json()
        assert http.put("/api/v1/camera", json={"height_m": None, "field": 70}).json()["height_m"] is None


def test_the_marker_and_why_it_was_forgotten(box: Box) -> None:
    keeper = box.state.setup.keeper
    box.do(keeper.take, seen(camera="cam0", tilt=15.0, roll=2.0))
    with box.client() as http:
        stands = http.get("/api/v1/camera").json()["calibration"]
        assert stands["source"] == "marker"
        assert (stands["tilt"], stands["roll"], stands["above"]) == pytest.approx((15, 2, 1.2), abs=0.01)
        forgot = http.put("/api/v1/camera", json={"height_m": None, "field": 120}).json()["calibration"]
        assert (forgot["source"], forgot["dropped"]) == ("none", "other_lens")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"height_m": 0.2, "field": 66}', "$.height_m"),
        (b'{"height_m": 2.7, "field": 66}', "$.height_m"),
        (b'{"height_m": 1.8, "field": 19}', "$.field"),
        (b'{"height_m": 1.8, "field": 141}', "$.field"),
        (b'{"height_m": "tall", "field": 66}', "$.height_m"),
        (b'{"height_m": 1.8}', "field"),
        (b'{"field": 66}', "height_m"),
        (b'{"height_m": 1.8, "field": 66, "tilt": 3}', "tilt"),
    ],
)
def test_what_cannot_be_meant_is_refused(shared_box: Box, body: bytes, where: str) -> None:
    with shared_box.client() as http:
        answer = http.put("/api/v1/camera", content=body)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.headers["content-type"] == "application/problem+json"
    assert where in msgspec.json.decode(answer.content, type=Problem).detail
    assert shared_box.state.setup.settings == CameraSettings()


MIRROR = [[0.0, 0.0], [0.25, 0.0], [0.25, 1.0], [0.0, 1.0]]
FULLEST = [[[0.1 + 0.8 * corner / 31, 1 / 3 if corner % 2 else 2 / 3] for corner in range(32)]] * 16


def test_zones_and_station_are_kept_beside_the_rest(box: Box) -> None:
    with box.client() as http:
        before = http.put("/api/v1/camera", json={"height_m": 1.82, "field": 70}).json()
        assert (before["zones"], before["station"]) == ([], None)
        drawn = http.put("/api/v1/camera/zones", json={"zones": [MIRROR], "station": MIRROR})
        assert (drawn.status_code, drawn.json()) == (200, before | {"zones": [MIRROR], "station": MIRROR})
        again = http.put("/api/v1/camera", json={"height_m": 1.7, "field": 70}).json()
        assert (again["height_m"], again["zones"], again["station"]) == (1.7, [MIRROR], MIRROR)
        fullest = http.put("/api/v1/camera/zones", json={"zones": FULLEST, "station": FULLEST[0]})
        assert (fullest.status_code, fullest.json()["zones"]) == (200, FULLEST)
        assert http.put("/api/v1/camera/zones", json={"zones": [], "station": None}).json()["zones"] == []
    assert box.state.setup.settings == CameraSettings(height_m=1.7, field=70)


@pytest.mark.parametrize(
    ("zones", "station", "where"),
    [
        ([MIRROR] * 17, None, "$.zones"),
        ([MIRROR[:2]], None, "$.zones[0]"),
        ([[[0.5, 0.5]] * 33], None, "$.zones[0]"),
        ([MIRROR, [*MIRROR, [0.5, 1.2]]], None, "$.zones[1][4][1]"),
        ([[*MIRROR, [-0.1, 0.5]]], None, "$.zones[0][4][0]"),
        ([[*MIRROR, [0.5]]], None, "$.zones[0][4]"),
        ([], [[0.5, "x"]] * 3, "$.station"),
        ("all", None, "$.zones"),
        ([[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]], None, "in a line"),
        ([], [[0.5, 0.5]] * 3, "in a point"),
    ],
)
def test_what_is_no_zone_is_refused(shared_box: Box, zones: object, station: object, where: str) -> None:
    with shared_box.client() as http:
        answer = http.put("/api/v1/camera/zones", json={"zones": zones, "station": station})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        told = msgspec.json.decode(answer.content, type=Problem)
        assert where in told.detail, told.detail
        assert told.code == ("zone_flat" if where.startswith("in a") else "request_invalid")
        for body, status in ((b"{", 400), (b" " * 60_000, 413), (b'{"zones": []}', 422)):
            assert http.put("/api/v1/camera/zones", content=body).status_code == status
    assert shared_box.state.setup.settings == CameraSettings()


def test_another_site_cannot_set_it(shared_box: Box) -> None:
    with shared_box.client(headers={"origin": "http://elsewhere.example"}) as http:
        answer = http.put("/api/v1/camera", json={"height_m": 1.8, "field": 66})
    assert answer.status_code == httpx.codes.FORBIDDEN


def test_a_full_disk_is_told(box: Box) -> None:
    (box.store.path.parent / "camera.part").mkdir()
    with box.client() as http:
        answer = http.put("/api/v1/camera", json={"height_m": 1.8, "field": 66})
        assert (answer.status_code, answer.json()["code"]) == (503, "store_failing")
        assert http.get("/api/v1/camera").json()["height_m"] is None


def test_the_api_takes_what_the_configuration_takes() -> None:
    for name in ("height_m", "field"):
        said, meant = (_limits(record, name) for record in (CameraChoice, CameraSettings))
        assert said == meant


def _limits(record: type[msgspec.Struct], name: str) -> tuple[float, float]:
    schema = msgspec.json.schema(record)["$defs"][record.__name__]["properties"][name]
    rows = [schema, *schema.get("anyOf", [])]
    (limits,) = {(row["minimum"], row["maximum"]) for row in rows if "minimum" in row}
    return limits
