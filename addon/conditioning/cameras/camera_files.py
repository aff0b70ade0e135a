# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot's camera in the formats that camera-driven models and 3D tools read.

Each writer takes a `CameraTrack` and gives the bytes of its files, named relative to the control package, and notes:
one sentence for everything the format cannot hold. Lengths are metres unless a writer says otherwise, pixel corners
lie at integers, and every number has twelve decimals: a format never costs precision, whatever its readers do.
None of them has an orthographic model or a camera that mirrors: those are refused, and ``camera.json`` holds them.
Conventions: conditioning reference, section 8, and the readers named at each writer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import UsageError
from ...shot.documents import stable_json
from .camera_track import CameraTrack

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

_FOLDER = "camera"
_DECIMALS = 12
# y and z turned round: OpenCV's camera axes to OpenGL's and back
_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
# the longest way from the origin at which 32-bit metres still place a point 1 m away to 0.01 px (f = 1000 px)
_FAR_M = 100.0
# the size that VideoX-Fun takes every camera file to be made at
_VIDEOX_ASPECT = Fraction(1280, 720)


@dataclass(frozen=True, slots=True)
class CameraFiles:
    """What a writer gives: bytes by path relative to the control package, and a sentence for each loss."""

    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraFormat:
    """A format by the name its users know. Calling it raises `UsageError` for a camera that no pinhole equals."""

    label: str
    write: Callable[[CameraTrack], CameraFiles]

    def __call__(self, track: CameraTrack) -> CameraFiles:
        if any(camera.orthographic for camera in track.cameras):
            raise self._refusal("an orthographic camera", "Make the camera perspective")
        if not track.is_rigid:
            raise self._refusal("a mirrored or sheared camera", "Apply the scale of the camera and of its parents")
        return self.write(track)

    def _refusal(self, what: str, fix: str) -> UsageError:
        return UsageError(
            f"{self.label} cannot hold {what}.", f"{fix}, or leave this format out: camera.json holds every camera."
        )


def write_cameras(name: str, track: CameraTrack) -> CameraFiles:
    """The files of the format called ``name``, a key of `FORMATS`; raises `UsageError` for any other name."""
    if name not in FORMATS:
        raise UsageError(f"There is no camera format '{name}'.", f"Choose from: {', '.join(FORMATS)}.")
    return FORMATS[name](track)


def _realestate10k(track: CameraTrack) -> CameraFiles:
    """RealEstate10K and CameraCtrl text.

    A blank line, then per frame: microseconds, fx/W, fy/H, cx/W, cy/H, two zeros, and world to camera as 12 numbers,
    3x4 row by row, OpenCV axes. Reader: ``Camera`` and ``get_relative_pose`` in CameraCtrl's inference.py, which makes
    the poses relative to the first one. Its pixel centres are at + 0.5.
    """
    width, height = track.size
    text = _pose_lines(track, (width, height))
    note = (
        f"CameraCtrl's own script takes a camera file to be made at 1280x720: run it with --original_pose_width {width}"
        f" --original_pose_height {height}."
    )
    notes = () if Fraction(width, height) == _VIDEOX_ASPECT else (note,)
    return CameraFiles({f"{_FOLDER}/realestate10k.txt": text}, notes)


def _videox_fun(track: CameraTrack) -> CameraFiles:
    """VideoX-Fun and Wan Fun Camera-Control: the same text, for a reader that corrects the aspect.

    ``process_pose_file`` takes the file to be made at 16:9: where that is wider than W/H it reads fx as a part of
    H * 16/9, else fy as a part of W * 9/16. What we divide by, it multiplies with.
    """
    width, height = track.size
    if Fraction(width, height) < _VIDEOX_ASPECT:
        parts = float(height * _VIDEOX_ASPECT), float(height)
    else:
        parts = float(width), float(width / _VIDEOX_ASPECT)
    note = f"The focal length is right for pictures of {width}x{height} only: the reader corrects it by the aspect."
    return CameraFiles({f"{_FOLDER}/videox_fun.txt": _pose_lines(track, parts)}, (note,))


def _pose_lines(track: CameraTrack, focal_parts: tuple[float, float]) -> bytes:
    """The text of both; ``focal_parts`` are the lengths in pixels that fx and fy are divided by."""
    scale = np.array([*focal_parts, *track.size])
    rows = (
        f"{round(index * 1_000_000 / track.fps)} {_text(lens / scale)} 0 0 {_text(pose[:3].ravel())}"
        for index, (lens, pose) in enumerate(zip(track.lenses(), track.poses(), strict=True))
    )
    return ("\n" + "\n".join(rows) + "\n").encode()


def _motionctrl(track: CameraTrack) -> CameraFiles:
    """MotionCtrl: a JSON list of 12 numbers per frame, world to camera 3x4 row by row, OpenCV axes.

    The world is the first frame's camera. Readers: ``load_camera_pose`` takes the numbers as they are (VideoCrafter,
    16 frames); ``get_RT`` multiplies the translations by (3, 1, 4) and the speed (SVD, 14 frames from the middle).
    """
    poses = track.poses()
    first = _inverse(poses[0])
    rows = [_rounded((pose @ first)[:3].ravel()) for pose in poses]
    notes = [
        _no_lens("MotionCtrl", track),
        "MotionCtrl learnt from moves without a unit, so metres may need its speed setting.",
        *_count_note("MotionCtrl", 16, track),
    ]
    return CameraFiles({f"{_FOLDER}/motionctrl.json": _json(rows)}, tuple(notes))


def _recammaster(track: CameraTrack) -> CameraFiles:
    """ReCamMaster: ``frameN`` / ``cam01`` = "[forward 0] [right 0] [up 0] [place 1] ", an Unreal row-vector matrix.

    Camera to world in Unreal's left-handed world (our y turned round), centimetres. The reader transposes, takes the
    columns 1, 2, 0, 3 as x, y, z and place, negates y, divides the place by 100 and keeps every fourth frame,
    relative to the first.
    """
    unreal = np.diag([1.0, -1.0, 1.0, 1.0])
    frames: dict[str, dict[str, str]] = {}
    for index, pose in enumerate(track.poses()):
        right, down, forward, place = (unreal @ _inverse(pose)).T
        place = np.append(place[:3] * 100, 1.0)
        rows = (f"[{_text(row)}]" for row in (forward, right, -down, place))
        frames[f"frame{index}"] = {"cam01": " ".join(rows) + " "}
    notes = (_no_lens("ReCamMaster", track), *_count_note("ReCamMaster", 81, track))
    return CameraFiles({f"{_FOLDER}/recammaster/camera_extrinsics.json": _json(frames)}, notes)


def _uni3c(track: CameraTrack) -> CameraFiles:
    """Uni3C: ``extrinsic`` world to camera (n, 4, 4), OpenCV axes, and one 3x3 ``intrinsic`` in pixels.

    The reader scales the intrinsic from ``width`` and ``height`` to its own size and uses it for every frame.
    """
    width, height = track.size
    fx, fy, cx, cy = _rounded(track.lenses()[0])
    info = {
        "intrinsic": [[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]],
        "extrinsic": [[_rounded(row) for row in pose] for pose in track.poses()],
        "height": height,
        "width": width,
    }
    notes = ["The point cloud video and its mask, which Uni3C follows, are not written."]
    if _changes(track):
        notes.append("Uni3C holds one lens for the whole shot: the first frame's is written, zoom and shift are lost.")
    notes += [*_far_note("Uni3C", track), *_count_note("Uni3C", 81, track)]
    return CameraFiles({f"{_FOLDER}/uni3c/cam_info.json": _json(info)}, tuple(notes))


def _nerfstudio(track: CameraTrack) -> CameraFiles:
    """Nerfstudio: ``transform_matrix`` camera to world, OpenGL axes (x right, y up, z back), world z up.

    ``fl_x fl_y cx cy`` in pixels (centres at + 0.5), at the top when every frame has them in common, else per frame:
    the reader looks at the top first. ``file_path`` is relative to the file; the reader sorts frames by it.
    """
    width, height = track.size
    keys = ("fl_x", "fl_y", "cx", "cy")
    lenses = [dict(zip(keys, _rounded(lens), strict=True)) for lens in track.lenses()]
    is_varied = _changes(track)
    frames = [
        {
            "file_path": f"../{picture}", **(lens if is_varied else {}),
            "transform_matrix": [_rounded(row) for row in _inverse(pose) @ _OPENGL],
        }
        for picture, lens, pose in zip(track.pictures, lenses, track.poses(), strict=True)
    ]  # fmt: skip
    top = {"camera_model": "PINHOLE", "w": width, "h": height, **({} if is_varied else lenses[0])}
    notes = (
        "Nerfstudio moves and scales the poses unless told --center-method none --auto-scale-poses False.",
        *_far_note("Nerfstudio", track),
    )
    whole = {**top, "orientation_override": "none", "frames": frames}
    return CameraFiles({f"{_FOLDER}/transforms.json": _json(whole)}, notes)


def _colmap(track: CameraTrack) -> CameraFiles:
    """COLMAP text model: ``cameras.txt``, ``images.txt`` and a ``points3D.txt`` without points.

    PINHOLE fx fy cx cy; quaternion w x y z and translation, world to camera, OpenCV axes; centres at + 0.5. Frames of
    the same lens share a camera. Pictures are named relative to the control package.
    """
    width, height = track.size
    lenses = [_text(lens) for lens in track.lenses()]
    ids = {lens: index for index, lens in enumerate(dict.fromkeys(lenses), start=1)}
    images: list[str] = []
    for index, (pose, lens, name) in enumerate(zip(track.poses(), lenses, track.pictures, strict=True), start=1):
        turn = _text(quaternion(pose[:3, :3]))
        # the empty line is the list of points seen in this picture
        images += [f"{index} {turn} {_text(pose[:3, 3])} {ids[lens]} {name}", ""]
    files = {
        "cameras.txt": ["# CAMERA_ID MODEL WIDTH HEIGHT fx fy cx cy"]
        + [f"{index} PINHOLE {width} {height} {lens}" for lens, index in ids.items()],
        "images.txt": ["# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then its points", *images],
        "points3D.txt": ["# no points"],
    }
    return CameraFiles(
        {f"{_FOLDER}/colmap/{name}": ("\n".join(lines) + "\n").encode() for name, lines in files.items()}
    )


FORMATS: Mapping[str, CameraFormat] = {
    "realestate10k": CameraFormat("RealEstate10K", _realestate10k),
    "videox-fun": CameraFormat("VideoX-Fun", _videox_fun),
    "motionctrl": CameraFormat("MotionCtrl", _motionctrl),
    "recammaster": CameraFormat("ReCamMaster", _recammaster),
    "uni3c": CameraFormat("Uni3C", _uni3c),
    "nerfstudio": CameraFormat("Nerfstudio", _nerfstudio),
    "colmap": CameraFormat("COLMAP", _colmap),
}


def quaternion(rotation: F64) -> F64:
    """A rotation matrix (3, 3) as w, x, y, z of length 1 with w >= 0.

    ``products`` is four times the outer product of the quaternion with itself; the row of its largest diagonal
    element is the one that loses no digits.
    """
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    products = np.array(
        [
            [1 + a + e + i, h - f, c - g, d - b],
            [h - f, 1 + a - e - i, b + d, c + g],
            [c - g, b + d, 1 - a + e - i, f + h],
            [d - b, c + g, f + h, 1 - a - e + i],
        ]
    )
    found = products[int(np.argmax(np.diag(products)))]
    return found / np.copysign(np.linalg.norm(found), found[0])


def _inverse(pose: F64) -> F64:
    """The inverse of a rigid motion (4, 4): a true rotation is inverted by transposing."""
    inverse = np.eye(4)
    inverse[:3, :3] = pose[:3, :3].T
    inverse[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return inverse


def _rounded(values: F64) -> list[float]:
    """Numbers for JSON; the added zero turns -0 into 0."""
    return [round(value, _DECIMALS) + 0.0 for value in values.tolist()]


def _text(values: F64) -> str:
    """Numbers between single spaces, never in powers of ten: some readers split at one space and some at many."""
    return " ".join(f"{value:.{_DECIMALS}f}" for value in _rounded(values))


def _json(value: Any) -> bytes:
    return stable_json(value).encode()


def _changes(track: CameraTrack) -> bool:
    """Whether any frame has another lens than the first."""
    lenses = track.lenses()
    return bool((lenses != lenses[0]).any())


def _no_lens(label: str, track: CameraTrack) -> str:
    """The sentence for formats of poses alone: what of this shot's lens their models never learn."""
    lenses, (width, height) = track.lenses(), track.size
    lost = ["the focal length"]
    lost += ["the zoom"] if (lenses[:, :2] != lenses[0, :2]).any() else []
    lost += ["the shift"] if (np.abs(lenses[:, 2:] - (width / 2, height / 2)) > 0.01).any() else []
    lost += ["the pixel aspect"] if (np.abs(lenses[:, 1] / lenses[:, 0] - 1) > 1e-6).any() else []
    *most, last = lost
    said = f"{', '.join(most)} and {last} are lost" if most else f"{last} is lost"
    return f"{label} holds no lens: {said}."


def _count_note(label: str, count: int, track: CameraTrack) -> Iterable[str]:
    found = len(track.cameras)
    return () if found == count else (f"{label} reads {count} frames, this shot has {found}.",)


def _far_note(label: str, track: CameraTrack) -> Iterable[str]:
    """Readers that keep the world in 32-bit numbers lose what lies far from its origin."""
    way = max(float(np.linalg.norm(pose[:3, 3])) for pose in track.poses())
    if way <= _FAR_M:
        return ()
    return (f"The camera is up to {way:.0f} m from the world's origin, where {label}'s 32-bit numbers get coarse.",)
