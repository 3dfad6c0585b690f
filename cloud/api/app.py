"""The application: routes, errors, description, and the guard in front of them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cloud.api import metrics, pages
from cloud.api.guard import Guard
from cloud.api.problems import MEDIA_TYPE, Problem, add_problem_handlers, problem
from cloud.api.routes import (
    auth,
    cohorts,
    consent,
    devices,
    disclaimers,
    export,
    fleet,
    history,
    people,
    recommendations,
    rollouts,
    sessions,
    users,
)
from cloud.api.state import State
from cloud.fleet.keeper import keep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloud.api.settings import Settings

ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    users.router,
    *people.ROUTERS,
    *consent.ROUTERS,
    *export.ROUTERS,
    devices.router,
    disclaimers.router,
    recommendations.router,
    *pages.ROUTERS,
    sessions.router,
    *history.ROUTERS,
    cohorts.router,
    fleet.router,
    rollouts.router,
)
DESCRIPTION = """What a fleet of boxes measured, for whom it concerns. Times are UTC.

Programs sign in at `/api/auth/token` and send `Authorization: Bearer <access_token>`; pages use cookies. Each user
sees the rows of their own tenant, and of these what their role and people's consent allow.

Errors are `Problem` (RFC 9457)."""
_REFUSALS = (400, 401, 403, 404, 409, 413, 422, 429, 503)
_RESPONSES = {status: {"model": Problem} for status in _REFUSALS}


def create_app(settings: Settings) -> FastAPI:
    """The application as `settings` say."""
    state = State(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await state.database.open()
        keeping = asyncio.create_task(keep(state.database, state.desired_signer, settings.step_s))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await state.database.close()

    app = FastAPI(
        title="Kinebox cloud",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        responses=_RESPONSES,  # type: ignore[arg-type]
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.kinebox = state
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(_upkeep(state))
    _describe_problems(app)
    add_problem_handlers(app)
    app.add_middleware(metrics.Counting)
    app.add_middleware(Guard, settings=settings)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Errors have a media type of their own; FastAPI knows one for all answers."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            for operations in describe()["paths"].values():
                for operation in operations.values():
                    for status in map(str, _REFUSALS):
                        content = operation["responses"][status]["content"]
                        content[MEDIA_TYPE] = content.pop("application/json")
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _upkeep(state: State) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        """Whether requests can be answered."""
        try:
            async with state.database.nobody() as db:
                await db.execute("select 1")
        except Exception as error:
            return problem(503, "database_unavailable", type(error).__name__)
        return Response("ok", media_type="text/plain")

    @router.get("/metrics")
    async def prometheus() -> Response:
        """Counters; a proxy before us keeps this path from the world."""
        metrics.observe_pool(state.database.stats())
        return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router
