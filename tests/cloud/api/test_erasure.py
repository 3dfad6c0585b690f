"""Consent withdrawn: everything of that subject goes, nothing else does, and nothing comes back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg

from cloud.ingest.batch import Limits
from cloud.ingest.writer import Writer
from tests.cloud.api.test_people import enrol
from tests.cloud.fleet import NOON, changed, uuid, window
from wire.messages import SessionChange, encode

if TYPE_CHECKING:
    from tests.cloud.api.conftest import Client, Cloud
    from tests.cloud.fleet import Database

OF_SUBJECTS = """
    select table_name
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema = 'public' and column_name = 'subject_id' and table_type = 'BASE TABLE' order by 1"""


def session(box: str, seq: int, subject: str, session: str) -> SessionChange:
    return SessionChange(
        device=uuid(box), boot=uuid(f"{box} boot"), seq=seq, at=NOON, clock="synchronised", session=uuid(session),
        change="end", subject=uuid(subject), species="human", camera="cam0", model="blazepose", software="1",
        exercise="squat", reps=5, duration_s=60, reason="left", metrics={"knee_rom_left": 90.0},
    )  # fmt: skip


def record(cloud: Cloud, writer: Writer, **tenants: list[str]) -> None:
    """Windows, a session and refused messages of subjects, as boxes send them; rolled up, and more to roll up."""
    for tenant, subjects in tenants.items():
        send(cloud, writer, tenant, subjects)
    cloud.database.rows("select refresh_rollups()")
    for tenant, subjects in tenants.items():
        topic = cloud.database.enrol(f"{tenant} box", tenant).topic("window")
        more = [window(f"{tenant} box", 100 * n + 50, subject=subject) for n, subject in enumerate(subjects)]
        writer.write([(topic, encode(one)) for one in more])


def send(cloud: Cloud, writer: Writer, tenant: str, subjects: list[str]) -> None:
    box = f"{tenant} box"
    address = cloud.database.enrol(box, tenant)
    topic = address.topic("window")
    messages = []
    for n, subject in enumerate(subjects):
        first = 100 * n + 1
        windows = [window(box, first + i, subject=subject, exercise="squat") for i in range(5)]
        messages += [(topic, encode(one)) for one in windows]
        messages.append((address.topic("session"), encode(session(box, first + 5, subject, f"{box} {n}"))))
        # Refused, with the name in it: one of them because of how it spells the name.
        messages.append((topic, changed(window(box, first + 6, subject=subject), camera=["no text"])))
        messages.append((topic, changed(window(box, first + 7), subject=uuid(subject).upper() + "!")))
        stranger = topic.replace(uuid(box), uuid("stranger"))
        messages.append((stranger, encode(window("stranger", first, subject=subject))))
    writer.write(messages)


def rows_of(database: Database, tenant: str, subject: str) -> dict[str, int]:
    """How many rows of each table are of a subject; of dead letters, those that name it."""
    number = database.value(
        "select s.id from subjects s join tenants t on t.id = s.tenant_id where slug = %s and subject = %s",
        tenant,
        uuid(subject),
    )
    counts = {
        table: database.value(f"select count(*) from {table} where subject_id = %s", number)
        for (table,) in database.rows(OF_SUBJECTS)
    }
    name = f"%{uuid(subject)}%"
    for what, known in (("dead_letters", "not null"), ("dead_letters_of_strangers", "null")):
        counts[what] = database.value(
            f"""select count(*) from dead_letters
                where encode(payload, 'escape') ilike %s and topic like %s and tenant_id is {known}""",
            name,
            f"kinebox/v1/{tenant}/%",
        )
    return counts


RECORDED = {
    "consents": 2, "dead_letters": 2, "dead_letters_of_strangers": 1, "dogs": 0, "exercise_sessions": 1,
    "invitations": 1, "people": 1, "rollup_pending": 1, "telemetry_10s": 6, "telemetry_1d": 5, "telemetry_1h": 5,
}  # fmt: skip


def enrolled(owner: Client, subject: str) -> str:
    """Somebody with a consent, one before it, and an invitation; returns their path."""
    made = enrol(owner, "people", "record", subject=uuid(subject), email=f"{subject}@example.org")
    path = f"/api/people/{made['subject']}"
    consent = {"version": made["consent"]["version"], "purposes": ["record", "coach"]}
    owner.ask("PUT", f"{path}/consent", json=consent)
    return path


def test_everything_of_who_withdraws_goes_and_nothing_else(cloud: Cloud, writer: Writer) -> None:
    database = cloud.database
    # Another tenant uses the same names: they are other people.
    record(cloud, writer, gym=["ann", "bob"], rival=["ann"])
    owner, rival = cloud.user("owner", "gym"), cloud.user("owner", "rival")
    path = enrolled(owner, "ann")
    enrolled(owner, "bob")
    enrol(rival, subject=uuid("ann"))
    before = {who: rows_of(database, *who) for who in (("gym", "ann"), ("gym", "bob"), ("rival", "ann"))}
    assert before["gym", "ann"] == before["gym", "bob"] == RECORDED

    assert owner.ask("DELETE", f"{path}/consent") == {"windows": 6}
    after = {who: rows_of(database, *who) for who in before}
    assert set(after.pop(("gym", "ann")).values()) == {0}
    assert after["gym", "bob"] == before["gym", "bob"]
    assert after["rival", "ann"] == before["rival", "ann"]
    owner.ask("GET", path, 404)
    owner.ask("DELETE", f"{path}/consent", 404)

    # What was to be rolled up of others still is; of who went nothing comes back.
    hours = {who: sums(database, *who) for who in before}
    assert database.value("select refresh_rollups()") == 2
    rolled = {who: sums(database, *who) for who in before}
    assert rolled["gym", "ann"] == hours["gym", "ann"] == []
    assert rolled["gym", "bob"] != hours["gym", "bob"]
    assert rows_of(database, "gym", "ann")["rollup_pending"] == 0


def sums(database: Database, tenant: str, subject: str) -> list[Any]:
    return database.rows(
        """select metric, n, total from telemetry_1h r join subjects s on s.id = r.subject_id
           join tenants t on t.id = s.tenant_id where slug = %s and subject = %s order by 1""",
        tenant,
        uuid(subject),
    )


def test_what_arrives_late_is_acknowledged_and_not_kept(cloud: Cloud, writer: Writer) -> None:
    record(cloud, writer, gym=["ann"])
    owner = cloud.user("owner")
    owner.ask("DELETE", f"{enrolled(owner, 'ann')}/consent")
    address = cloud.database.enrol("gym box")
    late = [
        (address.topic("window"), encode(window("gym box", 200))),
        (address.topic("session"), encode(session("gym box", 201, "ann", "late"))),
        (address.topic("window"), encode(window("gym box", 202, subject="bob", floor=200))),
    ]
    written = writer.write(late)
    assert (written.added, written.settled[0].seq) == (1, 202)
    cloud.database.rows("select refresh_rollups()")
    assert set(rows_of(cloud.database, "gym", "ann").values()) == {0}


def test_who_comes_back_gets_another_name(cloud: Cloud, writer: Writer) -> None:
    record(cloud, writer, gym=["ann"])
    owner = cloud.user("owner")
    old = enrolled(owner, "ann")
    owner.ask("DELETE", f"{old}/consent")
    body = {"consent": {"version": enrol(owner)["consent"]["version"], "purposes": ["record"]}}
    refused = owner.ask("POST", "/api/people", 409, json=body | {"subject": uuid("ann")})
    assert refused["code"] == "erased"
    new = owner.ask("POST", "/api/people", 201, json=body)
    assert new["subject"] != uuid("ann")
    owner.ask("GET", f"/api/people/{new['subject']}/consent")


def test_one_whom_only_boxes_know_is_erased_too(cloud: Cloud, writer: Writer) -> None:
    record(cloud, writer, gym=["ann"])
    assert cloud.user("owner").ask("DELETE", f"/api/people/{uuid('ann')}/consent") == {"windows": 6}
    assert set(rows_of(cloud.database, "gym", "ann").values()) == {0}


def test_erasing_waits_for_what_is_being_written(cloud: Cloud, writer: Writer) -> None:
    """A transaction that holds the subject and commits a window last: the window goes, too."""
    record(cloud, writer, gym=["ann"])
    owner = cloud.user("owner")
    path = enrolled(owner, "ann")
    answers: list[Any] = []
    with psycopg.connect(cloud.database.owner_url) as db:
        db.execute("select from subjects where subject = %s for key share", (uuid("ann"),))
        db.execute(
            """insert into telemetry_10s (time, seq, boot_id, tenant_id, device_id, subject_id, duration_s, reps,
                   partial_reps, clock, historical, camera)
               select time, 999, boot_id, tenant_id, device_id, subject_id, 10, 0, 0, 's', false, 'cam0'
               from telemetry_10s limit 1"""
        )
        erasing = threading.Thread(target=lambda: answers.append(owner.ask("DELETE", f"{path}/consent")))
        erasing.start()
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'erase_subject'"
        )
        while not cloud.database.value(waiting):
            assert erasing.is_alive(), "erasing did not wait"
        db.commit()
    erasing.join(30)
    assert answers == [{"windows": 7}]
    assert cloud.database.value("select count(*) from telemetry_10s") == 0


def test_no_row_survives_erasing_while_boxes_send(cloud: Cloud, writer: Writer) -> None:
    """Several writers without a pause, rollups in between, and subjects erased one after the other."""
    owner = cloud.user("owner")
    subjects = [f"subject {n}" for n in range(12)]
    paths = {name: f"/api/people/{enrol(owner, subject=uuid(name))['subject']}" for name in subjects}
    stopping, failed = threading.Event(), []

    def keep_sending(box: str) -> None:
        topic = cloud.database.enrol(box).topic("window")
        one = Writer(cloud.database.url, Limits(future_s=600, past_s=400 * 86400))
        seq = 0
        try:
            while not stopping.is_set():
                batch = [window(box, seq := seq + 1, subject=name) for name in subjects]
                one.write([(topic, encode(each)) for each in batch])
        except Exception as error:
            failed.append(error)
        finally:
            one.close()

    def roll_up() -> None:
        while not stopping.is_set():
            cloud.database.rows("select refresh_rollups()")

    threads = [threading.Thread(target=keep_sending, args=(f"box {n}",)) for n in range(2)]
    threads.append(threading.Thread(target=roll_up))
    for thread in threads:
        thread.start()
    erased = subjects[:-2]
    try:
        while cloud.database.value("select count(*) from telemetry_10s") < 200:
            assert not failed
        windows = [owner.ask("DELETE", f"{paths[name]}/consent")["windows"] for name in erased]
    finally:
        stopping.set()
        for thread in threads:
            thread.join(60)
    assert failed == []
    assert all(n > 0 for n in windows)
    cloud.database.rows("select refresh_rollups()")
    for name in erased:
        assert set(rows_of(cloud.database, "gym", name).values()) == {0}, name
    kept = rows_of(cloud.database, "gym", subjects[-1])
    assert kept["telemetry_10s"] > 0
    assert kept["telemetry_1d"] > 0
