"""The cloud's pages: HTML made here, without scripts but for charts and the link of an invitation."""

from __future__ import annotations

from cloud.api.pages import account, files, fleet, signing_in, subjects

ROUTERS = (files.router, signing_in.router, account.router, *subjects.ROUTERS, fleet.router)
