# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and movies from a saved .blend whose scene asks for every stamp, then movies cut short."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.errors import StorageError
from second_unit.addon.host import movies
from second_unit.addon.host.versions import set_format


def run(args: dict[str, Any]) -> Any:
    """What `check_movie` says of each movie in ``args["folder"]``, "" for nothing."""
    folder = Path(args["folder"])
    _render(folder)
    data = (folder / "whole.mp4").read_bytes()
    stumps = {"half": data[: len(data) // 2], "empty": b"", "too short": data}
    for name, part in stumps.items():
        (folder / f"{name}.mp4").write_bytes(part)
    wanted = {"whole": 3, "half": 3, "empty": 3, "missing": 3, "too short": 4}
    return {name: _verdict(folder / f"{name}.mp4", count) for name, count in wanted.items()}


def _render(folder: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "stamped.blend"))
    picture = bpy.data.images.new("x", 64, 36)
    picture.filepath_raw, picture.file_format = str(folder / "f.png"), "PNG"
    picture.save()
    scene = movies.fresh_scene("pictures", (64, 36), Fraction(24), 3)
    for prop in scene.render.bl_rna.properties:
        if prop.identifier.startswith("use_stamp_"):
            setattr(scene.render, prop.identifier, True)
    movies.plain_colour(scene)
    movies.add_image_strip(scene, "pictures", [str(folder / "f.png")] * 3, 1, 1)
    scene.render.use_sequencer = True
    set_format(scene.render.image_settings, "OPEN_EXR", depth="16", color_mode="RGBA")
    scene.render.filepath = str(folder / "o.####")
    movies.render_animation(scene)
    set_format(scene.render.image_settings, "PNG", depth="8", color_mode="RGB")
    scene.render.filepath = str(folder / "p.####")
    movies.render_animation(scene)
    movies.movie_output(scene, folder / "whole.mp4")
    movies.render_animation(scene)


def _verdict(movie: Path, frames: int) -> str:
    try:
        movies.check_movie(movie, frames)
    except StorageError as error:
        return error.what
    return ""
