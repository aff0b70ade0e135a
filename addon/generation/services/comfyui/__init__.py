# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI: graphs with roles, and the part of its HTTP protocol we use."""
