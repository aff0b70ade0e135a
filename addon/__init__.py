# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of Second Unit that is neither an operator nor a panel."""
