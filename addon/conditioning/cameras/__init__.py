# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras in the formats others read."""
