"""What the messages take, what they refuse and why; and that none of them can hold a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from wire import asyncapi
from wire.messages import (
    KINDS,
    MAX_MESSAGE,
    Ack,
    Birth,
    ContractError,
    Health,
    Message,
    SessionChange,
    Window,
    all_grades,
    decode,
    decode_as,
    encode,
    shorten,
)
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = "00000000-0000-4000-8000-00000000000a"
BOOT = "00000000-0000-4000-8000-00000000000b"
WHO = "00000000-0000-4000-8000-00000000000c"
HEAD: dict[str, Any] = {"device": ME, "boot": BOOT}
WINDOW = Window(
    **HEAD, seq=7, at=1_800_000_000.25, clock="synchronised", subject=WHO, species="human", camera="cam0",
    duration_s=10.0, exercise="squat", reps=3, metrics={"knee_flexion_left": 41.5}, grade="B",
    grades={"trunk_lean": "C"},
)  # fmt: skip
MESSAGES: dict[str, Message] = {
    "window": WINDOW,
    "session": SessionChange(
        **HEAD, seq=8, at=None, clock="unknown", session=BOOT, change="end", subject=WHO, species="human",
        camera="거실", reason="left", model="blazepose-int8", software="0.1.0",
    ),
    "health": Health(
        **HEAD, at=None, uptime_s=1.0, camera="live", fps=29.9, dropped=0, outbox_rows=0, outbox_bytes=0,
        outbox_hours=0.0, disk_free_mb=1.0,
    ),
    "birth": Birth(**HEAD, software="0.1.0", models={"pose": "blazepose-int8"}, metrics=list(metrics()), started=1.0),
    "ack": Ack(**HEAD, seq=0),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind: str) -> None:
    assert decode(encode(MESSAGES[kind])) == MESSAGES[kind]
    assert json.loads(encode(MESSAGES[kind]))["kind"] == kind


def test_a_window_with_every_metric_is_far_from_the_limit() -> None:
    full = msgspec.structs.replace(
        WINDOW, metrics=dict.fromkeys(metrics(), 100 / 3), grades=dict.fromkeys(metrics(), "A")
    )
    assert len(encode(full)) < MAX_MESSAGE / 2


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(encode(WINDOW)) | fields).encode()


def test_unknown_fields_are_tolerated() -> None:
    assert decode(changed(mood="cheerful", metrics={"tail_angle": 45.0})).metrics == {"tail_angle": 45.0}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (changed(schema=2), "schema"),
        (changed(schema=2, seq="another kind of number"), "schema"),
        (changed(kind="picture"), "kind"),
        (b"x" * (MAX_MESSAGE + 1), "too_large"),
        (b"", "not_json"),
        (b"\xff", "not_json"),
        (b"\xff\xd8\xff\xe0 JFIF", "not_json"),
        (b"[" * 5000, "malformed"),
        (b"[]", "malformed"),
        (b'{"schema": 1}', "malformed"),
        (changed(seq=0), "malformed"),
        (changed(seq=True), "malformed"),
        (changed(seq=2**64), "malformed"),
        (changed(seq=None), "malformed"),
        (changed(device="../../x"), "malformed"),
        (changed(device=ME + "\n"), "malformed"),
        (changed(device=ME.upper()), "malformed"),
        (changed(subject=None), "malformed"),
        (changed(species="cat"), "malformed"),
        (changed(at=float("nan")), "not_json"),
        (changed(at=-1), "malformed"),
        (changed(at=1e12), "malformed"),
        (changed(metrics={"trunk_lean": float("inf")}), "not_json"),
        (changed(metrics={"trunk_lean": 1e300}), "malformed"),
        (encode(WINDOW).replace(b"41.5", b"1e999"), "malformed"),
        (changed(metrics={"trunk_lean": None}), "malformed"),
        (changed(metrics={"Robert'); DROP TABLE": 1}), "malformed"),
        (changed(metrics={"trunk_lean\n": 1}), "malformed"),
        (changed(metrics={f"k{n}": 1 for n in range(129)}), "malformed"),
        (changed(grades={"trunk_lean": "none"}), "malformed"),
        (changed(grade="none"), "malformed"),
        (changed(camera="cam\0"), "malformed"),
        (changed(camera="c" * 65), "malformed"),
    ],
)
def test_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ContractError) as refused:
        decode(data)
    assert refused.value.reason == reason


@pytest.mark.parametrize("letters", ["", "A", "AAB", "ABC", "CBB"])
def test_the_usual_grade_and_the_exceptions_say_the_same_as_every_grade(letters: str) -> None:
    grades: Any = dict(zip(metrics(), letters, strict=False))
    usual, exceptions = shorten(grades)
    message = msgspec.structs.replace(
        WINDOW, metrics=dict.fromkeys(grades, 1.0), grade=usual, grades=exceptions
    )
    assert all_grades(message) == grades
    assert len(exceptions) == sum(letter != usual for letter in letters)


def test_without_a_usual_grade_what_is_not_named_has_none() -> None:
    message = msgspec.structs.replace(
        WINDOW, metrics={"trunk_lean": 1.0, "view_yaw": 2.0}, grade=None, grades={"view_yaw": "A"}
    )
    assert all_grades(message) == {"view_yaw": "A"}


def test_the_wrong_kind() -> None:
    assert decode_as(Ack, encode(MESSAGES["ack"])) == MESSAGES["ack"]
    with pytest.raises(ContractError) as refused:
        decode_as(Ack, encode(WINDOW))
    assert refused.value.reason == "kind"


# Pixels

MOST_TEXT = 64
MOST_ENTRIES = 256


def nodes(schema: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object inside a JSON Schema that is itself one."""
    if isinstance(schema, dict):
        if schema.keys() & {"type", "anyOf", "enum", "$ref"}:
            yield path, schema
        for key, value in schema.items():
            yield from nodes(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from nodes(value, f"{path}[{number}]")


def roomy(schema: Any) -> list[str]:
    """Where a schema leaves room for a picture: text, maps and lists without a small limit, or bytes."""
    found = []
    for path, node in nodes(schema):
        kind = node.get("type")
        if "contentEncoding" in node or (kind == "string" and not node.get("maxLength", 10**9) <= MOST_TEXT):
            found.append(path)
        if kind == "array" and not node.get("maxItems", 10**9) <= MOST_ENTRIES:
            found.append(path)
        if (
            kind == "object"
            and "properties" not in node
            and not node.get("maxProperties", 10**9) <= MOST_ENTRIES
        ):
            found.append(path)
        if kind is None and not node.keys() & {"anyOf", "enum", "$ref", "const"}:
            found.append(path)
        if isinstance(kind, list):
            found.append(path)
        if kind == "array" and node.get("items", {}).get("type") not in ("string", None):
            found.append(path)  # a list of numbers could be pixels; only lists of short names are needed
    return found


def test_no_message_has_room_for_a_picture() -> None:
    definitions = asyncapi.json_schema()["$defs"]
    assert len(definitions) == len(KINDS)
    assert roomy(definitions) == []


@pytest.mark.parametrize(
    "kind", [bytes, str, list[float], dict[str, float], list[list[int]], str | None, dict[str, str] | None]
)
def test_the_walk_sees_room_for_a_picture(kind: Any) -> None:
    leaky = msgspec.defstruct("Leaky", [("picture", kind)])
    assert roomy(msgspec.json.schema(leaky)) != []


def test_the_largest_message_is_smaller_than_a_picture() -> None:
    # 16 KiB of numbers between messages is still no picture of use, and decode() refuses more than that.
    with pytest.raises(ContractError, match="bytes"):
        decode(encode(WINDOW) + b" " * MAX_MESSAGE)


# Documents


@pytest.mark.parametrize("name", ["asyncapi.json", "messages.schema.json"])
def test_the_documents_are_current(name: str) -> None:
    text = (asyncapi.DOCS / name).read_text(encoding="utf-8")
    assert text == asyncapi.documents()[name], "run: python -m wire.asyncapi"


def test_the_asyncapi_document_holds_together() -> None:
    document = asyncapi.asyncapi()
    references = [node["$ref"] for _, node in nodes(document) if "$ref" in node]
    assert len(references) > 20
    for reference in references:
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
    assert {channel["address"].rsplit("/")[-1] for channel in document["channels"].values()} == set(
        document["channels"]
    )
