# SPDX-License-Identifier: GPL-3.0-or-later
"""Live preview: a guide drawn over the camera's frame in the 3D viewport. Needs bpy and a GPU context.

One draw handler does it all, after the scene, whose depth buffer is still bound then. What depends on the scene is
worked out once and kept as textures; redraws of the same scene only draw those again. The depth goes from the depth
buffer into a texture as it is; a shader makes greys of it.

Nothing is registered or removed inside the handler: Blender is walking through its list then.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import bpy
import numpy as np

from ..conditioning.people.figures import draw_pose
from ..conditioning.pictures.depth import DepthStats, range_for
from ..conditioning.preview import (
    Guide,
    Lens,
    Locked,
    Mapping,
    frame_in,
    in_picture,
    is_cut_off,
    packed,
    picture_places,
    posed,
    visible,
    without_lines,
)
from ..errors import SceneError
from ..shot.camera import fit_into
from .extract import read_camera
from .preview_paint import (
    Painting,
    grey_numbers,
    lens_numbers,
    make_shader,
    paint,
    quad,
    read_depth,
    texture,
    texture_of,
)
from .rigs import JOINTS_PROPERTY, PERSON_PROPERTY, Rigs
from .stands import layers_behind
from .tags import CAST_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import numpy.typing as npt

    from ..conditioning.preview import Box, Frame, Plan
    from ..shot.camera import Camera, Crop
    from ..shot.geometry import Person

    F32: TypeAlias = npt.NDArray[np.float32]

_PANES = 16
"""Viewports that are remembered; closed ones are among them until there are more."""
NO_RANGE = "no range yet: this frame's own"
THINNED = "hide the overlays to see thin things too"
UNMASKED = "people are not cut out of the depth here"
NO_DEPTH = "no depth in X-ray: turn that off"
CUT_OFF = "a part of the frame is out of sight"
_NO_DEPTH, _NO_FIGURE = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
READING = "waiting for the shots"


@dataclass(frozen=True, slots=True)
class Sight:
    """One viewport that looks through a scene's camera: all the drawing has to know of Blender's screen.

    ``camera`` is the original object, ``window`` the viewport's projection, ``region`` its size in pixels; ``plan`` is
    None while it is not known. Overlays leave their lines in the depth.
    """

    scene: Any
    camera: Any
    depsgraph: Any
    window: npt.NDArray[np.float64]
    region: tuple[int, int]
    guide: Guide
    plan: Plan | None
    has_depth: bool = True
    has_overlays: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the picture of a plan lies in a viewport, and what part of it can be seen there."""

    camera: Camera
    crop: Crop
    frame: Frame
    box: Box


class Crew:
    """The people of the scenes that are shown. Finding them takes a while: it is done when rigs come, go or change."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[object, Rigs, list[tuple[Any, int]]]] = {}

    def forget(self) -> None:
        """References to objects do not outlive an undo."""
        self._found.clear()

    def people(self, scene: Any, depsgraph: Any) -> tuple[Person, ...]:
        """Everybody of whom a mesh is rendered, as the viewport's evaluation has them."""
        sign = _sign(scene)
        known = self._found.get(scene.session_uid)
        if known is None or known[0] != sign:
            rigs = Rigs(scene)
            here = (thing for home, _ in _behind(scene) for thing in home.objects if thing.type == "MESH")
            meshes = ((thing, rigs.person_of(thing)) for thing in here)
            known = (sign, rigs, [(thing, person) for thing, person in meshes if person >= 0])
            self._found[scene.session_uid] = known
        seen = {person for thing, person in known[2] if not thing.hide_render and thing.visible_camera}
        return known[1].people(depsgraph, seen | known[1].standing(depsgraph))


def _behind(scene: Any) -> list[tuple[Any, Any]]:
    return layers_behind(scene, scene.view_layers[0])


def _sign(scene: Any) -> object:
    """Differs when other objects are in the scene or its background sets, or when the rigs are not what they were."""
    here: list[bytes] = []
    for home, _ in _behind(scene):
        uids = np.empty(len(home.objects), np.int32)
        home.objects.foreach_get("session_uid", uids)
        here.append(uids.tobytes())
    rigs = [(o, layer) for home, layer in _behind(scene) for o in home.objects if o.type == "ARMATURE"]
    told = [(o.data.session_uid, len(o.data.bones), o.hide_render, o.visible_get(view_layer=of)) for o, of in rigs]
    properties = (JOINTS_PROPERTY, PERSON_PROPERTY, CAST_PROPERTY)
    by_hand = [str(o.get(name)) for rig, _ in rigs for o in (rig, rig.data) for name in properties]
    return here, told, by_hand


class Preview:
    """The draw handler, from `begin` to `end`.

    ``plan_at`` says of a scene's name, a frame and a camera's name how pictures of it would be made. ``trouble`` is
    what went wrong first: nothing is drawn from then on.
    """

    def __init__(self, guide: Guide, plan_at: Callable[[str, int, str], Plan | None]) -> None:
        self.guide = guide
        self.trouble: BaseException | None = None
        self._plan_at = plan_at
        self._handle: Any = None
        self._changes = 0
        self._crew = Crew()
        self._panes: dict[int, tuple[object, Painting]] = {}
        self._shader: Any = None

    def begin(self) -> None:
        """Draw from now on."""
        view: Any = bpy.types.SpaceView3D
        self._handle = view.draw_handler_add(self._draw, (), "WINDOW", "POST_VIEW")

    def end(self) -> None:
        """Stop, and give everything back. Not to be called while Blender draws."""
        if self._handle is not None:
            view: Any = bpy.types.SpaceView3D
            view.draw_handler_remove(self._handle, "WINDOW")
            self._handle = None
        self.forget()
        self._shader = None

    def touch(self) -> None:
        """Something of the scene has changed."""
        self._changes += 1

    def forget(self) -> None:
        """Nothing that was known is to be trusted."""
        self.touch()
        self._crew.forget()
        self._panes.clear()

    def _draw(self) -> None:
        """What Blender calls with every redraw of every viewport."""
        if self.trouble is not None:
            return
        with ExitStack() as last:
            last.push(self._survive)
            context: Any = bpy.context
            sight = _sight(context, self.guide, self._plan_at)
            if sight is not None:
                self.show(context.region.as_pointer(), sight, _stamp(context))

    def _survive(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        # Blender would print what a handler raises, again with every redraw
        if kind is None or not issubclass(kind, Exception):
            return False
        self.trouble = error
        return True

    def show(self, key: int, sight: Sight, stamp: object = None) -> None:
        """Draw over the frame of ``sight`` into what is bound; ``key`` tells viewports apart.

        What is bound has to hold the scene's depth whenever ``stamp`` is another than before, or after a `touch`.
        """
        self._shader = self._shader or make_shader()
        full = (
            self._changes,
            sight.guide,
            sight.window.tobytes(),
            sight.region,
            sight.plan,
            sight.has_depth,
            sight.has_overlays,
            stamp,
        )
        known = self._panes.get(key)
        if known is None or known[0] != full:
            if len(self._panes) >= _PANES:
                self._panes.clear()
            known = self._panes[key] = (full, self._painting(sight))
        paint(self._shader, known[1], sight.region)

    def _painting(self, sight: Sight) -> Painting:
        if sight.plan is None:
            return Painting((f"preview: {READING}",), (0, 0))
        try:
            place = _place(sight, sight.plan)
        except SceneError as error:
            return Painting((f"preview: {error.what}",), (0, 0))
        return Painting((), (0, 0)) if place is None else self._drawn(sight, sight.plan, place)

    def _drawn(self, sight: Sight, plan: Plan, place: _Place) -> Painting:
        read = _read(sight, place.box) if sight.has_depth else None
        depth = None
        if read is not None and (sight.guide is not Guide.DEPTH or plan.locked is None):
            values = in_picture(read.values, place.box, place.frame, place.crop, plan.size)
            depth = Lens.of(sight.window).planar(values)
        figures = _NO_FIGURE
        if sight.guide is not Guide.DEPTH:
            people = posed(self._crew.people(sight.scene, sight.depsgraph), place.camera, depth)
            figures = packed(draw_pose(people, plan.size, plan.dialect))
        bare = Painting(
            (f"preview: {sight.guide.value}", *_marks(sight, plan, place)), place.box[:2],
            quad(self._shader, place.box, sight.region, picture_places(place.frame, place.crop, place.box)),
            texture_of(_NO_DEPTH), texture_of(figures),
        )  # fmt: skip
        if read is None or sight.guide is Guide.POSE:
            return bare
        locked = plan.locked or _own(plan, depth)
        grey = grey_numbers(Mapping.of(locked.range, locked.encoding))
        return replace(bare, depths=read.as_texture(place.box), lens=lens_numbers(Lens.of(sight.window)), grey=grey)


@dataclass(frozen=True, slots=True)
class _Read:
    """The depth of a part of a viewport, (height, width), and Blender's own buffer while that is the same."""

    values: F32
    buffer: Any | None

    def as_texture(self, box: Box) -> Any:
        return texture_of(self.values) if self.buffer is None else texture(self.buffer, box[2:])


def _read(sight: Sight, box: Box) -> _Read:
    buffer, values = read_depth(box)
    return _Read(without_lines(values), None) if sight.has_overlays else _Read(values, buffer)


def _marks(sight: Sight, plan: Plan, place: _Place) -> list[str]:
    """What of a viewport's preview is not what the model will get."""
    shows_depth = sight.has_depth and sight.guide is not Guide.POSE
    told = {
        NO_RANGE: shows_depth and plan.locked is None,
        THINNED: shows_depth and sight.has_overlays,
        UNMASKED: shows_depth and sight.guide is Guide.GUIDE,
        NO_DEPTH: not sight.has_depth,
        CUT_OFF: is_cut_off(place.frame, sight.region),
    }
    return [mark for mark, is_so in told.items() if is_so]


def _own(plan: Plan, depth: F32 | None) -> Locked:
    """The range of this very frame, for want of the shot's."""
    stats = DepthStats() if depth is None else DepthStats.of(depth)
    return Locked(range_for(stats, plan.encoding), plan.encoding)


def _place(sight: Sight, plan: Plan) -> _Place | None:
    """None when the frame is out of sight. Raises `SceneError` where no picture can be taken."""
    camera = sight.camera.evaluated_get(sight.depsgraph)
    if camera.data.type == "PANO":
        raise SceneError("There is none of a panoramic camera.", "Shoot it to see its guides.")
    scene = sight.depsgraph.scene_eval
    # the percentage is for quick tests and changes no proportion
    delivery = (scene.render.resolution_x, scene.render.resolution_y)
    fitted, crop = fit_into(read_camera(camera, delivery, scene), plan.size)
    frame = frame_in(sight.window, fitted, crop, sight.region)
    box = visible(frame, sight.region)
    return None if box is None else _Place(fitted, crop, frame, box)


def _sight(context: Any, guide: Guide, plan_at: Callable[[str, int, str], Plan | None]) -> Sight | None:
    """What the viewport that is being drawn looks at; None unless it looks through the camera of its scene."""
    scene, view, region, space = context.scene, context.region_data, context.region, context.space_data
    camera, depsgraph = scene.camera, context.view_layer.depsgraph
    if view is None or view.view_perspective != "CAMERA" or depsgraph is None or camera is None:
        return None
    if camera.type != "CAMERA" or (space.use_local_camera and space.camera != camera):
        return None
    return Sight(
        scene, camera, depsgraph, np.array(view.window_matrix, np.float64), (region.width, region.height), guide,
        plan_at(scene.name, scene.frame_current, camera.name), has_depth=not _sees_through(space.shading),
        has_overlays=space.overlay.show_overlays,
    )  # fmt: skip


def _sees_through(shading: Any) -> bool:
    """X-ray leaves no depth behind."""
    return (shading.type == "WIREFRAME" and shading.show_xray_wireframe) or (
        shading.type == "SOLID" and shading.show_xray
    )


def _stamp(context: Any) -> object:
    """What a viewport shows depends on, beside the scene, which tells by itself that it changed."""
    space, scene, view = context.space_data, context.scene, context.region_data
    matrix = np.array(view.view_matrix, np.float64).tobytes()
    shown = (space.shading.type, space.local_view is not None)
    return scene.session_uid, scene.frame_current_final, context.view_layer.name, matrix, shown
