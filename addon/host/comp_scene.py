# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenes ``SU Comp <shot>``: a take through atmosphere and grade, rendered to EXR. Needs bpy.

::

    plate (sRGB → linear) ──▶ mix with air ──▶ CDL ──▶ saturation ──▶ EXR
    depth (16 bit) ─▶ metres ─▶ amount ──┘
"""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..timeline.comp_recipe import CompRecipe
from .edit_file import edit_file, owned_scene
from .movies import add_image_strip, fresh_scene, movie_output, plain_colour, refuse_missing, render_animation, set_rate
from .versions import comp_only, comp_tree, math_node, mix_node, set_cdl, set_format

if TYPE_CHECKING:
    from ..shot.documents import Fields
    from ..shot.ports import Progress


def comp_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``comp``: edit, comps [...] -> each rendered into its folder, with a review movie and three thumbnails."""
    comps = args.sections("comps")
    with edit_file(Path(args.text("edit")), None):
        for done, item in enumerate(comps):
            progress(done, len(comps), f"comp {item.text('shot')}")
            _comp(item)
    return {}


def _comp(item: Fields) -> None:
    scene = owned_scene(f"SU Comp {item.text('shot')}")
    first, last = item.integers("frames", 2)
    set_rate(scene, item.fraction("fps"))
    scene.render.resolution_x, scene.render.resolution_y = item.integers("size", 2)
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = first, last
    plain_colour(scene)
    comp_only(scene)
    _build(scene, item, CompRecipe.from_json(item.section("recipe")))
    folder = Path(item.text("folder"))
    set_format(scene.render.image_settings, "OPEN_EXR", depth="16", color_mode="RGBA")
    scene.render.image_settings.exr_codec = "ZIPS"
    scene.render.filepath = str(folder / f"{item.text('stem')}.####")
    scene.render.use_file_extension = True
    render_animation(scene)
    files = [str(folder / f"{item.text('stem')}.{frame:04d}.exr") for frame in range(first, last + 1)]
    _review(item, files, scene)
    scene.render.filepath = "//"


def _build(scene: Any, item: Fields, recipe: CompRecipe) -> None:
    """The node tree of one comp. Every node has a label that says what it is for."""
    tree, result = comp_tree(scene)
    plate = _sequence(tree, item.section("plate"), "sRGB", "Plate")
    depth = _sequence(tree, item.section("depth"), "Non-Color", "Depth")
    metres = _metres(tree, depth.outputs[0], item.section("depth"))
    amount = _amount(tree, metres, recipe)
    factor, below, above, mixed = mix_node(tree)
    factor.node.label = "Atmosphere"
    above.default_value = (*recipe.atmosphere.color, 1.0)
    tree.links.new(amount, factor)
    tree.links.new(plate.outputs[0], below)
    grade = tree.nodes.new("CompositorNodeColorBalance")
    grade.label = "CDL"
    set_cdl(grade, recipe.cdl.slope, recipe.cdl.offset, recipe.cdl.power)
    image = next(s for s in grade.inputs if s.name == "Image")
    tree.links.new(mixed, image)
    tree.links.new(_saturate(tree, grade.outputs[0], recipe.cdl.saturation), result)
    for column, node in enumerate(tree.nodes):
        node.location = (column % 8 * 220, -(column // 8) * 320)


def _sequence(tree: Any, source: Fields, colorspace: str, label: str) -> Any:
    """An image sequence whose frame numbers are the scene's; missing files would come out black: refused."""
    first, count = source.integer("first"), source.integer("count")
    files = [source.text("pattern").format(frame=first + i) for i in range(count)]
    refuse_missing(files)
    image: Any = bpy.data.images.load(files[0], check_existing=True)
    image.source = "SEQUENCE"
    image.colorspace_settings.name = colorspace
    node = tree.nodes.new("CompositorNodeImage")
    node.image, node.label = image, label
    node.frame_duration, node.frame_start, node.frame_offset = count, first, first - 1
    return node


def _math(tree: Any, operation: str, first: Any, second: Any, *, clamp: bool = False) -> Any:
    node = math_node(tree, operation)
    node.use_clamp = clamp
    for socket, value in zip(node.inputs, (first, second), strict=False):
        if isinstance(value, float):
            socket.default_value = value
        else:
            tree.links.new(value, socket)
    return node.outputs[0]


def _metres(tree: Any, disparity: Any, depth: Fields) -> Any:
    """Back from the package's disparity to distance: ``z = 1 / (d · (1/near - 1/far) + 1/far)``."""
    near, far = depth.number("near"), depth.number("far")
    scaled = _math(tree, "MULTIPLY", disparity, 1 / near - 1 / far)
    return _math(tree, "DIVIDE", 1.0, _math(tree, "ADD", scaled, 1 / far))


def _amount(tree: Any, metres: Any, recipe: CompRecipe) -> Any:
    air = recipe.atmosphere
    along = _math(tree, "SUBTRACT", metres, air.start)
    share = _math(tree, "DIVIDE", along, air.end - air.start, clamp=True)
    return _math(tree, "MULTIPLY", share, air.amount)


def _saturate(tree: Any, image: Any, saturation: float) -> Any:
    """``luma + saturation · (image - luma)`` as a mix of the picture and its luma, Rec.709 weights."""
    grey = tree.nodes.new("CompositorNodeRGBToBW")
    tree.links.new(image, grey.inputs[0])
    factor, below, above, mixed = mix_node(tree)
    factor.node.label = "Saturation"
    factor.default_value = saturation
    tree.links.new(grey.outputs[0], below)
    tree.links.new(image, above)
    return mixed


def _review(item: Fields, files: list[str], comp: Any) -> None:
    """A movie of the EXRs through the display's view, and PNG thumbnails of the frames asked for."""
    size = (comp.render.resolution_x, comp.render.resolution_y)
    scene = fresh_scene("review", size, Fraction(item.fraction("fps")), len(files))
    strip = add_image_strip(scene, "comp", files, 1, 1)
    strip.colorspace_settings.name = "Linear Rec.709"
    movie = Path(item.text("movie"))
    movie.parent.mkdir(parents=True, exist_ok=True)
    aside = movie.with_name(f".{movie.name}.part")
    movie_output(scene, aside)
    render_animation(scene)
    shutil.move(aside, movie)
    _thumbnails(item, scene)
    bpy.data.scenes.remove(scene)


def _thumbnails(item: Fields, scene: Any) -> None:
    """Single frames of the review, rendered as animations of one frame: a still of a sequencer comes out black."""
    set_format(scene.render.image_settings, "PNG", depth="8", color_mode="RGB")
    scene.render.use_file_extension = True
    for index, name in item.mapping("thumbnails").items():
        frame = int(index) + 1
        scene.frame_start = scene.frame_end = frame
        scene.render.filepath = str(Path(item.text("folder")) / "frame.####")
        render_animation(scene)
        (Path(item.text("folder")) / f"frame.{frame:04d}.png").replace(Path(item.text("folder")) / str(name))
