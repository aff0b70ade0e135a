# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: ``second-unit``, ``blender --command second_unit`` and ``blender -b … --command second_unit``.

Only the frame of a command is here: its errors, its interruption, its exit code. Nothing is imported before `main`
runs, so that Ctrl-C is answered from then on. What may be typed is in ``commands/arguments.py``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .commands.console import Console
    from .errors import SecondUnitError

_INTERRUPTED = "second-unit: Interrupted. Run the same command again to go on from here."
_EXIT_INTERRUPTED = 130
_STDERR = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 usage, 130 interrupted.

    Without ``argv`` the words are those of this process, which is ours then and may end at once.
    """
    try:
        if argv is None:
            _load()
            _end_in_order()
        return _run(argv)
    except KeyboardInterrupt:
        print(_INTERRUPTED, file=sys.stderr)
        return _EXIT_INTERRUPTED


def _load() -> None:
    """Import what every command needs. Until that is done Ctrl-C ends the process.

    An interruption raised inside an import may come out as another error: numpy takes it for a broken installation.
    """
    import importlib
    import signal

    def end(*_: object) -> None:
        os.write(_STDERR, f"{_INTERRUPTED}\n".encode())
        os._exit(_EXIT_INTERRUPTED)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # whoever started us wants something else, such as no Ctrl-C at all
        return
    signal.signal(signal.SIGINT, end)
    try:
        importlib.import_module(".commands.actions", __package__)
    finally:
        signal.signal(signal.SIGINT, before)


def _end_in_order() -> None:
    """Let the signal that ends a program be Ctrl-C: the child Blender is stopped and temporary files go."""
    import signal

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, interrupt)


def _run(argv: Sequence[str] | None) -> int:
    from .commands import actions
    from .commands.arguments import parse
    from .commands.console import Console
    from .errors import EXIT_DONE, SecondUnitError, storage_error

    console = Console()
    try:
        args = parse(argv)
        console = Console(json=args.json, json_file=args.json_file, quiet=args.quiet)
        return actions.run(args, console)
    except SecondUnitError as error:
        return _fail(console, error)
    except SystemExit as end:
        # argparse ends so after --help; inside Blender that would end Blender
        return end.code if isinstance(end.code, int) else EXIT_DONE
    except BrokenPipeError:
        return EXIT_DONE
    except OSError as error:
        return _fail(console, storage_error(error, error.filename or "a file"))


def _fail(console: Console, error: SecondUnitError) -> int:
    """Say an error to people and programs. A record that cannot be written must not hide it."""
    from .errors import SecondUnitError

    console.complain(f"second-unit: {error.what}\n             {error.fix}")
    try:
        console.record("error", {"what": error.what, "fix": error.fix})
    except SecondUnitError as trouble:
        if trouble.what != error.what:
            console.complain(f"second-unit: {trouble.what}\n             {trouble.fix}")
    return error.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
