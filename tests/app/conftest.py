# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender in a real window on a virtual screen, driven by mouse and keyboard only.

``$BLENDER`` names the application. The screen is that of the program it is started with: one that knows ``window``,
``shot``, ``click``, ``move``, ``key`` and ``blender``. Without such a program these tests are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

SIZE = (1600, 900)
TITLE = 20
SCRIPTS = Path(__file__).parent / "scripts"
ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@dataclass
class Window:
    """A Blender in its window. Coordinates are the screen's, from the top left."""

    tool: str
    state_file: Path
    process: subprocess.Popen[bytes]

    def _do(self, *words: object) -> None:
        subprocess.run([self.tool, *map(str, words)], check=True, capture_output=True, timeout=60)

    def click(self, x: float, y: float) -> None:
        self._do("click", round(x), round(y))

    def double_click(self, x: float, y: float) -> None:
        self._do("click", round(x), round(y))
        self._do("click", round(x), round(y))

    def type(self, text: str) -> None:
        self._do("type", text)

    def layout(self) -> dict[str, str]:
        """Everything RNA says about the scene ``Layout``."""
        return self._ask("dump")

    def look(self) -> dict[str, Any]:
        """What the viewport shows where, by Blender's own means; in pixels of its region, row 0 below."""
        return self._ask("look")

    def _ask(self, what: str) -> dict[str, Any]:
        told = self.state_file.with_name(f"{what}.json")
        told.unlink(missing_ok=True)
        self.state_file.with_name(f"{what}.asked").touch()
        self.until(lambda _: told.is_file(), f"the {what}")
        return json.loads(told.read_text(encoding="utf-8"))

    def settle(self) -> None:
        """Let Blender draw what it has just been told."""
        time.sleep(2.0)

    def move(self, x: float, y: float) -> None:
        self._do("move", round(x), round(y))

    def key(self, name: str) -> None:
        self._do("key", name)

    def shot(self, file: Path, *, left: int = 0) -> None:
        """Photograph the window from column ``left`` on, without its title, which names a folder of this machine."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._do("shot", file)
        with Image.open(file) as picture:
            picture.convert("RGB").crop((left, TITLE, *SIZE)).save(file)

    def state(self) -> dict[str, Any]:
        """What Blender last said about itself; see ``scripts/watch.py``."""
        try:
            return json.loads(self.state_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}

    def until(
        self, is_so: Callable[[dict[str, Any]], bool], what: str, patience_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Wait until Blender says so."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            state = self.state()
            if state and is_so(state):
                return state
            assert self.process.poll() is None, f"Blender ended while waiting for: {what}"
            time.sleep(0.2)
        pytest.fail(f"waited {patience_s:.0f} s in vain for: {what}; the last state was {self.state()}")

    def click_until(
        self, x: float, y: float, is_so: Callable[[dict[str, Any]], bool], what: str, tries: int = 5
    ) -> dict[str, Any]:
        """Click and wait; a click on what is not drawn yet is lost, and a person clicks again."""
        for _ in range(tries):
            self.click(x, y)
            end = time.monotonic() + PATIENCE_S / tries
            while time.monotonic() < end:
                if (state := self.state()) and is_so(state):
                    return state
                time.sleep(0.2)
        pytest.fail(f"clicked {tries} times in vain for: {what}; the last state was {self.state()}")

    def region(self, space: str, kind: str) -> tuple[int, int, int, int]:
        """Left, top, width and height of the first region of that kind, in screen coordinates."""
        found = next(r for r in self.state()["regions"] if (r["space"], r["kind"]) == (space, kind))
        return found["x"], SIZE[1] - found["y"] - found["height"], found["width"], found["height"]


def screen_tool() -> str | None:
    """The program that holds the virtual screen, when $BLENDER is started with one."""
    words = shlex.split(os.environ.get("BLENDER", ""))
    return words[0] if len(words) == 2 and words[1] == "blender" and Path(words[0]).is_file() else None


@pytest.fixture(scope="session")
def tool() -> str:
    found = screen_tool()
    if found is None:
        pytest.skip("$BLENDER names no application with a virtual screen")
    return found


@pytest.fixture(scope="session")
def installed(tool: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder of a Blender with the extension installed and enabled, as the artist would find it."""
    home = tmp_path_factory.mktemp("user")
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run(["python3", str(ROOT / "build.py"), "zip", "--platform", "linux-x64", str(dist)], check=True)
    (zipped,) = dist.glob("*.zip")
    script = [str(SCRIPTS / "install.py"), "--", str(zipped)]
    done = subprocess.run(
        [tool, "blender", "-b", "--factory-startup", "--python-exit-code", "9", "--python", *script],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture
def window(tool: str, installed: Path, tmp_path: Path) -> Iterator[Window]:
    """A Blender as it starts for the artist, with nothing but the extension added."""
    state = tmp_path / "state.json"
    home = tmp_path / "user"
    shutil.copytree(installed, home)
    env = {**os.environ, "BLENDER_USER_RESOURCES": str(home), "SECOND_UNIT_TEST_STATE": str(state)}
    env.pop("BLENDER", None)
    process = subprocess.Popen(
        [tool, "window", "-s", f"{SIZE[0]}x{SIZE[1]}", "-t", "900", "--", "--python", str(SCRIPTS / "watch.py")],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    opened = Window(tool, state, process)
    try:
        opened.until(lambda s: bool(s["regions"]), "the window")
        yield opened
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
