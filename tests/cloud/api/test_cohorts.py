"""Questions about many: the right sessions of the right subjects, nobody who did not agree, no group too small."""

from __future__ import annotations

import statistics
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from cloud.api.cohorts import Question, query_of
from cloud.api.measures import measure_of
from tests.cloud.api.samples import NOW, Recorded, enrol
from tests.cloud.fleet import uuid

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.api.conftest import Cloud

KNEES = {"metric": "knee_rom", "exercise": "sit_to_stand"}
FIVE = ("ann", "bob", "cat", "dan", "eve")


def ask(cloud: Cloud, tenant: str = "gym", **params: Any) -> Any:
    return cloud.user("trainer", tenant).ask("GET", "/api/cohorts", params=params)


def sit_to_stand(box: Recorded, name: str, days_ago: list[float], **metrics: Any) -> None:
    box.sessions(name, days_ago, exercise="sit_to_stand", metrics=metrics)


@pytest.fixture
def box(cloud: Cloud, writer: Writer) -> Recorded:
    """A box of the gym, where five people whom nobody enrolled sat down and stood up."""
    one = Recorded(cloud, writer)
    for n, name in enumerate(FIVE):
        sit_to_stand(one, name, [1, 2], knee_rom_left=80 + n, knee_rom_right=90 + n)
    return one


def test_mean_knee_range_of_motion_in_sit_to_stand_sessions_of_the_last_30_days(
    cloud: Cloud, box: Recorded
) -> None:
    sit_to_stand(box, "ann", [31], knee_rom_left=10)  # too long ago
    box.sessions("ann", [1], metrics={"knee_rom_left": 10})  # squats
    sit_to_stand(box, "ann", [1], hip_rom_left=10)  # not seen from a side that shows the knee
    sit_to_stand(box, "bob", [3], knee_rom_left=100)  # one side alone
    (group,) = ask(cloud, **KNEES)["groups"]
    values = sorted([85, 86, 87, 88, 89] * 2 + [100])
    assert (group["n_subjects"], group["n_sessions"], group["begin"]) == (5, 11, None)
    assert group["mean"] == pytest.approx(statistics.mean(values))
    assert group["standard_deviation"] == pytest.approx(statistics.stdev(values))
    assert group["quantiles"] == pytest.approx({"0.1": 85, "0.25": 86, "0.5": 87, "0.75": 88.5, "0.9": 89})


def test_hip_range_of_motion_over_time_of_labradors_aged_eight_or_more(cloud: Cloud, writer: Writer) -> None:
    kennel = Recorded(cloud, writer)

    def walk(name: str, breed: str, years: float, hip: float) -> None:
        born = (NOW - timedelta(days=round(years * 365.25))).date()
        enrol(
            cloud.database,
            name,
            kennel.tenant_id,
            "record",
            "research",
            species="dog",
            breed=breed,
            born=born,
        )
        kennel.sessions(name, [40, 1], species="dog", exercise=None, metrics={"hip_rom_left": [hip, hip - 4]})

    for n in range(5):
        walk(f"old {n}", "Labrador", 8.5 + n, 50 + n)
        walk(f"young {n}", "Labrador", 3 + n, 90)
        walk(f"beagle {n}", "Beagle", 9 + n, 10)
    found = ask(
        cloud, metric="hip_rom", species="dog", breed="labrador", min_age_years=8, days=60, by="month"
    )
    assert [one["n_subjects"] for one in found["groups"]] == [5, 5]
    assert [one["mean"] for one in found["groups"]] == [52, 48]
    # One was still seven forty days ago.
    walk("just eight", "Labrador", 8.05, 100)
    found = ask(
        cloud, metric="hip_rom", species="dog", breed="Labrador", min_age_years=8, days=60, by="month"
    )
    assert [one["n_subjects"] for one in found["groups"]] == [5, 6]
    none_of_seven = ask(cloud, metric="hip_rom", species="dog", min_age_years=8, max_age_years=8)
    assert none_of_seven["groups"][0]["suppressed"] == "fewer_than_5_subjects"
    all_dogs = ask(cloud, metric="hip_rom", species="dog")
    assert all_dogs["groups"][0]["n_subjects"] == 16


def test_only_those_count_who_agreed_or_whom_nobody_knows(cloud: Cloud, box: Recorded) -> None:
    for name, purposes in (
        ("willing", ["record", "research"]),
        ("unwilling", ["record", "coach"]),
        ("silent", []),
        ("withdrew", ["record", "research"]),
    ):
        enrol(cloud.database, name, box.tenant_id, *purposes)
        sit_to_stand(box, name, [1], knee_rom_left=10)
    cloud.database.rows(
        """update consents set withdrawn = now() from subjects s
           where s.id = subject_id and s.subject = %s""",
        uuid("withdrew"),
    )
    (group,) = ask(cloud, **KNEES)["groups"]
    assert (group["n_subjects"], group["n_sessions"]) == (6, 11)


def test_a_group_of_fewer_than_five_is_not_told(cloud: Cloud, box: Recorded) -> None:
    for name in FIVE[:4]:
        sit_to_stand(box, name, [10, 10, 10], knee_rom_left=50)
    groups = ask(cloud, **KNEES, by="day")["groups"]
    assert [one["suppressed"] for one in groups] == ["fewer_than_5_subjects", None, None]
    assert {key for key, value in groups[0].items() if value is not None} == {"begin", "suppressed"}
    assert groups[1]["n_sessions"] == 5
    nobody = ask(cloud, metric="ankle_rom")["groups"]
    assert [one["suppressed"] for one in nobody] == ["fewer_than_5_subjects"]


def test_people_by_age(cloud: Cloud, box: Recorded) -> None:
    for n, name in enumerate(FIVE):
        enrol(cloud.database, name, box.tenant_id, "record", "research", birth_year=NOW.year - 60 - n)
    sit_to_stand(box, "of no known age", [1], knee_rom_left=10)
    inside = ask(cloud, **KNEES, min_age_years=58, max_age_years=65, days=3)["groups"][0]
    assert inside["n_subjects"] == 5
    assert ask(cloud, **KNEES, min_age_years=66)["groups"][0]["suppressed"]
    assert ask(cloud, **KNEES, max_age_years=58)["groups"][0]["suppressed"]


def test_another_tenants_sessions_do_not_count(cloud: Cloud, box: Recorded, writer: Writer) -> None:
    theirs = Recorded(cloud, writer, "their box", "clinic")
    for name in FIVE:
        sit_to_stand(theirs, name, [1], knee_rom_left=10)
    assert ask(cloud, **KNEES)["groups"][0]["n_sessions"] == 10
    assert ask(cloud, "clinic", **KNEES)["groups"][0]["n_sessions"] == 5


def test_who_may_ask(cloud: Cloud) -> None:
    for who, status in (
        (cloud.user("owner"), 200), (cloud.user("trainer"), 200), (cloud.user("member"), 403),
        (cloud.user("fleet_operator"), 403), (cloud.box("box"), 403),
    ):  # fmt: skip
        who.ask("GET", "/api/cohorts", status, params=KNEES)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"metric": "knee_flexion_left"}, "unknown_metric"),
        ({"metric": "elbow_rom", "species": "dog"}, "unknown_metric"),
        ({"metric": "knee_rom", "breed": "Labrador"}, "request_invalid"),
        ({"metric": "knee_rom", "by": "year"}, "request_invalid"),
        ({"metric": "knee_rom", "days": 0}, "request_invalid"),
        ({"metric": "knee_rom", "min_age_years": -1}, "request_invalid"),
        ({"metric": "knee_rom", "colour": "red"}, "request_invalid"),
        ({}, "request_invalid"),
    ],
)
def test_what_cannot_be_answered_is_refused(cloud: Cloud, params: dict[str, Any], code: str) -> None:
    answer = cloud.user("owner").ask("GET", "/api/cohorts", 422, params=params)
    assert answer["code"] == code


MANY = """
    insert into exercise_sessions (session, tenant_id, device_id, subject_id, species, started, duration_s, ended,
        exercise, exercises, reps, partial_reps, hold_s, clock, camera, model, software, knee_rom_left, hip_rom_left)
    select gen_random_uuid(), s.tenant_id, 1, s.id, s.species, now() - random() * interval '1 year', 60, true,
        x.name, array[x.name], 1, 0, 0, 's', 'cam0', 'm', '1', 80, 50
    from subjects s, generate_series(1, 60) n,
         lateral (select (array['squat', 'lunge', 'sit_to_stand'])[1 + (n + s.id) %% 3] as name) x"""


def test_the_documented_questions_use_an_index(cloud: Cloud) -> None:
    tenants = [cloud.tenant("gym"), cloud.tenant("clinic")]
    cloud.database.rows(
        """insert into subjects (tenant_id, subject, species)
           select t, gen_random_uuid(), case when n %% 4 = 0 then 'dog' else 'human' end
           from unnest(%s::int[]) t, generate_series(1, 400) n""",
        tenants,
    )
    cloud.database.rows(
        """insert into dogs (subject_id, tenant_id, breed, born)
           select id, tenant_id, case when id %% 40 = 0 then 'Labrador' else 'Poodle' end, '2010-01-01'
           from subjects where species = 'dog'"""
    )
    cloud.database.rows(MANY)
    cloud.database.rows("vacuum analyze exercise_sessions, subjects, dogs, people, consents")
    questions = {
        "Index Only Scan using exercise_sessions_questions": Question(
            metric="knee_rom", exercise="sit_to_stand"
        ),
        "Index Cond: ((tenant_id = ": Question(
            metric="hip_rom", species="dog", breed="Labrador", min_age_years=8, by="week"
        ),
    }
    with psycopg.connect(cloud.database.api_url, row_factory=dict_row) as db:
        db.execute("select set_config('kinebox.tenant', %s, true)", (str(tenants[0]),))
        for how, question in questions.items():
            query, parameters = query_of(tenants[0], question, measure_of(question.metric))
            rows = db.execute(b"explain " + query.as_bytes(db), parameters).fetchall()
            plan = "\n".join(row["QUERY PLAN"] for row in rows)
            assert how in plan
            assert "Seq Scan on exercise_sessions" not in plan
