# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the zip as the preferences do, and saves them; the splash screen would cover the window."""

import sys

import bpy

bpy.ops.extensions.package_install_files(filepath=sys.argv[-1], repo="user_default", enable_on_install=True)
bpy.context.preferences.view.show_splash = False
bpy.ops.wm.save_userpref()
assert any(name.endswith(".second_unit") for name in bpy.context.preferences.addons.keys())  # noqa: SIM118 a collection
