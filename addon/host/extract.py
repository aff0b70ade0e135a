# SPDX-License-Identifier: GPL-3.0-or-later
"""One evaluated frame of a scene as plain arrays, with a hash of everything that was read. Needs bpy."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SceneError
from ..shot.camera import Camera, Lens, fit_into, intrinsics
from ..shot.geometry import FrameGeometry, Instance, Light, LightKind, Mesh
from .arrays import vectors
from .stands import instance_key
from .tags import Tags

if TYPE_CHECKING:
    from ..shot.camera import Crop
    from ..shot.geometry import Person, Tag
    from .rigs import Rigs

_TO_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
# volume spanned by the three unit axes of a camera, below which it has no direction left
_FLAT = 1e-6
# Blender stores infinity as the largest float32; squares of what is smaller than this still fit into one
_ENDLESS = 1e18


class Extractor:
    """Reads frame after frame of one scene, copying only meshes that were evaluated anew.

    Meshes are kept by their run-time uid, which changes exactly when Blender evaluated them again; addresses are reused
    and owners have several meshes. Meshes not seen in a frame are dropped. ``delivery`` is the size the camera was set
    up for, ``size`` the model's, both (width, height) in pixels; ``crop`` is where the delivery frame lies in the
    pictures of the last frame read.
    """

    def __init__(self, rigs: Rigs, delivery: tuple[int, int], size: tuple[int, int]) -> None:
        self.crop: Crop | None = None
        self._rigs = rigs
        self._delivery, self._size = delivery, size
        self._meshes: dict[int, tuple[Mesh, bytes]] = {}
        self._tags = Tags()
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> list[str]:
        """What of the frames read so far cannot be drawn, one sentence each."""
        return [*self._notes, *self._tags.notes]

    def frame(self, depsgraph: Any, time: Fraction) -> tuple[FrameGeometry, str]:
        """Geometry of the evaluated frame as the model's picture sees it, and its hash (hex).

        Instances and lights are sorted: the order in which Blender lists them says nothing about the scene.
        """
        table = _Table(self._meshes, self._notes)
        lights: list[Light] = []
        layer, evaluated = depsgraph.view_layer, depsgraph.view_layer_eval
        for found in depsgraph.object_instances:
            thing = found.object
            if thing.type == "MESH" and found.show_self:
                owner = found.parent if found.is_instance else thing
                if _is_camera_visible(thing, owner, layer):
                    person = self._rigs.person_at(found)
                    tag = self._tags.of(found, self._rigs.cast_of(person))
                    table.add(found, person, tag, holdout=is_held_out(owner, evaluated))
            elif thing.type == "LIGHT":
                lights.append(_light(thing, found.matrix_world))
        table.leave_out_the_placeless()
        self._meshes = table.seen
        instances = tuple(sorted(table.instances, key=lambda i: i.key))
        people = self._rigs.people(depsgraph, {i.person for i in instances if not i.holdout})
        camera, self.crop = fit_into(self._camera(depsgraph), self._size)
        geometry = FrameGeometry(time, camera, tuple(table.meshes), instances, tuple(sorted(lights, key=repr)), people)
        return geometry, _hash(geometry, table.digests)

    def _camera(self, depsgraph: Any) -> Camera:
        scene = depsgraph.scene_eval
        return read_camera(scene.camera.evaluated_get(depsgraph), self._delivery, scene)


class _Table:
    """Meshes and instances of one frame while they are being collected."""

    def __init__(self, known: dict[int, tuple[Mesh, bytes]], notes: dict[str, None]) -> None:
        self.seen: dict[int, tuple[Mesh, bytes]] = {}
        self.meshes: list[Mesh] = []
        self.digests: list[bytes] = []
        self.instances: list[Instance] = []
        self._known, self._notes = known, notes
        self._slots: dict[int, int] = {}

    def add(self, found: Any, person: int, tag: Tag, *, holdout: bool) -> None:
        matrix = np.array(found.matrix_world, dtype=np.float64)
        slot = self._slot(found.object.data)
        self.instances.append(Instance(instance_key(found), slot, matrix, person, holdout=holdout, tag=tag))

    def _slot(self, data: Any) -> int:
        uid = int(data.session_uid)
        if uid not in self._slots:
            self.seen[uid] = self._known.get(uid) or self._read(data)
            self._slots[uid] = len(self.meshes)
            self.meshes.append(self.seen[uid][0])
            self.digests.append(self.seen[uid][1])
        return self._slots[uid]

    def _read(self, data: Any) -> tuple[Mesh, bytes]:
        mesh = read_mesh(data)
        if not np.isfinite(mesh.positions).all():
            self._note(f"The mesh '{data.name}' has corners without a place; those faces are left out.")
        return mesh, _digest(mesh)

    def leave_out_the_placeless(self) -> None:
        """Drop what is nowhere, or farther or larger than any number, and note it."""
        places = np.array([instance.matrix for instance in self.instances]).reshape(-1, 16)
        sound: list[bool] = (np.abs(places) < _ENDLESS).all(axis=1).tolist()
        for name in (i.tag.object for i, is_sound in zip(self.instances, sound, strict=True) if not is_sound):
            self._note(f"The object '{name}' has no place or size that is a number; it is left out.")
        self.instances = [i for i, is_sound in zip(self.instances, sound, strict=True) if is_sound]

    def _note(self, sentence: str) -> None:
        self._notes[sentence] = None


def _is_camera_visible(thing: Any, owner: Any, layer: Any) -> bool:
    """Whether camera rays hit it, as Cycles decides: by the thing, by what instances it, and by its collections."""
    return thing.visible_camera and owner.visible_camera and not owner.original.indirect_only_get(view_layer=layer)


def is_held_out(owner: Any, layer: Any) -> bool:
    """Whether an object, or else a collection of its, cuts a hole into the picture, as Cycles decides.

    Both are evaluated: the original of an object hidden in viewports knows nothing of its animation.
    """
    return bool(owner.holdout_get(view_layer=layer))


def read_mesh(data: Any) -> Mesh:
    """Triangles and shading normals of an evaluated mesh."""
    positions = vectors(data.vertices, "co")
    data.calc_loop_triangles()
    triangles = np.empty((len(data.loop_triangles), 3), np.int32)
    data.loop_triangles.foreach_get("vertices", triangles.reshape(-1))
    # decides what is worked out: asking for corner normals makes Blender compute them
    if data.normals_domain == "FACE" or not len(triangles):
        return Mesh(positions, triangles)
    if data.normals_domain == "POINT":
        return Mesh(positions, triangles, vectors(data.vertex_normals, "vector"), triangles)
    corners = np.empty((len(triangles), 3), np.int32)
    data.loop_triangles.foreach_get("loops", corners.reshape(-1))
    return Mesh(positions, triangles, vectors(data.corner_normals, "vector"), corners)


def _digest(mesh: Mesh) -> bytes:
    """Hash of all that shapes or shades the mesh."""
    digest = hashlib.blake2b(mesh.positions.tobytes(), digest_size=16)
    digest.update(mesh.triangles.tobytes())
    if mesh.normals is not None and mesh.normal_index is not None:
        digest.update(b"smooth" + mesh.normals.tobytes())
        if mesh.normal_index is not mesh.triangles:
            digest.update(mesh.normal_index.tobytes())
    return digest.digest()


def read_camera(thing: Any, size: tuple[int, int], scene: Any) -> Camera:
    """The evaluated camera object at a delivery size in pixels. Its object scale does not count, as in Cycles.

    Raises `SceneError` when no picture can be taken from where it stands, or through its lens.
    """
    data, render = thing.data, scene.render
    _check_place(thing, scene)
    orthographic = data.type == "ORTHO"
    if orthographic and not data.ortho_scale > 0:
        raise _no_picture(thing, scene, "its orthographic scale is not above 0")
    fx, fy, cx, cy = intrinsics(
        size=size, aspect=(render.pixel_aspect_x, render.pixel_aspect_y), fit=data.sensor_fit,
        focal=data.ortho_scale if orthographic else data.lens, sensor=(data.sensor_width, data.sensor_height),
        shift=(data.shift_x, data.shift_y), orthographic=orthographic,
    )  # fmt: skip
    pose = thing.matrix_world.normalized()
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    lens = Lens(data.lens, sensor, *_focus(thing, scene.unit_settings.scale_length))
    numbers = (fx, fy, cx, cy, data.clip_start, data.clip_end, *(v for v in astuple(lens) if v is not None))
    if not np.isfinite(numbers).all():
        raise _no_picture(thing, scene, "its lens, shift, clipping or focus is infinite or no number")
    return Camera(
        size[0], size[1], fx, fy, cx, cy, data.clip_start, data.clip_end,
        _TO_OPENCV @ np.linalg.inv(np.array(pose, dtype=np.float64)), orthographic, lens,
    )  # fmt: skip


def _check_place(thing: Any, scene: Any) -> None:
    matrix = np.array(thing.matrix_world, dtype=np.float64)
    if not np.abs(matrix).max() < _ENDLESS:  # so NaN is caught as well
        raise _no_picture(thing, scene, "its location, rotation or scale is infinite or no number")
    # lengths first: a small camera is no flat one
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if not lengths.all() or abs(np.linalg.det(matrix[:3, :3] / lengths)) < _FLAT:
        raise _no_picture(thing, scene, "it is scaled to nothing")


def _no_picture(thing: Any, scene: Any, why: str) -> SceneError:
    return SceneError(
        f"The camera '{thing.name}' cannot take a picture at frame {scene.frame_current}: {why}.",
        "Correct its transform and its lens there, and those of what it is parented to or driven by.",
    )


def _focus(thing: Any, metres_per_unit: float) -> tuple[float | None, float | None]:
    """(f-stop, focus distance in metres), or nothing without depth of field."""
    dof = thing.data.dof
    if not dof.use_dof:
        return None, None
    if dof.focus_object is None:
        return dof.aperture_fstop, dof.focus_distance * metres_per_unit
    local = thing.matrix_world.normalized().inverted() @ dof.focus_object.matrix_world.translation
    return dof.aperture_fstop, -local.z * metres_per_unit


def _light(thing: Any, matrix: Any) -> Light:
    data = thing.data
    down = -(matrix.to_3x3().normalized().col[2])
    spot = float(data.spot_size) if data.type == "SPOT" else 0.0
    where = matrix.translation
    return Light(
        LightKind(data.type), (where.x, where.y, where.z), (down.x, down.y, down.z),
        (data.color.r, data.color.g, data.color.b), float(data.energy), spot,
    )  # fmt: skip


def _hash(geometry: FrameGeometry, digests: list[bytes]) -> str:
    """Everything a pass can depend on.

    The camera is the fitted one, its pixels to ten digits: the delivery size itself changes no picture.
    """
    digest = hashlib.sha256()
    camera = geometry.camera
    pixels = (camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy)
    digest.update(" ".join(f"{value:.10g}" for value in pixels).encode())
    digest.update(repr((camera.near, camera.far, camera.orthographic, camera.lens)).encode())
    digest.update(camera.world_to_camera.tobytes())
    for item in geometry.instances:
        tag = item.tag
        text = f"{item.key}|{item.person}|{item.holdout}|{tag.object}|{tag.collections}|{tag.label}|{tag.cast}"
        digest.update(text.encode() + digests[item.mesh] + item.matrix.tobytes())
    for light in geometry.lights:
        digest.update(repr(light).encode())
    for person in geometry.people:
        digest.update(person.key.encode() + person.joints.tobytes() + _reach(person))
    return digest.hexdigest()


def _reach(person: Person) -> bytes:
    return np.float64(person.reach).tobytes()
