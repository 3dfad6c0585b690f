"""The contract as documents for other people's programs: AsyncAPI 3 and JSON Schema, made from the structs.

`python -m wire.asyncapi` writes both into docs/; a test fails where they are not current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from wire.desired import DesiredState, Envelope
from wire.messages import KINDS, MAX_MESSAGE, SCHEMA
from wire.metrics import metrics
from wire.topics import FROM_CLOUD, PREFIX, SEGMENT, Availability, Kind

DOCS = Path(__file__).resolve().parent.parent / "docs"
_RETAINED = ("birth", "available", "desired")
_OTHERS = {"available": "Available", "desired": "Envelope"}
"""Schemas of what is no `Message`."""
_WHAT = {
    "window": "Ten seconds of one subject",
    "session": "A session began, changed or ended",
    "health": "How the box is",
    "birth": "Who is there, and what it can send",
    "available": "Whether the box is connected; `offline` is its Will",
    "ack": "What the cloud has committed",
    "desired": "What the box shall run: a signed `DesiredState`",
}
DESCRIPTION = f"""What a Kinebox sends over MQTT 5, with QoS 1. Pictures are not among it and cannot be.

Windows and sessions are kept by the box until an `ack` says that they are committed: a broker's PUBACK is not
storage. They may come twice and out of order; (device, boot, seq) makes them one. The cloud acknowledges the highest
`seq` up to which it has everything from `floor` on, and repeats its acknowledgement for what it already has.

Unknown fields are to be ignored. A message is at most {MAX_MESSAGE} bytes; another `schema` than {SCHEMA} is
refused."""


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of any message, with one definition a kind."""
    _, definitions = msgspec.json.schema_components(KINDS.values(), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Kinebox messages",
        "oneOf": [{"$ref": f"#/$defs/{message.__name__}"} for message in KINDS.values()],
        "$defs": definitions,
        "x-metrics": {
            key: {"unit": metric.unit, "meaning": metric.meaning} for key, metric in metrics().items()
        },
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document."""
    _, schemas = msgspec.json.schema_components(
        [*KINDS.values(), Envelope, DesiredState], ref_template="#/components/schemas/{name}"
    )
    schemas["Available"] = msgspec.json.schema(Availability)
    kinds = Kind.__args__  # type: ignore[attr-defined]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Kinebox: box and cloud", "version": f"{SCHEMA}.0.0", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {kind: _channel(kind) for kind in kinds},
        "operations": {
            f"{'receive' if kind in FROM_CLOUD else 'send'}_{kind}": {
                "action": "receive" if kind in FROM_CLOUD else "send",
                "channel": {"$ref": f"#/channels/{kind}"},
                "summary": _WHAT[kind],
                "bindings": {"mqtt": {"qos": 1, "retain": kind in _RETAINED}},
            }
            for kind in kinds
        },
        "components": {
            "messages": {kind: _message(kind) for kind in kinds},
            "parameters": {
                "tenant": {"description": f"Who owns the box: {SEGMENT}"},
                "site": {"description": f"Where it stands: {SEGMENT}"},
                "device": {"description": "UUID of the box"},
            },
            "schemas": schemas,
        },
    }


def _channel(kind: str) -> dict[str, Any]:
    return {
        "address": f"{PREFIX}/{{tenant}}/{{site}}/{{device}}/{kind}",
        "description": _WHAT[kind],
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        "parameters": {
            name: {"$ref": f"#/components/parameters/{name}"} for name in ("tenant", "site", "device")
        },
    }


def _message(kind: str) -> dict[str, Any]:
    schema = KINDS[kind].__name__ if kind in KINDS else _OTHERS[kind]
    content = {"contentType": "text/plain"} if kind == "available" else {}
    return {"summary": _WHAT[kind], **content, "payload": {"$ref": f"#/components/schemas/{schema}"}}


def documents() -> dict[str, str]:
    """The text of each document by its name in docs/."""
    parts = {"asyncapi.json": asyncapi(), "messages.schema.json": json_schema()}
    return {name: json.dumps(part, indent=2, ensure_ascii=False) + "\n" for name, part in parts.items()}


def main() -> None:
    """Write the documents."""
    for name, text in documents().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
