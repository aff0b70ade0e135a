# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can do, each as an operator: gather, call, report."""
