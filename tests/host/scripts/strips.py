# SPDX-License-Identifier: GPL-3.0-or-later
"""An edit of our own with a strip of images, one in a meta, and a movie."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.host.marks import EDIT, OWNED
from second_unit.addon.host.movies import add_image_strip, fresh_scene, movie_output, render_animation
from second_unit.addon.host.versions import strips_of


def run(args: dict[str, Any]) -> Any:
    """Saved as ``args["blend"]`` with relative paths; ``args["mute"]`` mutes meta and movie."""
    blend = Path(args["blend"])
    folder = blend.parent
    scene = fresh_scene("Second Unit Edit", (64, 36), Fraction(24), 3)
    scene[OWNED] = EDIT
    images = [add_image_strip(scene, n, [str(folder / n / f"f.{i}.png") for i in range(3)], 1, 1) for n in ("a", "b")]
    movie_output(scene, folder / "m.mp4")
    render_animation(scene)
    strips = strips_of(scene.sequence_editor)
    images[1].channel = 2
    movie = strips.new_movie("m", str(folder / "m.mp4"), 3, 1)
    meta = strips.new_meta("meta", 4, 1)
    images[1].move_to_meta(meta)
    for strip in (meta, movie):
        strip.mute = bool(args.get("mute"))
    preferences: Any = bpy.context.preferences
    preferences.filepaths.use_relative_paths = True
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    return [strip.name for strip in strips]
