# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded default service: speaks ComfyUI's protocol and shades without a model."""
