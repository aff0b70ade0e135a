#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build Second Unit: everything from a clone to a zip, with nothing but Python to start from.

    python3 build.py demo [ARG...]    run the shipped example end to end; ARGs go to `second-unit demo`
    python3 build.py test [ARG...]    lint, types, import rules and the fast tests; ARGs go to pytest
    python3 build.py zip [FOLDER]     write second_unit-<version>-<platform>.zip, the extension to install, for every
                                      platform (or each --platform P) into FOLDER or dist/
    python3 build.py link             fill build/dev/second_unit, for type checkers and a live Blender
    python3 build.py env NAME         make the environment of requirements/NAME.txt, print its python:
                                      .venv for run and dev, .venvs/NAME for another Blender's wheel

demo and test first make .venv (Python 3.11) from the pinned, hashed files in requirements/, once and again
when those change. zip fetches the wheels of requirements/extension.txt once, into build/wheels, with the pip of
.venv or of the Python that runs this. link needs nothing. Runs on Python 3.9 and later, from any folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LINKS = ROOT / "build" / "dev"
WINDOWS = os.name == "nt"
ROOT_FILES = ("__init__.py", "blender_manifest.toml", "py.typed", "LICENSE", "README.md", "CHANGELOG.md")
ROOMS = ("addon", "operators", "ui")
SHIPPED = re.compile(
    r"(addon|operators|ui)/([a-z0-9_]+/)*[a-z0-9_]+\.py|addon/data/([a-z0-9_]+/)*[a-z0-9_.-]+\.(json|toml)"
)
EXAMPLE = "addon/data/example/handover.blend"
PLATFORMS = {  # as Blender calls them, and the newest wheels that the oldest system it runs on accepts
    "linux-x64": "manylinux_2_28_x86_64",
    "windows-x64": "win_amd64",
    "macos-x64": "macosx_10_15_x86_64",
    "macos-arm64": "macosx_11_0_arm64",
}
PYTHONS = ("3.11", "3.13", "3.14")  # of Blender 4.2 to 5.0, of 5.1 and later, of Debian's 5.2
LOCK = "requirements/extension.txt"
GATE = "not slow and not installed and not app"
FIXED_DATE = (1980, 1, 1, 0, 0, 0)
PROBE = (
    "import sys, venv, ensurepip; assert sys.version_info[:2] == (3, 11);"
    "print(getattr(sys, '_base_executable', sys.executable))"
)


class BuildError(Exception):
    """A stage failed; the text says what happened and what to do."""


def say(text: str) -> None:
    """Print one line about progress at once; stdout is left to what the started program prints."""
    print(text, file=sys.stderr, flush=True)


def candidates() -> Iterator[list[str]]:
    """Yield the commands that may start a Python 3.11, the likeliest first."""
    yield [sys.executable]
    yield ["py", "-3.11"] if WINDOWS else ["python3.11"]
    uv = shutil.which("uv")
    if uv:
        found = subprocess.run([uv, "python", "find", "3.11"], capture_output=True, text=True, check=False)
        yield [found.stdout.strip() or uv]
    for path in sorted((Path.home() / ".pyenv" / "versions").glob("3.11*/bin/python"), reverse=True):
        yield [str(path)]


def find_python() -> str:
    """Return the path of a Python 3.11 that can make environments."""
    for command in candidates():
        try:  # shims may exist and fail, so only a run counts
            probe = subprocess.run([*command, "-c", PROBE], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if probe.returncode == 0:
            return probe.stdout.strip()
    raise BuildError(
        "No Python 3.11 with venv was found, and the Blender wheel needs exactly that version.\n"
        "Install it (python.org, your system's python3.11 and python3.11-venv packages, or "
        "`uv python install 3.11`) and run this again."
    )


def quietly(stage: str, *command: str | Path) -> None:
    """Run ``command`` under one line of text; show its output only when it fails, without addresses."""
    say("-- " + stage)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        output = re.sub(r"\b[a-z+]+://[^\s'\")]+|host='[^']*'", "<address>", done.stdout + done.stderr)
        raise BuildError(f"{output}\nThis stage failed: {stage}.\nMend the cause above and run this again.")


def pip(stage: str, python: Path, *arguments: str | Path) -> None:
    """Install something into the environment of ``python``."""
    options = ("--quiet", "--no-input", "--disable-pip-version-check")
    quietly(stage, python, "-m", "pip", "install", *options, *arguments)


def program(folder: Path, name: str) -> Path:
    """Return the path of an interpreter or console script of the environment in ``folder``."""
    return folder / "Scripts" / (name + ".exe") if WINDOWS else folder / "bin" / name


def digest(file: str) -> str:
    """Return the SHA-256 of a file of this checkout."""
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()


def read_record(folder: Path) -> dict[str, str]:
    """Return what the environment in ``folder`` was made from; empty when that is unknown."""
    try:
        return dict(json.loads((folder / "second-unit.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def write_record(folder: Path, record: dict[str, str]) -> None:
    """Note what the environment in ``folder`` was made from, once that has worked."""
    (folder / "second-unit.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def environment(folder: Path, lock: str) -> Path:
    """Bring ``folder`` to the pins of requirements/``lock``.txt and return its python.

    `dev` holds everything that `run` holds, so it is added to a `run` environment and serves as one. A
    changed pin file or a moved checkout (scripts hold absolute paths) makes the environment anew.
    """
    python = program(folder, "python")
    record = read_record(folder) if python.exists() else {}
    pins = {name: digest(f"requirements/{name}.txt") for name in (lock, "run", "dev")}
    stale = any(record.get(name, pin) != pin for name, pin in pins.items())
    if stale or record.get("root") != str(ROOT):
        base = find_python()
        quietly(f"making {folder.name} with Python 3.11", base, "-m", "venv", "--clear", folder)
        record = {"root": str(ROOT)}
    if lock not in record and not (lock == "run" and "dev" in record):
        stage = f"installing requirements/{lock}.txt (once; the Blender wheel is large)"
        pip(stage, python, "--require-hashes", "--only-binary=:all:", "-r", f"requirements/{lock}.txt")
        write_record(folder, {**record, lock: pins[lock]})
    return python


def house(lock: str) -> Path:
    """Return the python of .venv with the pins of ``lock`` and this checkout installed in it."""
    python = environment(VENV, lock)
    record, project = read_record(VENV), digest("pyproject.toml")
    if record.get("project") != project:
        pip("installing this checkout", python, "--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
        write_record(VENV, {**record, "project": project})
    return python


def env(arguments: Sequence[str]) -> int:
    """Make one environment and print its python."""
    names = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt") if path != ROOT / LOCK)
    if len(arguments) != 1 or arguments[0] not in names:
        say("usage: build.py env NAME, where NAME is one of: " + ", ".join(names))
        return 2
    name = arguments[0]
    print(house(name) if name in ("run", "dev") else environment(ROOT / ".venvs" / name, name))
    return 0


def demo(arguments: Sequence[str]) -> int:
    """Run the shipped example through the command line of this checkout."""
    command = [house("run"), "-P", "-m", "second_unit.addon.cli", "demo", *arguments]
    with subprocess.Popen(command) as child:
        with suppress(KeyboardInterrupt):
            return child.wait()
        return child.wait()  # the terminal told the child as well: let it put things in order and say so


def test(arguments: Sequence[str]) -> int:
    """Run every check, also after a failure, and say at the end which ones failed."""
    python = house("dev")
    link()
    tree = {"PYTHONPATH": str(LINKS)}
    stages: tuple[tuple[str, list[str | Path], dict[str, str]], ...] = (
        ("ruff check", [program(VENV, "ruff"), "check", "."], {}),
        ("ruff format", [program(VENV, "ruff"), "format", "--check", "--output-format", "concise", "."], {}),
        ("types of bpy", [python, ".ci/mend_stubs.py"], {}),
        ("pyright", [program(VENV, "basedpyright"), "--pythonpath", python], {}),
        ("import rules", [program(VENV, "lint-imports"), "--no-cache", "--no-logo"], tree),
        ("pytest", [python, "-P", "-m", "pytest", "-m", GATE, *arguments], {}),
    )
    failed: list[str] = []
    for name, command, extra in stages:
        say("== " + name)
        if subprocess.run(command, cwd=ROOT, env={**os.environ, **extra}, check=False).returncode:
            failed.append(name)
    say("== FAILED: " + ", ".join(failed) if failed else "== all checks passed")
    return 1 if failed else 0


def link(_arguments: Sequence[str] = ()) -> int:
    """Fill build/dev/second_unit with copies of the root files and links to the rooms."""
    target = LINKS / "second_unit"
    target.mkdir(parents=True, exist_ok=True)
    for name in ROOT_FILES:
        if (ROOT / name).is_file():
            shutil.copyfile(ROOT / name, target / name)
        elif (target / name).exists():
            (target / name).unlink()
    for room in ROOMS:
        link_room(ROOT / room, target / room)
    return 0


def link_room(source: Path, place: Path) -> None:
    """Make ``place`` a link to the folder ``source``, or nothing when there is no such folder."""
    if os.path.lexists(place):  # remove the link, never what is behind it
        place.rmdir() if WINDOWS else place.unlink()
    if source.is_dir() and WINDOWS:  # a junction needs no privileges, a symbolic link does
        quietly(f"linking {place.name}", "cmd", "/c", "mklink", "/J", place, source)
    elif source.is_dir():
        place.symlink_to(source, target_is_directory=True)


def version() -> str:
    """Return the version in blender_manifest.toml (tomllib is younger than the Pythons we start on)."""
    manifest = (ROOT / "blender_manifest.toml").read_text("utf-8")
    found = re.search(r'^version = "([^"]+)"', manifest, re.MULTILINE)
    if not found:
        raise BuildError("blender_manifest.toml has no version.\nAdd it and run this again.")
    return found.group(1)


def shipped() -> list[Path]:
    """Return the files of the extension, relative to the root, sorted: an allow-list.

    What git does not know is left out as well, where this is a git checkout: somebody's notes or keys.
    """
    inside = [path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()]
    ours = [path for path in inside if SHIPPED.fullmatch(path.as_posix()) or path.as_posix() == EXAMPLE]
    files = [*(Path(name) for name in ROOT_FILES if (ROOT / name).is_file()), *ours]
    known = tracked()
    return sorted((path for path in files if known is None or path.as_posix() in known), key=Path.as_posix)


def tracked() -> set[str] | None:
    """Return what git knows of this checkout; None where there is no git, such as in an sdist."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return None
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    return set(done.stdout.decode("utf-8").split("\0")) if done.returncode == 0 else None


def wheel_pins() -> dict[str, set[str]]:
    """Return {"<distribution>-<version>", as wheels spell it: its SHA-256 sums} of what goes into the zips."""
    found: dict[str, set[str]] = {}
    for entry in re.split(r"^(?=\S+==)", (ROOT / LOCK).read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name, number = entry.split()[0].split("==")
        pin = re.sub(r"[-_.]+", "_", name).lower() + "-" + number
        found[pin] = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
    return found


def sound_wheels(folder: Path) -> dict[str, Path]:
    """Return those wheels in ``folder`` that are pinned and have the bytes they were pinned with."""
    return {
        pin: wheel
        for pin, sums in wheel_pins().items()
        for wheel in folder.glob(pin + "-*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() in sums
    }


def wheels(platform: str, python: str) -> list[Path]:
    """Return the wheels for one Python on one platform: fetched once, compared with their hashes every time."""
    folder = ROOT / "build" / "wheels" / f"{platform}-{python}"
    if sound_wheels(folder).keys() != wheel_pins().keys():
        shutil.rmtree(folder, ignore_errors=True)  # whatever is there is old, damaged or half fetched
        fetch(folder, platform, python)
    found = sound_wheels(folder)
    missing = sorted(wheel_pins().keys() - found.keys())
    if missing:
        raise BuildError(f"{folder} holds no sound wheel of {', '.join(missing)}.\nRemove it and run this again.")
    return list(found.values())


def has_pip(python: Path) -> bool:
    """Tell whether ``python`` can run pip."""
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def fetch(folder: Path, platform: str, python: str) -> None:
    """Let pip fetch the pinned wheels for one Python on one platform into ``folder``."""
    known = [program(VENV, "python"), Path(sys.executable)]
    able = [path for path in known if path.exists() and has_pip(path)]
    if not able:
        raise BuildError("The wheels in the zip are fetched by pip, and there is none.\nRun `build.py env run` first.")
    stage = f"fetching wheels for {platform}, Python {python} (once)"
    options = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
    target = ("--platform", PLATFORMS[platform], "--python-version", python, "--implementation", "cp")
    pinned = ("--require-hashes", "-r", LOCK, "--dest", folder)
    quietly(stage, able[0], "-m", "pip", "download", *options, *target, *pinned)


def manifest_for(platform: str, names: Sequence[str]) -> str:
    """Return blender_manifest.toml with the lists that only a built zip has; keys must stand before its tables."""
    text = (ROOT / "blender_manifest.toml").read_text("utf-8")
    table = re.search(r"^\[", text, re.MULTILINE)
    place = table.start() if table else len(text)
    lines = "".join(f'  "./{name}",\n' for name in names)
    return f'{text[:place]}platforms = ["{platform}"]\nwheels = [\n{lines}]\n\n{text[place:]}'


def contents(platform: str) -> dict[str, bytes]:
    """Return {name in the zip: bytes} of the extension for one platform."""
    bundled = {f"wheels/{wheel.name}": wheel.read_bytes() for python in PYTHONS for wheel in wheels(platform, python)}
    files = {path.as_posix(): (ROOT / path).read_bytes() for path in shipped()}
    manifest = manifest_for(platform, sorted(bundled)).encode("utf-8")
    return {**files, **bundled, "blender_manifest.toml": manifest}


def write_zip(target: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` with fixed order, times and modes, so that one commit always gives the same bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, FIXED_DATE)
            entry.create_system = 3  # Unix, also when Windows writes it
            entry.external_attr = 0o100644 << 16
            packing = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED  # a wheel is a zip
            archive.writestr(entry, files[name], packing, 9)
    part.replace(target)


def make_zip(arguments: Sequence[str] = ()) -> int:
    """Write the extension for each platform into the folder that was named, or dist/, and print where."""
    parser = argparse.ArgumentParser(prog="build.py zip", description="Write the extension to install.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist", help="where (default: dist/)")
    parser.add_argument("--platform", action="append", choices=PLATFORMS, help="only this one; repeatable")
    wanted = parser.parse_args(arguments)
    for platform in dict.fromkeys(wanted.platform or PLATFORMS):
        target = wanted.folder.resolve() / f"second_unit-{version()}-{platform}.zip"
        write_zip(target, contents(platform))
        print(target)
    return 0


def refusal(error: OSError) -> str:
    """Say what the system refused and what to do about it."""
    where = f"'{error.filename}'" if error.filename else "A file or program"
    fix = "Make this checkout writable or copy it to where you may write; `build.py zip FOLDER` writes elsewhere."
    return f"{where} could not be used: {error.strerror or error}.\n{fix}"


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    commands = {"demo": demo, "test": test, "zip": make_zip, "link": link, "env": env}
    for name in ("PYTHONPATH", "PYTHONHOME"):  # another Python's
        os.environ.pop(name, None)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if arguments[0] not in commands or (arguments[1:] and arguments[0] == "link"):
        say("usage: build.py {" + ",".join(commands) + "} [ARG...]; `build.py --help` explains them")
        return 2
    try:
        return commands[arguments[0]](arguments[1:])
    except BuildError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(refusal(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
