"""What all requests share, made once at the start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cloud.api.database import Database
from cloud.api.limits import Limiter
from cloud.api.secrets import Signer
from cloud.fleet.signing import load_signer

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
        key_file = settings.signing_key_file
        self.desired_signer = load_signer(key_file) if key_file else None
        self.exports = asyncio.Semaphore(EXPORTS)
