"""Everything that is kept of one subject, as one JSON document, a piece at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from wire.messages import SCHEMA
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloud.api.access import Subject
    from cloud.api.database import Db

FORMAT = 1
"""Of the document; another one where a program would have to read it otherwise."""
PIECE = 200
"""Rows that are in memory at a time."""
_SECTIONS: dict[str, str] = {
    "consents": """select version, purposes, given, withdrawn, given_by from consents
                   where subject_id = %s order by id""",
    "sessions": """select d.device, e.* from exercise_sessions e left join devices d on d.id = e.device_id
                    where e.tenant_id = current_tenant() and e.subject_id = %s order by e.started""",
    "windows": """select d.device, e.* from telemetry e left join devices d on d.id = e.device_id
                   where e.subject_id = %s order by e.time""",
    "hours": """select bucket, exercise, metric, n, total / n as mean, minimum, maximum from telemetry_1h
                where subject_id = %s order by bucket, exercise, metric""",
    "days": """select bucket, exercise, metric, n, total / n as mean, minimum, maximum from telemetry_1d
               where subject_id = %s order by bucket, exercise, metric""",
}
_INTERNAL = frozenset({"seq", "boot_id", "tenant_id", "device_id", "subject_id", "exercise_s"})
_encode = msgspec.json.Encoder().encode


async def export(db: Db, subject: Subject) -> AsyncIterator[bytes]:
    """The pieces of the document. `db` is a transaction that sees one moment."""
    cursor = await db.execute("select key from metric_columns order by position")
    keys = [row["key"] async for row in cursor]
    head = {
        "format": FORMAT,
        "schema": SCHEMA,
        "exported": datetime.now(UTC),
        "profile": subject.model_dump(exclude={"id"}, mode="json"),
        "metrics": {
            key: {"unit": row.unit, "meaning": row.meaning} for key, row in metrics().items() if key in keys
        },
    }
    yield _encode(head)[:-1]
    for name, query in _SECTIONS.items():
        yield b',\n"%s": [' % name.encode()
        async with db.cursor(name=name) as rows:
            await rows.execute(query.encode(), (subject.id,))
            first = True
            while found := await rows.fetchmany(PIECE):
                lines = b",\n".join(_encode(_row(row, keys)) for row in found)
                yield (b"\n" if first else b",\n") + lines
                first = False
        yield b"]"
    yield b"}\n"


def _row(row: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """A row without what only the database needs; its metrics and their grades under their keys."""
    if "grades" not in row:
        return row
    measured = dict.fromkeys(keys)
    shown = {name: value for name, value in row.items() if name not in _INTERNAL | measured.keys()}
    shown["metrics"] = {key: row[key] for key in keys if row[key] is not None}
    letters = zip(keys, row["grades"] or "", strict=False)
    shown["grades"] = {key: letter for key, letter in letters if letter != "-"}
    return shown
