# SPDX-License-Identifier: GPL-3.0-or-later
"""Our judgement of graphs against what ComfyUI 0.33.0 answered, and against graphs it took."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.generation.services.comfyui.graph import Graph, load_template, template_names
from second_unit.addon.generation.services.comfyui.schema import recorded_object_info
from second_unit.addon.generation.services.comfyui.validate import validate

DATA = Path(__file__).parent.parent / "data" / "comfyui"
INFO = recorded_object_info()
UPLOADED = {"ok.png", "broken.png"}
# Judged by the server before the graph is looked at.
NOT_ABOUT_GRAPHS = {"not a uuid", "upper case uuid", "integer"}
# The recording server had this file; our table lists the other random weights only.
HAD_ANOTHER_FILE = {"corrupt checkpoint"}


def recorded_judgements() -> list[Any]:
    lines = (DATA / "04_errors.jsonl").read_text("utf-8").splitlines()
    found: list[Any] = []
    for exchange in map(json.loads, lines):
        body = (exchange["request"]["body"] or {}).get("json")
        graph = body.get("prompt") if isinstance(body, dict) else None
        label = exchange["label"]
        if isinstance(graph, dict) and "nodes" not in graph and label not in NOT_ABOUT_GRAPHS | HAD_ANOTHER_FILE:
            found.append(pytest.param(body, exchange["response"], id=label))
    return found


def comparable(value: Any) -> Any:
    """Without ids, and without tracebacks: ours cannot name the lines of another program."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in {"traceback", "prompt_id", "number"}}
    return [comparable(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("body", "answer"), recorded_judgements())
def test_the_judgement_is_the_servers(body: Any, answer: Any) -> None:
    result = validate(
        body["prompt"], INFO, files_exist=UPLOADED.__contains__, targets=body.get("partial_execution_targets")
    )
    ours = result.body() if result.error else {"node_errors": result.node_errors}
    assert result.status == answer["status"]
    assert comparable(ours) == comparable(answer["body"]["json"])


def test_the_recording_holds_every_kind_of_refusal() -> None:
    text = json.dumps([comparable(param.values[1]) for param in recorded_judgements()])
    for kind in [
        "missing_node_type",
        "required_input_missing",
        "exception_during_inner_validation",
        "custom_validation_failed",
        "value_not_in_list",
        "value_bigger_than_max",
        "value_smaller_than_min",
        "invalid_input_type",
        "return_type_mismatch",
        "bad_linked_input",
        "dependency_cycle",
        "prompt_no_outputs",
    ]:
        assert f'"type": "{kind}"' in text


@pytest.mark.parametrize("path", sorted((DATA / "graphs").glob("*.json")), ids=lambda path: path.stem)
def test_graphs_a_real_server_took_are_clean(path: Path) -> None:
    result = validate(json.loads(path.read_text("utf-8")), INFO, any_model=True)
    assert result.sentences() == []
    assert result.is_clean


@pytest.mark.parametrize("name", template_names())
def test_shipped_graphs_are_clean(name: str) -> None:
    result = validate(load_template(name).graph, INFO, any_model=True)
    assert result.sentences() == []
    assert result.outputs == load_template(name).output_nodes


def shipped() -> Graph:
    return copy.deepcopy(load_template("wan_vace_guide").graph)


def test_numbers_off_the_grid_pass_the_server_and_are_found() -> None:
    graph = shipped()
    graph["10"]["inputs"] |= {"width": 833, "length": 80}
    result = validate(graph, INFO, any_model=True)
    assert result.status == 200
    assert {(finding.node, finding.input) for finding in result.findings} == {("10", "width"), ("10", "length")}
    assert not result.is_clean


@given(length=st.integers(min_value=1, max_value=16384))
def test_lengths_are_4n_plus_1(length: int) -> None:
    graph = shipped()
    graph["10"]["inputs"]["length"] = length
    assert validate(graph, INFO, any_model=True).is_clean == ((length - 1) % 4 == 0)


def test_a_model_that_is_not_installed_is_named() -> None:
    result = validate(shipped(), INFO)
    assert result.status == 400
    assert {entry["errors"][0]["type"] for entry in result.node_errors.values()} == {"value_not_in_list"}
    assert any("wan2.1_vace_14B_fp16.safetensors" in line for line in result.sentences())


def test_any_model_does_not_mean_any_choice() -> None:
    graph = shipped()
    graph["11"]["inputs"]["sampler_name"] = "nosuch.safetensors"
    assert validate(graph, INFO, any_model=True).node_errors["11"]["errors"][0]["type"] == "value_not_in_list"


def test_long_lists_are_not_spelled_out() -> None:
    graph = shipped()
    graph["11"]["inputs"]["sampler_name"] = "magic"
    error = validate(graph, INFO, any_model=True).node_errors["11"]["errors"][0]
    assert error["extra_info"]["input_config"] is None
    assert "(list of length" in error["details"]


def test_a_missing_movie_is_found() -> None:
    result = validate(shipped(), INFO, any_model=True, files_exist=lambda _: False)
    error = result.node_errors["7"]["errors"][0]
    assert (error["type"], error["details"]) == ("custom_validation_failed", "file - Invalid video file: guide.mp4")


@pytest.mark.parametrize(
    ("changes", "is_clean"),
    [
        ({"format": "auto", "codec": "auto"}, True),
        ({"format": "mp4", "format.codec": "h264"}, True),
        ({"format": "mp4", "format.codec": "nosuch"}, False),
        ({"format": "nosuch"}, False),
    ],
)
def test_choices_inside_choices_are_followed(changes: dict[str, str], is_clean: bool) -> None:
    graph = json.loads((DATA / "graphs" / "passthrough_video.json").read_text("utf-8"))
    graph["4"]["inputs"] = {"video": ["3", 0], "filename_prefix": "x"} | changes
    assert validate(graph, INFO).is_clean == is_clean


@pytest.mark.parametrize(("names", "is_clean"), [(["image0", "image1"], True), (["image1"], False), ([], False)])
def test_growing_lists_of_inputs_need_their_first(names: list[str], is_clean: bool) -> None:
    inputs = {f"images.{name}": ["1", 0] for name in names}
    graph: Graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "BatchImagesNode", "inputs": inputs},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }
    assert validate(graph, INFO).is_clean == is_clean


def test_an_output_that_cannot_be_looked_at_is_told_as_such() -> None:
    graph: Graph = {"3": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "x"}}}
    errors = validate(graph, INFO).node_errors["3"]["errors"]
    assert [error["type"] for error in errors] == ["exception_during_validation"]


@pytest.mark.parametrize("breakage", ["drop", "retype", "relink", "reclass"])
@pytest.mark.parametrize("node", ["5", "10", "11", "13", "30"])
def test_every_breakage_of_the_shipped_graph_is_noticed(breakage: str, node: str) -> None:
    graph = shipped()
    inputs = graph[node]["inputs"]
    link = next(name for name, value in inputs.items() if isinstance(value, list))
    match breakage:
        case "drop":
            del inputs[link]
        case "retype":
            inputs[link] = ["1", 7]
        case "relink":
            inputs[link] = ["99", 0]
        case _:
            graph[node]["class_type"] = "NoSuchNode"
    is_optional = breakage == "drop" and link == "control_video"
    assert validate(graph, INFO, any_model=True).is_clean == is_optional
