# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes `handover.blend`, the example scene of Second Unit, from nothing.

    python make_example.py [--sound-python PYTHON] [--out FILE]

Run it with a Python that has bpy 4.2: the file must be saved by the oldest supported Blender. The bpy 4.2 wheel has no
Audaspace, so the sound strip is made in a base file by a second Python whose bpy (4.5) has it (`--sound-python`); 4.2
opens that base and builds everything else in it. Without `--sound-python` this Python's bpy makes the base itself,
which works where it was built with Audaspace.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
COPY = HERE.parent / "addon" / "data" / "example" / "handover.blend"


def build(base: Path) -> None:
    """Open the base file and build the whole scene in it."""
    import bpy
    import example_animate
    import example_bodies
    import example_cameras
    import example_figures
    import example_props
    import example_set
    from example_mesh import collection

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.wm.open_mainfile(filepath=str(base), load_ui=False)
    scene = bpy.context.scene
    example_cameras.set_up_scene()
    roots = {name: collection(name, scene.collection) for name in ("SET", "PROPS", "CHARACTERS", "CAMERAS", "LIGHTS")}
    mats = example_set.make_materials()
    example_set.build_set(roots["SET"], mats)
    case = example_props.build_props(roots["PROPS"], mats)
    rigs: list[bpy.types.Object] = []
    for person, dress in (
        (example_bodies.COURIER, example_figures.dress_in_parts),
        (example_bodies.CONTACT, example_figures.dress_in_one),
    ):
        own = collection(person.name, roots["CHARACTERS"])
        rig = example_figures.make_rig(person, own)
        dress(person, rig, own, [mats[person.name.lower()], mats["skin"], mats["dark"]])
        rigs.append(rig)
    example_animate.animate(rigs[0], rigs[1])
    example_animate.hand_over(case, rigs[0], rigs[1])
    example_cameras.build_cameras(roots["CAMERAS"])
    example_cameras.build_lights(roots["LIGHTS"])
    scene.frame_set(scene.frame_start)


def save(path: Path) -> None:
    """Purge what nothing uses, leave no folder of this machine in the file browsers, save compressed."""
    import bpy

    spaces = [space for screen in bpy.data.screens for area in screen.areas for space in area.spaces]
    for space in spaces:
        if space.type == "FILE_BROWSER" and space.params is not None:
            space.params.directory = b"//"
        elif space.type == "VIEW_3D" and space.region_3d is not None:
            space.region_3d.view_perspective = "CAMERA"
            space.shading.show_shadows = space.shading.show_cavity = True
    for thing in bpy.context.selected_objects:
        thing.select_set(state=False)
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, relative_remap=False)


def make_base(folder: Path, sound_python: str | None) -> Path:
    """The base file with the sound strip, by this process or by `sound_python`."""
    if sound_python is None:
        from example_sound import write_base

        return write_base(folder)
    subprocess.run([sound_python, str(Path(__file__).resolve()), "--base-in", str(folder)], check=True)
    return folder / "base.blend"


def main() -> int:
    """Run one stage or both; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the example scene of Second Unit.")
    parser.add_argument("--sound-python", help="a Python whose bpy has Audaspace, for the temp track")
    parser.add_argument("--out", type=Path, default=HERE / "handover.blend")
    parser.add_argument("--base-in", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, str(HERE))
    if args.base_in:
        make_base(args.base_in, None)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        build(make_base(Path(folder), args.sound_python))
        save(args.out.resolve())
    if args.out.resolve() == HERE / "handover.blend":
        COPY.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(args.out, COPY)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
