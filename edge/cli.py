"""The `kinebox` command."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge import __version__
from edge.cli_analyze import analyze_command
from edge.cli_camera import app as camera_app
from edge.cli_common import NO_DEPTH, ExerciseOption, ModelOption, adopt_own_exercises, messages, tell
from edge.cli_device import backup_command, restore_command, update_app
from edge.cli_exercises import app as exercises_app
from edge.cli_models import import_command, remove_command
from edge.errors import ConfigError, KineboxError
from edge.evaluate.command import evaluate
from edge.marker_page import app as calibrate_app
from models.cli import app as models_app
from models.load import DEFAULT_MODEL

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Watch movement, measure it and coach it, and keep every picture to yourself.",
)
app.command("analyze")(analyze_command)
app.add_typer(exercises_app, name="exercises", help="List the exercises, check your own and add them.")
# Here: they run the whole box, of which the models know nothing.
models_app.command("eval")(evaluate)
models_app.command("import")(import_command)
models_app.command("remove")(remove_command)
app.add_typer(models_app, name="models", help="Build, list, verify and import pose models.")
app.add_typer(update_app, name="update")
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.add_typer(camera_app, name="camera", help="Look into the camera that the box is told to use.")
app.add_typer(calibrate_app, name="calibrate", help="Tell the camera where the floor is.")


class LivePrecision(StrEnum):
    """Arithmetic of the pose models while the box runs."""

    auto = "auto"
    int8 = "int8"
    fp32 = "fp32"


class Format(StrEnum):
    """File format of an export."""

    csv = "csv"
    json = "json"
    mot = "mot"


HostOption = Annotated[
    str, typer.Option(help="Address to listen on. Beyond this machine, browsers need the printed token.")
]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port of the dashboard.")]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Watch movement, measure it and coach it, and keep every picture to yourself."""
    if version:
        typer.echo(f"kinebox {__version__}")
        raise typer.Exit


@app.command()
def run(
    camera: Annotated[
        str,
        typer.Option(
            envvar="KINEBOX_CAMERA",
            help="Device number or path, csi or csi:N, rtsp://HOST/PATH, a video file, or a trace.",
        ),
    ] = "0",
    exercise: ExerciseOption = "auto",
    host: HostOption = "127.0.0.1",
    port: PortOption = 8080,
    precision: Annotated[
        LivePrecision, typer.Option(help="auto: the better one here, as measured at the first start.")
    ] = LivePrecision.auto,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Processor threads of the model; left out: as is best here."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=240,
            help="Pictures a second that are wanted; what comes beyond them is left out. Else KINEBOX_FPS, or 30.",
        ),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file again and again.")] = False,
    model: ModelOption = DEFAULT_MODEL,
) -> None:
    """Start the box: vision, coach and dashboard, until Ctrl-C."""
    from edge.coach.coach import AUTO
    from edge.coach.observer import Observer
    from edge.supervisor import runtime_folder, services, supervise
    from models.imported import check_model

    check_model(model)
    adopt_own_exercises()
    Observer(exercise)  # an unknown exercise is told before anything is started
    if model != DEFAULT_MODEL and exercise == AUTO:
        messages.print(Text(f"{NO_DEPTH}, or choose it on the dashboard.", "yellow"), soft_wrap=True)
    with runtime_folder() as folder:
        both = services(
            folder / "vision.sock",
            camera=camera,
            precision=precision.value,
            threads=threads,
            fps=fps,
            loop=loop,
            exercise=exercise,
            host=host,
            port=port,
            model=model,
        )
        code = supervise(both)
    raise typer.Exit(code)


@app.command()
def demo(
    video: Annotated[Path | None, typer.Option(help="Your own video instead of the demo footage.")] = None,
    camera: Annotated[
        str | None, typer.Option(help="Your own camera instead: device number or path.")
    ] = None,
    exercise: Annotated[
        str | None, typer.Option(help="Id of an exercise, or auto; the demo footage shows jumping jacks.")
    ] = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8080,
) -> None:
    """Play real footage through the box, again and again, with the dashboard on this machine.

    Its sessions are not the household's: they go nowhere, unless KINEBOX_CONFIG names a configuration, and are gone
    when it stops, unless KINEBOX_STATE names a folder.
    """
    from edge.footage import demo_video

    if video is not None and camera is not None:
        raise ConfigError("--video and --camera exclude each other", "Give one of them.")
    own = camera or (str(video) if video is not None else None)
    chosen = exercise or ("auto" if own else "jumping_jack")
    source = own or str(demo_video())
    with tempfile.TemporaryDirectory(prefix="kinebox-demo-") as folder:
        os.environ.setdefault("KINEBOX_STATE", folder)
        nothing = Path(folder) / "config.toml"
        nothing.touch()
        os.environ.setdefault("KINEBOX_CONFIG", str(nothing))
        messages.print("Open the dashboard's address below in a browser. Ctrl-C stops the demo.")
        run(camera=source, exercise=chosen, host=host, port=port, loop=camera is None)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")],
    format: Annotated[Format, typer.Option(help="Tables, one document, OpenSim.")] = Format.csv,  # noqa: A002
    session: Annotated[list[str] | None, typer.Option(help="Only this session; may be repeated.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only sessions begun at or after this time.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only sessions begun before this time.")] = None,
) -> None:
    """Write recorded sessions as CSV, JSON or OpenSim motions.

    Sessions hold angles, no keypoints: for markers (trc, c3d) use kinebox analyze with a video or a trace.
    """
    from edge.store import Store, database_path, export_sessions

    if not database_path().exists():
        raise ConfigError(
            f"nothing has been recorded in {database_path().parent}", "Set KINEBOX_STATE, or run first."
        )
    with Store(database_path()) as store:
        count = export_sessions(
            store, folder, format.value, session_ids=session or None, since=since, until=until
        )
    typer.echo(f"{count} session(s) written to {folder}")


@app.command()
def bench(
    peers: Annotated[bool, typer.Option("--peers", help="Race MediaPipe's own solution, too.")] = False,
    video: Annotated[Path | None, typer.Option(help="Another clip than the demo footage.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="About how long it measures.")] = 60,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser",
            help="Show the dashboard in Chromium instead: how old a picture is there. Needs playwright.",
        ),
    ] = False,
    people: Annotated[
        str | None, typer.Option(help="Pictures of so many people instead, such as 1,2,4,6,8; needs --data.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the clips of which those pictures are made.")
    ] = None,
    soak: Annotated[
        float | None, typer.Option(min=0.1, help="Run the box for so many MINUTES instead: its memory.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure what a frame costs on this machine: vision, link, motion, coach, memory."""
    from edge.bench import run_bench, run_browser, run_soak

    instead = {"--browser": browser, "--people": people is not None, "--soak": soak is not None}
    chosen = [option for option, given in instead.items() if given]
    if len(chosen) > 1:
        raise ConfigError(f"{' and '.join(chosen)} exclude each other", "Give one of them.")
    useless = {
        "--peers": peers and (browser or soak is not None),
        "--video": video is not None and people is not None,
        "--data": data is not None and people is None,
    }
    for option in (option for option, given in useless.items() if given):
        raise ConfigError(
            f"{option} does nothing here", f"Leave it out: kinebox bench {' '.join(chosen)}".rstrip()
        )
    if browser:
        run_browser(seconds, json, video)
    elif people is not None:
        from edge.bench.people import counts_of, run_people

        run_people(counts_of(people), data, peers=peers, json=json, seconds=seconds)
    elif soak is not None:
        run_soak(soak, json, video)
    else:
        run_bench(peers=peers, json=json, video=video, seconds=seconds)


@app.command()
def doctor(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check what this machine has and say what is missing."""
    from edge.device.doctor import examine

    findings = examine()
    if json:
        typer.echo(msgspec.json.encode(findings).decode())
    else:
        colours = {"ok": "green", "warning": "yellow", "failed": "red"}
        table = Table("Check", "", "Found", "What to do")
        for finding in findings:
            colour = colours[finding.verdict]
            table.add_row(
                finding.check, Text(finding.verdict, colour), Text(finding.found), Text(finding.remedy)
            )
        Console().print(table)
    raise typer.Exit(1 if any(finding.verdict == "failed" for finding in findings) else 0)


@app.command("firstboot")
def firstboot_command(
    file: Annotated[
        Path | None,
        typer.Option(help="What to apply; else kinebox.toml on the boot partition, if it is there."),
    ] = None,
    root: Annotated[Path, typer.Option(help="Apply it to the system in this folder.")] = Path("/"),
) -> None:
    """Apply what a new box was told by kinebox.toml on its card, and remove the file: it holds secrets."""
    from edge.device.firstboot import first_boot

    for line in first_boot(root, file) or ["there is no kinebox.toml: nothing to do"]:
        typer.echo(line)


def main() -> None:
    """Run the command; an error that the user can do something about is told in two lines."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(levelname)s: %(message)s")
    try:
        app()
    except KineboxError as error:
        tell(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
