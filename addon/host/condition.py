# SPDX-License-Identifier: GPL-3.0-or-later
"""First phase of conditioning: every frame of a shot evaluated once, drawn by our own engine, kept raw. Needs bpy.

The drawing happens inside a `bpy.types.RenderEngine`, because only a render gets the RENDER depsgraph: render
visibility, render-level modifiers, exact frames. It runs without a display or GPU. The artist's file is loaded into
this child and never saved.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..conditioning.cache import FrameCache
from ..conditioning.drawing.exposure import exposure_for
from ..conditioning.heap import keep_freed_memory
from ..errors import HostError, SceneError, SecondUnitError
from .cycles import CyclesEye
from .extract import Extractor
from .limits import beyond_zbuffer, solid_glass
from .painters import CyclesPainter, Drawing, ZbufferPainter
from .rigs import Rigs
from .saying import first_few, names_of
from .scene_reader import open_blend, pick_scene
from .simulated import Simulated, Steps, unbaked
from .versions import abspath

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..shot.documents import Fields
    from ..shot.geometry import FrameGeometry
    from ..shot.ports import Progress
    from .painters import Painter


class _Reading:
    """What the engine reads of a frame, and what went wrong meanwhile."""

    def __init__(self, extractor: Extractor) -> None:
        self.extractor = extractor
        self.time: Fraction | None = None
        self.found: tuple[FrameGeometry, str] | None = None
        self.error: Exception | None = None

    def take(self, depsgraph: Any) -> None:
        """One evaluated frame. Without a time only Blender works it out, and nothing is read."""
        if self.time is not None:
            self.found = self.extractor.frame(depsgraph, self.time)


class _Told:
    """How much of the shot is done, said again while a frame has others to wait for."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def all_of(self, done: int) -> None:
        """Whole frames."""
        self._done = done
        self.again()

    def again(self) -> None:
        """No more than before."""
        self._progress(self._done, self._total)


class _Reader:
    """Evaluates and reads frames of a scene, and evaluates those that ``steps`` puts before them."""

    def __init__(self, scene: Any, reading: _Reading, steps: Steps | None, told: _Told) -> None:
        self._scene, self._reading, self._steps, self._told = scene, reading, steps, told
        self._last: tuple[Fraction, tuple[FrameGeometry, str]] | None = None

    def read(self, time: Fraction) -> tuple[FrameGeometry, str]:
        """A frame, and the digest of all that was read. What was read just now is not read again."""
        if self._last is not None and self._last[0] == time:
            return self._last[1]
        self._last = None
        for frame in self._steps.before(time) if self._steps else ():
            self._told.again()
            self._evaluate(Fraction(frame))
        reading = self._reading
        reading.time, reading.found = time, None
        self._evaluate(time)
        reading.time, found = None, reading.found
        if found is None:
            raise HostError("Blender rendered no frame.", "Check the frame range of the shot.")
        self._last = time, found
        return found

    def _evaluate(self, time: Fraction) -> None:
        _show(self._scene, time)
        bpy.ops.render.render(scene=self._scene.name)
        if self._reading.error is not None:
            raise self._reading.error


def _engine_for(reading: _Reading) -> type:
    """A render engine that reads frames. The class is made here so that nothing is global."""

    def render(self: Any, depsgraph: Any) -> None:
        # Blender prints and forgets what an engine raises, so it is carried out by hand
        try:
            reading.take(depsgraph)
        except _CARRIED as error:
            reading.error = error
        result = self.begin_result(0, 0, *_TINY)
        self.end_result(result)

    names = {"bl_idname": "SECOND_UNIT_CONDITIONING", "bl_label": "Second Unit conditioning", "render": render}
    return type("SECOND_UNIT_Conditioning", (bpy.types.RenderEngine,), names)


_TINY = (4, 4)
_SURE = 0.75
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
    """Task ``condition``: draws the frames of one shot, or of a part of it, into the cache.

    Arguments: blend, scene, camera, times (rationals as text), after (the time that follows the last one, for the
    flow), meter (the scene frame on which the playblast's exposure is metered: the same one whoever draws which part
    of the shot), size [w, h], layers (of `cache.EXTRAS`, and flow), renderer (auto, zbuffer or cycles), cache (folder),
    is_part (whether others draw more of the shot: what is simulated is then refused with nothing but ``only_whole``).
    Result: ``hashes`` and ``following``, one per time, ``crop``, ``people`` (their keys in id order), ``renderer``
    {name, reason}, ``metres_per_unit`` and ``notes`` (sentences about what was left out).
    """
    open_blend(Path(args.text("blend")))
    try:
        return condition_scene(pick_scene(args.maybe_text("scene")), args, progress)
    except MemoryError as error:
        width, height = args.integers("size", 2)
        raise HostError(
            f"There is too little memory for this scene at {width}x{height} pixels.",
            "Choose a smaller size or fewer shots at once, or end other programs.",
        ) from error


def condition_scene(scene: Any, args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``condition`` for a scene of the open file, which it changes: it is not to be saved afterwards."""
    keep_freed_memory()
    _use_camera(scene, args.text("camera"))
    layer, notes = _use_one_layer(scene)
    wanted = args.text("renderer", "auto")
    reasons, lost = _choose(scene, layer, wanted)
    simulated = unbaked(scene, layer)
    _check_followed(simulated, reasons)
    if simulated.names and args.flag("is_part", default=False):
        return {"only_whole": True}
    notes += [*_missing_libraries(), *solid_glass(scene, layer), *simulated.notes]
    notes += _unseen(lost)
    rigs = Rigs(scene, layer)
    # the percentage is for quick tests and changes no proportion
    delivery = (scene.render.resolution_x, scene.render.resolution_y)
    width, height = args.integers("size", 2)
    reading = _Reading(Extractor(rigs, delivery, (width, height)))
    with ExitStack() as stack:
        stack.enter_context(_registered(_engine_for(reading)))
        _quiet(scene)
        told = _Told(progress, len(args.texts("times")))
        read = _Reader(scene, reading, Steps(simulated.start) if simulated.names else None, told).read
        drawing = _drawing(args, read, reading)
        painter = _painter(stack, scene, layer, drawing, reading) if reasons else ZbufferPainter(drawing)
        hashes, following = _paint(painter, args, read, told)
    crop = reading.extractor.crop
    if crop is None:
        raise HostError("Blender rendered no frame.", "Check the frame range of the shot.")
    return {
        "hashes": hashes,
        "following": following,
        "crop": [crop.x, crop.y, crop.width, crop.height],
        "people": rigs.names,
        "people_told": [{"id": i, **told} for i, told in enumerate(rigs.people_report())],
        "renderer": _renderer(reasons, lost),
        "metres_per_unit": scene.unit_settings.scale_length,
        "notes": [*notes, *reading.extractor.notes, *_said(reasons), *_unsure(rigs), *rigs.notes],
    }


def _choose(scene: Any, layer: Any, wanted: str) -> tuple[list[str], list[str]]:
    """Why Cycles has to look, empty for the z-buffer; and what a z-buffer that was asked for cannot show.

    Both are the same whether it was asked for or not where that makes no other picture: the manifest is then the same.
    """
    found = beyond_zbuffer(scene, layer)
    if wanted == "cycles":
        return found or ["asked for"], []
    if wanted == "zbuffer" and scene.camera.data.type != "PANO":
        return [], found
    return found, []


def _unseen(lost: list[str]) -> list[str]:
    """At most one sentence."""
    said = f"Drawn by the z-buffer as asked, which cannot show this as it is: {first_few(lost)}."
    return [said] if lost else []


def _check_followed(simulated: Simulated, reasons: list[str]) -> None:
    """Raise `SceneError` for a simulation that stands still when Cycles goes back and forth in it."""
    if simulated.cached and reasons:
        raise SceneError(
            f"Cycles has to draw this shot ({first_few(reasons)}), and cannot follow what has no baked cache: "
            f"{names_of(simulated.cached)}.",
            "Bake the simulation, and save the file.",
        )


def _unsure(rigs: Rigs) -> list[str]:
    """A sentence for every rig of people that was read with little confidence."""
    sentences = [
        f"The joints of '{told['rig']}' were found by its shape ({told['confidence']:.0%} sure): look at its pose, or "
        "name its joints by hand."
        for told in rigs.people_report()
        if told["confidence"] < _SURE
    ]
    return list(dict.fromkeys(sentences))


def _renderer(reasons: list[str], lost: list[str]) -> dict[str, str]:
    if reasons:
        return {"name": "cycles", "reason": "; ".join(reasons)}
    return {"name": "zbuffer", "reason": "asked for" if lost else "all of the shot is surfaces"}


def _said(reasons: list[str]) -> list[str]:
    said = f"Drawn by Cycles, one sample a pixel, which takes longer: {first_few(reasons)}."
    return [said] if reasons else []


def _drawing(
    args: Fields, read: Callable[[Fraction], tuple[FrameGeometry, str]], reading: _Reading
) -> Drawing:  # fmt: skip
    layers = args.texts("layers", ["playblast"])
    metered, _ = read(Fraction(args.integer("meter")))
    width, height = args.integers("size", 2)
    return Drawing(
        FrameCache(Path(args.text("cache"))), exposure_for(metered), (width, height),
        tuple(name for name in layers if name != "flow"), "flow" in layers,
        reading.extractor.crop,
    )  # fmt: skip


def _painter(stack: ExitStack, scene: Any, layer: Any, drawing: Drawing, reading: _Reading) -> Painter:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="second_unit_cycles_")))
    return CyclesPainter(
        drawing, CyclesEye(scene, layer, folder, with_flow=drawing.with_flow), lambda: reading.extractor.crop
    )


def _paint(
    painter: Painter, args: Fields, read: Callable[[Fraction], tuple[FrameGeometry, str]], told: _Told
) -> tuple[list[str], list[str]]:
    """Draw every time; the hashes of the frames, and of those that follow them."""
    times = [Fraction(text) for text in args.texts("times")]
    for done, time in enumerate(times):
        told.all_of(done)
        painter.take(time, *read(time))
    after = args.maybe_text("after")
    if painter.needs_next and after:
        painter.follow(*read(Fraction(after)))
    return painter.finish()


def _show(scene: Any, time: Fraction) -> None:
    whole = time.numerator // time.denominator
    scene.frame_set(whole, subframe=float(time - whole))


def _use_camera(scene: Any, name: str) -> None:
    """The shot's own camera, also in its handles: markers must not switch it."""
    camera = scene.objects.get(name)
    if camera is None or camera.type != "CAMERA":
        raise SceneError(
            f"The camera '{name}' is not in the scene.", "Bind a camera of this scene to the shot's marker."
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
