# SPDX-License-Identifier: GPL-3.0-or-later
"""From evaluated geometry to what every pixel sees."""
