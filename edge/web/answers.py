"""What every route does: answer with a record, and read a small body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from edge.web.problems import problem

if TYPE_CHECKING:
    from starlette.requests import Request

Record = TypeVar("Record", bound=msgspec.Struct)
MAX_BODY = 4096
"""Most requests with a body name an exercise, or say two numbers."""


class Json(JSONResponse):  # what is no JSONResponse is described as a string
    """A record, encoded by msgspec. Measurements are private: nothing on the way may keep them."""

    def __init__(self, record: Any, status_code: int = 200) -> None:
        """Encode `record`."""
        super().__init__(record, status_code, {"cache-control": "no-store"})

    def render(self, content: Any) -> bytes:
        """The bytes of a record."""
        return msgspec.json.encode(content)


async def read_body(request: Request, longest: int = MAX_BODY) -> bytes:
    """The body of `request`; raises HTTPException 413 where it has more than `longest` bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise HTTPException(413)
    return body


async def read_record(request: Request, kind: type[Record], longest: int = MAX_BODY) -> Record | Response:
    """The record that is the body of `request`, or the answer that says why it is none."""
    try:
        return msgspec.json.decode(await read_body(request, longest), type=kind)
    except msgspec.ValidationError as error:
        return problem(422, "request_invalid", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return problem(400, "request_malformed", str(error))
