# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on disk, their runner process, and the takes they make."""
