"""Sessions and subjects as tests of reading need them, straight into the tables or by the real Writer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.cloud.fleet import uuid
from wire.messages import SessionChange, encode

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.api.conftest import Cloud
    from tests.cloud.fleet import Database

NOW = datetime.now(UTC)


def enrol(
    database: Database, name: str, tenant_id: int, *purposes: str, species: str = "human", **profile: Any
) -> None:
    """Somebody with a profile, who agreed to these purposes, if to any."""
    table = {"human": "people", "dog": "dogs"}[species]
    number = database.value(
        """insert into subjects (tenant_id, subject, species) values (%s, %s, %s)
           on conflict (tenant_id, subject) do update set species = excluded.species returning id""",
        tenant_id, uuid(name), species,
    )  # fmt: skip
    row = {"subject_id": number, "tenant_id": tenant_id} | profile
    places = ", ".join(["%s"] * len(row))
    database.rows(f"insert into {table} ({', '.join(row)}) values ({places})", *row.values())
    if purposes:
        database.rows(
            "insert into consents (tenant_id, subject_id, version, purposes) values (%s, %s, '1', %s)",
            tenant_id, number, list(purposes),
        )  # fmt: skip


class Recorded:
    """A box whose sessions come the real way."""

    def __init__(self, cloud: Cloud, writer: Writer, box: str = "box", tenant: str = "gym") -> None:
        self._writer, self._box = writer, box
        self.tenant_id = cloud.tenant(tenant)
        self._topic = cloud.database.enrol(box, tenant).topic("session")
        self._seq = 0

    def sessions(self, name: str, days_ago: list[float], **fields: Any) -> None:
        """Ended sessions of a subject: the n-th began so many days ago. Lists in `metrics` have a value for each."""
        messages = []
        metrics = fields.pop("metrics", {})
        for n, days in enumerate(days_ago):
            self._seq += 1
            change = {
                "device": uuid(self._box), "boot": uuid(f"{self._box} sessions"), "seq": self._seq,
                "at": (NOW - timedelta(days=days)).timestamp(), "clock": "synchronised",
                "session": uuid(f"{self._box} {self._seq}"), "change": "end", "subject": uuid(name),
                "species": "human", "camera": "cam0", "duration_s": 60.0, "reason": "left", "model": "m",
                "software": "1", "exercise": "squat", "reps": 5,
                "metrics": {k: v[n] if isinstance(v, list) else v for k, v in metrics.items()},
            }  # fmt: skip
            messages.append((self._topic, encode(SessionChange(**(change | fields)))))
        written = self._writer.write(messages)
        assert not written.dead, written.dead
