# SPDX-License-Identifier: GPL-3.0-or-later
"""One scene for each thing that cannot be the same in a child, and some that can."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.host.concerns import concerns


def grid(name: str) -> Any:
    """A mesh to hang things on."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=3, y_subdivisions=3)
    bpy.context.object.name = name
    return bpy.context.object


def painted(_: Path) -> None:
    """A picture whose pixels are in memory only."""
    image = bpy.data.images.new("Painted", 4, 4)
    image.pixels = [0.5] * 64
    image.update()


def packed(folder: Path) -> None:
    """A picture whose pixels are in the file."""
    painted(folder)
    bpy.data.images["Painted"].pack()


def library(folder: Path) -> None:
    """A linked file that went away."""
    file = folder / "gone.blend"
    bpy.data.libraries.write(str(file), {bpy.data.meshes.new("Prop")})
    there: Any = bpy.data.libraries.load(str(file), link=True)
    with there as (_, wanted):
        wanted.meshes = ["Prop"]
    file.unlink()


def cloth(_: Path) -> None:
    """Not baked."""
    grid("Flag").modifiers.new("Cloth", "CLOTH")


def particles(_: Path) -> None:
    """Not baked."""
    grid("Fountain").modifiers.new("Particles", "PARTICLE_SYSTEM")


def rigid_body(_: Path) -> None:
    """Not baked."""
    grid("Stone")
    bpy.ops.rigidbody.world_add()
    bpy.ops.rigidbody.object_add()


def fluid(_: Path) -> None:
    """Not baked."""
    grid("Tank").modifiers.new("Fluid", "FLUID").fluid_type = "DOMAIN"


def nodes(_: Path) -> None:
    """A simulation inside a group of nodes."""
    inner = bpy.data.node_groups.new("Inner", "GeometryNodeTree")
    begin, end = inner.nodes.new("GeometryNodeSimulationInput"), inner.nodes.new("GeometryNodeSimulationOutput")
    begin.pair_with_output(end)
    outer = bpy.data.node_groups.new("Outer", "GeometryNodeTree")
    outer.nodes.new("GeometryNodeGroup").node_tree = inner
    outer.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    outer.nodes.new("NodeGroupOutput")
    grid("Grown").modifiers.new("Nodes", "NODES").node_group = outer


def nodes_on_disk(folder: Path) -> None:
    """The same with frames where the modifier keeps them."""
    nodes(folder)
    (folder / "bake" / "123" / "meta").mkdir(parents=True)
    (folder / "bake" / "123" / "meta" / "1.json").write_text("{}")
    bpy.data.objects["Grown"].modifiers["Nodes"].bake_directory = str(folder / "bake")


def drive(name: str) -> None:
    """A driver that calls a function."""
    driver = grid("Driven").driver_add("location", 0).driver
    driver.type, driver.expression = "SCRIPTED", f"{name}(frame)"


def typed(_: Path) -> None:
    """A function that was typed into the console."""
    space: dict[str, Any] = {}
    exec(compile("def typed(f):\n    return f\n", "<blender_console>", "exec"), space)  # noqa: S102 as the console does
    bpy.app.driver_namespace["typed"] = space["typed"]
    drive("typed")


def registered(_: Path) -> None:
    """A function of a registered text, which Blender ran when it loaded the file."""
    text = bpy.data.texts.new("fn.py")
    text.write("import bpy\ndef mine(f):\n    return f\nbpy.app.driver_namespace['mine'] = mine\n")
    text.use_module = True
    drive("mine")
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath, use_scripts=True)


def run_by_hand(folder: Path) -> None:
    """The same after Register was switched off: no other Blender would run it."""
    registered(folder)
    bpy.data.texts["fn.py"].use_module = False


CASES: dict[str, Callable[[Path], None]] = {
    "nothing": lambda _: None, "painted": painted, "packed": packed, "library": library, "cloth": cloth,
    "particles": particles, "rigid body": rigid_body, "fluid": fluid, "nodes": nodes, "nodes on disk": nodes_on_disk,
    "registered": registered, "run by hand": run_by_hand,
}  # fmt: skip


def said(folder: Path, name: str, case: Callable[[Path], None]) -> list[str]:
    """What is said about a scene."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{name}.blend"))
    case(folder)
    bpy.context.view_layer.update()
    return concerns()


def run(args: dict[str, Any]) -> Any:
    """What is said about each of `CASES`, and where no copy can lie."""
    folder = Path(args["folder"])
    found = {name: said(folder, name, case) for name, case in CASES.items()}
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True
    found["typed"] = said(folder, "typed", typed)
    answer = os.access
    os.access = lambda *_: False
    found["locked"] = said(folder, "locked", lambda _: None)
    os.access = answer
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    found["never saved"] = concerns()
    return found
