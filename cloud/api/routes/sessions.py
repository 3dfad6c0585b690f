"""/api/sessions: recording by programs that have no broker, and reading one session."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from cloud.api import recording, windows
from cloud.api.recording import Added, Measured
from cloud.api.session_record import SessionRecord, metric_keys, record
from cloud.api.who import SECURITY, AnyRole, Recorder, StateOf
from wire.metrics import Species

router = APIRouter(prefix="/api/sessions", tags=["sessions"], dependencies=SECURITY)
Key = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=48)]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f]*$", max_length=64)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]


class NewSession(BaseModel):
    """Who is about to exercise, and who records it."""

    session: UUID | None = Field(default=None, description="sent again, the same session is found")
    subject: UUID = Field(description="a box may tell of somebody new")
    species: Species
    exercise: Key | None = None
    camera: Text
    at: AwareDatetime | None = Field(default=None, description="when it began; now if left out")
    device: UUID | None = Field(default=None, description="the box that records; a box is itself")
    model: Text = Field(default="", description="the pose model")
    software: Text = ""


class Started(BaseModel):
    """A session that takes windows."""

    session: UUID


class SessionEnd(Measured):
    """What a session came to."""

    duration_s: Seconds
    exercise: Key | None = Field(default=None, description="where windows have not told it")
    reps: Count = 0
    partial_reps: Count = 0
    hold_s: Seconds = 0.0
    reason: Key | None = Field(default=None, description="such as `left` or `interrupted`")


@router.post("/start", status_code=201)
async def start(state: StateOf, who: Recorder, new: NewSession) -> Started:
    """Begin a session."""
    now = datetime.now(UTC)
    at = new.at or now
    windows.check_time(at.timestamp(), now.timestamp(), "at")
    session = new.session or uuid4()
    async with state.database.tenant(who.tenant_id) as db:
        box = await recording.box_of(db, who, new.device)
        subject = await recording.subject_to_record(db, who, new.species, new.subject)
        named = {"session": session, "tenant": who.tenant_id, "device": box, "subject": subject, "at": at}
        await recording.start(db, new.model_dump() | named)
    return Started(session=session)


@router.post(
    "/{session}/data",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": windows.schema()}}}
    },
)
async def data(state: StateOf, who: Recorder, session: UUID, request: Request) -> Added:
    """Add windows, up to 5000 at a time: all of a request, or none.

    A window is known by its `seq` within the session: sent again it is kept once. Metrics that are not in the
    catalogue are kept beside it.
    """
    body = await request.body()
    async with state.database.tenant(who.tenant_id) as db:
        return await recording.append(db, who, session, body)


@router.post("/{session}/end")
async def end(state: StateOf, who: Recorder, session: UUID, told: SessionEnd) -> SessionRecord:
    """End a session. The first end counts: sent again, it changes nothing."""
    async with state.database.tenant(who.tenant_id) as db:
        columns = told.model_dump(exclude={"metrics", "grades"})
        return await recording.end(db, who, session, columns, told)


@router.get("/{session}")
async def one(state: StateOf, who: AnyRole, session: UUID) -> SessionRecord:
    """One session."""
    async with state.database.tenant(who.tenant_id) as db:
        row = await recording.session_row(db, who, session)
        return record(row, await metric_keys(db))
