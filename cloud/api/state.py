"""What all requests share, made once at the start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cloud.api.database import Database
from cloud.api.limits import Limiter
from cloud.api.secrets import Signer

if TYPE_CHECKING:
    from cloud.api.settings import Settings

EXPORTS = 2
"""At a time: each holds a connection for as long as its reader takes."""


class State:
    """Settings, database, signer and limits."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(str(settings.database_url), settings.pool_size)
        self.signer = Signer(settings.secret_file, settings.access_minutes * 60)
        self.limiter = Limiter()
        self.exports = asyncio.Semaphore(EXPORTS)
