# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand on the command line: every command, its options and its help."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..errors import UsageError
from ..shot.shot import SEEDS
from .about import extension_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Adder = Callable[..., argparse.ArgumentParser]

ABOUT = """\
Second Unit shoots what you have blocked. It turns the shots of a Blender scene into exact guides
(depth, pose and more), sends them to a generation service, and lays the returned frames into an
edit and a comp. The blocking, the lens and the cut stay yours.
"""
ENDING = """\
start here:
  second-unit demo                     nothing leaves this machine
  second-unit run scene.blend          your own scene, rehearsed
  second-unit run scene.blend --service http://127.0.0.1:8188
                                       with a ComfyUI on this machine

Each command has its own --help. Exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted.
"""
COMMANDS = {
    "the whole loop": {
        "demo": "the loop on the shipped example with the rehearsal service",
        "run": "condition, generate, wait, timeline, comp and review",
    },
    "step by step": {
        "shots": "list the shots of a scene",
        "condition": "turn shots into control packages",
        "generate": "send control packages to a service and fetch takes",
        "timeline": "build or update the edit",
        "comp": "run takes through the compositor: EXR and a review movie",
    },
    "looking after it": {
        "takes": "list takes, or circle one",
        "jobs": "list, show, resume, cancel or wait for jobs",
        "rehearse": "start the rehearsal service on this machine",
        "doctor": "check what Second Unit needs, each with its fix",
    },
}
ABOUT_OF = {name: about for group in COMMANDS.values() for name, about in group.items()}


class _Help(argparse.RawDescriptionHelpFormatter):
    """One line per option wherever it fits."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)


_SIGNED_FRAMES = re.compile(r"-\d+-{1,2}\d+|-\d+")
_BESIDE = "project folder (default: second_unit/<name> beside SCENE)"
_HERE = "project folder (default: here)"
JOB_ACTIONS = ("list", "show", "resume", "cancel", "wait")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The words of a command line, of this process when not given. Raises `UsageError`, or ends after ``--help``."""
    args, unknown = _parser().parse_known_args(_with_signs(sys.argv[1:] if argv is None else argv))
    if unknown:
        raise UsageError(f"Unrecognized arguments: {' '.join(unknown)}.", f"See 'second-unit {args.command} --help'.")
    return args


def _with_signs(argv: Sequence[str]) -> list[str]:
    """``--frames -10--5`` as one word: argparse takes a second word with a dash for an option."""
    words: list[str] = []
    for word in argv:
        if words and words[-1] == "--frames" and _SIGNED_FRAMES.fullmatch(word):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


class _Parser(argparse.ArgumentParser):
    """Errors in our own words, so that every command fails in the same way."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", f"See '{self.prog} --help'.")


def _parser() -> argparse.ArgumentParser:
    lists = [f"{title}:\n" + "".join(f"  {n:<12}{a}\n" for n, a in group.items()) for title, group in COMMANDS.items()]
    parser = _Parser(
        prog="second-unit", usage="second-unit COMMAND [SCENE] [options]", description=ABOUT, formatter_class=_Help,
        epilog="\n".join([*lists, ENDING]),
    )  # fmt: skip
    parser.add_argument(
        "--version", action="version", version=f"second-unit {extension_version()}", help="say the version"
    )
    # the commands are listed in groups above, so argparse's own list stays empty
    commands = parser.add_subparsers(
        dest="command",
        metavar="COMMAND",
        required=True,
        parser_class=_Parser,
        prog="second-unit",
        help=argparse.SUPPRESS,
    )
    for group in (_add_loop, _add_steps, _add_keeping):
        group(commands.add_parser)
    return parser


def _command(add: Adder, name: str, *, scene: bool = False, project: str = _BESIDE) -> argparse.ArgumentParser:
    """A command with the options all have. ``project`` is what is said of ``--project``; empty: no such option."""
    usage = f"second-unit {name}{' SCENE' if scene else ''} [options]"
    text = f"{ABOUT_OF[name][0].upper()}{ABOUT_OF[name][1:]}."
    parser = add(name, description=text, usage=usage, formatter_class=_Help)
    if scene:
        parser.add_argument(
            "file",
            metavar="SCENE",
            nargs="?",
            help="the .blend, read and never written (default: the file Blender has open)",
        )
        # for Blender's operators: SCENE is a hidden copy of this file, and ours to remove
        parser.add_argument("--original", type=Path, help=argparse.SUPPRESS)
    common = parser.add_argument_group("everywhere")
    if scene:
        common.add_argument("--scene", metavar="NAME", help="scene in the file (default: the one it was saved with)")
        common.add_argument("--shot", metavar="NAME", action="append", default=[], help="only this shot; repeatable")
        common.add_argument("--dry-run", action="store_true", help="say what would be done and do nothing")
    if project:
        common.add_argument("--project", metavar="DIR", type=Path, help=project)
    common.add_argument("--blender", metavar="PATH", help="Blender to use (default: $BLENDER, else this Python's bpy)")
    common.add_argument("--json", action="store_true", help="print one JSON object per line on standard output")
    common.add_argument("--json-file", metavar="FILE", type=Path, help="write those objects to FILE")
    common.add_argument("--quiet", action="store_true", help="print errors only")
    return parser


def _add_loop(add: Adder) -> None:
    demo = _command(add, "demo", project="the same as --out")
    demo.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="becomes the project (default: second-unit-demo)",
    )
    demo.add_argument(
        "--jobs", metavar="N", type=_count, default=2, help="shots conditioned at once (default: %(default)s)"
    )
    run = _command(add, "run", scene=True)
    _condition_options(run)
    _generate_options(run)


def _add_steps(add: Adder) -> None:
    _command(add, "shots", scene=True)
    _condition_options(_command(add, "condition", scene=True))
    generate = _command(add, "generate", scene=True)
    _generate_options(generate)
    generate.add_argument("--wait", action="store_true", help="stay until the takes are there")
    _command(add, "timeline", scene=True)
    comp = _command(add, "comp", scene=True)
    comp.add_argument("--take", metavar="T", help="which take (default: the circled one, else the newest)")


def _add_keeping(add: Adder) -> None:
    jobs = _command(add, "jobs", project=_HERE)
    jobs.add_argument(
        "action", metavar=f"{{{','.join(JOB_ACTIONS)}}}", type=_job_action, nargs="?", default="list",
        help="what to do (default: %(default)s)",
    )  # fmt: skip
    jobs.add_argument("job", nargs="?", help="the job's id, or the beginning of it")
    takes = _command(add, "takes", scene=True)
    takes.add_argument("action", choices=["list", "circle"], nargs="?", default="list")
    takes.add_argument("take", nargs="?", help="take to circle, with --shot; 'none' takes the circle away")
    rehearse = _command(add, "rehearse", project="")
    rehearse.add_argument(
        "--port", metavar="N", type=int, default=8188, help="port on 127.0.0.1 (default: %(default)s)"
    )
    _command(add, "doctor", project=_HERE)


def _condition_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--frames", metavar="A-B", help="only these scene frames")
    parser.add_argument("--passes", metavar="a,b", help="only these control passes")
    parser.add_argument("--profile", metavar="P", help="model family (default: project.toml)")
    parser.add_argument("--quality", choices=["draft", "final"], help="size and handles (default: project.toml)")
    parser.add_argument("--size", metavar="WxH", help="picture size instead of the profile's")
    parser.add_argument("--renderer", choices=["auto", "zbuffer", "cycles"], default="auto", help="what draws")
    parser.add_argument("--jobs", metavar="N", type=_count, default=1, help="Blenders at once (default: %(default)s)")
    parser.add_argument("--depth", metavar="NEAR-FAR", type=_depth, help="range of the depth instead of the shot's own")
    parser.add_argument("--lock-depth", metavar="SHOT", help="the range of that shot's package")


def _generate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--service", metavar="NAME|URL", help="'rehearsal' or a ComfyUI address (default: project.toml)"
    )
    parser.add_argument(
        "--allow-host", action="store_true", help="agree that the listed files and texts go to that host"
    )
    parser.add_argument("--prompt", metavar="T", help="instead of the shot's own prompt")
    parser.add_argument("--seed", metavar="S", type=_seed, help="instead of the shot's own seed")
    parser.add_argument("--takes", metavar="N", type=_count, default=1, help="takes per shot, seeds counting up")


def _depth(text: str) -> tuple[float, float]:
    try:
        near, far = (float(part) for part in text.split("-"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not two distances such as 0.5-20") from error
    return near, far


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= SEEDS:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 to {SEEDS - 1}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 64")
    return int(text)


def _job_action(text: str) -> str:
    """``run`` is the runner process itself, which people need not know."""
    if text not in (*JOB_ACTIONS, "run"):
        raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(JOB_ACTIONS)}")
    return text
