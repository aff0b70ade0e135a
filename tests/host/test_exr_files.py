# SPDX-License-Identifier: GPL-3.0-or-later
"""EXR files of each supported Blender read like the reference library reads them, and ours are read by Blender."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from second_unit.addon.conditioning.files.exr import Compression, ExrPart, write_exr
from second_unit.addon.conditioning.files.exr_reader import channels_of, read_exr

from .conftest import Script

pytestmark = pytest.mark.host


def test_every_exr_blender_writes_is_read_bit_for_bit_and_ours_is_read_by_blender(
    script: Script, tmp_path: Path
) -> None:
    ours = np.random.default_rng(1).normal(size=(9, 5, 4)).astype(np.float32)
    channels = {name: ours[..., i] for i, name in enumerate("RGBA")}
    write_exr(tmp_path / "ours.exr", [ExrPart(channels, compression=Compression.ZIP)])
    answer = script("exr_files", folder=str(tmp_path), ours=str(tmp_path / "ours.exr"))

    for name in answer["written"]:
        parts = read_exr(Path(name))
        theirs = OpenEXR.File(name, separate_channels=True).parts
        assert [part.name or None for part in parts] == [part.header.get("name") or None for part in theirs]
        for part, judge in zip(parts, theirs, strict=True):
            assert set(part.channels) == set(judge.channels)
            for channel, array in part.channels.items():
                pixels = judge.channels[channel].pixels
                assert (array.dtype, array.tobytes()) == (pixels.dtype, pixels.tobytes()), (name, channel)
        found = channels_of(parts)
        if "MULTILAYER" in name:
            assert {"ViewLayer.Depth.Z", "ViewLayer.Normal.X", "ViewLayer.Vector.W"} <= set(found)
            assert 1 < found["ViewLayer.Depth.Z"].min() < 20
        else:
            assert set("RGB") <= set(found)

    assert answer["size"] == [5, 9]
    upright = np.array(answer["pixels"], np.float32).reshape(9, 5, 4)[::-1]
    np.testing.assert_allclose(upright[..., :3], ours[..., :3], rtol=1e-5)
