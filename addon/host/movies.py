# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames to movie and back by Blender's own sequencer, so that nobody has to install a codec. Needs bpy.

Display-referred pictures stay what they are: the scenes made here use the view transform Standard, through which an
8-bit strip is bit-identical. What a movie keeps of them is told at `RECIPES`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..errors import DocumentError, HostError, SceneError, StorageError
from ..shot.profile import Carriage
from .codec import is_whole_mkv
from .edit_file import owned_scenes
from .marks import EDIT, OWNED
from .scene_reader import open_blend
from .versions import abspath, ensure_editor, movie_length, set_format, strips_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..shot.documents import Fields
    from ..shot.ports import Progress


@dataclass(frozen=True, slots=True)
class Recipe:
    """Blender's names for a container, a codec and a constant quality."""

    container: str
    codec: str
    quality: str


RECIPES = {
    Carriage.H264: Recipe("MPEG4", "H264", "PERC_LOSSLESS"),
    Carriage.H264_444: Recipe("MPEG4", "H264", "LOSSLESS"),
    Carriage.FFV1: Recipe("MKV", "FFV1", "LOSSLESS"),
}
"""How each carriage is written; measured in Blender 4.2.23, 4.5.15, 5.0.1 and 5.2 with PyAV 14, 16 and 18 as judges.

* ``H264`` halves the chroma and blurs edges: 99 % of the greys come back within 2, some at edges 60 off; at HIGH twice
  as many are off by more than 2, for four fifths of the bytes.
* ``H264_444``: from H.264 without loss Blender leaves the chroma whole. Every grey comes back within 1. Colours pass
  through a matrix, BT.709 and tagged as such from 4.5 on, BT.601 and untagged in 4.2: within 1 degree of hue where the
  tag is read, up to 8 where it is not (OpenCV, PyAV before 17).
* ``FFV1`` stays RGB: nothing is lost, and nothing about it can be misread. Two to eight times the bytes.
"""


def fresh_scene(name: str, size: tuple[int, int], fps: Fraction, count: int) -> Any:
    """An empty scene for ``count`` frames in which pictures go through unchanged."""
    scene = bpy.data.scenes.new(name)
    set_rate(scene, fps)
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = 1, count
    plain_colour(scene)
    return scene


def plain_colour(scene: Any) -> None:
    """What lies in the files is what is shown, and no file says when, where or by whom it was made."""
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0
    scene.render.dither_intensity = 0.0
    _no_stamps(scene.render)


def _no_stamps(render: Any) -> None:
    """Blender writes the path of the .blend, the date and more into each picture unless every single one is off."""
    for prop in render.bl_rna.properties:
        if prop.identifier.startswith("use_stamp") and not prop.is_readonly:
            setattr(render, prop.identifier, False)
    render.metadata_input = "SCENE"


def set_rate(scene: Any, fps: Fraction) -> None:
    """24 as 24/1, 24000/1001 as 24/1.001."""
    whole = -(-fps.numerator // fps.denominator)
    scene.render.fps, scene.render.fps_base = whole, float(whole / fps)


def add_image_strip(scene: Any, name: str, files: Sequence[str], channel: int, start: int) -> Any:
    """An image strip over ``files`` (all in one folder), one element per frame. Refuses missing files."""
    refuse_missing(files)
    strip = strips_of(ensure_editor(scene)).new_image(name, files[0], channel, start, fit_method="ORIGINAL")
    for file in files[1:]:
        strip.elements.append(os.path.basename(file))  # noqa: PTH119 - blend-relative paths are not Paths
    return strip


def refuse_missing(files: Sequence[str]) -> None:
    """Raise `DocumentError` for the first file that is not there.

    Rendering an image strip without its file ends Blender, and an image node without it silently gives black.
    """
    for file in files:
        if not Path(abspath(file)).is_file():
            raise DocumentError(f"The frame '{abspath(file)}' is missing.", "Restore it, or make the shot again.")


def movie_output(
    scene: Any, movie: Path, *, audio: bool = False, quality: str = "HIGH", carriage: Carriage = Carriage.H264
) -> None:
    """A movie of the ``carriage`` into ``movie``, no frame number added to the name; ``quality`` "" is the recipe's."""
    render, recipe = scene.render, RECIPES[carriage]
    set_format(render.image_settings, "FFMPEG", color_mode="RGB")
    render.ffmpeg.format = recipe.container
    render.ffmpeg.codec = recipe.codec
    render.ffmpeg.constant_rate_factor = quality or recipe.quality
    render.ffmpeg.ffmpeg_preset = "GOOD"
    render.ffmpeg.gopsize = 12
    render.ffmpeg.audio_codec = "AAC" if audio else "NONE"
    render.use_file_extension = False
    render.filepath = str(movie)
    render.use_sequencer, render.use_compositing = True, False


def render_animation(scene: Any) -> None:
    """Render the frame range of ``scene`` to its output."""
    try:
        bpy.ops.render.render(scene=scene.name, animation=True)
    except RuntimeError as error:
        raise HostError(
            f"Blender could not render '{scene.name}': {_clean(error)}.", "Check the disk and try again."
        ) from error


def _clean(error: RuntimeError) -> str:
    return str(error).removeprefix("Error:").strip().rstrip(".").splitlines()[0]


def encode_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``encode``: movies [{frames, movie, fps, size, carriage, quality}] are written one after another."""
    movies = args.sections("movies")
    for done, item in enumerate(movies):
        progress(done, len(movies), "encoding")
        movie, frames = Path(item.text("movie")), [str(f) for f in item.items("frames")]
        width, height = item.integers("size", 2)
        scene = fresh_scene("encode", (width, height), item.fraction("fps"), len(frames))
        add_image_strip(scene, "frames", frames, 1, 1)
        movie_output(scene, movie, quality=item.text("quality", ""), carriage=item.choice("carriage", Carriage))
        render_animation(scene)
        check_movie(movie, len(frames))
        bpy.data.scenes.remove(scene)
    return {}


def check_movie(movie: Path, frames: int) -> None:
    """Read a movie back: Blender says nothing when the disk was full. Removes it when not all its frames are there.

    Raises `StorageError`.
    """
    is_whole = is_whole_mkv(movie) if movie.suffix == ".mkv" else movie.is_file()
    if is_whole and _count(movie) == frames:
        return
    movie.unlink(missing_ok=True)
    raise StorageError(
        f"The movie '{movie}' was not written completely.", "Check that the disk has space and run again."
    )


def _count(movie: Path) -> int:
    """Number of frames of a movie, 0 when it cannot be read."""
    scene = fresh_scene("count", (16, 16), Fraction(24), 1)
    strip = _movie_strip(scene, movie)
    found = movie_length(strip) if strip is not None else 0
    bpy.data.scenes.remove(scene)
    return found


def _movie_strip(scene: Any, movie: Path) -> Any:
    """A movie strip in the first channel of ``scene``, or None for what Blender cannot read."""
    try:
        strip = strips_of(ensure_editor(scene)).new_movie("movie", str(movie), 1, 1, fit_method="ORIGINAL")
    except RuntimeError:
        return None
    return strip if strip.elements[0].orig_width else None


def decode_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``decode``: movie, folder -> ``frames``, the PNG files in order."""
    progress(0, 1, "decoding")
    folder = Path(args.text("folder"))
    scene = fresh_scene("decode", (16, 16), Fraction(24), 1)
    strip = _movie_strip(scene, Path(args.text("movie")))
    if strip is None:
        raise DocumentError(f"'{args.text('movie')}' is not a movie Blender can read.", "Send an MP4 with H.264.")
    element = strip.elements[0]
    scene.render.resolution_x, scene.render.resolution_y = element.orig_width, element.orig_height
    scene.frame_end = movie_length(strip)
    set_format(scene.render.image_settings, "PNG", depth="8", color_mode="RGB")
    scene.render.image_settings.compression = 5
    scene.render.use_sequencer = True
    scene.render.filepath = str(folder / "f_####")
    render_animation(scene)
    return {"frames": [str(folder / f"f_{i:04d}.png") for i in range(1, scene.frame_end + 1)]}


def render_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``render``: blend, scene, movie: our edit as a movie with its sound."""
    progress(0, 1, "rendering the cut")
    open_blend(Path(args.text("blend")))
    scene, movie = _edit_scene(args.text("scene")), Path(args.text("movie"))
    _refuse_missing_strips(scene, set())
    movie_output(scene, movie, audio=_has_sound(scene))
    render_animation(scene)
    check_movie(movie, len(range(scene.frame_start, scene.frame_end + 1, scene.frame_step)))
    return {}


def _edit_scene(name: str) -> Any:
    """The edit, which we marked when we made it; the artist may have a scene of the same name."""
    for scene in owned_scenes():
        if scene[OWNED] == EDIT:
            return scene
    raise SceneError(f"The file holds no scene '{name}' that Second Unit made.", "Run 'second-unit timeline' again.")


def _refuse_missing_strips(scene: Any, seen: set[str]) -> None:
    """Refuse picture strips without their files: they end Blender (images) or come out black (movies).

    Also those within metas and in the edits of scenes that are strips; not what is muted, which nobody renders.
    """
    if scene.sequence_editor is None or scene.name in seen:
        return
    seen.add(scene.name)
    for strip in _rendered_strips(scene.sequence_editor):
        if strip.type == "SCENE" and strip.scene is not None:
            _refuse_missing_strips(strip.scene, seen)
        for file in _files_of(strip):
            if not Path(abspath(file)).is_file():
                raise DocumentError(
                    f"The strip '{strip.name}' in '{scene.name}' shows '{abspath(file)}', which is missing.",
                    "Restore the file, or mute the strip in the edit, then run again.",
                )


def _rendered_strips(owner: Any) -> Iterator[Any]:
    """The strips of a sequence editor or meta that are not muted, and those within."""
    for strip in strips_of(owner):
        if strip.mute or owner.channels[strip.channel].mute:
            continue
        yield strip
        if strip.type == "META":
            yield from _rendered_strips(strip)


def _files_of(strip: Any) -> list[str]:
    if strip.type == "IMAGE":
        return [
            os.path.join(strip.directory, element.filename)  # noqa: PTH118 - blend-relative paths are not Paths
            for element in strip.elements
        ]
    return [strip.filepath] if strip.type == "MOVIE" else []


def _has_sound(scene: Any) -> bool:
    return any(strip.type == "SOUND" for strip in strips_of(ensure_editor(scene)))
