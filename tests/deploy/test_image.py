"""The image's steps, done here without a container engine: what is copied, and what deploy/install installs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy.places import DEPLOY, ROOT

pytestmark = pytest.mark.timeout(900)
"""It installs some fifty packages: half a minute, and many times that on a busy machine."""
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
IGNORED = (DEPLOY / "Containerfile.dockerignore").read_text()
IMPORT_ALL = """
import cloud, importlib, json, pkgutil, sys, wire
for package in (cloud, wire):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith(("cloud.bench", "cloud.schema.versions", "cloud.schema.env")):
            importlib.import_module(module.name)
json.dump(sorted({name.partition(".")[0] for name in sys.modules}), sys.stdout)
"""


def stages() -> list[list[str]]:
    """Instructions of each stage."""
    lines = [line for line in CONTAINERFILE.splitlines() if line and not line.startswith("#")]
    starts = [n for n, line in enumerate(lines) if line.startswith("FROM ")]
    return [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]


def copied() -> list[str]:
    """What the first stage copies from the checkout."""
    return [word for line in stages()[0] if line.startswith("COPY ") for word in line.split()[1:-1]]


def is_ignored(path: str) -> bool:
    """Whether the engine leaves a file out: the last rule that matches it, or a folder of it, decides."""
    ignored = False
    parents = [path, *map(str, Path(path).parents)]
    for line in IGNORED.splitlines():
        rule = line.removeprefix("!")
        if line and line[0] != "#" and any(fnmatch(parent, rule.replace("**/", "*")) for parent in parents):
            ignored = not line.startswith("!")
    return ignored


def test_the_base_has_a_version() -> None:
    found = re.search(r"^ARG PYTHON=\S+:(\S+)$", CONTAINERFILE, re.MULTILINE)
    assert found is not None
    assert re.match(r"3\.\d+-slim-\w+$", found[1])


def test_the_last_stage_builds_nothing_and_is_nobody() -> None:
    last = stages()[-1]
    assert not re.search(r"\b(pip|apt-get|gcc|deploy/install)\b", "\n".join(last))
    user = next(line for line in last if line.startswith("USER "))
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", user)
    assert not any(line.startswith("COPY") and "--from=build" not in line for line in last)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    for name in copied():
        assert (ROOT / name).exists()
        assert not is_ignored(name if (ROOT / name).is_file() else f"{name}/__init__.py"), name


@pytest.mark.parametrize(
    "path",
    ["deploy/secrets/ca.key", "deploy/.env", ".git/config", ".venv/bin/python", "tests/conftest.py", "../x"],
)
def test_what_is_secret_or_of_no_use_stays_outside(path: str) -> None:
    assert is_ignored(path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the RUN instruction makes of the files that the COPY instructions bring."""
    context = tmp_path_factory.mktemp("context")
    for name in copied():
        for path in (ROOT / name, *(ROOT / name).rglob("*")):
            relative = path.relative_to(ROOT)
            if path.is_file() and not is_ignored(str(relative)):
                (context / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, context / relative)
    run = next(line.split() for line in stages()[0] if line.startswith("RUN "))
    assert run == ["RUN", "deploy/install", "/opt/kinebox", "python3"]
    dest = tmp_path_factory.mktemp("opt") / "kinebox"
    done = subprocess.run(
        [run[1], str(dest), sys.executable], cwd=context, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dest


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("KINEBOX_", "PYTHON"))}
    return subprocess.run(
        [str(program), *arguments], env=bare, cwd="/", capture_output=True, text=True, check=False
    )


def test_everything_of_the_cloud_can_be_imported_and_nothing_of_a_box(installed: Path) -> None:
    done = run(installed / "bin/python", "-I", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert {"cloud", "wire", "psycopg", "mqtt5", "fastapi"} <= loaded
    assert not {"edge", "models", "onnxruntime", "cv2", "paho"} & loaded


@pytest.mark.parametrize("name", ["kinebox-schema", "kinebox-ingest", "kinebox-api"])
def test_services_say_what_they_miss(installed: Path, name: str) -> None:
    done = run(installed / "bin" / name)
    assert done.returncode == 2
    assert "database" in done.stderr.lower()


def test_the_operators_command_is_there(installed: Path) -> None:
    assert "create-tenant" in run(installed / "bin/kinebox-admin", "--help").stdout


def test_there_are_no_build_tools(installed: Path) -> None:
    assert not {path.name for path in (installed / "bin").iterdir()} & {
        "pip",
        "pip3",
        "hatchling",
        "node",
        "npm",
    }


def test_it_does_not_install_over_something(installed: Path) -> None:
    done = subprocess.run(
        [str(DEPLOY / "install"), str(installed)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "is there already" in done.stderr
