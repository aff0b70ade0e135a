# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame of conditioning costs: ours, Cycles tuned as well as we can, and the naive way, in the same run.

    python bench/conditioning.py [--json] [--scenes S,M,L] [--methods zbuffer,cycles,naive] [--frames 12] [--size WxH]
    python bench/conditioning.py [--json] [--scenes S] --lengths 24,480

The second tells whether memory grows with the length of a shot: the command itself, with all passes in small pictures,
once for each length. Every case runs in a process of its own, with the bpy module of this Python. ``cpu_s_per_frame``
is the median of frames 2 to the last, all threads added up, from evaluating the scene to the files of the package.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_SMALL = 96, 64
PASSES = ("depth", "depth16", "pose", "normal", "lineart", "segmentation", "matte_object", "flow")


def main() -> int:
    """Run the cases that were asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object per line")
    parser.add_argument("--scenes", default="S,M,L")
    parser.add_argument("--methods", default="zbuffer,cycles,naive")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--lengths", default="", help="peaks of memory for shots of so many frames")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        return child(*args.case.split(","), args.frames, args.size)
    if args.lengths:
        return memory(args.scenes.split(","), [int(count) for count in args.lengths.split(",")], is_json=args.json)
    for method in args.methods.split(","):
        # one frame of S takes the naive way as long as everything else together
        for scene in args.scenes.split(",") if method != "naive" else "S":
            frames = args.frames if method != "naive" else 1
            command = [sys.executable, __file__, "--case", f"{method},{scene}", "--frames", str(frames)]
            with tempfile.TemporaryDirectory() as folder:
                env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "BLENDER_USER_RESOURCES": folder, "TMPDIR": folder}
                done = subprocess.run(
                    [*command, "--size", args.size], env=env, capture_output=True, text=True, check=False
                )
            lines = [line for line in done.stdout.splitlines() if line.startswith('{"scene"')]
            if not lines:
                print(done.stdout[-2000:] + done.stderr[-2000:], file=sys.stderr)
                return 1
            print(lines[0] if args.json else _readable(json.loads(lines[0])), flush=True)
    return 0


def _readable(found: dict[str, Any]) -> str:
    stages = "  ".join(f"{name} {ms:.0f} ms" for name, ms in found.get("stages_ms", {}).items())
    costs = f"{found['cpu_s_per_frame']:.3f} CPU-s  {found['wall_s_per_frame']:.3f} s  {found['peak_rss_mb']:.0f} MB"
    return f"{found['scene']} {found['method']:8} {costs}  {stages}"


def memory(scenes: list[str], lengths: list[int], *, is_json: bool) -> int:
    """Peaks of the Blender that draws, of the one that encodes, and of the command that packs, for each length."""
    for scene in scenes:
        with tempfile.TemporaryDirectory() as folder:
            env = {**os.environ, "BLENDER_USER_RESOURCES": folder, "TMPDIR": folder}
            env.pop("BLENDER", None)
            blend = Path(folder) / f"{scene}.blend"
            subprocess.run([sys.executable, __file__, "--case", f"file,{blend}"], env=env, check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
            for frames in lengths:
                found = {"scene": scene, "method": "zbuffer", "passes": ["all"], "size": list(_SMALL), "frames": frames}
                found |= _peaks(blend, frames, env)
                print(json.dumps(found) if is_json else _told(found), flush=True)
    return 0


def _peaks(blend: Path, frames: int, env: dict[str, str]) -> dict[str, int]:
    command = [
        sys.executable, str(HERE / "peaks.py"), "condition", str(blend), "--project", str(blend.parent / f"{frames}"),
        "--frames", f"1-{frames}", "--passes", "all", "--size", f"{_SMALL[0]}x{_SMALL[1]}", "--quiet",
    ]  # fmt: skip
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    peaks = json.loads(done.stdout.splitlines()[-1])
    named = {"drawing": peaks["condition"], "encoding_at_most": peaks["encode"], "packing": peaks["packing"]}
    return {f"{name}_peak_rss_mb": round(kb / 1024) for name, kb in named.items()}


def _told(found: dict[str, Any]) -> str:
    peaks = "  ".join(f"{name.split('_peak')[0]} {mb} MB" for name, mb in found.items() if name.endswith("_mb"))
    return f"{found['scene']} {found['frames']:4} frames of {_SMALL[0]}x{_SMALL[1]}: {peaks}"


def child(method: str, scene: str, frames: int, size: str) -> int:
    """One case, in a process that holds nothing else."""
    sys.path.insert(0, str(HERE))
    import scenes

    if method == "file":
        return _save(scenes.build(Path(scene).stem), scene)
    built = scenes.build(scene)
    width, height = (int(side) for side in size.split("x"))
    run = {"zbuffer": zbuffer, "cycles": cycles, "naive": naive}[method]
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall, stages = run(built, frames, (width, height), Path(folder))
    print(json.dumps({
        "scene": scene, "method": method, "passes": list(PASSES) if method == "zbuffer" else ["depth", "normal"],
        "size": [width, height], "frames": frames, "cpu_s_per_frame": round(statistics.median(cpu), 4),
        "wall_s_per_frame": round(statistics.median(wall), 4), "peak_rss_mb": round(_peak_mb()), "stages_ms": stages,
    }), flush=True)  # fmt: skip
    os._exit(0)


def _save(scene: Any, file: str) -> int:
    import bpy

    bpy.context.window.scene = scene
    bpy.ops.wm.save_as_mainfile(filepath=file)
    return 0


def _peak_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _steps(marks: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """CPU and wall seconds between marks, without the first step if there are more."""
    cpu = [b[0] - a[0] for a, b in pairwise(marks)]
    wall = [b[1] - a[1] for a, b in pairwise(marks)]
    return (cpu[1:], wall[1:]) if len(cpu) > 1 else (cpu, wall)


class Clock:
    """Marks after every frame."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float]] = []

    def __call__(self, *_: object) -> None:
        self.marks.append((time.process_time(), time.perf_counter()))


def zbuffer(scene: Any, frames: int, size: tuple[int, int], folder: Path) -> tuple[list[float], list[float], Any]:
    """Our own way, both phases: frames into the cache, then the package."""
    from second_unit.addon.conditioning.cache import FrameCache
    from second_unit.addon.conditioning.package import PackageOrder, make_package
    from second_unit.addon.conditioning.passes import layers_of
    from second_unit.addon.host.condition import condition_scene
    from second_unit.addon.shot.camera import Crop
    from second_unit.addon.shot.documents import Fields
    from second_unit.addon.shot.profile import load_profile
    from second_unit.addon.shot.timing import FrameRange, as_is

    profile, drawing, packing = load_profile("wan-vace-14b"), Clock(), Clock()
    frame_map = as_is(FrameRange(1, frames), (0, 0), profile.rule)
    found = condition_scene(scene, Fields({
        "camera": "Camera", "times": [str(t) for t in frame_map.times], "after": str(frames + 1), "meter": 1,
        "size": list(size), "layers": list(layers_of(PASSES)), "cache": str(folder / "cache"),
    }, "bench"), drawing)  # fmt: skip
    drawing()
    order = PackageOrder(
        "u", "SH010", {}, Fraction(24), frame_map, dict(zip(frame_map.times, found["hashes"], strict=True)), size,
        Crop(*found["crop"]), profile, "draft", tuple(found["people"]), PASSES,
        following=dict(zip(frame_map.times, found["following"], strict=True)),
    )  # fmt: skip
    make_package(folder / "packages", order, FrameCache(folder / "cache"), _no_movies, packing)
    first = _steps(drawing.marks)
    # packing runs on two threads, so only its sum says something
    marks = packing.marks
    share = [(marks[-1][k] - marks[0][k]) / (len(marks) - 1) for k in (0, 1)] if len(marks) > 1 else [0.0, 0.0]
    cpu = [value + share[0] for value in first[0]]
    wall = [value + share[1] for value in first[1]]
    stages = {"draw": statistics.median(first[0]) * 1000, "pack": share[0] * 1000}
    return cpu, wall, {name: round(ms, 1) for name, ms in stages.items()}


def _no_movies(movies: Any) -> None:
    for _, movie, _ in movies:
        movie.write_bytes(b"movie")


def cycles(scene: Any, frames: int, size: tuple[int, int], folder: Path) -> tuple[list[float], list[float], Any]:
    """Depth and normals by one sample, without bounces or lights' work: the best Cycles can do."""
    import bpy

    _cycles(scene, size, folder, samples=1)
    material: Any = bpy.data.materials.new("Nothing")
    material.use_nodes = False
    scene.view_layers[0].material_override = material
    scene.cycles.max_bounces, scene.cycles.pixel_filter_type = 0, "BOX"
    scene.render.use_persistent_data = True
    return _rendered(scene, frames)


def naive(scene: Any, frames: int, size: tuple[int, int], folder: Path) -> tuple[list[float], list[float], Any]:
    """As scripts on the net do it: the artist's own settings, one call per frame."""
    _cycles(scene, size, folder, samples=16)
    return _rendered(scene, frames)


def _cycles(scene: Any, size: tuple[int, int], folder: Path, samples: int) -> None:
    from second_unit.addon.host.versions import set_format

    scene.render.engine, scene.cycles.samples = "CYCLES", samples
    scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
    scene.view_layers[0].use_pass_z = scene.view_layers[0].use_pass_normal = True
    scene.render.resolution_x, scene.render.resolution_y = size
    set_format(scene.render.image_settings, "OPEN_EXR_MULTILAYER", depth="32")
    scene.render.image_settings.exr_codec = "ZIP"
    scene.render.filepath = str(folder / "frame")


def _rendered(scene: Any, frames: int) -> tuple[list[float], list[float], Any]:
    import bpy

    clock = Clock()
    clock()
    for frame in range(1, frames + 1):
        scene.frame_set(frame)
        bpy.ops.render.render(scene=scene.name, write_still=True)
        clock()
    return *_steps(clock.marks), {}


if __name__ == "__main__":
    sys.exit(main())
