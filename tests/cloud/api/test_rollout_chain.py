"""A rollout on all its way: the API, ingest, a real broker, the box's own uplink, and back to the fleet page."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from paho.mqtt import publish

from edge.uplink.condition import Condition
from edge.uplink.settings import UplinkSettings
from edge.uplink.uplink import Uplink
from tests.cloud.api.test_rollouts import KEY, POSE, Fleet, cloud
from tests.cloud.fleet import uuid, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cloud.api.conftest import Cloud
    from tests.cloud.fleet import Ingest
    from tests.testbed.servers import Servers

__all__ = ["cloud"]
RUNS = "blazepose-int8.2"
ON_ITS_WAY = "Another model is on its way"


class Box:
    """The uplink of a box that runs the model its software came with."""

    def __init__(self, fleet: Fleet, name: str, servers: Servers, folder: Path, key: Path) -> None:
        site = fleet.database.value(
            "select slug from sites s join devices d on d.site_id = s.id where device = %s", uuid(name)
        )
        settings = UplinkSettings(
            url=f"mqtt://127.0.0.1:{servers.mqtt_port}", tenant="gym", site=site, desired_key=key
        )
        folder.mkdir()
        self._port = servers.mqtt_port
        self.uplink = Uplink(settings, uuid(name), folder, lambda: Condition("live", 30.0, 0))
        self.uplink.introduce("cam0", "blazepose-int8")
        self.uplink.start()
        wait_for(lambda: self.uplink.connection.up, what="the box is connected")

    def close(self) -> None:
        """Leave, and leave nothing retained: the broker is that of all tests."""
        self.uplink.stop()
        topics = [self.uplink.address.topic("birth"), self.uplink.address.topic("available")]
        publish.multiple([(topic, None, 1, True) for topic in topics], port=self._port)


def shown(fleet: Fleet, name: str) -> tuple[str | None, bool | None, bool]:
    """The box's model and whether it runs what it shall; whether the page says that some box does not yet."""
    found: list[dict[str, Any]] = fleet.operator.ask("GET", "/api/fleet")["boxes"]
    (box,) = [one for one in found if one["device"] == uuid(name)]
    page = fleet.operator.get("/fleet", params={"lang": "en"})
    assert page.status_code == 200
    return box["models"].get("pose"), box["desired_reached"], ON_ITS_WAY in page.text


def test_from_the_release_to_the_box_and_back(
    cloud: Cloud, ingest: Callable[..., Ingest], testbed: Servers, tmp_path: Path
) -> None:
    key = tmp_path / "public.pem"
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    fleet = Fleet(cloud, boxes=8)
    ingest(KINEBOX_INGEST_UPKEEP_S="0.2")
    made = fleet.begin(share=0.25)
    candidates = sorted(fleet.states())
    assert len(candidates) == 2
    name, other = candidates[0], next(one for one in fleet.names if one not in candidates)
    with (
        closing(Box(fleet, name, testbed, tmp_path / "candidate", key)) as box,
        closing(Box(fleet, other, testbed, tmp_path / "other", key)) as unconcerned,
    ):
        desired = box.uplink.desired
        assert desired is not None
        wait_for(lambda: desired.state is not None, what="the box has its desired state")
        assert desired.state is not None
        wanted = desired.state.models["pose"]
        assert (wanted.runs_as, wanted.sha256, wanted.url) == (RUNS, POSE["sha256"], POSE["url"])
        assert (desired.state.device, dict(desired.refused)) == (uuid(name), {})
        assert shown(fleet, name) == ("blazepose-int8", False, True)

        box.uplink.introduce("cam0", wanted.runs_as)  # as vision does once it runs the model
        wait_for(lambda: shown(fleet, name)[1] is True, what="the fleet page shows that the box runs it")
        assert shown(fleet, name)[0] == RUNS
        fleet.run(candidates[1:], RUNS)
        assert shown(fleet, name)[2] is False
        assert shown(fleet, other)[:2] == ("blazepose-int8", None)
        assert unconcerned.uplink.desired is not None
        assert unconcerned.uplink.desired.state is None

        # Cancelled, the box is told what it ran before: nothing of ours, which is newer than what it has.
        before = desired.serial
        fleet.operator.ask("POST", f"/api/rollouts/{made['id']}/cancel")
        wait_for(lambda: desired.serial > before, what="the box has its next desired state")
        assert "pose" not in desired.state.models
