"""Dead letters once more: what was refused may be right today, such as the messages of a box enrolled too late."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg import sql

from cloud.ingest.claims import claim_boots
from cloud.ingest.writer import Writer, digest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cloud.ingest.batch import Boot, DeadLetter, Limits

MOST = 1000
"""Letters of a transaction."""

_WHICH = sql.SQL(
    """(%(reason)s::text is null or reason = %(reason)s)
    and (%(device)s::text is null or split_part(topic, '/', 5) = %(device)s)
    and (%(since)s::timestamptz is null or last_received >= %(since)s)"""
)
_LIST = sql.SQL(
    """select last_received, times, reason, topic, bytes, detail from dead_letters where {}
    order by last_received desc limit %(limit)s"""
).format(_WHICH)
# Only what is kept whole, and only what is durable: the health of a box of yesterday is of no use today.
_WHOLE = sql.SQL(
    """select first_received, topic, payload from dead_letters
    where {} and octet_length(payload) = bytes and split_part(topic, '/', 6) in ('window', 'session')
    order by first_received"""
).format(_WHICH)
_COUNT = sql.SQL("select count(*) from dead_letters where {}").format(_WHICH)
_FORGET = "delete from dead_letters where digest = any(%s)"
_WRITTEN = """
    select t.boot_id, t.seq from unnest(%s::int[], %s::int8[]) as n (boot_id, seq)
    join telemetry_10s t using (boot_id, seq)"""


class Which(msgspec.Struct, frozen=True):
    """Which letters; None: whatever it is."""

    reason: str | None = None
    device: str | None = None
    """UUID of the box, as in its topics."""
    since: datetime | None = None
    """Received then or later."""


class Replayed(msgspec.Struct):
    """What became of the letters."""

    taken: int = 0
    """Written now, or there already; the letters are gone."""
    windows: int = 0
    """New rows of windows among them."""
    kept: dict[str, int] = msgspec.field(default_factory=dict)
    """How many were refused again, by reason. These stay as they were."""
    skipped: int = 0
    """Not kept whole, or not durable: only to be looked at."""


def letters(url: str, which: Which, limit: int) -> list[dict[str, Any]]:
    """The letters, latest first. Raises psycopg.Error."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as db:
        return db.execute(_LIST, msgspec.structs.asdict(which) | {"limit": limit}).fetchall()


def replay(url: str, which: Which, limits: Limits) -> Replayed:
    """Write what can be taken now, and forget its letters. Raises psycopg.Error; what was done until then is."""
    replayed = Replayed()
    kept: Counter[str] = Counter()
    writer = _Replaying(url, limits)
    try:
        with psycopg.connect(url, autocommit=True) as db, db.cursor("whole", withhold=True) as whole:
            parameters = msgspec.structs.asdict(which)
            ((count,),) = db.execute(_COUNT, parameters).fetchall()
            whole.execute(_WHOLE, parameters)
            for received, together in groupby(whole, key=lambda row: row[0]):
                rows = list(together)
                for first in range(0, len(rows), MOST):
                    messages = [(topic, payload) for _, topic, payload in rows[first : first + MOST]]
                    written = writer.write(messages, received.timestamp())
                    refused = {digest(letter.topic, letter.payload) for letter in written.dead}
                    taken = {digest(*message) for message in messages} - refused
                    # After the commit: stopped in between, the next replay finds the rows and forgets the letters.
                    db.execute(_FORGET, (list(taken),))
                    replayed.taken += len(taken)
                    replayed.windows += written.added
                    kept.update(letter.reason for letter in written.dead)
    finally:
        writer.close()
    replayed.kept = dict(kept)
    replayed.skipped = count - replayed.taken - sum(kept.values())
    return replayed


class _Replaying(Writer):
    """Takes what was refused before. Its number may be settled all the same: only a row that is there counts."""

    def _claim(self, cursor: psycopg.Cursor[Any], boots: Collection[Boot]) -> None:
        claim_boots(cursor, boots)
        settled = [(boot.id, seq) for boot in boots for seq in boot.had]
        cursor.execute(_WRITTEN, ([boot for boot, _ in settled], [seq for _, seq in settled]))
        written = set(cursor.fetchall())
        for boot in boots:
            boot.had = {seq for seq in boot.had if (boot.id, seq) in written}

    def _bury(self, cursor: psycopg.Cursor[Any], dead: Sequence[DeadLetter]) -> None:
        """They lie there already."""
