# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a Blender, running a task in it as a child process, and starting our own command line. Needs no bpy.

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
    from collections.abc import Generator, Mapping, Sequence

    from ..shot.ports import Progress

CHILD = Path(__file__).with_name("child_main.py")
SESSION = "SECOND_UNIT_SESSION"
"""Names the document with the parent's session (`session`) in the environment of a command."""
SITE = "SECOND_UNIT_SITE"
"""Folders from which a process of ours may take what its own Python lacks, as in ``$PATH``."""
REPORTS = "SECOND_UNIT_REPORTS"
"""The folder in which a child leaves what is to outlive it; its own one for temporary files does not."""
# what an extension brings along, or Blender's own Python has and another may not
_BROUGHT = ("PIL", "tomlkit", "numpy", "requests")
# they open the artist's scene; the others work on our files only and need nothing of the user's
_IN_SESSION = frozenset({"read", "condition"})
_KNOWN = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, SecondUnitError)
}
# less than one frame of a large picture: Blender stops, or writes stumps, well before the last byte
_SCARCE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class StandIn:
    """A temporary copy of the artist's file: tasks open it, everybody else speaks of the original."""

    original: Path
    copy: Path

    def swap(self, args: Mapping[str, object]) -> dict[str, object]:
        """Arguments of a task with the copy where the original is named."""
        return {name: str(self.copy) if value == str(self.original) else value for name, value in args.items()}

    def rename(self, error: SecondUnitError) -> None:
        """Let an error speak of the original."""
        error.what = error.what.replace(str(self.copy), str(self.original))
        error.fix = error.fix.replace(str(self.copy), str(self.original))


@dataclass(frozen=True, slots=True)
class Blender:
    """A Blender that can be started: an application, or a Python with the bpy module."""

    command: tuple[str, ...]
    is_app: bool
    stand_in: StandIn | None = None

    def argv(self, task: Path, *, in_session: bool = False) -> list[str]:
        """The whole command line for one task. ``in_session``: with the user's own preferences."""
        if not self.is_app:
            return [*self.command, "-P", "-u", str(CHILD), str(task)]
        start = [] if in_session else ["--factory-startup"]
        return [*self.command, *_script(start), str(task)]


def _script(start: Sequence[str]) -> list[str]:
    return ["-b", *start, "--python-exit-code", "9", "--python", str(CHILD), "--"]


def own_process(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a process of its own that runs ``second-unit`` with ``words``.

    The same from pip, from an installed extension whatever its repository is called, and from the bpy module: our own
    folder is loaded under our own name by `child_main`. Inside an application the command gets ``--blender`` with that
    application. Nothing in the current folder is ever imported (``-P``). Raises `HostError` when there is neither a
    Python nor a Blender to start.
    """
    app = _application()
    command = list(words)
    if app and not any(word.split("=", 1)[0] == "--blender" for word in command):
        command += ["--blender", app]
    env = {**os.environ, SITE: _site()}
    python = Path(sys.executable or "")
    if python.stem.lower().startswith("python") and python.is_file():
        return [str(python), "-P", "-u", str(CHILD), "--cli", *command], env
    if app:
        return [app, *_script(["--factory-startup"]), "--cli", *command], env
    raise HostError("There is no Python to start.", "Repair the Blender or Python installation Second Unit runs in.")


def _application() -> str | None:
    """The Blender application we run in; the bpy module is none."""
    loaded = sys.modules.get("bpy")
    return (loaded.app.binary_path or None) if loaded is not None else None


def _site() -> str:
    found = [importlib.util.find_spec(name) for name in _BROUGHT]
    folders = [str(Path(spec.origin).parents[1]) for spec in found if spec is not None and spec.origin]
    return os.pathsep.join(dict.fromkeys(folders))


def find_blender(option: str | None) -> Blender:
    """The Blender to use: the one we run in, else ``option`` or ``$BLENDER``, else this environment's bpy module."""
    app = _application()
    if app:
        return Blender((app,), is_app=True)
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
    interrupted the child is stopped before this returns. A task that opens the artist's scene joins the session named
    by ``$SECOND_UNIT_SESSION``, if there is one.
    """
    in_session = name in _IN_SESSION and bool(os.environ.get(SESSION))
    with tempfile.TemporaryDirectory(prefix="second_unit_") as folder:
        task = Path(folder) / "task.json"
        log = Path(folder) / "blender.log"
        try:
            given = blender.stand_in.swap(args) if blender.stand_in else dict(args)
            task.write_text(json.dumps({"task": name, "args": given}), encoding="utf-8")
            argv, env = blender.argv(task, in_session=in_session), _environment(folder, in_session=in_session)
            with log.open("w", encoding="utf-8") as errors_file:
                return _talk(argv, env, errors_file, progress, log)
        except SecondUnitError as error:
            if blender.stand_in:
                blender.stand_in.rename(error)
            raise
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


def _environment(folder: str, *, in_session: bool) -> dict[str, str]:
    """The child keeps no settings of its own and does not spin up a thread per core for small matrix products.

    Only in a session it finds the user's add-ons and script folders.
    """
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", SITE: _site()}
    # a child that is killed, or leaves the short way, does not remove the folder Blender makes for itself
    env |= {REPORTS: tempfile.gettempdir(), **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), folder)}
    if not in_session:
        env["BLENDER_USER_RESOURCES"] = folder
        env.pop(SESSION, None)
    return env


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
