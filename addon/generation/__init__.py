# SPDX-License-Identifier: GPL-3.0-or-later
"""Control package to frames. requests, no bpy."""
