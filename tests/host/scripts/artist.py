# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist does in the edit's file: a node in a comp, a scene and a text of their own; or tells what is there."""

from __future__ import annotations

from typing import Any

import bpy


def run(args: dict[str, Any]) -> Any:
    """``add``: do it and save. Returns scenes, texts, and what a comp mixes with air."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    if args.get("add"):
        bpy.data.scenes.new("Titles")
        bpy.data.texts.new("Notes of the editor")
        if "SU Comp SH010" in bpy.data.scenes:
            _blur(_tree())
        bpy.ops.wm.save_mainfile()
    comps = [scene for scene in bpy.data.scenes if scene.name.startswith("SU Comp")]
    before = [link.from_node.name for link in _tree().links if link.to_node.name == "SU atmosphere"] if comps else []
    return {"scenes": sorted(s.name for s in bpy.data.scenes), "texts": [t.name for t in bpy.data.texts], "mix": before}


def _tree() -> Any:
    scene: Any = bpy.data.scenes["SU Comp SH010"]
    return scene.compositing_node_group if hasattr(scene, "compositing_node_group") else scene.node_tree


def _blur(tree: Any) -> None:
    """A blur between the plate and the air."""
    blur = tree.nodes.new("CompositorNodeBlur")
    blur.name = "Artist's blur"
    mix = tree.nodes["SU atmosphere"]
    below = next(link.to_socket for link in tree.links if link.from_node.name == "SU plate" and link.to_node == mix)
    tree.links.new(tree.nodes["SU plate"].outputs[0], blur.inputs["Image"])
    tree.links.new(blur.outputs[0], below)
