# SPDX-License-Identifier: GPL-3.0-or-later
"""One module per step of the loop: gather, call, report. What the command line and the farm run."""
