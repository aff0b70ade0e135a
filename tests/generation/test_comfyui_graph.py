# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph templates: what may be filled, and that filling does nothing else."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.errors import DocumentError, JobError
from second_unit.addon.generation.services.comfyui.graph import (
    Template,
    fill,
    load_template,
    looks_like_ui_format,
    parse_graph,
    template_names,
)

UI_WORKFLOW: dict[str, object] = {"last_node_id": 1, "nodes": [{"id": 1, "type": "LoadImage"}], "links": []}
JOB: dict[str, object] = {
    "prompt": "a courtyard",
    "negative": "",
    "seed": 7,
    "width": 832,
    "height": 480,
    "length": 33,
    "filename_prefix": "su/abc",
}


@pytest.fixture(scope="module")
def guide() -> Template:
    return load_template("wan_vace_guide")


@pytest.mark.parametrize("name", template_names())
def test_every_template_takes_what_every_job_has(name: str) -> None:
    template = load_template(name)
    controls = {f"control.{control}": f"{control}.mp4" for control in template.controls}
    graph = fill(template, JOB | controls)
    for role, value in (JOB | controls).items():
        for slot in template.roles[role]:
            assert graph[slot.node]["inputs"][slot.input] == value


@pytest.mark.parametrize("name", template_names())
def test_every_template_saves_frames_and_no_movie(name: str) -> None:
    template = load_template(name)
    assert [template.graph[node]["class_type"] for node in template.output_nodes] == ["SaveImage"]
    assert "SaveVideo" not in template.classes


def test_both_wan_templates_are_shipped() -> None:
    assert {"wan_vace_guide", "wan_vace_depth_pose"} <= set(template_names())
    assert load_template("wan_vace_guide").controls == ("guide",)
    assert load_template("wan_vace_depth_pose").controls == ("depth", "pose")


def test_two_controls_get_the_same_size_and_length() -> None:
    graph = fill(load_template("wan_vace_depth_pose"), {"width": 1280, "height": 720, "length": 49})
    nodes = [node["inputs"] for node in graph.values() if node["class_type"] == "WanVaceToVideo"]
    assert [(node["width"], node["height"], node["length"]) for node in nodes] == [(1280, 720, 49)] * 2


def test_filling_leaves_the_template_alone(guide: Template) -> None:
    before = json.dumps(guide.graph)
    fill(guide, JOB)
    assert json.dumps(guide.graph) == before


@given(text=st.text())
def test_a_prompt_arrives_as_it_was_written(text: str) -> None:
    template = load_template("wan_vace_guide")
    graph = fill(template, {"prompt": text})
    expected = json.loads(json.dumps(template.graph))
    expected["5"]["inputs"]["text"] = text
    assert graph == expected


@pytest.mark.parametrize("role", ["controls.guide", "control.pose", "output", "", "5"])
def test_an_unknown_role_is_refused(guide: Template, role: str) -> None:
    with pytest.raises(JobError, match="no place for"):
        fill(guide, {role: "x"})


@pytest.mark.parametrize(
    ("role", "value"),
    [
        ("seed", "7"),
        ("seed", True),
        ("seed", None),
        ("cfg", math.nan),
        ("cfg", math.inf),
        ("prompt", 7),
        ("prompt", ["5", 0]),
        ("control.guide", ["1", 0]),
        ("width", {"__value__": [1]}),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(guide: Template, role: str, value: Any) -> None:
    with pytest.raises(JobError, match="cannot be"):
        fill(guide, {role: value})


@pytest.mark.parametrize("name", ["nosuch", "../wan_vace_guide", "/etc/passwd", "", "graphs/x"])
def test_an_unknown_template_is_refused_with_the_known_names(name: str) -> None:
    with pytest.raises(DocumentError, match="wan_vace_guide"):
        load_template(name)


def write_template(folder: Path, **changes: object) -> None:
    graph = {"1": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}}
    (folder / "own.json").write_text(json.dumps(graph), encoding="utf-8")
    body = {
        "schema": "second_unit.graph_roles/1",
        "profile": "p",
        "title": "t",
        "graph": "own.json",
        "roles": {"output": [["1", "images"]]},
    }
    (folder / "own.roles.json").write_text(json.dumps(body | changes), encoding="utf-8")


def test_a_template_of_the_users_own_is_read(tmp_path: Path) -> None:
    write_template(tmp_path)
    assert load_template("own", tmp_path).output_nodes == ("1",)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "second_unit.graph_roles/2"},
        {"graph": "../own.json"},
        {"graph": "/own.json"},
        {"roles": {}},
        {"roles": {"output": [["9", "images"]]}},
        {"roles": {"output": [["1", "nosuch"]]}},
        {"roles": {"output": []}},
        {"roles": {"output": "1.images"}},
        {"roles": {"output": [["1", "images"]], "seed": [[1, 2]]}},
    ],
)
def test_a_damaged_template_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    write_template(tmp_path, **change)
    with pytest.raises(DocumentError):
        load_template("own", tmp_path)


def test_a_workflow_of_the_editor_is_told_from_a_graph(guide: Template) -> None:
    assert looks_like_ui_format(UI_WORKFLOW)
    assert not looks_like_ui_format(guide.graph)
    with pytest.raises(DocumentError, match=r"Export \(API\)"):
        parse_graph(UI_WORKFLOW, "mine.json")


@pytest.mark.parametrize("data", [None, [], {}, "text", {"1": None}, {"1": {"inputs": {}}}, {"1": {"class_type": "X"}}])
def test_what_is_no_graph_is_refused(data: object) -> None:
    with pytest.raises(DocumentError, match="not a ComfyUI graph"):
        parse_graph(data, "mine.json")
