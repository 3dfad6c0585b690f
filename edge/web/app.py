"""The dashboard's application: routes, errors, description, and the guard in front of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from edge.web.api import live_routes, session_routes, system_routes
from edge.web.camera import camera_routes
from edge.web.coach import coach_routes
from edge.web.dashboard import Dashboard
from edge.web.exercises import exercise_routes
from edge.web.guard import SECURITY_HEADERS, Guard
from edge.web.openapi import describe
from edge.web.problems import add_problem_handlers
from edge.web.socket import socket_routes

if TYPE_CHECKING:
    from edge.store import Store
    from edge.web.live import LiveState
    from edge.web.settings import WebSettings


def create_app(state: LiveState, store: Store, settings: WebSettings) -> FastAPI:
    """The application that shows `state` and `store` to whom `settings` lets in."""
    app = FastAPI(
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        # The box reports to nobody, whatever its environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    describe(app)
    state.clients.max_clients = settings.max_clients
    state.metrics.watch_store(store)
    app.include_router(system_routes(state, store))
    app.include_router(live_routes(state, store))
    app.include_router(exercise_routes(state.coaching))
    app.include_router(coach_routes(state.coaching))
    app.include_router(camera_routes(state))
    app.include_router(session_routes(store))
    app.include_router(socket_routes(state))
    app.mount("/", Dashboard(settings.static))
    add_problem_handlers(app, SECURITY_HEADERS)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(Guard, settings=settings)
    return app
