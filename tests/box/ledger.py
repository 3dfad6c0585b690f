"""The cloud's end of a broker on this machine: `python -m tests.box.ledger`, lines of JSON until it is killed."""

from __future__ import annotations

import json
import time

from tests.uplink.broker import Cloud


def main() -> None:
    cloud = Cloud(1883)
    began = 0.0
    while True:
        ledger = cloud.ledger
        if ledger.received and not began:
            began = time.monotonic()
        boots = {boot for boot, _ in list(ledger.rows)}
        print(
            json.dumps(
                {
                    "received": ledger.received,
                    "seconds": time.monotonic() - began,
                    "rows": {boot: sum(one == boot for one, _ in list(ledger.rows)) for boot in boots},
                }
            ),
            flush=True,
        )
        time.sleep(0.25)


if __name__ == "__main__":
    main()
