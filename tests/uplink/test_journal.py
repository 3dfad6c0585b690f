"""What the coach sees becomes messages: one session a stay, and nothing of those who only walk by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.clock import Now
from edge.coach.observer import Observer
from edge.store import Store
from edge.uplink.journal import Journal
from edge.uplink.outbox import START, Outbox
from tests.coach.test_observer import frame, squatting, standing
from tests.store.samples import begin, repetition
from tests.uplink.samples import LIMITS, ME, STAY, UTC, session
from wire.messages import SessionChange, Window, all_grades

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.uplink.consent import Consent


class Frozen:
    """A clock that a test sets; the machine started at UTC."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.known = True

    def now(self) -> Now:
        known: Now = Now(round(self.seconds * 1e9), UTC + self.seconds, "synchronised")
        return known if self.known else Now(known.monotonic_ns, None, "unknown")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.db", **LIMITS) as outbox:
        yield outbox


def play(outbox: Outbox, clock: Frozen, seconds: float, consent: Consent = "anonymous") -> None:
    """Somebody squats once in two seconds; somebody else walks by."""
    journal = Journal(outbox, clock, ME, consent)
    journal.camera, journal.model = "cam\x000", "m" * 100
    observer = Observer("squat")
    for number in range(1, round(seconds * 30)):
        clock.seconds = number / 30
        subjects = [squatting(number, 1)] + ([standing(2)] if number < 60 else [])
        for one in observer.update(frame(number, *subjects)):
            journal.take(one, clock.seconds, STAY if one.person.id == 1 and clock.seconds > 3 else None)
        for person in observer.absent(clock.seconds):
            journal.leave(person, "left")
    for person in observer.finish():
        journal.leave(person, "stopped")
    outbox.flush()


def told(outbox: Outbox) -> list[Window | SessionChange]:
    return [message for _, message in outbox.after(START, 1000) if message is not None]


def test_start_windows_and_end(outbox: Outbox) -> None:
    play(outbox, Frozen(), 25)
    start, *middle, end = told(outbox)
    assert isinstance(start, SessionChange)
    assert isinstance(end, SessionChange)
    windows = [message for message in middle if isinstance(message, Window)]
    changes = [start, *(message for message in middle if isinstance(message, SessionChange)), end]
    assert [row.change for row in changes] in (["start", "end"], ["start", "change", "end"])
    assert (start.change, end.change, end.reason, end.exercise) == ("start", "end", "stopped", "squat")
    assert all(row.at == pytest.approx(UTC + 1 / 30, abs=1e-3) for row in changes)
    assert [round(row.at - UTC) for row in windows if row.at] == [0, 10, 20]
    assert [round(row.duration_s) for row in windows] == [10, 10, 5]
    assert sum(row.reps for row in windows) == end.reps >= 11
    assert {message.session for message in told(outbox)} == {STAY}
    assert len({message.subject for message in told(outbox)}) == 1
    assert end.metrics["knee_rom_left"] > 60
    assert (start.camera, len(start.model)) == ("cam0", 64)


def test_what_is_sent_is_short(outbox: Outbox) -> None:
    """Grades but the most frequent, and digits that mean something."""
    play(outbox, Frozen(), 12)
    for message in told(outbox):
        grades = Counter(all_grades(message).values())
        assert grades.total() == len(message.metrics)
        assert len(message.grades) == grades.total() - max(grades.values(), default=0)
        assert message.at is not None
        for value in (*message.metrics.values(), message.at, message.duration_s):
            assert value == round(value, 3)


def test_without_consent_nothing_is_even_kept(outbox: Outbox) -> None:
    play(outbox, Frozen(), 12, "nothing")
    assert told(outbox) == []
    assert outbox.level().rows == 0
    assert outbox.open_sessions() == []


def test_a_time_that_is_not_known_is_filled_in(outbox: Outbox) -> None:
    clock = Frozen()
    clock.known = False
    play(outbox, clock, 12)
    assert told(outbox) == []
    clock.known = True
    outbox.stamp(clock.now())
    outbox.flush()
    windows = [row for row in told(outbox) if isinstance(row, Window)]
    assert [(round(row.at - UTC), row.clock) for row in windows if row.at] == [
        (0, "estimated"),
        (10, "estimated"),
    ]


def test_a_session_cut_off_is_ended_from_what_the_store_has(tmp_path: Path) -> None:
    clock = Frozen()
    with Store(tmp_path / "kinebox.db") as store:
        stay = begin(store)
        squats = store.begin_set(stay, exercise="squat", t=1.0)
        for t in (3.0, 5.0):
            store.add_repetition(squats, repetition(t))
    with Outbox(tmp_path / "outbox.db", **LIMITS) as outbox:
        outbox.add(session(session=stay, exercise="squat"), 0)
        outbox.add(session(at=None, clock="unknown"), 0)
    with Store(tmp_path / "kinebox.db") as store, Outbox(tmp_path / "outbox.db", **LIMITS) as outbox:
        store.recover(UTC)
        journal = Journal(outbox, clock, ME, "anonymous")
        assert journal.recover(store) == 2
        outbox.flush()
        outbox.stamp(clock.now())
        assert outbox.open_sessions() == []
        ends = {
            row.session: row for row in told(outbox) if isinstance(row, SessionChange) and row.change == "end"
        }
        assert (ends[stay].reason, ends[stay].reps, ends[stay].duration_s) == ("interrupted", 2, 5.0)
        assert ends[stay].at == UTC
        assert (ends[STAY].reps, ends[STAY].clock) == (0, "estimated")  # of which the store knows nothing
