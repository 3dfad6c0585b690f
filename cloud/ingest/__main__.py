"""kinebox-ingest: the service. Settings come from the environment, see settings.py."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from pydantic import ValidationError

from cloud.ingest.service import Service
from cloud.ingest.settings import Settings


async def _run(settings: Settings) -> None:
    service = Service(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run()


def main() -> None:
    """Run until SIGTERM or SIGINT. Exit status 2: a setting is missing or wrong."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    try:
        settings = Settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        for wrong in error.errors():
            print(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}", file=sys.stderr)
        sys.exit(2)
    asyncio.run(_run(settings))


if __name__ == "__main__":
    main()
