# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of the product and the ports between its rooms. Pure: no bpy, no network."""
