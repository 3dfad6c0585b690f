"""What was refused is tried again, and is in the database once whoever brings it first."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from cloud.ingest.dead_letters import app
from tests.cloud.fleet import NOON, changed, uuid, wait_for, window
from wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Box, Database, Ingest
    from wire.topics import Address

TOPIC = f"kinebox/v1/gym/hall/{uuid('one')}/window"


def tool(database: Database, *arguments: str) -> Any:
    done = CliRunner().invoke(app, [*arguments, "--json"], env={"KINEBOX_DATABASE_URL": database.url})
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def rows(database: Database) -> list[int]:
    return [seq for (seq,) in database.rows("select seq from telemetry_10s order by seq")]


def test_of_a_box_that_is_enrolled_too_late_nothing_is_lost_or_doubled(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.ingest.devices.FORGET_UNKNOWN_S", 0.0)
    messages = [(TOPIC, encode(window("one", seq))) for seq in (1, 2, 3, 4)]
    writer.write(messages)
    assert tool(database, "replay") == {"taken": 0, "windows": 0, "kept": {"unknown_device": 4}, "skipped": 0}
    assert database.value("select sum(times) from dead_letters") == 4
    database.enrol("one")
    writer.write(messages[:2])  # came by itself
    assert tool(database, "replay") == {"taken": 4, "windows": 2, "kept": {}, "skipped": 0}
    assert rows(database) == [1, 2, 3, 4]
    assert database.value("select count(*) from dead_letters") == 0
    assert writer.write(messages).added == 0
    assert writer.write([(TOPIC, encode(window("one", 5)))]).settled[0].seq == 5


def test_what_was_settled_by_its_refusal_is_taken_if_it_has_become_right(
    database: Database, writer: Writer
) -> None:
    database.enrol("one")
    early = encode(window("one", 1, at=time.time() + 3600))
    assert writer.write([(TOPIC, early)]).settled[0].seq == 1
    replay = ("replay", "--reason", "future")
    assert tool(database, *replay)["kept"] == {"future": 1}
    assert tool(database, *replay, "--future-s", "7200") == {
        "taken": 1, "windows": 1, "kept": {}, "skipped": 0,
    }  # fmt: skip
    assert rows(database) == [1]


def test_a_number_whose_row_is_there_is_not_written_again(database: Database, writer: Writer) -> None:
    database.enrol("one")
    writer.write([(TOPIC, encode(window("one", 1)))])
    writer.write([(TOPIC, encode(window("one", 1, at=time.time() + 3600)))])
    assert tool(database, "replay", "--future-s", "7200")["windows"] == 0
    assert rows(database) == [1]


def test_without_a_time_it_stands_where_it_was_received_first(database: Database, writer: Writer) -> None:
    writer.write([(TOPIC, encode(window("one", 1, at=None, clock="unknown")))])
    database.rows("update dead_letters set first_received = to_timestamp(%s)", NOON)
    database.enrol("one")
    tool(database, "replay")
    assert database.value("select extract(epoch from time)::float8 from telemetry_10s") == NOON


def test_what_is_cut_or_of_the_moment_is_not_tried(database: Database, writer: Writer) -> None:
    database.enrol("one")
    writer.write([(TOPIC, b"x" * 100_000), (TOPIC.replace("window", "health"), b"{}"), (TOPIC, b"{}")])
    assert tool(database, "replay") == {"taken": 0, "windows": 0, "kept": {"malformed": 1}, "skipped": 2}
    assert database.value("select count(*) from dead_letters") == 3


def test_letters_are_found_by_reason_device_and_time(database: Database, writer: Writer) -> None:
    database.enrol("one")
    two = TOPIC.replace(uuid("one"), uuid("two"))
    writer.write(
        [(TOPIC, b"{"), (TOPIC, changed(window("one", 1), schema=2)), (two, encode(window("two", 1)))]
    )
    found = {
        "--reason=schema": ["schema"], f"--device={uuid('two')}": ["unknown_device"],
        "--since=2020-01-01": ["not_json", "schema", "unknown_device"], "--since=2999-01-01": [],
    }  # fmt: skip
    for option, reasons in found.items():
        assert sorted(letter["reason"] for letter in tool(database, "list", option)) == reasons
    assert len(tool(database, "list", "--limit", "2")) == 2


def test_people_are_told_in_words(database: Database, writer: Writer) -> None:
    writer.write([(TOPIC, encode(window("one", 1)))])
    environment = {"KINEBOX_DATABASE_URL": database.url, "COLUMNS": "200"}
    assert uuid("one") in CliRunner().invoke(app, ["list"], env=environment).output
    told = CliRunner().invoke(app, ["replay"], env=environment).output.splitlines()
    assert told == ["0 taken, of which 0 are new windows.", "1 refused again: unknown_device"]


def test_without_a_database_it_says_so() -> None:
    done = CliRunner().invoke(app, ["list", "--database", "postgresql://127.0.0.1:1/none"])
    assert done.exit_code == 1
    assert "The database does not do it" in done.output


def test_a_running_box_is_acknowledged_what_was_replayed(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    address = database.enrol("one")
    database.rows("update devices set retired = now()")
    one = box(address)
    ingest()
    one.send(window("one", 1), window("one", 2))
    wait_for(lambda: database.value("select count(*) from dead_letters") == 2, what="the letters")
    database.rows("update devices set retired = null")
    assert tool(database, "replay")["windows"] == 2

    def again() -> bool:
        one.send(window("one", 2), window("one", 3))
        return list(one.acked.values()) == [3]

    wait_for(again, what="an acknowledgement")
    assert rows(database) == [1, 2, 3]
