# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house that no other tool holds: packaging, imports, sizes, what may stand in a file."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import load_build

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("addon", "operators", "ui")
NOT_OURS = re.compile(r"(.*/)?(\.(?!ci$)[^/]*|__pycache__|[^/]*\.egg-info)|build|dist")  # folders
WITH_BLENDER = ("addon/host/", "addon/registration.py", "operators/", "ui/")
WITH_NETWORK = ("addon/generation/",)
MAX_LINES = 400
MAX_FUNCTION_LINES = 60


def house_files(suffix: str = "") -> list[Path]:
    """Return the files that belong to the repository, relative to its root: nothing made, nothing cached."""
    found: list[Path] = []
    for folder, below, names in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        below[:] = [name for name in below if not NOT_OURS.fullmatch((here / name).as_posix())]
        found += [here / name for name in names if name.endswith(suffix)]
    return sorted(found)


def package_files() -> list[Path]:
    return [path for path in house_files(".py") if path.parts[0] in (*ROOMS, "__init__.py")]


def parse(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), filename=str(path))


def absolute_imports(tree: ast.AST) -> Iterator[str]:
    """Yield the top-level name of every absolute import, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def load_toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text("utf-8"))


def offenders(names: set[str], allowed: tuple[str, ...], files: list[Path]) -> list[str]:
    return [
        path.as_posix()
        for path in files
        if not path.as_posix().startswith(allowed) and names & set(absolute_imports(parse(path)))
    ]


# What pip and Blender are told about the package.


def test_the_manifest_and_pyproject_name_one_version() -> None:
    manifest, project = load_toml("blender_manifest.toml"), load_toml("pyproject.toml")["project"]
    assert manifest["version"] == project["version"]
    assert manifest["id"].replace("_", "-") == project["name"]


def test_every_package_folder_is_listed_and_every_listed_one_exists() -> None:
    listed = load_toml("pyproject.toml")["tool"]["setuptools"]["packages"]
    folders = [path.parent for path in package_files() if path.name == "__init__.py"]
    assert sorted(listed) == sorted(".".join(("second_unit", *folder.parts)) for folder in folders)


def test_a_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in package_files()}
    assert [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


def test_no_room_escapes_the_import_contracts() -> None:
    contracts = load_toml("pyproject.toml")["tool"]["importlinter"]["contracts"]
    layers = set(re.findall(r"[\w.]+", " ".join(contracts[0]["layers"])))
    rooms = {".".join(("second_unit", path.parts[0])) for path in package_files() if len(path.parts) > 1}
    inside = {path.relative_to("addon").parts[0] for path in package_files() if path.parts[0] == "addon"}
    names = {name.removesuffix(".py") for name in inside - {"__init__.py"}}
    assert (rooms - {"second_unit.addon"}) | {f"second_unit.addon.{name}" for name in names} <= layers


# What gets installed.


def lock_files() -> list[Path]:
    return sorted((ROOT / "requirements").glob("*.txt"))


def pins(lock: Path) -> dict[str, str]:
    """Return {distribution: version} of one lock file."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock.read_text("utf-8"), re.MULTILINE)
    return {name.lower(): version for name, version in found}


@pytest.mark.parametrize("lock", lock_files(), ids=lambda path: path.stem)
def test_a_lock_file_pins_and_hashes_everything_and_names_no_index(lock: Path) -> None:
    text = lock.read_text("utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    starts = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert starts
    assert all("==" in lines[number] for number in starts)
    assert all("--hash=sha256:" in lines[number + 1] for number in starts)
    assert "://" not in text
    assert not re.search(r"^\s*--?(?:index|extra|find|i\b|f\b|trusted)", text, re.MULTILINE)


def test_dev_is_a_superset_of_run_so_one_environment_serves_both() -> None:
    run, dev = pins(ROOT / "requirements/run.txt"), pins(ROOT / "requirements/dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    project = load_toml("pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    dev = pins(ROOT / "requirements/dev.txt")
    asked = [*project["dependencies"], *extras["dev"]]
    names = {re.split(r"[<>=!~\s\[]", item)[0].lower().replace(".", "-") for item in asked}
    assert names <= set(dev)
    assert extras["blender"] == [f"bpy=={dev['bpy']}"]


def test_the_zips_bundle_what_blender_does_not_bring_in_the_versions_of_run() -> None:
    brought = {"numpy", "requests"}  # and what requests needs, with every Blender
    dependencies = load_toml("pyproject.toml")["project"]["dependencies"]
    names = {re.split(r"[<>=!~\s]", item)[0] for item in dependencies}
    run, extension = pins(ROOT / "requirements/run.txt"), pins(ROOT / "requirements/extension.txt")
    assert extension == {name: run[name] for name in names - brought}


def test_the_lock_of_the_zips_has_no_markers_as_its_wheels_are_of_several_pythons() -> None:
    lock = (ROOT / "requirements/extension.txt").read_text("utf-8")
    assert [line for line in lock.splitlines() if "==" in line and ";" in line] == []


# Who may import whom.


def test_only_the_host_rooms_import_blender() -> None:
    assert offenders({"bpy", "bmesh", "mathutils", "gpu"}, WITH_BLENDER, package_files()) == []


def test_only_generation_imports_requests() -> None:
    assert offenders({"requests", "urllib3"}, WITH_NETWORK, package_files()) == []


def test_the_package_imports_itself_relatively() -> None:
    assert offenders({*ROOMS, "second_unit"}, (), package_files()) == []


def test_nothing_imports_a_room_as_a_top_level_module() -> None:
    assert offenders(set(ROOMS), (), house_files(".py")) == []


def test_package_inits_hold_nothing_but_a_docstring() -> None:
    inits = [path for path in package_files() if path.name == "__init__.py" and len(path.parts) > 1]
    assert inits
    for path in inits:
        body = parse(path).body
        assert len(body) == 1, path
        assert ast.get_docstring(parse(path)), path


def test_the_root_imports_lazily() -> None:
    tree = parse(Path("__init__.py"))
    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node for node in imported if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")] == []
    assert {"register", "unregister"} <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_importing_the_command_line_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, second_unit.addon.cli; print(*{'bpy', 'requests', 'PIL'} & set(sys.modules), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


# Sizes, and what may stand in a file.


def test_files_and_functions_stay_readable() -> None:
    found: list[str] = []
    for path in house_files(".py"):
        lines = (ROOT / path).read_text("utf-8").count("\n")
        if lines >= MAX_LINES:
            found.append(f"{path}: {lines} lines")
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                found += [f"{path}:{node.lineno} {node.name}: {length} lines"] if length > MAX_FUNCTION_LINES else []
    assert found == []


FOREIGN = re.compile(
    r"https?://\S*(?:/simple/|/packages/[0-9a-f]{2}/|registry\.)|\bpythonhosted\.|\bpypi\.org/simple"
    r"|(?<![\w.])/(?:root|work|farm|home/\w+|Users/\w+)/"
)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("https://" + "registry.example.org/x", True),
        ("https://example.org" + "/simple/" + "numpy", True),
        ("open('" + "/ro" + "ot/x.blend')", True),
        ("/ho" + "me/ann/shot.blend", True),
        ("https://docs.blender.org/api/current/", False),
        ("second_unit/work/takes", False),
        ("https://github.com/someone/root/x", False),
    ],
)
def test_the_search_for_foreign_places_finds_them_and_nothing_else(text: str, foreign: bool) -> None:
    assert bool(FOREIGN.search(text)) is foreign


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    found: list[str] = []
    for path in house_files():
        try:
            text = (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:  # pictures, .blend files
            continue
        lines = enumerate(text.splitlines(), 1)
        found += [f"{path}:{number}" for number, line in lines if FOREIGN.search(line)]
    assert found == []


# What gets shipped.


def test_the_zip_has_the_same_bytes_each_time_and_only_what_is_allowed(tmp_path: Path) -> None:
    build = load_build()
    files = {path.as_posix(): (ROOT / path).read_bytes() for path in build.shipped()}
    build.write_zip(tmp_path / "a.zip", files)
    build.write_zip(tmp_path / "b.zip", dict(reversed(files.items())))
    first, second = ((tmp_path / name).read_bytes() for name in ("a.zip", "b.zip"))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    assert {"__init__.py", "blender_manifest.toml", "LICENSE", "addon/errors.py"} <= set(names)
    assert [name for name in names if not name.startswith(("addon/", "operators/", "ui/"))] == sorted(
        name for name in build.ROOT_FILES if (ROOT / name).is_file()
    )
    assert [name for name in names if "__pycache__" in name or "/." in name] == []


def test_pip_and_blender_get_the_same_data_files() -> None:
    """A file in the zip that is not a module must be found by setuptools' patterns too."""
    patterns = load_toml("pyproject.toml")["tool"]["setuptools"]["package-data"]
    covered = {
        path.relative_to(ROOT)
        for package, each in patterns.items()
        for pattern in each
        for path in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    data = {path for path in load_build().shipped() if path.suffix != ".py"}
    assert {path.as_posix() for path in data - covered} == {"CHANGELOG.md", "LICENSE", "README.md"}
    assert Path("addon/data/example/handover.blend") in covered
