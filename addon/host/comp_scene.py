# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenes ``SU Comp <shot>``: a take through atmosphere and grade, rendered to EXR. Needs bpy.

::

    plate (sRGB → linear) ──▶ mix with air ──▶ CDL ──▶ saturation ──▶ EXR
    depth (16 bit) ─▶ metres ─▶ amount ──┘
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..errors import StorageError
from ..timeline.comp_recipe import CompRecipe
from .codec import is_whole_exr, is_whole_png
from .edit_file import edit_file, owned_scene
from .movies import (
    add_image_strip,
    check_movie,
    fresh_scene,
    movie_output,
    plain_colour,
    refuse_missing,
    render_animation,
    set_rate,
)
from .versions import comp_only, comp_output, comp_tree, math_node, mix_node, mix_sockets, set_cdl, set_format

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..shot.documents import Fields
    from ..shot.ports import Progress

_KEY = "second_unit_key"


def comp_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``comp``: edit, comps [...] -> ``built``, the shots whose scene had to be brought up to date.

    A comp with ``render`` is rendered into its folder, with a review movie and three thumbnails. Raises `StorageError`
    when a file was not written completely; what there is of it stays, so that the caller can see how full the disk is.
    """
    comps = args.sections("comps")
    built: list[str] = []
    with edit_file(Path(args.text("edit")), None) as edit:
        for done, item in enumerate(comps):
            progress(done, len(comps), f"comp {item.text('shot')}")
            scene = owned_scene(f"comp:{item.text('uuid')}", f"SU Comp {item.text('shot')}")
            if scene.get(_KEY) != item.text("key"):
                _set_up(scene, item)
                built.append(item.text("shot"))
            if item.flag("render"):
                _render(scene, item)
        edit.is_unchanged = not built
    return {"built": built}


def _set_up(scene: Any, item: Fields) -> None:
    set_rate(scene, item.fraction("fps"))
    scene.render.resolution_x, scene.render.resolution_y = item.integers("size", 2)
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = item.integers("frames", 2)
    plain_colour(scene)
    comp_only(scene)
    set_format(scene.render.image_settings, "OPEN_EXR", depth="16", color_mode="RGBA")
    scene.render.image_settings.exr_codec = "ZIPS"
    scene.render.use_file_extension = True
    scene.render.filepath = "//"
    _build(comp_tree(scene), item, CompRecipe.from_json(item.section("recipe")))
    scene[_KEY] = item.text("key")


def _render(scene: Any, item: Fields) -> None:
    folder, (first, last) = Path(item.text("folder")), item.integers("frames", 2)
    scene.render.filepath = str(folder / f"{item.text('stem')}.####")
    render_animation(scene)
    scene.render.filepath = "//"
    files = [str(folder / f"{item.text('stem')}.{frame:04d}.exr") for frame in range(first, last + 1)]
    _refuse_stumps(files, is_whole_exr)
    _review(item, files, scene)


class _Nodes:
    """Our nodes of a tree, by name: made when they are missing, otherwise left where and how they are linked.

    An artist may put nodes of their own between ours; another take or recipe then only changes values and files.
    """

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self._new: set[str] = set()

    def get(self, name: str, make: Callable[[Any], Any]) -> Any:
        """The node called ``name``, made by ``make(tree)`` if need be."""
        node = self._tree.nodes.get(name)
        if node is None:
            node = make(self._tree)
            node.name = node.label = name
            count = len(self._new)
            node.location = (count % 6 * 220, -(count // 6) * 320)
            self._new.add(name)
        return node

    def link(self, source: Any, target: Any) -> None:
        """Link two sockets unless both nodes were there before."""
        if {source.node.name, target.node.name} & self._new:
            self._tree.links.new(source, target)

    def math(self, name: str, operation: str, first: Any, second: Any, *, clamp: bool = False) -> Any:
        """The result of a Math node; each operand is a number or a socket."""
        node = self.get(name, lambda tree: math_node(tree, operation))
        node.use_clamp = clamp
        for socket, value in zip(node.inputs, (first, second), strict=False):
            if isinstance(value, float):
                socket.default_value = value
            else:
                self.link(value, socket)
        return node.outputs[0]

    def mix(self, name: str) -> tuple[Any, Any, Any, Any]:
        """Factor, A, B and result of a colour mix."""
        return mix_sockets(self.get(name, mix_node))


def _build(tree: Any, item: Fields, recipe: CompRecipe) -> None:
    """The nodes of one comp, made or brought up to date."""
    nodes = _Nodes(tree)
    plate = _sequence(nodes, "SU plate", item.section("plate"), "sRGB")
    depth = _sequence(nodes, "SU depth", item.section("depth"), "Non-Color")
    amount = _amount(nodes, _distance(nodes, depth.outputs[0], item.section("depth")), recipe)
    factor, below, above, mixed = nodes.mix("SU atmosphere")
    above.default_value = (*recipe.atmosphere.color, 1.0)
    nodes.link(amount, factor)
    nodes.link(plate.outputs[0], below)
    grade = nodes.get("SU CDL", lambda t: t.nodes.new("CompositorNodeColorBalance"))
    set_cdl(grade, recipe.cdl.slope, recipe.cdl.offset, recipe.cdl.power)
    nodes.link(mixed, next(s for s in grade.inputs if s.name == "Image"))
    nodes.link(_saturate(nodes, grade.outputs[0], recipe.cdl.saturation), nodes.get("SU output", comp_output).inputs[0])


def _sequence(nodes: _Nodes, name: str, source: Fields, colorspace: str) -> Any:
    """An image sequence whose frame numbers are the scene's; missing files would come out black: refused."""
    first, count = source.integer("first"), source.integer("count")
    files = [source.text("pattern").format(frame=first + i) for i in range(count)]
    refuse_missing(files)
    image: Any = bpy.data.images.load(files[0], check_existing=True)
    image.source = "SEQUENCE"
    image.colorspace_settings.name = colorspace
    node = nodes.get(name, lambda tree: tree.nodes.new("CompositorNodeImage"))
    node.image = image
    node.frame_duration, node.frame_start, node.frame_offset = count, first, first - 1
    return node


def _distance(nodes: _Nodes, disparity: Any, depth: Fields) -> Any:
    """Back from the package's disparity to distance: ``z = 1 / (d · (1/near - 1/far) + 1/far)``."""
    near, far = depth.number("near"), depth.number("far")
    scaled = nodes.math("SU disparity range", "MULTIPLY", disparity, 1 / near - 1 / far)
    return nodes.math("SU distance", "DIVIDE", 1.0, nodes.math("SU disparity", "ADD", scaled, 1 / far))


def _amount(nodes: _Nodes, distance: Any, recipe: CompRecipe) -> Any:
    air = recipe.atmosphere
    along = nodes.math("SU air start", "SUBTRACT", distance, air.start)
    share = nodes.math("SU air depth", "DIVIDE", along, air.end - air.start, clamp=True)
    return nodes.math("SU air amount", "MULTIPLY", share, air.amount)


def _saturate(nodes: _Nodes, image: Any, saturation: float) -> Any:
    """``luma + saturation · (image - luma)`` as a mix of the picture and its luma, Rec.709 weights."""
    grey = nodes.get("SU luma", lambda tree: tree.nodes.new("CompositorNodeRGBToBW"))
    nodes.link(image, grey.inputs[0])
    factor, below, above, mixed = nodes.mix("SU saturation")
    factor.default_value = saturation
    nodes.link(grey.outputs[0], below)
    nodes.link(image, above)
    return mixed


def _review(item: Fields, files: list[str], comp: Any) -> None:
    """A movie of the EXRs through the display's view, and PNG thumbnails of the frames asked for."""
    size = (comp.render.resolution_x, comp.render.resolution_y)
    scene = fresh_scene("review", size, Fraction(item.fraction("fps")), len(files))
    strip = add_image_strip(scene, "comp", files, 1, 1)
    strip.colorspace_settings.name = "Linear Rec.709"
    movie = Path(item.text("movie"))
    movie.parent.mkdir(parents=True, exist_ok=True)
    movie_output(scene, movie)
    render_animation(scene)
    check_movie(movie, len(files))
    _thumbnails(item, scene)
    bpy.data.scenes.remove(scene)


def _thumbnails(item: Fields, scene: Any) -> None:
    """Single frames of the review, rendered as animations of one frame: a still of a sequencer comes out black."""
    set_format(scene.render.image_settings, "PNG", depth="8", color_mode="RGB")
    scene.render.use_file_extension = True
    folder = Path(item.text("folder"))
    for index, name in item.mapping("thumbnails").items():
        frame = int(index) + 1
        scene.frame_start = scene.frame_end = frame
        scene.render.filepath = str(folder / "frame.####")
        render_animation(scene)
        made = folder / f"frame.{frame:04d}.png"
        _refuse_stumps([str(made)], is_whole_png)
        made.replace(folder / str(name))


def _refuse_stumps(files: list[str], is_whole: Callable[[Path], bool]) -> None:
    """Blender says nothing of a picture it could not write completely."""
    for file in files:
        if not is_whole(Path(file)):
            raise StorageError(
                f"The picture '{file}' was not written completely.", "Check that the disk has space and run again."
            )
