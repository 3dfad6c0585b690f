"""scripts/testbed: the test bed by hand, for development and measuring.

Ports: KINEBOX_TESTBED_PG_PORT and KINEBOX_TESTBED_MQTT_PORT, else free ones. KINEBOX_TESTBED_DURABLE=1 keeps
fsync on. The built systems (servers' and boxes') are kept in KINEBOX_TESTBED, else in the user's cache; data in
KINEBOX_TESTBED_STATE, else in /var/tmp.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.testbed import by_hand, rootfs
from tests.testbed.servers import Servers


def main(arguments: list[str]) -> int:
    """Exit status: 0 done (status: both run), 1 not possible, 2 usage, 3 status: not both run."""
    default = Path("/var/tmp") / f"kinebox-testbed-{os.getuid()}"  # noqa: S108 (a folder of root's, 0700 below)
    servers = Servers(Path(os.environ.get("KINEBOX_TESTBED_STATE", default)))
    match arguments:
        case ["build"]:
            for system in (rootfs.SERVERS, rootfs.BOX):
                rootfs.build(system)
        case ["start"]:
            servers.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            servers.start()
            print(f"KINEBOX_DATABASE_URL={servers.dsn('postgres')}")
            print(f"KINEBOX_MQTT_URL=mqtt://127.0.0.1:{servers.mqtt_port}")
        case ["stop"]:
            servers.stop()
        case ["reset"]:
            servers.stop(erase=True)
        case ["status"]:
            found = servers.running()
            for name, pid in found.items():
                print(f"{name}: {f'process {pid}' if pid else 'stopped'}")
            return 0 if all(found.values()) else 3
        case _:
            return by_hand.wrong("scripts/testbed build | start | stop | reset | status")
    return 0


if __name__ == "__main__":
    by_hand.run("testbed", main)
