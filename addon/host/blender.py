# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a Blender and running a task in it as a child process. Needs no bpy.

The child gets one JSON task file and answers on standard output with one JSON object per line; Blender prints other
lines there too, so readers keep those that begin with ``{``. See `child_main` and `tasks` for the other end.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .. import errors
from ..errors import HostError, SecondUnitError, StorageError, UsageError, storage_error
from ..shot.ports import silent

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ..shot.ports import Progress

CHILD = Path(__file__).with_name("child_main.py")
_KNOWN = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, SecondUnitError)
}
# less than one frame of a large picture: Blender stops, or writes stumps, well before the last byte
_SCARCE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Blender:
    """A Blender that can be started: an application, or a Python with the bpy module."""

    command: tuple[str, ...]
    is_app: bool

    def argv(self, task: Path) -> list[str]:
        """The whole command line for one task."""
        if not self.is_app:
            return [*self.command, "-P", "-u", str(CHILD), str(task)]
        flags = ["-b", "--factory-startup", "--python-exit-code", "9", "--python", str(CHILD), "--", str(task)]
        return [*self.command, *flags]


def find_blender(option: str | None) -> Blender:
    """The Blender to use: the one we run in, else ``option`` or ``$BLENDER``, else this environment's bpy module."""
    loaded = sys.modules.get("bpy")
    if loaded is not None and loaded.app.binary_path:
        return Blender((loaded.app.binary_path,), is_app=True)
    named = option or os.environ.get("BLENDER")
    if named:
        return _named(named)
    if importlib.util.find_spec("bpy") is not None:
        return Blender((sys.executable,), is_app=False)
    raise HostError(
        "No Blender was found.",
        "Give one with --blender PATH or $BLENDER, or run 'pip install bpy' with Python 3.11.",
    )


def loaded_blend() -> Path | None:
    """The saved .blend that is open in the Blender we run in, if we run in one."""
    loaded = sys.modules.get("bpy")
    name: str = loaded.data.filepath if loaded is not None else ""
    return Path(name) if name else None


def _named(text: str) -> Blender:
    command = (text,) if Path(text).is_file() else tuple(shlex.split(text, posix=os.name != "nt"))
    if not command or not (Path(command[0]).is_file() or "/" not in command[0]):
        raise UsageError(f"There is no Blender at '{text}'.", "Correct --blender or $BLENDER.")
    return Blender(command, is_app=not Path(command[0]).name.startswith("python"))


def run_task(blender: Blender, name: str, args: Mapping[str, object], progress: Progress = silent) -> dict[str, Any]:
    """Run one task of `tasks.TASKS` in a child and return its result.

    Raises the child's own `SecondUnitError`, or `HostError` when it ended without an answer. When the caller is
    interrupted the child is stopped before this returns.
    """
    with tempfile.TemporaryDirectory(prefix="second_unit_") as folder:
        task = Path(folder) / "task.json"
        log = Path(folder) / "blender.log"
        try:
            task.write_text(json.dumps({"task": name, "args": args}), encoding="utf-8")
            with log.open("w", encoding="utf-8") as errors_file:
                return _talk(blender.argv(task), _environment(folder), errors_file, progress, log)
        except OSError as error:
            raise storage_error(error, folder) from error


@contextmanager
def no_space_left(folder: Path) -> Generator[None]:
    """Inside, a failure of Blender while the disk of ``folder`` has next to nothing left is said to be just that.

    On a full disk Blender itself speaks of codecs, writes stumps without a word, or dies of a signal. Raises
    `StorageError` in place of `HostError` and `StorageError`; other errors have other reasons.
    """
    try:
        yield
    except (HostError, StorageError) as error:
        there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
        if shutil.disk_usage(there).free > _SCARCE_BYTES:
            raise
        raise storage_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), folder) from error


def _environment(folder: str) -> dict[str, str]:
    """The child keeps no settings of its own and does not spin up a thread per core for small matrix products."""
    resources = {"BLENDER_USER_RESOURCES": folder, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **resources}


def _talk(argv: list[str], env: dict[str, str], log_file: IO[str], progress: Progress, log: Path) -> dict[str, Any]:
    try:
        child = subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log_file,
            text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise UsageError(f"There is no Blender at '{argv[0]}'.", "Correct --blender or $BLENDER.") from error
    with child:
        try:
            result = _listen(child, progress)
        except BaseException:
            child.kill()
            raise
    if result is None:
        raise _died(child.returncode, log)
    return result


def _listen(child: subprocess.Popen[str], progress: Progress) -> dict[str, Any] | None:
    result: dict[str, Any] | None = None
    for line in child.stdout or ():
        if not line.startswith('{"second_unit"'):
            continue
        event: dict[str, Any] = json.loads(line)
        match event["second_unit"]:
            case "progress":
                progress(event["done"], event["total"], event.get("note", ""))
            case "error":
                raise _KNOWN.get(event["kind"], HostError)(event["what"], event["fix"])
            case _:
                result = event["result"]
    return result


def _died(code: int, log: Path) -> HostError:
    handle, kept = tempfile.mkstemp(prefix="second_unit_blender_", suffix=".log")
    with os.fdopen(handle, "wb") as file:
        file.write(log.read_bytes())
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return HostError(f"Blender {how} without an answer.", f"Its last words are in '{kept}'; try again or report them.")
