"""The built dashboard, as Vite leaves it in `static`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from starlette.types import Scope

HASHED = "assets"
"""Vite's folder of files that carry a hash of their content in their name."""


class Dashboard(StaticFiles):
    """Serves the single page; before it is built, a page that says how to build it (503)."""

    def __init__(self, folder: Path) -> None:
        """Serve `folder`, which may come into being later."""
        super().__init__(directory=folder, html=True, check_dir=False)
        self._folder = folder
        self._unbuilt = Path(__file__).with_name("unbuilt.html").read_text(encoding="utf-8")

    async def check_config(self) -> None:
        """Nothing to check: the folder may be built while the box runs."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`, or the page that says how to build it."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        if path.split("/", 1)[0] == "api":
            raise HTTPException(404)
        if not (self._folder / "index.html").is_file():
            return HTMLResponse(self._unbuilt, 503, {"cache-control": "no-store"})
        return await super().get_response(path, scope)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, to be kept for ever where its name holds its hash and asked for again where not."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = Path(full_path).parent.name == HASHED
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
