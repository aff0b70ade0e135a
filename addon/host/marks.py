# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the properties by which we know what is ours in a file. Needs no bpy, and loads nothing."""

from __future__ import annotations

OWNED = "second_unit_owned"
"""On a scene: what it is, `EDIT` or the uuid of a comp's shot."""
EDIT = "edit"
LAYOUT = "second_unit_layout_scene"
"""On the edit: the name of the scene it was made from."""
