"""Desired states: what is signed arrives as it was, and nothing else is taken."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.desired import (
    MAX_ENVELOPE,
    MAX_PAYLOAD,
    SIGNED_AS,
    DesiredRefusedError,
    DesiredState,
    Envelope,
    Version,
    seal,
    unseal,
)

ME = "00000000-0000-4000-8000-00000000000a"
OTHER = "00000000-0000-4000-8000-00000000000b"
NOW = 1_800_000_000.0
KEY, STRANGER = (
    Ed25519PrivateKey.from_private_bytes(b"k" * 32),
    Ed25519PrivateKey.from_private_bytes(b"s" * 32),
)
POSE = Version(name="blazepose", version="int8.2", sha256="ab" * 32, url="https://example.org/pose")
STATE = DesiredState(device=ME, serial=8, issued=NOW, models={"pose": POSE})

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,30}", fullmatch=True)
versions = st.builds(
    Version,
    name=names,
    version=names,
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    url=st.none() | st.from_regex(r"https://[a-z]{1,60}/[a-z가-힣]{0,60}", fullmatch=True),
)
states = st.builds(
    DesiredState,
    device=st.uuids().map(str),
    serial=st.integers(1, 2**53 - 1),
    issued=st.floats(0, 4e9),
    models=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), versions, max_size=8),
    software=st.none() | versions,
)


some = settings(max_examples=50, deadline=None)


def is_signed(signature: bytes, data: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, data)
    except InvalidSignature:
        return False
    return True


def sealed(state: DesiredState = STATE, key: Ed25519PrivateKey = KEY) -> bytes:
    return seal(state, "k1", key.sign)


def opened(data: bytes, device: str = ME, after: int = 0, now: float | None = NOW) -> DesiredState:
    return unseal(data, device=device, after=after, now=now, is_signed=is_signed)


def signed(payload: bytes) -> bytes:
    """An envelope with a good signature around anything."""
    return json.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "key": "k1",
            "signature": base64.b64encode(KEY.sign(SIGNED_AS + payload)).decode(),
        }
    ).encode()


@some
@given(states)
def test_what_is_signed_arrives(state: DesiredState) -> None:
    data = sealed(state)
    assert opened(data, state.device, state.serial - 1, None) == state
    assert data == sealed(state)
    assert len(data) <= MAX_ENVELOPE


@some
@given(states, st.data())
def test_no_changed_byte_is_taken(state: DesiredState, data: st.DataObject) -> None:
    envelope = bytearray(sealed(state))
    position = data.draw(st.integers(0, len(envelope) - 1))
    envelope[position] ^= data.draw(st.integers(1, 255))
    try:
        taken = opened(bytes(envelope), state.device, 0, None)
    except DesiredRefusedError:
        return
    assert taken == state  # the change was in the key's name, which nothing rests on


@some
@given(st.binary(max_size=300) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
    lambda value: json.dumps(value).encode()
))  # fmt: skip
def test_anything_is_refused_with_a_reason(data: bytes) -> None:
    for envelope in (data, signed(data)):
        with pytest.raises(DesiredRefusedError) as refused:
            opened(envelope)
        assert refused.value.reason in {"malformed", "schema"}


@some
@given(st.integers(1, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_a_serial_must_rise(serial: int, after: int) -> None:
    data = sealed(DesiredState(device=ME, serial=serial, issued=NOW))
    if serial > after:
        assert opened(data, after=after).serial == serial
        return
    with pytest.raises(DesiredRefusedError) as refused:
        opened(data, after=after)
    assert refused.value.reason == "serial"


def payload(**changes: Any) -> bytes:
    fields = {"schema": 1, "device": ME, "serial": 9, "issued": NOW, "models": {}}
    return json.dumps(fields | changes).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sealed(key=STRANGER), "signature"),
        (sealed(DesiredState(device=OTHER, serial=9, issued=NOW)), "device"),
        (sealed(DesiredState(device=ME, serial=7, issued=NOW)), "serial"),
        (sealed(DesiredState(device=ME, serial=9, issued=NOW + 100_000)), "future"),
        (signed(payload(schema=2, models="of another kind")), "schema"),
        (signed(payload(serial=0)), "malformed"),
        (signed(payload(models={"pose": {"name": "m", "version": "1", "sha256": "AB" * 32}})), "malformed"),
        (
            signed(payload(models={"pose": {"name": "../m", "version": "1", "sha256": "ab" * 32}})),
            "malformed",
        ),
        (
            signed(payload(software={"name": "m", "version": "1", "sha256": "ab" * 32, "url": "http://x"})),
            "malformed",
        ),
        (signed(b"\xff"), "malformed"),
        (b"x" * (MAX_ENVELOPE + 1), "too_large"),
        (json.dumps({"payload": "A", "key": "k", "signature": "A" * 86 + "=="}).encode(), "malformed"),
        (sealed().replace(b'"payload"', b'"pay"'), "malformed"),
        # A good signature of the same key over the same bytes, for another purpose.
        (
            json.dumps(
                {
                    "payload": base64.b64encode(payload()).decode(),
                    "key": "k1",
                    "signature": base64.b64encode(KEY.sign(payload())).decode(),
                }
            ).encode(),
            "signature",
        ),
    ],
)
def test_refused(data: bytes, reason: str) -> None:
    with pytest.raises(DesiredRefusedError) as refused:
        opened(data, after=8)
    assert refused.value.reason == reason


def test_without_a_clock_no_time_is_in_the_future() -> None:
    ahead = sealed(DesiredState(device=ME, serial=9, issued=NOW + 100_000))
    assert opened(ahead, now=None).serial == 9


def test_fields_of_a_later_version_are_tolerated() -> None:
    assert opened(signed(payload(mood="cheerful"))).serial == 9


def test_the_largest_state_fits() -> None:
    widest = Version(name="n" * 31, version="v" * 31, sha256="ab" * 32, url="https://" + "u" * 504)
    state = DesiredState(
        device=ME, serial=1, issued=NOW, models={f"r{n:047}": widest for n in range(8)}, software=widest
    )
    data = sealed(state)
    assert opened(data) == state
    assert len(data) <= MAX_ENVELOPE
    assert Envelope.__struct_fields__ == ("payload", "key", "signature")
    with pytest.raises(ValueError, match=str(MAX_PAYLOAD)):
        sealed(DesiredState(device=ME, serial=1, issued=NOW, models={f"r{n:047}": widest for n in range(13)}))


def test_a_box_tells_what_it_runs_in_the_same_words() -> None:
    assert Version(name="blazepose", version="int8", sha256="0" * 64).runs_as == "blazepose-int8"
    assert len(Version(name="n" * 31, version="v" * 31, sha256="").runs_as) <= 64
