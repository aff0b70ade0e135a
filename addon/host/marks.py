# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the properties by which we know what is ours in a file. Needs no bpy, and loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

OWNED = "second_unit_owned"
"""On a scene: what it is, `EDIT` or the uuid of a comp's shot."""
EDIT = "edit"
LAYOUT = "second_unit_layout_scene"
"""On the edit: the name of the scene it was made from."""
LAID_AS = "second_unit_laid_as"
"""On both: what the scene was called when it was last laid. Copies bring it along, but have names of their own."""
GIVEN = "second_unit_name"
"""On a scene or strip: the name we gave it."""


def ours(scenes: Iterable[Any]) -> list[Any]:
    """Of ``scenes`` those that are what their mark says: a copy is not, while its original stands.

    The original is called what it was when it was laid. When none of those marked alike is, it was renamed: then it is
    the first of them without cameras, for we never bind one, and who does blocks there.
    """
    marked: dict[str, list[Any]] = {}
    for scene in scenes:
        if OWNED in scene:
            marked.setdefault(str(scene[OWNED]), []).append(scene)
    found = (_original(alike) for alike in marked.values())
    return [scene for scene in found if scene is not None]


def _original(alike: list[Any]) -> Any | None:
    named = [scene for scene in alike if scene.name == scene.get(LAID_AS, scene.get(GIVEN))]
    return next(iter(named or [scene for scene in alike if not _is_blocked(scene)]), None)


def _is_blocked(scene: Any) -> bool:
    return scene.camera is not None or any(marker.camera for marker in scene.timeline_markers)
