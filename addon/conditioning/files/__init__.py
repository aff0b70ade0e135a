# SPDX-License-Identifier: GPL-3.0-or-later
"""How pictures and arrays lie on disk."""
