# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a graph as the server would, before a byte is sent.

The rehearsal service answers with the same judgement. Beyond the server's own rules the ``step`` of whole numbers is
checked: the server lets ``width`` 833 pass and the model fails later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ..comfyui import verdict
from .schema import InputSpec, ObjectInfo, input_specs, output_types, types_match
from .verdict import Finding, ValidationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ....shot.documents import Json
    from .graph import Graph

_CONVERSIONS: Mapping[str, Callable[[Any], object]] = {
    "INT": int,
    "FLOAT": float,
    "STRING": str,
    "BOOLEAN": bool,
}
# What stands in lists of model files on a server that has none: random test weights and built-in names.
_STAND_INS = ("tst_random_", "pixel_space", "[None]")


class _UnreadableError(Exception):
    """A node cannot be looked at at all; the server answers with the name of a Python exception."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


@dataclass(slots=True)
class _Judge:
    graph: Graph
    info: ObjectInfo
    files_exist: Callable[[str], bool] | None
    any_model: bool
    verdicts: dict[str, list[Json]] = field(default_factory=dict[str, "list[Json]"])
    is_good: dict[str, bool] = field(default_factory=dict[str, bool])
    findings: list[Finding] = field(default_factory=list[Finding])


def validate(
    graph: Graph,
    object_info: ObjectInfo,
    *,
    files_exist: Callable[[str], bool] | None = None,
    any_model: bool = False,
    targets: Collection[str] | None = None,
) -> ValidationResult:
    """Judge an API-format graph.

    ``object_info`` is the server's table (or the recorded one). ``files_exist`` tells whether the value of an
    upload input names a file the server has; None leaves files unchecked. With ``any_model`` every model file
    is taken to be installed. ``targets`` restricts the outputs (``partial_execution_targets``).
    """
    for node_id, node in graph.items():
        if node.get("class_type") not in object_info:
            return ValidationResult(verdict.unknown_class(node_id, node), {}, ())
    wanted = [
        key for key, node in graph.items() if _is_output(object_info, node) and (targets is None or key in targets)
    ]
    if not wanted:
        return ValidationResult(verdict.no_outputs(), {}, ())
    return _judge_outputs(_Judge(graph, object_info, files_exist, any_model), wanted)


def _is_output(info: ObjectInfo, node: Json) -> bool:
    return bool(info[node["class_type"]].get("output_node"))


def _judge_outputs(judge: _Judge, wanted: list[str]) -> ValidationResult:
    good: list[str] = []
    errors: Json = {}
    for output in wanted:
        if _judge_output(judge, output):
            good.append(output)
        else:
            _collect(judge, output, errors)
    failed = None if good else verdict.outputs_failed()
    return ValidationResult(failed, errors, tuple(good), tuple(judge.findings))


def _judge_output(judge: _Judge, output: str) -> bool:
    try:
        return _judge_node(judge, output, [])
    except _UnreadableError as error:
        _condemn(judge, output, verdict.outer_exception(error.kind, error.text))
        return False


def _collect(judge: _Judge, output: str, errors: Json) -> None:
    """Nodes below a broken one are bad too but carry no error of their own: they are not named."""
    for node_id, reasons in judge.verdicts.items():
        if reasons:
            name = judge.graph[node_id]["class_type"]
            entry = errors.setdefault(node_id, {"errors": reasons, "dependent_outputs": [], "class_type": name})
            entry["dependent_outputs"].append(output)


def _condemn(judge: _Judge, node_id: str, reason: Json) -> None:
    judge.verdicts[node_id] = [reason]
    judge.is_good[node_id] = False


def _judge_node(judge: _Judge, node_id: str, path: list[str]) -> bool:
    """Judge a node and all that feeds it. ``path`` leads from the output to here, for finding cycles."""
    if node_id in judge.is_good:
        return judge.is_good[node_id]
    if node_id in path:
        _judge_cycle(judge, path[path.index(node_id) :])
        return False
    node = judge.graph.get(node_id)
    if node is None:
        raise _UnreadableError("KeyError", repr(node_id))
    if "inputs" not in node:
        raise _UnreadableError("KeyError", "'inputs'")
    reasons: list[Json] = []
    is_good = True
    for spec in input_specs(judge.info[node["class_type"]], node["inputs"]):
        is_good &= _judge_input(judge, node_id, spec, reasons, [*path, node_id])
    if node_id in judge.is_good:  # a cycle ran through it
        return False
    judge.verdicts[node_id] = reasons
    judge.is_good[node_id] = is_good and not reasons
    return judge.is_good[node_id]


def _judge_cycle(judge: _Judge, nodes: list[str]) -> None:
    names = [f"{key} ({judge.graph[key]['class_type']})" for key in nodes]
    for key in nodes:
        _condemn(judge, key, verdict.cycle(key, nodes, names))


def _judge_input(judge: _Judge, node_id: str, spec: InputSpec, reasons: list[Json], path: list[str]) -> bool:
    """Append what is wrong with one input to ``reasons``. False if the node that feeds it is bad."""
    inputs = judge.graph[node_id]["inputs"]
    if spec.name not in inputs:
        if spec.is_required:
            reasons.append(verdict.missing_input(spec))
        return True
    value = inputs[spec.name]
    if isinstance(value, list):
        return _judge_link(judge, spec, cast("list[Any]", value), reasons, path)
    reason = _judge_value(judge, spec, _unwrapped(value))
    if reason is not None:
        reasons.append(reason)
    else:
        judge.findings += _off_grid(node_id, spec, _unwrapped(value))
    return True


def _unwrapped(value: object) -> Any:
    """A literal list travels as ``{"__value__": [...]}``."""
    return cast("Json", value).get("__value__", value) if isinstance(value, dict) else value


def _judge_link(judge: _Judge, spec: InputSpec, link: list[Any], reasons: list[Json], path: list[str]) -> bool:
    if len(link) != 2:
        reasons.append(verdict.bad_link(spec, link))
        return True
    # Not caught here: an absent node or slot makes *this* node unreadable, and whoever is linked to it
    # reports that.
    received = _received_type(judge, link)
    if not types_match(received, spec.type):
        reasons.append(verdict.type_mismatch(spec, received, link))
        return True
    try:
        return _judge_node(judge, link[0], path)
    except _UnreadableError as error:
        _condemn(judge, link[0], verdict.inner_exception(spec, link, error.kind, error.text))
        return False


def _received_type(judge: _Judge, link: list[Any]) -> str:
    source, slot = link
    if not isinstance(source, str) or source not in judge.graph:
        raise _UnreadableError("KeyError", repr(source))
    types = output_types(judge.info[judge.graph[source]["class_type"]])
    if not isinstance(slot, int):
        raise _UnreadableError("TypeError", "tuple indices must be integers or slices, not " + type(slot).__name__)
    if not -len(types) <= slot < len(types):
        raise _UnreadableError("IndexError", "tuple index out of range")
    return types[slot]


def _judge_value(judge: _Judge, spec: InputSpec, value: Any) -> Json | None:
    convert = _CONVERSIONS.get(spec.type)
    if convert is not None:
        try:
            value = convert(value)
        except (TypeError, ValueError) as error:
            return verdict.not_convertible(spec, value, str(error))
    if spec.type in {"INT", "FLOAT"}:
        return _judge_range(spec, value)
    if spec.upload is not None:
        is_there = judge.files_exist is None or judge.files_exist(str(value))
        return None if is_there else verdict.missing_file(spec, value)
    return _judge_choice(judge, spec, value)


def _judge_range(spec: InputSpec, value: float) -> Json | None:
    if "min" in spec.options and value < spec.options["min"]:
        return verdict.out_of_range(spec, value, "min")
    if "max" in spec.options and value > spec.options["max"]:
        return verdict.out_of_range(spec, value, "max")
    return None


def _judge_choice(judge: _Judge, spec: InputSpec, value: Any) -> Json | None:
    choices = spec.choices
    if choices is None or (judge.any_model and _is_model_list(choices)):
        return None
    values: list[Any] = [value]
    if isinstance(value, list):
        values = cast("list[Any]", value)
    return (
        None if all(item in choices for item in values) else verdict.not_in_list(spec, cast("object", value), choices)
    )


def _is_model_list(choices: list[Any]) -> bool:
    return all(str(choice).startswith(_STAND_INS) for choice in choices)


def _off_grid(node_id: str, spec: InputSpec, value: Any) -> list[Finding]:
    step = spec.options.get("step")
    if spec.type != "INT" or not isinstance(step, int) or step <= 1:
        return []
    starts = {spec.options.get("min", 0), spec.options.get("default", 0)}
    if any((int(value) - start) % step == 0 for start in starts):
        return []
    start = spec.options.get("min", 0)
    message = f"{spec.name} {value} is not {start} plus a multiple of {step}"
    return [Finding(node_id, spec.name, message)]
