# SPDX-License-Identifier: GPL-3.0-or-later
"""One sample of Cycles per pixel, for shots that a z-buffer cannot draw: hair, volumes, cut-outs, panoramas. Needs bpy.

The scene is a child's own and is changed for good: nothing here is ever saved. Depth and normals are those of the
pixel's centre. Every material is solid or absent at each of its points (`cycles_cutouts`), so that chance decides
nothing; objects are told apart by their pass index, and what else is to know of a pixel is found out by `cycles_who`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ..conditioning.drawing.frame import Surfaces
from ..conditioning.drawing.raster import Hits
from ..conditioning.files.exr_reader import channels_of, read_exr
from ..errors import HostError, SceneError
from .cycles_beside import Beside
from .cycles_cutouts import harden_materials
from .cycles_flow import Vectors, motion_of, panoramic_motion
from .cycles_who import Seen, Who, number_objects
from .versions import set_format

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from fractions import Fraction
    from pathlib import Path

    import numpy.typing as npt

    from ..shot.camera import Camera, Crop
    from ..shot.geometry import FrameGeometry

_MISS = 1e9
"""Cycles writes 1e10 where it hits nothing."""
_SENSOR_MM = 36.0
_BOUNCES = 1024
"""Cut-outs behind cut-outs that a ray goes through: as many as Cycles allows."""
_SOLID = 0.49
"""Alpha from which Cycles says what it hit. Of what is left, nothing is below a half but by rounding."""
_SAME = 1e-4
"""Relative difference of depth up to which two renders show the same thing."""
_SHEAR = 1e-4
"""What a turn of a camera may be off, per unit of length."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What Cycles saw: the frame with an instance for every object seen, its surfaces, and the flow to the next one."""

    geometry: FrameGeometry
    surfaces: Surfaces
    flow: npt.NDArray[np.float32]


class CyclesEye:
    """Looks at frames of ``scene`` through a camera of its own, which stands where the shot's camera does.

    ``folder`` takes the renders, one at a time. ``with_flow`` says whether the motion is wanted.
    """

    def __init__(self, scene: Any, layer: Any, folder: Path, *, with_flow: bool) -> None:
        self._scene, self._layer, self._folder, self._with_flow = scene, layer, folder, with_flow
        self._shot_camera: Any = scene.camera
        self._is_born = any(one.type == "EMITTER" for one in _particles())
        data = bpy.data.cameras.new("Second Unit Eye")
        self._eye: Any = bpy.data.objects.new("Second Unit Eye", data)
        self._eye.rotation_mode = "QUATERNION"
        scene.collection.objects.link(self._eye)
        self._beside = Beside(scene, layer)
        self._who = Who(number_objects(scene), self._beside.alone)
        _use_passes(layer)
        _leave_nothing_to_chance(scene, layer)

    def look(self, geometry: FrameGeometry, time: Fraction, following: FrameGeometry, crop: Crop) -> Looked:
        """Render the scene at ``time``; ``following`` is the next frame, for the flow.

        The pictures are those of ``geometry.camera``. A panorama knows no overscan: it fills ``crop`` and nothing else.
        """
        panoramic = self._shot_camera.data.type == "PANO"
        camera = geometry.camera
        size = (crop.width, crop.height) if panoramic else (camera.width, camera.height)
        frame = time.numerator // time.denominator
        with (
            _Engine(self._scene, self._shot_camera if panoramic else self._eye, size),
            _solid_holdouts(self._layer),
            self._beside.listening(time, geometry),
        ):
            if not panoramic:
                self._stand(time, camera)
                self._stand(time + 1, following.camera)
            self._scene.frame_set(frame, subframe=float(time - frame))
            layers = self._see()
        if panoramic:
            layers = {name: _placed(array, crop, (camera.height, camera.width)) for name, array in layers.items()}
            geometry = _without_joints(geometry)
        return self._looked(geometry, following, layers, panoramic=panoramic)

    def _stand(self, time: Fraction, camera: Camera) -> None:
        """Key the eye to ``camera`` at ``time``. Its pixels may be oblong, its picture is as wide as its sensor."""
        eye, data = self._eye, self._eye.data
        world = np.linalg.inv(camera.world_to_camera) @ np.diag([1.0, -1.0, -1.0, 1.0])
        matrix: Any = eye.matrix_world.copy()
        for row, values in enumerate(world.tolist()):
            matrix[row] = values
        # a mirrored camera keeps its mirror in the scale
        eye.location, eye.rotation_quaternion, eye.scale = matrix.decompose()
        _check_straight(self._shot_camera, np.array(eye.matrix_basis), world)
        tall = camera.fx / camera.fy
        data.type = "ORTHO" if camera.orthographic else "PERSP"
        data.sensor_fit, data.sensor_width = "HORIZONTAL", _SENSOR_MM
        data.lens = camera.fx * _SENSOR_MM / camera.width
        data.ortho_scale = camera.width / camera.fx
        data.shift_x = (camera.width / 2 - camera.cx) / camera.width
        data.shift_y = (camera.cy - camera.height / 2) * tall / camera.width
        data.clip_start, data.clip_end = camera.near, camera.far
        render = self._scene.render
        render.pixel_aspect_x, render.pixel_aspect_y = max(1.0, 1 / tall), max(1.0, tall)
        # a remapped scene's curves are read at another time
        frame = float(time) * render.frame_map_old / render.frame_map_new
        for path in ("location", "rotation_quaternion", "scale"):
            eye.keyframe_insert(path, frame=frame)
        for path in ("lens", "ortho_scale", "shift_x", "shift_y"):
            data.keyframe_insert(path, frame=frame)

    def _looked(
        self,
        geometry: FrameGeometry,
        following: FrameGeometry,
        layers: Mapping[str, npt.NDArray[np.float32]],
        *,
        panoramic: bool,
    ) -> Looked:
        hit = (layers["depth"] > 0) & (layers["depth"] < _MISS)
        depth = np.where(hit, layers["depth"], np.float32(np.inf))
        index = np.where(hit, np.rint(layers["index"]), 0).astype(np.int32)
        seen = Seen(index, depth, layers["position"])
        frame, ids = self._who.identify(geometry, self._beside.found(), seen, panoramic=panoramic)
        rotation = geometry.camera.world_to_camera[:3, :3].astype(np.float32)
        normal = np.where(hit[:, :, None], layers["normal"] @ rotation.T, np.float32(0))
        surfaces = Surfaces(Hits(depth, ids), ids, normal)
        flow = np.where(hit[:, :, None], layers["vector"][:, :, 2:] * np.array([-1, 1], np.float32), np.float32(0))
        if self._with_flow:
            vectors = Vectors(flow, layers["told"] > 0)
            flow = (
                panoramic_motion(geometry, following, vectors)
                if panoramic
                else motion_of(frame, geometry, following, surfaces, vectors)
            )
        return Looked(frame, surfaces, flow)

    def _see(self) -> Mapping[str, npt.NDArray[np.float32]]:
        """The frame, and its motion where that is wanted: with it Cycles leaves out particles born or dying beside it.

        Then there are two renders, and the second one's motion counts where both show the same, which ``told`` says.
        """
        if not (self._with_flow and self._is_born):
            self._layer.use_pass_vector = self._with_flow
            layers = self._render()
            return {**layers, "told": np.ones_like(layers["depth"])}
        # what is kept from a render without motion has none in the next one either
        self._scene.render.use_persistent_data = False
        self._layer.use_pass_vector = False
        layers = self._render()
        self._layer.use_pass_vector = True
        moving = self._render()
        is_same = np.isclose(moving["depth"], layers["depth"], rtol=_SAME, atol=0)
        vector = np.where(is_same[:, :, None], moving["vector"], np.float32(0))
        return {**layers, "vector": vector, "told": is_same.astype(np.float32)}

    def _render(self) -> Mapping[str, npt.NDArray[np.float32]]:
        file = self._folder / "look.exr"
        self._scene.render.filepath = str(file)
        bpy.ops.render.render(scene=self._scene.name, write_still=True)
        if not file.is_file():
            raise HostError("Cycles rendered no picture.", "Free some memory and try again, or render it in Blender.")
        try:
            return _channels(file)
        finally:
            file.unlink()


_SHAPE = ("engine", "use_persistent_data", "resolution_x", "resolution_y", "pixel_aspect_x", "pixel_aspect_y")
"""What the next frame of the shot is read with as well."""


class _Engine:
    """Cycles for one render; afterwards the scene is drawn by what drew it before."""

    def __init__(self, scene: Any, camera: Any, size: tuple[int, int]) -> None:
        self._scene, self._camera, self._size = scene, camera, size
        self._before = {name: getattr(scene.render, name) for name in _SHAPE}
        self._camera_before = scene.camera

    def __enter__(self) -> None:
        render, cycles = self._scene.render, self._scene.cycles
        render.engine, self._scene.camera = "CYCLES", self._camera
        render.resolution_x, render.resolution_y = self._size
        set_format(render.image_settings, "OPEN_EXR_MULTILAYER", depth="32")
        render.image_settings.exr_codec = "ZIP"
        if hasattr(render.image_settings, "use_exr_interleave"):
            # 5.0 cannot save several parts of oblong pixels
            render.image_settings.use_exr_interleave = True
        cycles.device, cycles.samples = "CPU", 1
        cycles.use_denoising = cycles.use_adaptive_sampling = False
        cycles.max_bounces, cycles.transparent_max_bounces = 0, _BOUNCES
        cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
        cycles.seed = 0

    def __exit__(self, *_: object) -> None:
        self._scene.camera = self._camera_before
        for name, value in self._before.items():
            setattr(self._scene.render, name, value)


def _check_straight(thing: Any, stands: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> None:
    """Raise `SceneError` for a camera that no place, turn and scale can give."""
    if np.abs(stands - wanted)[:3, :3].max() > _SHEAR:
        raise SceneError(
            f"The camera '{thing.name}' is sheared by what it hangs on, and Cycles cannot look through it.",
            "Apply the scale of what the camera is parented to.",
        )


def _use_passes(layer: Any) -> None:
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_object_index = True
    layer.use_pass_position = True
    layer.pass_alpha_threshold = _SOLID
    layer.material_override = None
    # its own number of samples, which would count before the scene's
    layer.samples = 0


def _leave_nothing_to_chance(scene: Any, layer: Any) -> None:
    """Half-transparent materials, volumes and a blurring lens: what one ray finds there is luck."""
    harden_materials()
    objects: Any = bpy.data.objects
    for thing in objects:
        if thing.type == "VOLUME":
            thing.visible_camera = False
    scene.render.use_multiview = scene.render.use_freestyle = layer.use_freestyle = False
    scene.cycles.use_animated_seed = False


@contextmanager
def _solid_holdouts(layer: Any) -> Generator[None]:
    """Cycles says nothing of what holds out; here it is drawn, so that it hides joints, and blanked afterwards."""
    objects: Any = bpy.data.objects
    held = [one for one in (*objects, *_homes(layer.layer_collection)) if _is_holdout(one)]
    for one in held:
        _hold_out(one, held=False)
    try:
        yield
    finally:
        for one in held:
            _hold_out(one, held=True)


def _particles() -> Iterable[Any]:
    settings: Any = bpy.data.particles
    return settings


def _homes(home: Any) -> Generator[Any]:
    yield home
    for child in home.children:
        yield from _homes(child)


def _is_holdout(one: Any) -> bool:
    return bool(one.is_holdout if hasattr(one, "is_holdout") else one.holdout)


def _hold_out(one: Any, *, held: bool) -> None:
    setattr(one, "is_holdout" if hasattr(one, "is_holdout") else "holdout", held)


def _channels(file: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Depth (H, W), normal and position (H, W, 3), vector (H, W, 4) and index (H, W) of the one layer rendered.

    Without the pass for it the vector is 0.
    """
    found = {name.split(".", 1)[-1]: array for name, array in channels_of(read_exr(file)).items()}
    index = next(name for name in found if name.split(".")[0] in {"IndexOB", "Object Index"})
    depth = found["Depth.Z"]
    vector = [found.get(f"Vector.{axis}", np.zeros_like(depth)) for axis in "XYZW"]
    return {
        "depth": depth,
        "position": np.stack([found[f"Position.{axis}"] for axis in "XYZ"], axis=-1),
        "normal": np.stack([found[f"Normal.{axis}"] for axis in "XYZ"], axis=-1),
        "vector": np.stack(vector, axis=-1),
        "index": found[index],
    }


def _placed(array: npt.NDArray[np.float32], crop: Crop, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """``array`` at the place of ``crop`` in a picture of ``shape``, in which there is nothing else."""
    whole = np.zeros((*shape, *array.shape[2:]), np.float32)
    whole[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width] = array
    return whole


def _without_joints(geometry: FrameGeometry) -> FrameGeometry:
    """Straight lines of a figure are none in a panorama, and the camera is no pinhole that would place its joints."""
    return replace(
        geometry, people=tuple(replace(one, joints=np.full_like(one.joints, np.nan)) for one in geometry.people)
    )
