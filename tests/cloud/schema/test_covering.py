"""The index for questions about many is made once, and anew where the catalogue has grown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from cloud.schema import covering
from cloud.schema.covering import cover_questions
from wire.metrics import metrics

if TYPE_CHECKING:
    import pytest

    from tests.cloud.fleet import Database


def test_it_is_made_anew_only_where_the_ranges_are_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database.owner_url) as db:
        db.execute("set local role kinebox_owner")
        assert not cover_questions(db)
        fewer = {key: metric for key, metric in metrics().items() if not key.startswith("knee")}
        monkeypatch.setattr(covering, "metrics", lambda: fewer)
        assert cover_questions(db)
        assert not cover_questions(db)
        db.rollback()
