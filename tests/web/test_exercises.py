"""Exercises of one's own through the API: added, counted at once, refused with the line, changed and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge.coach.faults import REASONS
from edge.coach.library import adopt, exercises, library
from edge.hub.hub import Hub
from edge.store import Store
from tests.coach.test_observer import frame, squatting
from tests.test_analyze import kinebox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.web.box import Box

EXERCISES = "/api/v1/exercises"
OWN = """id = "my_squat"
name = { en = "My squat", ko = "나의 스쿼트" }
parts = [{ signal = "knee_flexion", rest = 10, full = 95 }]
free = ["hip_flexion", "trunk_lean", "hip_rise", "elbow_flexion", "shoulder_elevation", "belly_up"]
"""


@pytest.fixture(autouse=True)
def the_boxs_own() -> Iterator[None]:
    """Rows that a test adds are gone after it."""
    yield
    adopt(library([]))


def rows(http: httpx.Client) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in http.get(EXERCISES).json()}


def test_an_own_exercise_comes_changes_and_goes(box: Box) -> None:
    with box.client() as http:
        known = rows(http)
        assert {row["origin"] for row in known.values()} == {"box"}
        added = http.post(EXERCISES, content=OWN)
        assert (added.status_code, added.json()["origin"]) == (201, "added")
        assert rows(http) == known | {"my_squat": added.json()}
        assert http.get(f"{EXERCISES}/my_squat/source").text == OWN
        assert http.put("/api/v1/exercise", json={"exercise": "my_squat"}).status_code == 200
        assert (http.post(EXERCISES, content=OWN).json()["code"]) == "exercise_taken"
        squat = OWN.replace("my_squat", "squat")
        assert (http.post(EXERCISES, content=squat).json()["code"]) == "exercise_taken"
        changed = OWN.replace("My squat", "Slow squat")
        answer = http.put(f"{EXERCISES}/my_squat", content=changed)
        assert (answer.status_code, answer.json()["name"]["en"]) == (200, "Slow squat")
        other = http.put(f"{EXERCISES}/my_squat", content=OWN.replace("my_squat", "your_squat"))
        assert (other.status_code, other.json()["code"]) == (422, "exercise_renamed")
        assert http.delete(f"{EXERCISES}/my_squat").status_code == 204
        assert rows(http) == known
        assert http.get(f"{EXERCISES}/my_squat/source").status_code == 404


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (OWN.replace("95", "10"), 3, "same"),
        (OWN.replace("knee_flexion", "nose_length"), 3, "there is no signal nose_length"),
        (OWN + "name = 3\n", 5, ""),
        ("", 1, "missing"),
        (OWN + '[[form]]\nid = "depth"\n', 5, ""),
        (OWN.replace("95", "9" * 5000), 0, "digits"),
        (OWN.replace("나의", "\udcff"), 2, "UTF-8"),
    ],
)
def test_a_bad_row_is_refused_with_line_and_reason(box: Box, text: str, line: int, reason: str) -> None:
    with box.client() as http:
        answer = http.post(EXERCISES, content=text.encode("utf-8", "surrogateescape"))
        assert answer.status_code == 422
        told = answer.json()
        assert (told["code"], told["line"]) == ("exercise_invalid", line)
        assert reason in told["detail"]
        assert told["fault"]["code"] in REASONS
        assert "my_squat" not in rows(http)


def test_what_cannot_be_changed_here(box: Box) -> None:
    with box.client() as http:
        for send in (lambda path: http.put(path, content=OWN), http.delete):
            answer = send(f"{EXERCISES}/squat")
            assert (answer.status_code, answer.json()["code"]) == (409, "exercise_fixed")
            assert send(f"{EXERCISES}/my_squat").status_code == 404
            assert send(f"{EXERCISES}/..").status_code in (404, 405)
        assert http.post(EXERCISES, content="#" * 70_000).status_code == 413
        away = http.post(EXERCISES, content=OWN, headers={"origin": "http://elsewhere.example"})
        assert away.status_code == 403


def test_files_that_are_none_are_listed(box: Box) -> None:
    folder = box.store.path.parent / "exercises"
    folder.mkdir()
    (folder / "broken.toml").write_text("id = 3\n")
    with box.client() as http:
        assert http.post(EXERCISES, content=OWN).status_code == 201  # then the folder is read again
        (refused,) = http.get(f"{EXERCISES}/refused").json()
    assert (refused["file"], refused["line"]) == (str(folder / "broken.toml"), 1)
    assert refused["fault"] == {
        "code": "type",
        "where": "id",
        "params": {"expected": "str", "got": "int"},
    }


def test_a_new_exercise_is_counted_without_a_restart(tmp_path: Path) -> None:
    with Store(tmp_path / "kinebox.db") as store:
        hub = Hub(store, "auto")
        row, found = hub.coaching.save(OWN, replace=False)
        hub.coaching.take(found, row.id)
        hub.live.choose("my_squat")
        for number in range(1, 250):
            hub.take(frame(number, squatting(number, 1)))
        assert next(iter(hub.observer.people.values())).coach.totals() == {"my_squat": (4, 0, 0.0)}
        hub.coaching.take(hub.coaching.remove("my_squat"), "my_squat")
        assert (hub.live.exercise, hub.observer.choice) == ("auto", "auto")
        assert "my_squat" not in exercises()
        hub.end("stopped")
        store.flush()
        (session,) = store.sessions(1)
        assert session.exercises[0].exercise == "my_squat"


def test_an_own_exercise_is_known_on_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "exercises"
    folder.mkdir()
    (folder / "my_squat.toml").write_text(OWN, encoding="utf-8")
    done = {
        name: kinebox("analyze", str(tmp_path / "none.mp4"), "--exercise", name, KINEBOX_STATE=str(tmp_path))
        for name in ("my_squat", "your_squat")
    }
    assert "none.mp4" in done["my_squat"].stderr
    assert "there is no exercise your_squat" in done["your_squat"].stderr


def test_how_strict_the_coach_is_holds_at_once_and_is_kept(tmp_path: Path, box: Box) -> None:
    with box.client() as http:
        assert http.get("/api/v1/coach").json() == {"strictness": "normal"}
        assert http.put("/api/v1/coach", json={"strictness": "harsh"}).status_code == 422
        assert http.put("/api/v1/coach", content="{").status_code == 400
        assert http.put("/api/v1/coach", json={"strictness": "off"}).json() == {"strictness": "off"}
    assert (box.store.path.parent / "coach.json").is_file()
    with Store(tmp_path / "again.db") as store:
        hub = Hub(store, "squat")
        assert hub.observer.strictness == "off"
        cues = []
        for number in range(1, 1200):
            if number == 600:
                hub.coaching.choose(type(hub.coaching.settings)(strictness="strict"))
            for one in hub.observer.update(frame(number, squatting(number, 1))):
                cues += [event.t * 30 for event in one.events if event.kind == "cue"]
        assert cues  # the squats are quick and lean
        assert min(cues) > 600
