# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test session holds to, how a host test finds its Blenders, and any test `build.py`.

No other fixtures live here.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

# the same examples in every run, and no verdict by the clock: a gate must not depend on luck or load
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate")

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("addon", "operators", "ui")


def load_build() -> ModuleType:
    """Import `build.py`, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("second_unit_build", ROOT / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def host_pythons() -> dict[str, str]:
    """Return the interpreter with the bpy wheel for each Blender version at hand.

    This environment's own wheel is 5.0; `.ci/full` names the others.
    """
    named = {
        "5.0": sys.executable,
        "4.5": os.environ.get("SECOND_UNIT_PYTHON_4_5", ""),
        "4.2": os.environ.get("SECOND_UNIT_PYTHON_4_2", ""),
    }
    return {version: python for version, python in named.items() if python}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `host_python` once per Blender version at hand."""
    if "host_python" in metafunc.fixturenames:
        pythons = host_pythons()
        metafunc.parametrize("host_python", list(pythons.values()), ids=list(pythons), scope="session")


def leaked_rooms() -> list[str]:
    """Return the rooms imported under a second name: their classes would exist twice."""
    return [name for name in ROOMS if name in sys.modules]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session when a room was imported under a second name."""
    if leaked_rooms():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which room that was."""
    for name in leaked_rooms():
        terminalreporter.write_line(f"FAILED: `{name}` was imported as a top-level module.", red=True)
        terminalreporter.write_line(f"Import it as `second_unit.{name}`.")
