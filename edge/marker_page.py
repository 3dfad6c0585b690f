"""`kinebox calibrate marker`: the page to print, at its exact size, as SVG or PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.errors import ConfigError
from edge.link import MARKER_SIDE_M

app = typer.Typer(no_args_is_help=True, help="Tell the camera where the floor is.")

_A4_MM = (210.0, 297.0)
_SIDE_MM = MARKER_SIDE_M * 1000
_RULER_MM = 100.0
_HINT = "Print at 100 %. This line is 100 mm. Lay the page flat on the floor, 1 to 2 m before the camera."
_POINTS = 72 / 25.4
"""PDF points in a millimetre."""

Box = tuple[float, float, float, float]


@app.callback()
def root() -> None:
    """Tell the camera where the floor is."""


@app.command()
def marker(
    out: Annotated[Path, typer.Option(help="File to write: .pdf or .svg.")] = Path("kinebox-marker.pdf"),
) -> None:
    """Write the A4 page with the marker that is laid on the floor before the camera."""
    write = {".pdf": pdf, ".svg": svg}.get(out.suffix.lower())
    if write is None:
        raise ConfigError(f"{out} is neither a .pdf nor a .svg", "Give --out one of these endings.")
    try:
        out.write_bytes(write())
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be written: {error.strerror or error}", "Choose another --out."
        ) from error
    typer.echo(f"{out}: print it at 100 % and lay it on the floor, 1 to 2 m before the camera")


def boxes() -> list[Box]:
    """What is black: left, top, width, height in millimetres from the page's top left. Rows of modules are joined."""
    from edge.vision.marker import modules  # noqa: PLC0415

    black = modules()
    size = _SIDE_MM / len(black)
    left, top = ((side - _SIDE_MM) / 2 for side in _A4_MM)
    found: list[Box] = []
    for row, line in enumerate(black):
        start = None
        for column, on in enumerate([*line, False]):
            if on and start is None:
                start = column
            elif not on and start is not None:
                found.append((left + start * size, top + row * size, (column - start) * size, size))
                start = None
    ruler = (_A4_MM[0] - _RULER_MM) / 2
    return [
        *found,
        (ruler, 20.0, _RULER_MM, 0.4),
        (ruler, 18.0, 0.4, 4.0),
        (ruler + _RULER_MM - 0.4, 18.0, 0.4, 4.0),
    ]


def svg() -> bytes:
    """The page as SVG."""
    parts = [f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"/>' for x, y, w, h in boxes()]
    width, height = _A4_MM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" shape-rendering="crispEdges">'
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>{"".join(parts)}'
        f'<text x="{width / 2:g}" y="28" font-size="3.5" font-family="sans-serif" text-anchor="middle">{_HINT}</text>'
        "</svg>\n"
    ).encode()


def pdf() -> bytes:
    """The page as PDF."""
    width, height = (side * _POINTS for side in _A4_MM)
    drawn = [
        f"{x * _POINTS:.3f} {height - (y + h) * _POINTS:.3f} {w * _POINTS:.3f} {h * _POINTS:.3f} re f"
        for x, y, w, h in boxes()
    ]
    drawn.append(f"BT /F1 9 Tf {25 * _POINTS:.3f} {height - 28 * _POINTS:.3f} Td ({_HINT}) Tj ET")
    content = "\n".join(drawn).encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] /Contents 4 0 R "
            "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        ).encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            len(objects) + 1,
            table,
            len(objects) + 1,
            len(out),
        )
    )
