"""/static: style, icon, and the scripts that draw charts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles

from cloud.api.pages.render import STATIC

router = APIRouter(include_in_schema=False)
_files = StaticFiles(directory=STATIC)


@router.get("/static/{name:path}")
async def file(request: Request, name: str) -> Response:
    """One of the files."""
    response = await _files.get_response(name, request.scope)
    # Addresses on pages carry a digest of the content.
    keep = "public, max-age=31536000, immutable" if request.query_params.get("v") else "no-cache"
    response.headers["cache-control"] = keep
    return response
