# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what came back: every frame decodes, has the size that was asked for, and not everything is black."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from ...errors import ServiceError, ServiceFault, storage_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMATS = ("PNG", "JPEG", "WEBP")
BLACK = 1
"""Largest 8-bit value of a picture that counts as black."""
_BYTES_PER_PIXEL = 8
_SLACK = 1 << 20
# What Pillow raises for bytes that are no whole picture; its readers let errors of their own parsing through.
_DAMAGE = (
    UnidentifiedImageError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError, struct.error,
    zlib.error,
)  # fmt: skip


def largest_frame(size: tuple[int, int]) -> int:
    """Bytes a frame of ``size`` (pixels) may have: four 16-bit channels that do not compress, and some metadata."""
    return size[0] * size[1] * _BYTES_PER_PIXEL + _SLACK


def check_count(count: int, expected: int) -> None:
    """Raise `ServiceError` unless the service made exactly the frames that were asked for."""
    if count != expected:
        raise ServiceError(
            f"The service made {count} frames where {expected} were asked for.",
            "Look at the graph's output node and the service's log, then generate again.",
        )


def verify_frames(files: Sequence[Path], size: tuple[int, int]) -> None:
    """Check every file and turn what is no PNG into one, in place.

    A frame may be black (a fade), a whole chunk may not: that is what a broken decoder makes. A damaged file is
    removed, so that it is fetched again. Raises `ServiceError`: transient for damage, protocol for a wrong picture.
    """
    if all([_verify(path, i, size) for i, path in enumerate(files)]):  # noqa: C419 - every frame is to be looked at
        raise ServiceError(
            "The service made nothing but black frames.",
            "Check its model files, or generate again with another seed.",
        )


def _verify(path: Path, index: int, size: tuple[int, int]) -> bool:
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.size != size:
                raise ServiceError(
                    f"Frame {index + 1} is {image.width}x{image.height} where {size[0]}x{size[1]} was asked for.",
                    "Look at the graph's sizes, then generate again.",
                )
            image.load()
            is_black = _is_black(image)
            if image.format != "PNG":
                image.convert("RGB").save(path, "PNG")
    except Image.DecompressionBombError as error:
        raise ServiceError(
            f"Frame {index + 1} claims to be far larger than the {size[0]}x{size[1]} that was asked for.",
            "Look at the graph's sizes, then generate again.",
        ) from error
    except _DAMAGE as error:
        raise _damaged(path, index) from error
    except OSError as error:
        if error.errno is not None:
            raise storage_error(error, path) from error
        raise _damaged(path, index) from error
    return is_black


def _is_black(image: Image.Image) -> bool:
    if image.mode not in {"L", "RGB", "I;16", "I", "F"}:
        image = image.convert("RGB")
    low_high = image.getextrema()
    bands = [band for band in low_high if isinstance(band, tuple)] or [low_high]
    return all(float(high) <= BLACK for _, high in bands)  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]


def _damaged(path: Path, index: int) -> ServiceError:
    path.unlink(missing_ok=True)
    return ServiceError(
        f"Frame {index + 1} arrived damaged.",
        "Run 'second-unit jobs resume' to fetch it again.",
        fault=ServiceFault.TRANSIENT,
    )
