# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph templates: an API-format graph beside a map of roles.

A *role* (``prompt``, ``seed``, ``control.guide`` …) names the inputs of nodes that a job fills. Filling
copies the graph and puts plain values into these inputs: nothing is evaluated, no link is made or broken.
"""

from __future__ import annotations

import copy
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ....errors import DocumentError, JobError
from ....shot.documents import Schema, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping

Graph = dict[str, dict[str, Any]]
"""Node id to ``{"class_type", "inputs", "_meta"}``: what ComfyUI calls the API format."""

ROLES_SCHEMA = Schema("second_unit.graph_roles", 1)
GRAPHS = Path(__file__).resolve().parents[3] / "data" / "comfyui" / "graphs"
OUTPUT = "output"
CONTROL = "control."
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Slot:
    """One input of one node."""

    node: str
    input: str


@dataclass(frozen=True, slots=True)
class Template:
    """A graph and the places a job may fill. ``profile`` is the name of the model profile it was made for."""

    name: str
    title: str
    profile: str
    graph: Graph
    roles: Mapping[str, tuple[Slot, ...]]

    @property
    def output_nodes(self) -> tuple[str, ...]:
        """Nodes whose files are the frames of the take."""
        return tuple(slot.node for slot in self.roles[OUTPUT])

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the control passes it takes, such as ``guide`` or ``depth``."""
        names = (role.removeprefix(CONTROL) for role in self.roles if role.startswith(CONTROL))
        return tuple(name for name in names if "." not in name)

    @property
    def classes(self) -> tuple[str, ...]:
        """Node classes in the graph, each once: what a server must have."""
        return tuple(dict.fromkeys(str(node["class_type"]) for node in self.graph.values()))

    def value(self, role: str) -> object:
        """What the template itself says for ``role``. Raises `JobError` for an unknown role."""
        slot = _slots(self, role)[0]
        return self.graph[slot.node]["inputs"][slot.input]


def template_names(folder: Path = GRAPHS) -> tuple[str, ...]:
    """Names of the templates in ``folder``, sorted."""
    return tuple(sorted(path.name.removesuffix(".roles.json") for path in folder.glob("*.roles.json")))


def load_template(name: str, folder: Path = GRAPHS) -> Template:
    """Read ``NAME.roles.json`` and the graph it names. Raises `DocumentError` if either is missing or damaged."""
    if not _PLAIN_NAME.fullmatch(name) or not (folder / f"{name}.roles.json").is_file():
        known = ", ".join(template_names(folder)) or "none"
        raise DocumentError(f"There is no graph template '{name}'.", f"Choose one of: {known}.")
    fields = read_document(folder / f"{name}.roles.json", ROLES_SCHEMA)
    file = fields.text("graph")
    if not _PLAIN_NAME.fullmatch(file):
        raise DocumentError(f"The template '{name}' names a graph outside its folder.", "Put the graph beside it.")
    graph = read_graph(folder / file)
    roles = {role: _read_slots(slots, graph, name, role) for role, slots in fields.mapping("roles").items()}
    if OUTPUT not in roles:
        raise DocumentError(f"The template '{name}' has no 'output' role.", "Name the node that saves the frames.")
    return Template(name, fields.text("title"), fields.text("profile"), graph, roles)


def _read_slots(slots: object, graph: Graph, name: str, role: str) -> tuple[Slot, ...]:
    found = tuple(_read_slot(slot, graph) for slot in cast("list[object]", slots)) if isinstance(slots, list) else ()
    if not found or None in found:
        raise DocumentError(
            f"The role '{role}' of the template '{name}' does not point at inputs of the graph.",
            "Write it as a list of [node id, input name] pairs.",
        )
    return cast("tuple[Slot, ...]", found)


def _read_slot(slot: object, graph: Graph) -> Slot | None:
    match slot:
        case [str() as node, str() as name] if name in graph.get(node, {}).get("inputs", {}):
            return Slot(node, name)
        case _:
            return None


def fill(template: Template, values: Mapping[str, object]) -> Graph:
    """Return a copy of the template's graph with ``values`` (role to text or number) in their places.

    Roles that are not named keep what the template says. Raises `JobError` for a role the template does not
    have, for the role ``output``, for a value that is no text or finite number, and for a text where a number
    belongs (or the reverse).
    """
    graph = copy.deepcopy(template.graph)
    for role, value in values.items():
        for slot in _slots(template, role):
            graph[slot.node]["inputs"][slot.input] = _fitting(value, template.value(role), role, template.name)
    return graph


def _slots(template: Template, role: str) -> tuple[Slot, ...]:
    if role == OUTPUT or role not in template.roles:
        raise JobError(
            f"The graph '{template.name}' has no place for '{role}'.",
            f"Use one of: {', '.join(sorted(set(template.roles) - {OUTPUT}))}.",
        )
    return template.roles[role]


def _fitting(value: object, present: object, role: str, name: str) -> str | int | float | bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    wants_number = isinstance(present, int | float) and not isinstance(present, bool)
    if isinstance(value, str | int | float) and isinstance(present, str | int | float):
        if wants_number and is_number:
            return value
        if isinstance(value, str) and isinstance(present, str):
            return value
        if isinstance(value, bool) and isinstance(present, bool):
            return value
    wanted = "a number" if wants_number else "text"
    raise JobError(f"'{role}' of the graph '{name}' cannot be {value!r}.", f"Give {wanted}.")


def looks_like_ui_format(data: object) -> bool:
    """Whether ``data`` is a workflow as the web interface keeps it (a list of ``nodes``), which a server cannot run."""
    if not isinstance(data, dict):
        return False
    entries = cast("dict[str, object]", data)
    return isinstance(entries.get("nodes"), list) and "links" in entries


def parse_graph(data: object, where: str) -> Graph:
    """Check that ``data`` is an API-format graph and return it.

    ``where`` names it in errors (`DocumentError`).
    """
    if looks_like_ui_format(data):
        raise DocumentError(
            f"'{where}' is a workflow in the format of ComfyUI's editor, which a server cannot run.",
            "Open it in ComfyUI, choose Export (API) (Save (API Format) in older versions), and use that file.",
        )
    nodes = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    if not nodes or not all(_is_node(node) for node in nodes.values()):
        raise DocumentError(f"'{where}' is not a ComfyUI graph.", "Export it from ComfyUI with Export (API).")
    return cast("Graph", nodes)


def _is_node(node: object) -> bool:
    if not isinstance(node, dict):
        return False
    entries = cast("dict[str, object]", node)
    return isinstance(entries.get("class_type"), str) and isinstance(entries.get("inputs"), dict)


def read_graph(path: Path) -> Graph:
    """Read an API-format graph from a file. Raises `DocumentError`."""
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DocumentError(f"The graph '{path.name}' could not be read.", "Export it again.") from error
    return parse_graph(data, path.name)
