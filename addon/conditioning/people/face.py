# SPDX-License-Identifier: GPL-3.0-or-later
"""The face in the picture, for models that get it as a video of its own (Wan-Animate's preprocessing)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...shot.camera import Crop
from ...shot.people import FACE
from .pose import FARTHEST_PIXEL, HEAD_JOINTS, Visibility

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from .pose import PosedPerson

    Bytes: TypeAlias = npt.NDArray[np.uint8]
    F64: TypeAlias = npt.NDArray[np.float64]

FACE_SIZE = (512, 512)
"""What Wan-Animate stretches the crop to, whatever its shape."""

GROWTH = 1.3
"""Area of the crop over that of the box around the points."""

_OUTLINE = FACE.start + np.array([0, 8, 16, 19, 24])
"""Without both ends of the jaw, the chin and the brows the points do not tell how large a face is."""
_NOSE, _EARS = 0, (16, 17)
_FACE_OVER_HEAD = 1.1
"""Side of the 68 points' box, seen from in front, over the distance of the ears: measured on the Rigify human."""


def face_box(person: PosedPerson, size: tuple[int, int], growth: float = GROWTH) -> Crop | None:
    """The part of the picture ``size`` (width, height) with the face of ``person``; None when there is none in it.

    The box around the 68 points, hidden ones included, is grown to ``growth`` times its area in its own proportions.
    Three quarters of the added height go above it, for the forehead. Then it is cut to the picture and truncated to
    whole pixels (Wan-Animate's preprocessing). Where the points have no outline, it is the box around what there is of
    them and around the head: see `_around_head`.
    """
    known = _known(person)
    spans = [person.points[FACE][known[FACE]]]
    if not known[_OUTLINE].all():
        spans.append(_around_head(person.points, known))
    corners = np.concatenate(spans)
    if not len(corners):
        return None
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    scale = math.sqrt(growth) - 1
    aside, above = (right - left) * scale / 2, (bottom - top) * scale / 4
    x0, x1 = int(max(left - aside, 0)), int(min(right + aside, size[0]))
    y0, y1 = int(max(top - 3 * above, 0)), int(min(bottom + above, size[1]))
    return Crop(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def _known(person: PosedPerson) -> npt.NDArray[np.bool_]:
    codes = person.visibility
    is_far = ~(np.abs(np.nan_to_num(person.points, nan=np.inf)) < FARTHEST_PIXEL).all(axis=1)
    return (codes != Visibility.MISSING) & (codes != Visibility.BEHIND) & ~is_far


def _around_head(points: F64, known: npt.NDArray[np.bool_]) -> F64:
    """Two corners (2, 2) of the square a face takes by nose, eyes and ears; (0, 2) without nose or any ear.

    Its side goes by the largest distance between two of the five in the picture, its centre lies half way between the
    nose and the middle of the ears. That distance hardly changes as a head turns: from ear to ear it is as far as from
    nose to ear. On the Rigify human the square holds nine tenths of the 68 points' box, from whichever side.
    """
    ears = [ear for ear in _EARS if known[ear]]
    if not known[_NOSE] or not ears:
        return np.empty((0, 2))
    five = points[[joint for joint in HEAD_JOINTS if known[joint]]]
    side = float(np.linalg.norm(five[:, None] - five[None], axis=-1).max())
    centre = (points[_NOSE] + points[ears].mean(axis=0)) / 2
    return centre + np.array([[-0.5], [0.5]]) * side * _FACE_OVER_HEAD


def seen_face(person: PosedPerson, size: tuple[int, int]) -> Crop | None:
    """`face_box` of a face that shows in the picture; None for one that is behind other things altogether."""
    codes = person.visibility[[*HEAD_JOINTS, *range(FACE.start, FACE.stop)]]
    is_there = np.isin(codes, (Visibility.SEEN, Visibility.SELF_OCCLUDED)).any()
    return face_box(person, size) if is_there else None


def main_face(frames: Iterable[Sequence[PosedPerson]], size: tuple[int, int]) -> str:
    """Whose face a shot is about: the key of the person whose face takes most of it, "" when there is none.

    The model takes one face. It is chosen for the whole shot, because a face that changes hands between two frames
    means a cut. Faces that look away count only where no other is seen; of equals the first person is meant.
    """
    areas: dict[str, tuple[int, int]] = {}
    for people in frames:
        for person in people:
            box, (facing, all_) = seen_face(person, size), areas.get(person.key, (0, 0))
            area = box.width * box.height if box else 0
            areas[person.key] = facing + area * _looks_here(person), all_ + area
    largest = max(areas, key=areas.__getitem__, default="")
    return largest if areas.get(largest, (0, 0))[1] else ""


def _looks_here(person: PosedPerson) -> bool:
    """Whether the nose is nearer than one of the ears: up to 30 degrees beyond a profile. Unknown means yes."""
    return not person.z[_NOSE] >= np.max(person.z[[*_EARS]])


def face_picture(picture: Bytes, people: Sequence[PosedPerson], key: str) -> Bytes:
    """The face of the person ``key`` cut out of ``picture`` (H, W, 3) and stretched to `FACE_SIZE`.

    Black where it does not show: black is what Wan-Animate's own negative conditioning says for "no face", and the
    movie has to stay as long as the pose's.
    """
    size = (picture.shape[1], picture.shape[0])
    box = next((seen_face(person, size) for person in people if person.key == key), None)
    if box is None:
        return np.zeros((FACE_SIZE[1], FACE_SIZE[0], 3), np.uint8)
    return stretched(picture[box.y : box.y + box.height, box.x : box.x + box.width], FACE_SIZE)


def stretched(picture: Bytes, size: tuple[int, int]) -> Bytes:
    """(H, W, 3) at another ``size`` (width, height): bilinear, as ``cv2.resize`` does by default.

    It is what the model's preprocessing calls, also for what becomes smaller.
    """
    rows, columns = (_taps(old, new) for old, new in zip(picture.shape[:2], size[::-1], strict=True))
    first, second, share = rows
    tall = picture[first] + (picture[second].astype(np.float32) - picture[first]) * share[:, None, None]
    first, second, share = columns
    wide = tall[:, first] + (tall[:, second] - tall[:, first]) * share[None, :, None]
    return np.floor(wide + 0.5).astype(np.uint8)


def _taps(
    old: int, new: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:  # fmt: skip
    """For each of ``new`` samples the two of ``old`` around its centre, and the share of the second."""
    centre = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    first = np.floor(centre).astype(np.int64)
    return first, np.minimum(first + 1, old - 1), (centre - first).astype(np.float32)
