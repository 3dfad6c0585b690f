"""Makes releases: `scripts/build-release`. Two builds of the same sources have the same manifest."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edge import __version__
from edge.device import keys
from edge.device.manifest import ANY, FILE, MODELS, SIGNATURE, SOFTWARE, Entry, Manifest, decode, encode
from edge.errors import KineboxError, UpdateError
from models import catalogue
from models.load import checked_bytes, model_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "run.txt"
PLATFORMS = ("x86_64", "aarch64")
GLIBC = (28, 27, 26, 24, 17)
"""Minor versions of glibc whose wheels run where 2.28 does, the newest first."""
PROGRAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kinebox": ("edge.cli", ()),
    "kinebox-vision": ("edge.vision.service", ()),
    "kinebox-hub": ("edge.hub.__main__", ()),
    "kinebox-firstboot": ("edge.cli", ("firstboot",)),
}
"""By name: the module whose `main` is run, and arguments that go before those given."""
LAUNCHER = '''\
#!/usr/bin/env -S python{python} -I
"""{name} of the release in which this file lies."""

import os
import sys

lib = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "lib")
sys.path.insert(0, lib)
sys.argv[1:1] = {arguments!r}
os.environ["PYTHONPATH"] = lib  # for the Python programs that it starts

from {module} import main  # noqa: E402

sys.exit(main())
'''
LEFT_OUT = (
    "bin",
    "cloud",
    "onnx/backend/test",
    "numpy/**/tests",
    "**/__pycache__",
    # What installing wrote down: paths and programs of this machine.
    *(f"*.dist-info/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")),
)
"""Of what was installed: not needed on a box, or different each time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of scripts/build-release."""
    parser = argparse.ArgumentParser(prog="scripts/build-release", description=__doc__)
    parser.add_argument("out", type=Path, help="folder in which VERSION/ (and VERSION.tar.gz) is made")
    parser.add_argument(
        "--sign", type=Path, action="append", required=True, help="private key; may be repeated"
    )
    parser.add_argument("--python", default="3.13", help="the box's Python, such as 3.11")
    parser.add_argument("--platform", choices=PLATFORMS, default="x86_64")
    parser.add_argument(
        "--version", help="name of the release; default: Kinebox's version and the commit's time"
    )
    parser.add_argument("--serial", type=int, help="must rise; default: the commit's time in seconds")
    parser.add_argument("--models", action="store_true", help="a release of the built pose models instead")
    parser.add_argument("--tar", action="store_true", help="also pack it into one file")
    options = parser.parse_args(arguments)
    try:
        signing = [keys.signing_key(path) for path in options.sign]
        serial = options.serial or _commit_time()
        version = options.version or f"{__version__}-{serial}"
        with tempfile.TemporaryDirectory(prefix=".release-", dir=_made(options.out)) as scratch:
            tree = Path(scratch) / "tree"
            if options.models:
                _models(tree)
            else:
                _software(tree, Path(scratch), options.python, options.platform)
            sealed = seal(
                tree,
                signing,
                name=MODELS if options.models else SOFTWARE,
                version=version,
                serial=serial,
                python=ANY if options.models else options.python,
                platform=ANY if options.models else f"manylinux_2_28_{options.platform}",
            )
            place = options.out / version
            if place.exists():
                raise UpdateError(f"{place} is there already", "Remove it, or give another --version")
            tree.rename(place)
        if options.tar:
            pack(place, options.out / f"{version}.tar.gz")
    except KineboxError as error:
        print(f"build-release: {error}. {error.remedy}", file=sys.stderr)
        return error.exit_code
    print(f"{place} serial {serial} manifest {sealed}")
    return 0


def seal(
    tree: Path,
    signing: Sequence[Ed25519PrivateKey],
    *,
    name: Literal["kinebox", "kinebox-models"],
    version: str,
    serial: int,
    python: str,
    platform: str,
) -> str:
    """Write the manifest of what is in `tree`, and its signatures; returns the manifest's sha256.

    Raises UpdateError for what no box would take.
    """
    for file in (FILE, SIGNATURE):
        (tree / file).unlink(missing_ok=True)
    data = encode(
        Manifest(
            name=name, version=version, serial=serial, python=python, platform=platform, files=_entries(tree)
        )
    )
    decode(data)
    (tree / FILE).write_bytes(data)
    (tree / SIGNATURE).write_bytes(keys.sign(data, signing))
    return hashlib.sha256(data).hexdigest()


def pack(tree: Path, target: Path) -> None:
    """One file: the manifest first, so that a box knows whose it is before it reads the rest."""
    manifest = decode((tree / FILE).read_bytes())
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in (FILE, SIGNATURE, *sorted(manifest.files)):
            content = (tree / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = int(manifest.files[name].mode, 8) if name in manifest.files else 0o644
            tar.addfile(member, io.BytesIO(content))


def _software(tree: Path, scratch: Path, python: str, platform: str) -> None:
    lib = tree / "lib"
    _install(lib, python, platform)
    _kinebox(lib, scratch)
    for pattern in LEFT_OUT:
        for path in list(lib.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _compile(lib, python)
    (tree / "bin").mkdir()
    for name, (module, first) in PROGRAMS.items():
        launcher = tree / "bin" / name
        launcher.write_text(
            LAUNCHER.format(python=python, name=name, module=module, arguments=list(first)), encoding="utf-8"
        )
        launcher.chmod(0o755)
    if (ROOT / "systemd").is_dir():
        shutil.copytree(ROOT / "systemd", tree / "systemd")


def _install(lib: Path, python: str, platform: str) -> None:
    """What Kinebox stands on, as wheels for the box's Python and processor, by hash."""
    tags = [f"manylinux_2_{minor}_{platform}" for minor in GLIBC] + [f"manylinux2014_{platform}"]
    wanted = [part for tag in tags for part in ("--platform", tag)]
    _run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
         "--target", str(lib), *wanted, "--python-version", python, "--implementation", "cp",
         "--only-binary=:all:", "--require-hashes", "--no-compile", "-r", str(REQUIREMENTS)],
    )  # fmt: skip


def _kinebox(lib: Path, scratch: Path) -> None:
    """Kinebox itself with its dashboard. Its wheel is pure Python: unpacked it is installed."""
    _run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-build-isolation", "--wheel-dir", str(scratch / "wheel"), str(ROOT)],
    )  # fmt: skip
    (wheel,) = (scratch / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(lib)  # noqa: S202 - made above


def _compile(lib: Path, python: str) -> None:
    """Byte code that is used unchecked: the manifest vouches for it, and reading a release writes nothing.

    Only by the same Python that will read it; without one the box starts a little later.
    """
    program = _interpreter(python)
    if program is None:
        print(f"build-release: no python{python} here, so nothing is compiled", file=sys.stderr)
        return
    _run(
        [program, "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash",
         "-s", str(lib), "-p", "/opt/kinebox/current/lib", str(lib)],
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": ""},
        may_fail=True,  # some packages carry files for other Pythons
    )  # fmt: skip


def _interpreter(python: str) -> str | None:
    """A Python of that minor version: this one, one on the path, or one of pyenv's, whose stand-ins may not run."""
    found = Path.home().glob(f".pyenv/versions/{python}*/bin/python{python}")
    for candidate in (sys.executable, f"python{python}", *map(str, found)):
        try:
            done = subprocess.run([candidate, "-V"], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if done.stdout.startswith(f"Python {python}."):
            return candidate
    return None


def _models(tree: Path) -> None:
    """The pose models that are built on this machine, each compared with the catalogue."""
    tree.mkdir()
    for name in catalogue.names():
        model = catalogue.model(name)
        for stage, files in model.stages.items():
            for precision in files.files:
                data = checked_bytes(model_dir(), model, stage, precision)
                (tree / model.file_name(stage, precision)).write_bytes(data)


def _entries(tree: Path) -> dict[str, Entry]:
    entries = {}
    tree.chmod(0o755)
    for path in sorted(tree.rglob("*")):
        if path.is_symlink():
            raise UpdateError(f"{path} is a symbolic link", "A release is made of plain files")
        if path.is_dir():
            path.chmod(0o755)
            continue
        executable = path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entries[path.relative_to(tree).as_posix()] = Entry(
            sha256=digest, size=path.stat().st_size, mode="0755" if executable else "0644"
        )
    return entries


def _commit_time() -> int:
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UpdateError("the time of the commit is not known", "Give --serial and --version")
    return int(done.stdout)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(command: list[str], *, env: dict[str, str] | None = None, may_fail: bool = False) -> None:
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode and not may_fail:
        raise UpdateError(
            f"`{' '.join(command[1:4])}` failed", f"It said:\n{(done.stdout + done.stderr)[-3000:]}"
        )


if __name__ == "__main__":
    sys.exit(main())
