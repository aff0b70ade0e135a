# SPDX-License-Identifier: GPL-3.0-or-later
"""The words in which ComfyUI refuses a graph, as recorded from 0.33.0 (types, messages, keys)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....shot.documents import Json

if TYPE_CHECKING:
    from .schema import InputSpec

LONGEST_LIST = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the server lets pass but the model would not: the value of ``input`` is off the ``step`` grid."""

    node: str
    input: str
    message: str


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What the server answers.

    ``error`` is None if it takes the graph; ``node_errors`` may be there all the same.
    """

    error: Json | None
    node_errors: Json
    outputs: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return 200 if self.error is None else 400

    @property
    def is_clean(self) -> bool:
        """Every output is good and every number is on its grid."""
        return self.error is None and not self.node_errors and not self.findings

    def body(self) -> Json:
        """The JSON of the 400 answer."""
        return {"error": self.error, "node_errors": self.node_errors}

    def sentences(self) -> list[str]:
        """One line per trouble: ``node 2 (ImageScale): Value not in list: …``. Empty if the graph is clean."""
        lines = [
            f"node {node} ({entry['class_type']}): {error['message']}: {error['details']}"
            for node, entry in self.node_errors.items()
            for error in entry["errors"]
        ]
        if self.error is not None and not lines:
            lines.append(" ".join(part for part in (self.error["message"], self.error["details"]) if part))
        return lines + [f"node {item.node}: {item.message}" for item in self.findings]


def refusal(kind: str, message: str, details: str = "", **extra: object) -> Json:
    """One error entry."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def no_prompt() -> Json:
    """The request has no ``prompt``."""
    return refusal("no_prompt", "No prompt provided", "No prompt provided")


def bad_prompt_id() -> Json:
    """The id is no canonical UUID."""
    return refusal(
        "invalid_prompt_id",
        "prompt_id must be a valid UUID",
        "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
        "omit it to let the server generate one",
    )


def no_outputs() -> Json:
    """Nothing in the graph is kept."""
    return refusal("prompt_no_outputs", "Prompt has no outputs")


def outputs_failed() -> Json:
    """No output is good; the reasons stand in ``node_errors``."""
    return refusal("prompt_outputs_failed_validation", "Prompt outputs failed validation")


def unknown_class(node_id: str, node: Json) -> Json:
    """A node without a class, or of a class the server does not have."""
    name = node.get("class_type")
    title = node.get("_meta", {}).get("title")
    if name is None:
        message = f"Node 'ID #{node_id}' has no class_type. The workflow may be corrupted or a custom node is missing."
    else:
        message = f"Node '{title or name}' not found. The custom node may not be installed."
    shown = None if name is None else title or name
    details = f"Node ID '#{node_id}'"
    return refusal("missing_node_type", message, details, node_id=node_id, class_type=name, node_title=shown)


def missing_input(spec: InputSpec) -> Json:
    """A required input is not there."""
    return refusal("required_input_missing", "Required input is missing", spec.name, input_name=spec.name)


def bad_link(spec: InputSpec, value: object) -> Json:
    """A link is not [node id, output index]."""
    message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
    return refusal("bad_linked_input", message, spec.name, **_about(spec), received_value=value)


def type_mismatch(spec: InputSpec, received: str, link: list[Any]) -> Json:
    """A link brings another type than the input takes."""
    details = f"{spec.name}, received_type({received}) mismatch input_type({spec.type})"
    message = "Return type mismatch between linked nodes"
    return refusal("return_type_mismatch", message, details, **_about(spec), received_type=received, linked_node=link)


def not_convertible(spec: InputSpec, value: object, why: str) -> Json:
    """A text where a number belongs."""
    message = f"Failed to convert an input value to a {spec.type} value"
    details = f"{spec.name}, {value}, {why}"
    return refusal("invalid_input_type", message, details, **_about(spec), received_value=value, exception_message=why)


def out_of_range(spec: InputSpec, value: float, side: str) -> Json:
    """A number beyond ``min`` or ``max``."""
    word, kind = ("smaller", "value_smaller_than_min") if side == "min" else ("bigger", "value_bigger_than_max")
    message = f"Value {value} {word} than {side} of {spec.options[side]}"
    return refusal(kind, message, spec.name, **_about(spec), received_value=value)


def not_in_list(spec: InputSpec, value: object, choices: list[Any]) -> Json:
    """A choice that does not exist (a model file that is not installed, for one).

    Long lists are not spelled out.
    """
    is_long = len(choices) > LONGEST_LIST
    shown = f"(list of length {len(choices)})" if is_long else str(choices)
    about = _about(spec) | ({"input_config": None} if is_long else {})
    details = f"{spec.name}: {value!r} not in {shown}"
    return refusal("value_not_in_list", "Value not in list", details, **about, received_value=value)


def missing_file(spec: InputSpec, value: object) -> Json:
    """A file that was not uploaded, or lies outside the input folder."""
    details = f"{spec.name} - Invalid {spec.upload} file: {value}"
    return refusal("custom_validation_failed", "Custom validation failed for node", details, input_name=spec.name)


def inner_exception(spec: InputSpec, link: list[Any], kind: str, text: str) -> Json:
    """The node behind ``link`` could not be looked at. A real server adds its own paths to the traceback."""
    return refusal(
        "exception_during_inner_validation",
        "Exception when validating inner node",
        text,
        **_about(spec),
        exception_message=text,
        exception_type=kind,
        traceback=["validate_inputs"],
        linked_node=link,
    )


def outer_exception(kind: str, text: str) -> Json:
    """The output node itself could not be looked at."""
    message = "Exception when validating node"
    return refusal("exception_during_validation", message, text, exception_type=kind, traceback=["validate_inputs"])


def cycle(node_id: str, nodes: list[str], names: list[str]) -> Json:
    """``nodes`` feed each other; ``names`` are the same as ``3 (ImageInvert)``."""
    details = " -> ".join([*names, names[0]])
    message = "Dependency cycle detected"
    return refusal("dependency_cycle", message, details, node_id=node_id, cycle_nodes=nodes)


def _about(spec: InputSpec) -> dict[str, object]:
    return {"input_name": spec.name, "input_config": spec.config}
