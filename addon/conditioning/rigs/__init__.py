# SPDX-License-Identifier: GPL-3.0-or-later
"""People from any armature: by the names of its bones, by its rest pose, or by hand. Pure, needs no Blender."""
