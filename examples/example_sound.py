# SPDX-License-Identifier: GPL-3.0-or-later
"""The temp track of the example: room tone, footsteps at the planned landings, the clunk of the case.

`write_wav` is numpy only. `write_base` needs a bpy that was built with Audaspace: it writes the base file, an otherwise
empty .blend whose scene `Layout` holds the packed sound strip.
"""

from __future__ import annotations

import wave
from pathlib import Path

import example_plan as plan
import numpy as np
import numpy.typing as npt

RATE_HZ = 16000
SECONDS = (plan.LAST_FRAME - plan.FIRST_FRAME + 1) / plan.FPS
Samples = npt.NDArray[np.float64]


def _room(rng: np.random.Generator, count: int) -> Samples:
    t = np.arange(count) / RATE_HZ
    hum = 0.010 * np.sin(2 * np.pi * 50 * t) + 0.006 * np.sin(2 * np.pi * 100 * t + 0.4)
    air = np.convolve(rng.normal(0, 1, count), np.ones(48) / 48, mode="same")
    return hum + 0.035 * air * (0.8 + 0.2 * np.sin(2 * np.pi * 0.17 * t))


def _step(rng: np.random.Generator, weight: float) -> Samples:
    t = np.arange(int(0.16 * RATE_HZ)) / RATE_HZ
    thud = np.sin(2 * np.pi * (95 - 160 * t) * t) * np.exp(-t * 38)
    grit = np.convolve(rng.normal(0, 1, t.size), np.ones(5) / 5, mode="same")
    sole = grit * (np.exp(-t * 90) + 0.45 * np.exp(-(((t - 0.055) / 0.012) ** 2)))
    return weight * (0.55 * thud + 0.30 * sole)


def _clunk(rng: np.random.Generator) -> Samples:
    t = np.arange(int(0.35 * RATE_HZ)) / RATE_HZ
    body = np.sin(2 * np.pi * 210 * t) * np.exp(-t * 30) + 0.5 * np.sin(2 * np.pi * 730 * t) * np.exp(-t * 55)
    cloth = np.convolve(rng.normal(0, 1, t.size), np.ones(9) / 9, mode="same") * np.exp(-(((t - 0.12) / 0.07) ** 2))
    return 0.45 * body + 0.22 * cloth


def samples() -> npt.NDArray[np.int16]:
    """The mono track, exactly the scene's frame range long."""
    rng = np.random.default_rng(24)
    track = _room(rng, round(SECONDS * RATE_HZ))
    hits = [(frame, _step(rng, 0.8)) for frame, _ in plan.COURIER.landings()]
    hits += [(frame, _step(rng, 0.65)) for frame, _ in plan.CONTACT.landings()]
    hits.append((float(plan.SWITCH), _clunk(rng)))
    for frame, sound in hits:
        start = round((frame - plan.FIRST_FRAME) / plan.FPS * RATE_HZ)
        if 0 <= start < track.size:
            part = sound[: track.size - start]
            track[start : start + part.size] += part
    return (np.clip(track, -0.95, 0.95) * 32767).astype(np.int16)


def write_wav(path: Path) -> None:
    """Write the track as 16-bit mono PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples().tobytes())


def write_base(folder: Path) -> Path:
    """Write `base.blend` into `folder`: the scene `Layout` with the packed temp track. Returns its path.

    The strip is made from a path relative to the saved base, because the strip and the editor keep the folder as given.
    """
    import bpy

    wav, base = folder / "handover_temp.wav", folder / "base.blend"
    write_wav(wav)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(base))
    scene = bpy.context.scene
    scene.name = "Layout"
    scene.render.fps = plan.FPS
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_sound("Temp track", f"//{wav.name}", 1, plan.FIRST_FRAME)
    strip.sound.name = "Temp track"
    strip.sound.pack()
    bpy.ops.wm.save_as_mainfile(filepath=str(base), relative_remap=False)
    return base
