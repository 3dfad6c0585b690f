"""`kinebox camera`: what the service manager has to be told of a camera with an address."""

from __future__ import annotations

import ipaddress
import socket
from typing import Annotated

import typer

from edge.errors import CameraError
from edge.vision.address import CameraAddress, is_address, parse

app = typer.Typer(no_args_is_help=True)


@app.callback()
def camera() -> None:
    """Look into the camera that the box is told to use."""


@app.command()
def address(
    source: Annotated[
        str, typer.Argument(envvar="KINEBOX_CAMERA", help="What the box is told to use as its camera.")
    ],
) -> None:
    """Print the one IP address that the box has to reach for its camera; nothing where it needs none.

    Looked up once, now: the box's protection lets vision reach this address alone.
    """
    if is_address(source):
        typer.echo(str(resolve(parse(source))))


def resolve(camera: CameraAddress) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The camera's address, of several the first. Raises CameraError where the name is not known."""
    try:
        found = socket.getaddrinfo(camera.host, camera.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CameraError(
            f"no address is known for the camera {camera.host}: {error.strerror}",
            "Check the name and the network, or write the camera's IP address instead.",
        ) from error
    return ipaddress.ip_address(str(found[0][4][0]).partition("%")[0])
