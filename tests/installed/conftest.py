# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed tier: the built zip in a clean Blender, one process per Blender for its whole life."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
EXAMPLE = ROOT / "addon" / "data" / "example" / "handover.blend"
OLDER = "0.0.1"
# What a Blender of these versions comes with, and with it the wheel needs; no Pillow, no tomlkit.
BROUGHT = re.compile(
    r"(bpy|numpy|requests|urllib3|certifi|idna|charset_normalizer|zstandard|cython)([-.].*)?|.*__mypyc\..*",
    re.IGNORECASE,
)
SYSTEMS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Windows", "AMD64"): "windows-x64",
    ("Darwin", "x86_64"): "macos-x64",
    ("Darwin", "arm64"): "macos-arm64",
}
# Variables that an artist's Blender does not have.
OURS = re.compile(r"PYTHON.*|SECOND_UNIT.*|VIRTUAL_ENV|BLENDER|BLENDER_(USER|SYSTEM)_.*")
SYSCONFIG = {  # what sysconfig.get_platform() says in the Blenders of blender.org
    "linux-x64": "linux-x86_64",
    "windows-x64": "win-amd64",
    "macos-x64": "macosx-11.2-x86_64",
    "macos-arm64": "macosx-11.2-arm64",
}


@dataclass(frozen=True, slots=True)
class Zips:
    """The extension of this checkout for every platform, and one that came before it for this one."""

    all: dict[str, Path]
    newer: Path
    older: Path


@dataclass(frozen=True, slots=True)
class Question:
    """Which of the wheels of ``zip_for`` would Blender's installer take on a system?"""

    zip_for: str
    system: str
    python: tuple[int, int]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `blender_name` once for each Blender at hand, the application included."""
    if "blender_name" in metafunc.fixturenames:
        app = ["app"] if os.environ.get("BLENDER") else []
        metafunc.parametrize("blender_name", [*wheels_at_hand(metafunc.config), *app], scope="session")


def wheels_at_hand(config: pytest.Config) -> dict[str, str]:
    """Return what the outer conftest knows of this machine's Blender wheels."""
    plugins = config.pluginmanager.get_plugins()
    return next(plugin.host_pythons for plugin in plugins if hasattr(plugin, "host_pythons"))()


@pytest.fixture(scope="session")
def start(blender_name: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """How a script starts in a clean Blender; its own words come after."""
    if blender_name == "app":
        flags = ["-b", "--factory-startup", "--python-exit-code", "9", "--python"]
        return [*shlex.split(os.environ["BLENDER"]), *flags]
    python = wheels_at_hand(pytestconfig)[blender_name]
    return [str(clean_python(python, tmp_path_factory.mktemp("clean"))), "-u"]


def clean_python(python: str, folder: Path) -> Path:
    """Return the python of a new environment in ``folder``: the Blender wheel of ``python``, and nothing of ours."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    site = "import sysconfig; print(sysconfig.get_path('platlib'))"
    clean = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    there, here = (
        Path(subprocess.run([each, "-c", site], check=True, capture_output=True, text=True).stdout.strip())
        for each in (python, clean)
    )
    for path in there.iterdir():
        if BROUGHT.fullmatch(path.name):
            (here / path.name).symlink_to(path, target_is_directory=path.is_dir())
    return clean


@pytest.fixture(scope="session")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Zips:
    """Build this checkout, and once more as a version that came before: its registration module knows it."""
    system = SYSTEMS[platform.system(), platform.machine()]
    folder = tmp_path_factory.mktemp("zips")
    found = {name: path for path in build(ROOT, folder) for name in SYSTEMS.values() if path.stem.endswith("-" + name)}
    older = tmp_path_factory.mktemp("older")
    for name in (name for name in ("addon", "operators", "ui", "requirements") if (ROOT / name).is_dir()):
        shutil.copytree(ROOT / name, older / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (path for path in ROOT.iterdir() if path.is_file()):
        shutil.copyfile(path, older / path.name)
    manifest = older / "blender_manifest.toml"
    manifest.write_text(re.sub(r'(?m)^version = ".*"', f'version = "{OLDER}"', manifest.read_text("utf-8")), "utf-8")
    with (older / "addon" / "registration.py").open("a", encoding="utf-8") as file:
        file.write('\nEDITION = "old"\n')
    shutil.copytree(ROOT / "build" / "wheels", older / "build" / "wheels")
    return Zips(found, found[system], *build(older, folder, "--platform", system))


def build(checkout: Path, folder: Path, *words: str) -> list[Path]:
    command = [sys.executable, str(checkout / "build.py"), "zip", str(folder), *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [Path(line) for line in done.stdout.splitlines()]


Script = Callable[..., Any]


@pytest.fixture(scope="session")
def script(start: list[str], tmp_path_factory: pytest.TempPathFactory) -> Script:
    """Runs a script of `scripts/` in the clean Blender; order and answer are JSON."""

    def run(name: str, **order: object) -> Any:
        folder = tmp_path_factory.mktemp(name)
        asked, answer = folder / "order.json", folder / "answer.json"
        asked.write_text(json.dumps({**order, "folder": str(folder / "work")}), encoding="utf-8")
        env = {key: value for key, value in os.environ.items() if not OURS.fullmatch(key)}
        env["BLENDER_USER_RESOURCES"] = str(folder / "resources")
        end = ["--"] if "--python" in start else []
        command = [*start, str(SCRIPTS / f"{name}.py"), *end, str(asked), str(answer)]
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
        assert answer.is_file(), f"{name} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        said = json.loads(answer.read_text(encoding="utf-8"))
        return {**said, "stdout": done.stdout, "stderr": done.stderr, "resources": str(folder / "resources")}

    return run


@pytest.fixture(scope="session")
def systems() -> dict[str, str]:
    """Return {the platform a zip is for: what such a system calls itself}."""
    return SYSCONFIG


@pytest.fixture(scope="session")
def questions() -> list[Question]:
    """Every zip on every system with every Python that a supported Blender may have."""
    return [
        Question(name, system, python)
        for name in SYSTEMS.values()
        for system in SYSCONFIG.values()
        for python in ((3, 11), (3, 13), (3, 14))
    ]


@pytest.fixture(scope="session")
def life(script: Script, zips: Zips, questions: list[Question]) -> dict[str, Any]:
    """The whole life of the extension in one Blender, told once and judged by many tests."""
    asked = [(wheel_names(zips.all[each.zip_for]), each.system, each.python) for each in questions]
    return script("life", older=str(zips.older), newer=str(zips.newer), blend=str(EXAMPLE), questions=asked)


def wheel_names(zipped: Path) -> list[str]:
    """Return the wheels that the manifest in ``zipped`` names."""
    with zipfile.ZipFile(zipped) as archive:
        return tomllib.loads(archive.read("blender_manifest.toml").decode())["wheels"]
