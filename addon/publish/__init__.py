# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes to things for other people: review sheets and versions. No bpy."""
