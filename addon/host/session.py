# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child Blender takes over from the artist's: add-ons, preferences, trust, online access.

Needs bpy inside functions only. The parent gathers and saves a `Session`, ``$SECOND_UNIT_SESSION`` names the document,
the child joins it before its task. Everything is set in the child's memory; nobody's preferences are written.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import storage_error
from ..shot.documents import Schema, read_document, write_document
from .blender import SESSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = Schema("second_unit.session", 1)
_GROUPS = ("edit", "experimental", "filepaths", "system")
_SCALARS = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
# secrets, programs that are started, devices that are opened, and what `Session` says itself
_PRIVATE = re.compile(r"(^|_)(password|passwd|token|secret|credentials?|account|username|login|auth)(_|$)")
_LEFT_OUT = re.compile(
    r"audio_.*|gpu_.*|.*_editor(_args)?|animation_player.*|use_online_access|use_scripts_auto_execute|.*_handled"
)
_OURS = __name__.removesuffix(".addon.host.session")


@dataclass(frozen=True, slots=True)
class Session:
    """What evaluation in a child may depend on.

    ``addons`` are module names, ``trusted`` tells whether scripts of the open file run, ``online`` whether Blender may
    go online; ``preferences`` holds plain values by their path, such as ``edit.use_duplicate_action``.
    """

    addons: tuple[str, ...] = ()
    trusted: bool = False
    online: bool = False
    preferences: Mapping[str, object] | None = None


def gather() -> Session:
    """The session of the Blender this runs in. Changes nothing."""
    import bpy

    preferences: Any = bpy.context.preferences
    addons = tuple(addon.module for addon in preferences.addons if not _is_ours(addon.module))
    return Session(addons, is_trusted(), bool(bpy.app.online_access), dict(_values(preferences)))


def _is_ours(module: str) -> bool:
    return module == _OURS or module.rpartition(".")[2] == "second_unit"


def _values(preferences: Any) -> Iterator[tuple[str, object]]:
    """Path and plain value of everything that can be set in the groups that matter to evaluation."""
    for group in _GROUPS:
        owner = getattr(preferences, group, None)
        for prop in owner.bl_rna.properties if owner is not None else ():
            name = prop.identifier
            is_private = prop.subtype == "PASSWORD" or _PRIVATE.search(name) or _LEFT_OUT.fullmatch(name)
            if prop.type in _SCALARS and not prop.is_readonly and not is_private:
                yield f"{group}.{name}", _plain(getattr(owner, name), prop)


def _plain(value: Any, prop: Any) -> object:
    if prop.type == "ENUM" and prop.is_enum_flag:
        return sorted(value)
    return list(value) if getattr(prop, "is_array", False) else value


def is_trusted() -> bool:
    """Whether scripts of the open file are run in this Blender.

    Blender shows only that it blocked something. So: what was blocked is not trusted; what ran, a registered text or a
    Python driver of the scene shown, proves trust, also where it was given by hand; otherwise the preference decides,
    with its excluded folders. Without any script nothing is lost by no trust.
    """
    import bpy

    if bpy.app.autoexec_fail:
        return False
    drivers = list(python_drivers())
    if any(text.use_module for text in bpy.data.texts) or _has_run(owner for owner, _ in drivers):
        return True
    return bool(drivers) and _is_allowed()


def _has_run(owners: Iterator[Any]) -> bool:
    """Whether the view layer shown, which was evaluated to be shown, holds one of ``owners``."""
    import bpy

    graph: Any = bpy.context.view_layer.depsgraph if bpy.context.view_layer else None
    evaluated = {item.original for item in graph.ids} if graph is not None else set[Any]()
    return any(owner in evaluated for owner in owners)


def _is_allowed() -> bool:
    """What command line and preferences say about the scripts of a file in this folder."""
    import bpy

    words = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    for word in reversed(words):
        if word in {"-y", "--enable-autoexec", "-Y", "--disable-autoexec"}:
            return word in {"-y", "--enable-autoexec"}
    preferences: Any = bpy.context.preferences
    folder = os.path.normcase(str(Path(bpy.data.filepath).parent))
    return preferences.filepaths.use_scripts_auto_execute and not any(
        _is_below(folder, os.path.normcase(entry.path), is_pattern=entry.use_glob)
        for entry in preferences.autoexec_paths
        if entry.path
    )


def _is_below(folder: str, excluded: str, *, is_pattern: bool) -> bool:
    return fnmatch(folder, excluded) if is_pattern else Path(folder).is_relative_to(excluded)


def python_drivers() -> Iterator[tuple[Any, Any]]:
    """Datablock and driver for every driver of the file that Blender gives to Python."""
    import bpy

    data: Any = bpy.data
    for prop in data.bl_rna.properties:
        for block in getattr(data, prop.identifier) if prop.type == "COLLECTION" else ():
            for owner in (block, getattr(block, "node_tree", None)):
                animation = getattr(owner, "animation_data", None)
                for curve in animation.drivers if animation is not None else ():
                    if curve.driver.type == "SCRIPTED" and not curve.driver.is_simple_expression:
                        yield owner, curve.driver


def save_session(path: Path, session: Session | None = None) -> None:
    """Write ``session``, or the one gathered here and now, for its owner's eyes only."""
    now = session or gather()
    write_document(path, SCHEMA, {
        "addons": list(now.addons), "trusted": now.trusted, "online": now.online,
        "preferences": dict(now.preferences or {}),
    })  # fmt: skip
    try:
        path.chmod(0o600)
    except OSError as error:
        raise storage_error(error, path) from error


def load_session(path: Path) -> Session:
    """Read what `save_session` wrote. Raises `DocumentError` when it is damaged."""
    fields = read_document(path, SCHEMA)
    return Session(
        fields.texts("addons"), fields.flag("trusted"), fields.flag("online"), fields.mapping("preferences", {})
    )


def given() -> Session | None:
    """The session this process was told to join, if any."""
    named = os.environ.get(SESSION)
    return load_session(Path(named)) if named else None


def join() -> list[str]:
    """Take over the session this process was told of; a note for each thing this Blender does not take."""
    import bpy

    session = given()
    if session is None:
        return []
    preferences: Any = bpy.context.preferences
    preferences.use_preferences_save = False
    if bool(bpy.app.online_access) != session.online:
        preferences.system.use_online_access = session.online
    refused = [note for path, value in (session.preferences or {}).items() if (note := _set(preferences, path, value))]
    return [*refused, *_join_addons(session.addons)]


def _set(preferences: Any, path: str, value: Any) -> str:
    """Set one preference where it differs: setting some has effects. Returns a note when that is not possible."""
    group, _, name = path.partition(".")
    owner: Any = getattr(preferences, group, None) if group in _GROUPS else None
    prop: Any = owner.bl_rna.properties.get(name) if owner is not None else None
    if prop is None or prop.is_readonly or _plain(getattr(owner, name), prop) == value:
        return ""
    try:
        setattr(owner, name, set(value) if prop.type == "ENUM" and prop.is_enum_flag else value)
    except (TypeError, ValueError) as error:
        return f"The preference '{path}' could not be taken over ({error})."
    return ""


def _join_addons(wanted: tuple[str, ...]) -> list[str]:
    """Enable what the artist has enabled and nothing else, in memory; our own extension stays as it is."""
    import bpy

    # a module of Blender's own scripts, of which type checkers know nothing
    utils: Any = importlib.import_module("addon_utils")
    preferences: Any = bpy.context.preferences
    for module in [addon.module for addon in preferences.addons]:
        if module not in wanted and not _is_ours(module):
            utils.disable(module, default_set=False)
    return [note for module in wanted if not _is_ours(module) and (note := _enable(utils, module))]


def _enable(utils: Any, module: str) -> str:
    _, is_loaded = utils.check(module)
    if is_loaded:
        return ""
    reasons: list[str] = []

    def refused(error: Exception) -> None:
        reasons.extend(str(error).splitlines()[:1])

    if utils.enable(module, default_set=False, handle_error=refused) is not None:
        return ""
    why = f" ({reasons[0].rstrip('.')})" if reasons else ""
    return f"The add-on '{module}' could not be enabled{why}: what it does to the scene is missing."
