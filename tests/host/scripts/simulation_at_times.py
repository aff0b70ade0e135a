# SPDX-License-Identifier: GPL-3.0-or-later
"""What is only simulated at times, or in a background set: keys and drivers switch it after the file was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import simulation
from simulation import sheet

from second_unit.addon.host.simulated import unbaked

Cases = dict[str, Callable[[Any], None]]


def _key(owner: Any, name: str, values: list[tuple[int, object]]) -> None:
    for frame, value in values:
        setattr(owner, name, value)
        owner.keyframe_insert(name, frame=frame)
    setattr(owner, name, values[0][1])


def shown(scene: Any) -> None:
    """Cloth that begins to be rendered at frame 2."""
    simulation.cloth(scene)
    for name in ("show_render", "show_viewport"):
        _key(sheet().modifiers["Cloth"], name, [(1, False), (2, True)])


def driven(scene: Any) -> None:
    """Cloth that a driver switches on, by its number."""
    simulation.cloth(scene)
    sheet().modifiers["Cloth"].name = 'Cl"oth'
    sheet().driver_add("modifiers[0].show_render").driver.expression = "frame > 1"
    sheet().modifiers[0].show_render = False


def particles(scene: Any) -> None:
    """Particles that begin to be rendered later."""
    simulation.particles(scene)
    _key(sheet().modifiers["Rain"], "show_render", [(1, False), (2, True)])


def dynamic(scene: Any) -> None:
    """Hair that begins to move later."""
    simulation.hair(scene)
    _key(sheet().particle_systems[0], "use_hair_dynamics", [(1, False), (2, True)])


def zone(scene: Any) -> None:
    """A zone that begins to be rendered later."""
    simulation.zone(scene)
    _key(sheet().modifiers["Zone"], "show_render", [(1, False), (2, True)])


def fluid(_: Any) -> None:
    """A liquid that begins to be rendered later."""
    modifier = sheet().modifiers.new("Fluid", "FLUID")
    modifier.fluid_type = "DOMAIN"
    modifier.domain_settings.domain_type = "LIQUID"
    _key(modifier, "show_render", [(1, False), (2, True)])


def paint(scene: Any) -> None:
    """A canvas whose surface is switched on later."""
    modifier = sheet().modifiers.new("Paint", "DYNAMIC_PAINT")
    modifier.ui_type = "CANVAS"
    with bpy.context.temp_override(scene=scene, object=sheet(), active_object=sheet()):
        bpy.ops.dpaint.type_toggle(type="CANVAS")
    _key(modifier.canvas_settings.canvas_surfaces[0], "is_active", [(1, False), (2, True)])


def released(scene: Any) -> None:
    """A rigid body that is let go at frame 3."""
    simulation.body(scene)
    _key(sheet().rigid_body, "kinematic", [(1, True), (3, False)])


def enabled(scene: Any) -> None:
    """A rigid body that takes part from frame 3 on."""
    simulation.body(scene)
    _key(sheet().rigid_body, "enabled", [(1, False), (3, True)])


def world(scene: Any) -> None:
    """A world of rigid bodies that is switched on at frame 3."""
    simulation.body(scene)
    _key(scene.rigidbody_world, "enabled", [(1, False), (3, True)])


def external(scene: Any) -> None:
    """Cloth whose cache on disk counts at first."""
    simulation.cloth(scene)
    _key(sheet().modifiers["Cloth"].point_cache, "use_external", [(1, True), (3, False)])


def _behind(scene: Any) -> Any:
    """The sheet is in the background set of a background set."""
    for name in ("Middle", "Set"):
        scene.background_set = bpy.data.scenes.new(name)
        scene = scene.background_set
    scene.collection.objects.link(sheet())
    bpy.context.scene.collection.objects.unlink(sheet())
    return scene


def behind(scene: Any) -> None:
    """Cloth in a background set."""
    _behind(scene)
    simulation.cloth(scene)


def body_behind(scene: Any) -> None:
    """A rigid body of the world of a background set."""
    home = _behind(scene)
    with bpy.context.temp_override(scene=home):
        bpy.ops.rigidbody.world_add()
        home.rigidbody_world.collection = bpy.data.collections.new("Bodies")
        home.rigidbody_world.collection.objects.link(sheet())


def never(scene: Any) -> None:
    """Switched off for renders; only how much it weighs is keyed."""
    simulation.off(scene)
    _key(sheet().modifiers["Cloth"].settings, "mass", [(1, 0.3), (2, 0.4)])


def held(scene: Any) -> None:
    """A body that is moved by keys, always."""
    simulation.body(scene)
    sheet().rigid_body.kinematic = True
    _key(sheet(), "location", [(1, (0, 0, 0)), (9, (0, 0, 1))])


CASES: Cases = {
    case.__name__: case
    for case in (
        shown, driven, particles, dynamic, zone, fluid, paint, released, enabled, world, external, behind,
        body_behind, never, held,
    )
}  # fmt: skip


def run(args: dict[str, Any]) -> Any:
    """Tasks ``found`` and ``drawn`` as those of `simulation`; ``both``: name and start of what begins twice."""
    if args["task"] == "both":
        return _both()
    if args["task"] == "found":
        return {name: simulation._found(case) for name, case in CASES.items()}
    scene = simulation.build()
    (CASES | simulation.CASES)[args["case"]](scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(args["folder"]) / "sheet.blend"))
    steps: list[int] = []
    found = [_counted(args["folder"], order, steps) for order in args["orders"]]
    return {"drawn": found, "steps": steps}


def _both() -> list[Any]:
    """Cloth from frame 1 on, a body of a world that begins at 5."""
    scene = simulation.build()
    simulation.cloth(scene)
    simulation.body(scene)
    scene.rigidbody_world.point_cache.frame_start = 5
    found = unbaked(scene, scene.view_layers[0])
    return [found.names, found.start]


def _counted(folder: str, order: dict[str, Any], steps: list[int]) -> dict[str, Any]:
    """What was drawn, and how many frames Blender evaluated for it."""
    evaluated: list[int] = []

    @bpy.app.handlers.persistent
    def count(scene: Any, *_: object) -> None:
        evaluated.append(scene.frame_current)

    bpy.app.handlers.render_pre.append(count)
    try:
        return simulation._drawn(folder, order)
    finally:
        bpy.app.handlers.render_pre.remove(count)
        steps.append(len(evaluated))
