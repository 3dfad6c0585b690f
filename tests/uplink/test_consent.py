"""What may leave: nothing unless it was agreed to, and nothing any more once that is taken back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, get_args

import pytest

from edge.coach.observer import Observer
from edge.store import Store
from edge.uplink.condition import Condition
from edge.uplink.consent import MAY_LEAVE, About, Consent, may_leave
from edge.uplink.outbox import Kind, Outbox
from edge.uplink.settings import UplinkSettings
from edge.uplink.uplink import Uplink
from tests.coach.test_observer import frame, standing
from tests.uplink.samples import LIMITS, ME, STAY, session, window
from wire.messages import Health, decode

if TYPE_CHECKING:
    from pathlib import Path


def uplink(folder: Path, **more: Any) -> Uplink:
    settings = UplinkSettings(url="mqtt://127.0.0.1:1", tenant="acme", site="gym-1", clock_wait_s=0, **more)
    return Uplink(settings, ME, folder, lambda: Condition("live", 30.0, 0))


def recorded(folder: Path) -> None:
    """Windows and a session that was cut off, not yet acknowledged."""
    with Outbox(folder / "outbox.db", **LIMITS) as outbox:
        outbox.add(session(), 0)
        for _ in range(5):
            outbox.add(window(), 0)


def test_without_a_word_nothing_may_leave() -> None:
    settings = UplinkSettings(url="mqtt://127.0.0.1", tenant="acme", site="gym-1")
    assert settings.unknown_subjects == "nothing"
    assert not any(may_leave(what, "nothing") for what in get_args(About))


def test_the_table_knows_every_consent_and_every_kind_of_message() -> None:
    assert MAY_LEAVE.keys() == set(get_args(Consent))
    assert frozenset().union(*MAY_LEAVE.values()) == set(get_args(About)) > set(get_args(Kind))


def test_what_waits_is_deleted_when_consent_is_taken_back(tmp_path: Path) -> None:
    recorded(tmp_path)
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as db:
        bodies = [body for (body,) in db.execute("SELECT body FROM messages")]
    assert all(body in (tmp_path / "outbox.db").read_bytes() for body in bodies)
    one = uplink(tmp_path)
    level = one.outbox.level()
    assert (level.rows, level.given_up) == (0, 6)
    with Store(tmp_path / "kinebox.db") as store:
        one.recover(store)  # nor is it told that the session was cut off
    one.outbox.flush()
    assert one.outbox.level().rows == 0
    for file in tmp_path.glob("outbox.db*"):
        content = file.read_bytes()
        assert STAY.encode() not in content
        assert not any(body in content for body in bodies)
    one.outbox.close()


def test_with_consent_what_waits_stays(tmp_path: Path) -> None:
    recorded(tmp_path)
    one = uplink(tmp_path, unknown_subjects="anonymous")
    assert one.outbox.level()[0::3] == (6, 0)
    one.outbox.close()


@pytest.mark.parametrize(("consent", "told"), [("nothing", False), ("anonymous", True)])
def test_health_does_not_tell_whether_somebody_is_there(
    tmp_path: Path, consent: Consent, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = uplink(tmp_path, unknown_subjects=consent)
    sent: list[bytes] = []
    monkeypatch.setattr(one.connection, "publish", lambda _topic, payload: bool(sent.append(payload)))
    (seen,) = Observer("squat").update(frame(1, standing(1)))
    one.take(seen, 0.0, None)
    one._health(0.0)
    health = decode(sent[0])
    assert isinstance(health, Health)
    assert (health.confidence is not None) is told
    one.outbox.close()
