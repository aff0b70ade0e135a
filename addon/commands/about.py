# SPDX-License-Identifier: GPL-3.0-or-later
"""What Second Unit says about itself."""

from __future__ import annotations

import tomllib
from pathlib import Path


def extension_version() -> str:
    """The version of this copy, such as ``0.1.0``, from its ``blender_manifest.toml``."""
    manifest = Path(__file__).parents[2] / "blender_manifest.toml"
    return tomllib.loads(manifest.read_text(encoding="utf-8"))["version"]
