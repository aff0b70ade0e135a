# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as pose models know them."""
