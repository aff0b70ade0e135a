# SPDX-License-Identifier: GPL-3.0-or-later
"""Going on with jobs that are left from before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..host.blender import own_process

if TYPE_CHECKING:
    from ..shot.project import Project


def revive_runner(project: Project) -> None:
    """Start the project's runner where none is at work. Touches no Blender data: threads may call it.

    Nobody pressed a button, so it reaches nothing but this machine.
    """
    # judges frames with Pillow, which Blender is not to load at its start
    from ..generation.jobs.process import runner_words, start_runner

    argv, env = own_process(runner_words(project, local_only=True))
    start_runner(project, argv, env)
