# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sees: panels and preferences. They draw what the desk already knows."""
