# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an installed extension in one clean Blender: `life.py ORDER.json ANSWER.json`.

Installs the older zip, measures, updates, runs a tiny loop, disables, enables, uninstalls, and after each step says
what differs from the Blender it began with. Judges nothing: the tests do.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy  # isort: skip
import addon_utils  # isort: skip # pyright: ignore[reportMissingModuleSource] - Blender's own
import dump  # isort: skip

ID = "second_unit"
NAME = f"bl_ext.user_default.{ID}"
HEAVY = ("PIL", "requests", "urllib3", "tomlkit")
LOOP = ("--frames", "1046-1049", "--size", "256x144", "--shot", "SH010")
EXTENSIONS = Path(bpy.utils.user_resource("EXTENSIONS"))
HERE = EXTENSIONS / "user_default" / ID


def install(zipped: str, *, enable: bool = True) -> None:
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=enable)


def enable() -> None:
    addon_utils.enable(NAME, default_set=True)


def disable() -> None:
    addon_utils.disable(NAME, default_set=True)


def uninstall() -> None:
    repos = list(bpy.context.preferences.extensions.repos)
    index = next(number for number, repo in enumerate(repos) if repo.module == "user_default")
    bpy.ops.extensions.package_uninstall(repo_index=index, repo_directory=repos[index].directory, pkg_id=ID)


def origin(name: str) -> str:
    """Return where ``name`` would be imported from now, whatever is imported already."""
    importlib.invalidate_caches()
    spec = PathFinder.find_spec(name)
    return (spec.origin or "") if spec else ""


def take_out() -> dict[str, Any]:
    """Forget the extension's modules and those of its wheels, and return them."""
    ours = [name for name in sys.modules if name.split(".")[0] in HEAVY or f"{name}.".startswith(f"{NAME}.")]
    return {name: sys.modules.pop(name) for name in ours}


def registration_ms() -> list[float]:
    """Return what importing the enabled extension and `register()` take: not yet compiled, then compiled."""
    sys.modules[NAME].unregister()
    present = take_out()
    for cache in HERE.rglob("__pycache__"):
        shutil.rmtree(cache)
    found: list[float] = []
    for _ in range(2):
        begin = time.perf_counter()
        module = importlib.import_module(NAME)
        module.register()
        found.append(round((time.perf_counter() - begin) * 1000, 1))
        module.unregister()
        take_out()
    sys.modules.update(present)
    setattr(sys.modules[NAME.rpartition(".")[0]], ID, present[NAME])
    present[NAME].register()
    return found


def state() -> dict[str, Any]:
    """Return how the extension stands now."""
    module = sys.modules.get(NAME)
    registration = sys.modules.get(NAME + ".addon.registration")
    manifest = HERE / "blender_manifest.toml"
    versions = (
        [line for line in manifest.read_text().splitlines() if line.startswith("version")] if HERE.is_dir() else []
    )
    return {
        "listed": NAME in bpy.context.preferences.addons,
        "enabled": addon_utils.check(NAME)[1] and bool(module) and bool(module.__addon_enabled__),
        "version": versions[0].split('"')[1] if versions else None,
        "code": getattr(registration, "EDITION", "new") if registration else None,
        "heavy": [name for name in HEAVY if name in sys.modules],
        "origins": {name: origin(name) for name in ("PIL", "tomlkit")},
        "unpacked": sorted(path.name for path in (EXTENSIONS / ".local").glob("lib/*/site-packages/*")),
    }


def loop(blend: Path, folder: Path) -> dict[str, Any]:
    """Run a tiny loop with the command line of the installed extension."""
    folder.mkdir()
    scene = Path(shutil.copy(blend, folder))
    main = importlib.import_module(NAME + ".addon.cli").main
    code = main(["run", str(scene), *LOOP])
    project = folder / "second_unit" / scene.stem
    log = project / "jobs" / "runner.log"
    return {
        "code": code,
        "files": sorted(path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()),
        "log": log.read_text(errors="replace")[-2000:] if log.is_file() else "",
    }


def pillow() -> str:
    """Return where the Pillow that Blender unpacked says it is, from a process that looks there first."""
    site = next((EXTENSIONS / ".local").glob("lib/*/site-packages"))
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import PIL._imaging; print(PIL.__file__)"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def other_blender() -> dict[str, Any] | None:
    """Return what `blender --command second_unit --version` says, started anew with saved preferences."""
    if not bpy.app.binary_path:
        return None
    bpy.ops.wm.save_userpref()
    command = [bpy.app.binary_path, "--command", ID, "--version"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return {"code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def chosen(wheels: Sequence[str], system: str, python: Sequence[int]) -> list[str]:
    """Return which ``wheels`` this Blender's installer would unpack on another system with another Python."""
    ops = importlib.import_module("bl_pkg.bl_extension_ops")
    get_platform, version_info = sysconfig.get_platform, sys.version_info
    sysconfig.get_platform, sys.version_info = (lambda: system), (*python, 0)
    try:
        return ops._extensions_wheel_filter_for_this_system(wheels)
    finally:
        sysconfig.get_platform, sys.version_info = get_platform, version_info


def live(order: dict[str, Any]) -> dict[str, Any]:
    commands, drawing = dump.watch_commands(), dump.watch_drawing()
    said: dict[str, Any] = {
        "blender": bpy.app.version_string,
        "python": platform.python_version(),
        "extensions": str(EXTENSIONS),
        "before": state(),
    }
    said["chosen"] = [chosen(*question) for question in order["questions"]]
    before = dump.take(commands, drawing)
    said["counts"] = {section: sum(lines.values()) for section, lines in before.items()}
    with dump.one_of_each():
        said["seen"] = dump.settled(commands, drawing, before)
    said["uprooted"] = dump.settled(commands, drawing, before)

    traces: dict[str, Any] = {}
    states: dict[str, Any] = {}

    def note(step: str) -> None:
        states[step] = state()
        traces[step] = dump.settled(commands, drawing, before)

    install(order["older"], enable=False)
    note("put there")
    uninstall()
    note("taken away")
    install(order["older"])
    note("installed")
    said["register_ms"] = registration_ms()
    note("registered anew")
    disable()
    note("disabled")
    enable()
    note("enabled again")
    install(order["newer"])
    note("updated")
    said["pillow"], said["other"] = pillow(), other_blender()
    said["loop"] = loop(Path(order["blend"]), Path(order["folder"]))
    note("after the loop")
    sys.modules[NAME + ".operators.preview"].Previewed.previewing.turn("guide")
    said["previewing"] = dump.settled(commands, drawing, before)
    disable()
    note("disabled after the loop")
    enable()
    note("enabled after the loop")
    uninstall()
    note("uninstalled")
    said["left"] = [str(path) for path in (HERE, EXTENSIONS / ".user" / "user_default" / ID) if path.exists()]
    return {**said, "states": states, "traces": traces}


if __name__ == "__main__":
    words = sys.argv[-2:]
    answer = live(json.loads(Path(words[0]).read_text(encoding="utf-8")))
    Path(words[1]).write_text(json.dumps(answer, indent=1), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # bpy wheels hang (4.5) or crash (4.2) when Python tears them down
