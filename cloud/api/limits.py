"""How often somebody may try: kept in the memory of each process."""

from __future__ import annotations

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from cloud.api.problems import ApiError

SIGN_IN = parse("10/minute")
"""For each address that asks, and for each account."""
ONE_TIME = parse("30/minute")
"""Refreshing, accepting an invitation, signing in a box: their tokens cannot be guessed."""


class Limiter:
    """Counts tries by what they are for and who makes them."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, item: RateLimitItem, *names: str) -> None:
        """Count a try. Raises ApiError 429 when there were too many."""
        if not await self._limiter.hit(item, *names):
            seconds = str(item.get_expiry())
            raise ApiError(429, "too_many_tries", f"wait {seconds} s", {"retry-after": seconds})
