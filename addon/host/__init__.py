# SPDX-License-Identifier: GPL-3.0-or-later
"""The room that knows Blender. Modules say whether they need bpy at import time."""
