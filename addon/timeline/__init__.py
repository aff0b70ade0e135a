# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames to edit: edit plan, colour decisions, comp recipe. Pure."""
