# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry to control passes. numpy only, no bpy."""
