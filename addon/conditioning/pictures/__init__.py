# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of control passes, out of raw arrays."""
