"""kinebox-api: the service. Settings come from the environment, see settings.py."""

from __future__ import annotations

import logging
import sys

import uvicorn
from pydantic import ValidationError

from cloud.api.app import create_app
from cloud.api.settings import Settings


def main() -> None:
    """Run until SIGTERM or SIGINT. Exit status 2: a setting is missing or wrong."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    try:
        settings = Settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        for wrong in error.errors():
            print(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}", file=sys.stderr)
        sys.exit(2)
    uvicorn.run(
        create_app(settings), host=settings.host, port=settings.port, log_config=None, access_log=False,
        server_header=False, proxy_headers=True, forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=10,
    )  # fmt: skip


if __name__ == "__main__":
    main()
