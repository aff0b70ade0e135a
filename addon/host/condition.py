# SPDX-License-Identifier: GPL-3.0-or-later
"""First phase of conditioning: every frame of a shot evaluated once, drawn by our own engine, kept raw. Needs bpy.

The drawing happens inside a `bpy.types.RenderEngine`, because only a render gets the RENDER depsgraph: render
visibility, render-level modifiers, exact frames. It runs without a display or GPU. The artist's file is loaded into
this child and never saved.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..conditioning.cache import FrameCache
from ..conditioning.exposure import Exposure, exposure_for
from ..conditioning.frame import draw
from ..errors import HostError, SceneError, SecondUnitError
from .extract import Extractor
from .rigs import Rigs
from .scene_reader import open_blend, pick_scene
from .versions import abspath

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..shot.documents import Fields
    from ..shot.ports import Progress

# part of every frame hash: raise it when the same scene would be drawn differently
ALGORITHM = "second-unit-zbuffer/2"


@dataclass(slots=True)
class _Session:
    """What the engine needs from one call to the next, and what it found."""

    extractor: Extractor
    cache: FrameCache
    size: tuple[int, int]
    time: Fraction = Fraction(0)
    exposure: Exposure | None = None
    hashes: dict[Fraction, str] = field(default_factory=dict[Fraction, str])
    error: Exception | None = None

    def render(self, depsgraph: Any) -> None:
        """One frame: extract, and draw unless the very same frame is known. The first one is only metered."""
        geometry, digest = self.extractor.frame(depsgraph, self.time)
        if self.exposure is None:
            self.exposure = exposure_for(geometry)
            return
        key = hashlib.sha256(f"{ALGORITHM}|{digest}|{self.size}|{self.exposure!r}".encode()).hexdigest()
        self.hashes[self.time] = key
        if not self.cache.holds(key):
            self.cache.store(key, draw(geometry, self.exposure), geometry.camera)


def _engine_for(session: _Session) -> type:
    """A render engine that works for ``session``. The class is made here so that nothing is global."""

    def render(self: Any, depsgraph: Any) -> None:
        # Blender prints and forgets what an engine raises, so it is carried out by hand
        try:
            session.render(depsgraph)
        except _CARRIED as error:
            session.error = error
        result = self.begin_result(0, 0, *_TINY)
        self.end_result(result)

    names = {"bl_idname": "SECOND_UNIT_CONDITIONING", "bl_label": "Second Unit conditioning", "render": render}
    return type("SECOND_UNIT_Conditioning", (bpy.types.RenderEngine,), names)


_TINY = (4, 4)
# all that evaluated data, numpy and our own look-ups can raise
_CARRIED = (
    SecondUnitError, OSError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RuntimeError,
    MemoryError, ReferenceError, AssertionError,
)  # fmt: skip


@contextmanager
def _registered(engine: type) -> Generator[None]:
    bpy.utils.register_class(engine)
    try:
        yield
    finally:
        bpy.utils.unregister_class(engine)


def condition_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``condition``: draws the frames of one shot into the cache.

    Arguments: blend, scene, camera, times (rationals as text), meter (the scene frame on which the playblast's exposure
    is metered: the same one whoever draws which part of the shot), size [w, h], cache (folder). Result: ``hashes``, one
    per time, ``crop``, ``people`` (rig names in id order), ``metres_per_unit`` and ``notes`` (sentences about what was
    left out).
    """
    open_blend(Path(args.text("blend")))
    return condition_scene(pick_scene(args.maybe_text("scene")), args, progress)


def condition_scene(scene: Any, args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``condition`` for a scene of the open file, which it changes: it is not to be saved afterwards."""
    _use_camera(scene, args.text("camera"))
    layer, notes = _use_one_layer(scene)
    notes += _missing_libraries()
    width, height = args.integers("size", 2)
    rigs = Rigs(scene, layer)
    # the percentage is for quick tests and changes no proportion
    delivery = (scene.render.resolution_x, scene.render.resolution_y)
    cache = FrameCache(Path(args.text("cache")))
    session = _Session(Extractor(rigs, delivery, (width, height)), cache, (width, height))
    times = [Fraction(text) for text in args.items("times")]
    with _registered(_engine_for(session)):
        _quiet(scene)
        _render(scene, session, Fraction(args.integer("meter")))
        for done, time in enumerate(times):
            progress(done, len(times))
            _render(scene, session, time)
    crop = session.extractor.crop
    if crop is None:
        raise HostError("Blender rendered no frame.", "Check the frame range of the shot.")
    return {
        "hashes": [session.hashes[time] for time in times],
        "crop": [crop.x, crop.y, crop.width, crop.height],
        "people": rigs.names,
        "metres_per_unit": scene.unit_settings.scale_length,
        "notes": notes,
    }


def _render(scene: Any, session: _Session, time: Fraction) -> None:
    session.time = time
    whole = time.numerator // time.denominator
    scene.frame_set(whole, subframe=float(time - whole))
    bpy.ops.render.render(scene=scene.name)
    if session.error is not None:
        raise session.error


def _use_camera(scene: Any, name: str) -> None:
    """The shot's own camera, also in its handles: markers must not switch it."""
    camera = scene.objects.get(name)
    if camera is None or camera.type != "CAMERA":
        raise SceneError(
            f"The camera '{name}' is not in the scene.", "Bind a camera of this scene to the shot's marker."
        )
    if camera.data.type == "PANO":
        raise SceneError(
            f"The camera '{name}' is panoramic, which cannot be drawn yet.",
            "Use a perspective or orthographic camera for this shot.",
        )
    for marker in scene.timeline_markers:
        marker.camera = None
    scene.camera = camera


def _use_one_layer(scene: Any) -> tuple[Any, list[str]]:
    """The first view layer that is rendered, now the only one, and a note for every other."""
    layers = list(scene.view_layers)
    used = [layer for layer in layers if layer.use] or layers[:1]
    for layer in layers:
        layer.use = layer == used[0]
    return used[0], [
        f"The view layer '{layer.name}' is left out: the shot is drawn from '{used[0].name}'." for layer in used[1:]
    ]


def _missing_libraries() -> list[str]:
    """A note for every linked file that is not there. Archives of 5.x live inside the .blend itself."""
    linked = [one for one in bpy.data.libraries if not (one.packed_file or getattr(one, "is_archive", False))]
    files = sorted({abspath(one.filepath) for one in linked})
    return [
        f"The linked file '{file}' is missing, and with it what the scene takes from there."
        for file in files
        if not Path(file).is_file()
    ]


def _quiet(scene: Any) -> None:
    """Everything off that a data pass does not need. Persistent data keeps unchanged meshes evaluated."""
    render = scene.render
    render.engine = "SECOND_UNIT_CONDITIONING"
    render.use_persistent_data = True
    render.use_compositing = render.use_sequencer = render.use_motion_blur = False
    render.use_border = False
    render.resolution_x, render.resolution_y = _TINY
    render.resolution_percentage = 100
