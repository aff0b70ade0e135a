# SPDX-License-Identifier: GPL-3.0-or-later
"""Second Unit: send a blocked-out shot to a generation service and cut the frames back in."""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from .addon import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
    from .addon import registration

    registration.unregister()
