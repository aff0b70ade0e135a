# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: what is shipped holds together, what a user writes is checked to the last key."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from second_unit.addon.errors import DocumentError, SecondUnitError, UsageError
from second_unit.addon.shot.naming import folder_name
from second_unit.addon.shot.profile import (
    DEFAULT_PROFILE,
    SHIPPED,
    Carriage,
    Kind,
    load_profile,
    profile_names,
)
from second_unit.addon.shot.project import Project

if TYPE_CHECKING:
    from pathlib import Path

NAMES = profile_names()
VIDEO = {
    # name: multiple, step, longest, rate (conditioning reference, section 9)
    "wan-vace-14b": (16, 4, 81, 16), "wan-vace-1.3b": (16, 4, 81, 16), "wan-fun-control-14b": (16, 4, 81, 16),
    "wan-fun-control-5b": (32, 4, 121, 24), "wan-animate": (16, 4, 77, 30), "ltx-2-ic-lora": (64, 8, 121, 24),
}  # fmt: skip
STILL = {"sd15-controlnet": 64, "sdxl-union": 64, "flux1-depth": 16, "qwen-union": 16, "z-image-union": 16}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = Project(tmp_path).profiles
    folder.mkdir()
    return folder


def shipped(name: str = DEFAULT_PROFILE) -> dict[str, Any]:
    return json.loads((SHIPPED / f"{name}.json").read_text("utf-8"))


def write(own: Path, profile: dict[str, Any], name: str = "custom") -> Path:
    path = own / f"{name}.json"
    path.write_text(json.dumps(profile), "utf-8")
    return path


@pytest.mark.parametrize(("name", "facts"), VIDEO.items())
def test_video_models_have_the_sizes_counts_and_rates_of_the_reference(
    name: str, facts: tuple[int, int, int, int]
) -> None:
    profile = load_profile(name)
    rule = profile.rule
    assert (profile.size_multiple, rule.step, rule.longest, profile.fps) == (*facts[:3], Fraction(facts[3]))
    assert (profile.kind, rule.offset, rule.limit) == (Kind.VIDEO, 1, rule.longest)


@pytest.mark.parametrize(("name", "multiple"), STILL.items())
def test_stills_have_the_sizes_of_the_reference(name: str, multiple: int) -> None:
    profile = load_profile(name)
    assert (profile.kind, profile.size_multiple) == (Kind.STILL, multiple)
    assert [profile.rule.allows(n) for n in range(4)] == [False, True, False, False]


def test_every_family_is_there_and_nothing_else() -> None:
    assert set(NAMES) == {*VIDEO, *STILL}


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_profile_has_a_draft_and_a_final_no_smaller(name: str) -> None:
    profile = load_profile(name)
    draft, final = profile.quality("draft"), profile.quality("final")
    assert draft.area <= final.area
    assert draft.handles == (0, 0)
    assert final.handles == ((8, 8) if profile.kind is Kind.VIDEO else (0, 0))
    assert set(profile.controls) <= set(profile.passes)


@pytest.mark.parametrize("name", NAMES)
def test_only_models_with_a_graph_are_sent(name: str) -> None:
    profile = load_profile(name)
    if name == DEFAULT_PROFILE:
        assert profile.graph_name() == "wan_vace_guide"
    else:
        with pytest.raises(UsageError, match=r"no graph .* yet"):
            profile.graph_name()


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("wan-vace-14b", "vace"), ("sdxl-union", "xinsir"), ("wan-animate", "wan-animate"),
        ("sd15-controlnet", "openpose"), ("wan-fun-control-14b", "dwpose"),
    ],
)  # fmt: skip
def test_poses_are_drawn_as_the_model_knows_them(name: str, dialect: str) -> None:
    assert load_profile(name).pose_dialect == dialect


@pytest.mark.parametrize(
    ("name", "control", "size", "carriage"),
    [
        ("wan-vace-14b", "depth", (832, 480), Carriage.H264_444),
        ("wan-vace-14b", "segmentation", (1280, 720), Carriage.FFV1),
        ("wan-vace-14b", "pose", (832, 480), Carriage.FFV1),
        ("wan-vace-14b", "pose", (480, 832), Carriage.FFV1),
        ("wan-vace-14b", "pose", (1280, 720), Carriage.FFV1),
        ("wan-animate", "pose", (1280, 720), Carriage.FFV1),
        ("wan-animate", "face", (1280, 720), Carriage.H264_444),
        ("sdxl-union", "segmentation", (1024, 1024), Carriage.PNG),
        ("sdxl-union", "depth", (1024, 1024), Carriage.PNG),
    ],
)
def test_what_halved_chroma_would_spoil_travels_without_loss(
    name: str, control: str, size: tuple[int, int], carriage: Carriage
) -> None:
    assert load_profile(name).transport.of(control, size) is carriage


# A project's own


def test_a_profile_of_the_project_is_found_beside_the_shipped_ones(own: Path) -> None:
    write(own, {**shipped(), "title": "Our tuned VACE"})
    assert profile_names(own) == tuple(sorted((*NAMES, "custom")))
    profile = load_profile("custom", own)
    assert (profile.name, profile.title) == ("custom", "Our tuned VACE")
    assert load_profile(DEFAULT_PROFILE, own) == load_profile(DEFAULT_PROFILE)


def test_what_may_be_left_out_has_a_meaning(own: Path) -> None:
    write(own, {
        "schema": "second_unit.profile/1", "title": "Stills", "kind": "still", "size_multiple": 8,
        "controls": ["depth"], "pose_dialect": "openpose",
        "qualities": [{"name": "draft", "size": [512, 512], "handles": [0, 0], "steps": 1}],
    })  # fmt: skip
    profile = load_profile("custom", own)
    assert (profile.passes, profile.pose_parts, profile.normal_dialect) == (("depth",), ("body",), "bae")
    assert (profile.graph, profile.any_size, profile.references, profile.context) == ("", True, 0, 0)
    assert profile.transport.of("depth", (512, 512)) is Carriage.PNG
    assert profile.quality("draft").reach == 512


def test_the_name_of_a_shipped_profile_is_taken(own: Path) -> None:
    write(own, shipped(), DEFAULT_PROFILE)
    with pytest.raises(UsageError, match="name of a shipped profile"):
        load_profile(DEFAULT_PROFILE, own)


@pytest.mark.parametrize("name", ["nobody", "../custom", "/etc/passwd", "", "custom.json"])
def test_an_unknown_name_says_which_there_are(own: Path, name: str) -> None:
    write(own, shipped())
    with pytest.raises(UsageError, match=r"There is no profile .*custom, flux1-depth"):
        load_profile(name, own)


def test_the_folder_of_profiles_is_no_shot() -> None:
    assert folder_name("profiles") != "profiles"


QUALITY = {"name": "draft", "size": [832, 480], "handles": [0, 0], "steps": 20}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": None}, "'title' should be text"),
        ({"title": " "}, "'title' is empty"),
        ({"kind": "hologram"}, "'kind' is 'hologram'"),
        ({"size_multiple": 0}, "'size_multiple' should be an even number"),
        ({"size_multiple": 15}, "'size_multiple' should be an even number"),
        ({"size_multiple": "16"}, "'size_multiple' should be a whole number"),
        ({"size_multiple": 32}, "multiples of 32"),
        ({"sizes": [[832, 481]]}, "832x481 is no size"),
        ({"sizes": [[832]]}, "'sizes' should be 2 whole numbers"),
        ({"sizes": [832, 480]}, "'sizes' should be a list"),
        ({"sizes": [], "any_size": False}, "'sizes' is empty"),
        ({"sizes": [[640, 480]], "any_size": False}, "832x480 is no size"),
        ({"fps": [0, 1]}, "'fps' should be above 0"),
        ({"fps": [1001, 1]}, "'fps' should be above 0 and at most 1000"),
        ({"fps": [1, 10**7]}, "in numbers up to 1000000"),
        ({"fps": [10**400 + 1, 3]}, "'fps' should be above 0"),
        (
            {"frames": {"step": 10**30, "offset": 1, "longest": 10**31, "overlap": 5}},
            "'frames' has a number above 10000",
        ),
        ({"title": "two\nlines"}, "no single line"),
        ({"title": "red \x1b[31m"}, "no single line"),
        ({"fps": [16, 0]}, "denominator"),
        ({"frames": {"step": 0, "offset": 1, "longest": 81, "overlap": 8}}, "No frame count"),
        ({"frames": {"step": 4, "offset": 1, "longest": 81, "overlap": 81}}, "cannot share 81"),
        ({"frames": {"step": 4, "offset": 1, "longest": 81}}, "'overlap' is missing"),
        ({"frames": {"step": 4, "offset": 1, "longest": 81, "overlap": 8, "max": 9}}, "nobody knows its key 'max'"),
        ({"frames": {"step": 1, "offset": 0, "longest": 1, "overlap": 0}, "context": 0}, "one frame at a time"),
        ({"kind": "still"}, "nobody knows its key 'fps'"),
        ({"controls": []}, "'controls' should name"),
        ({"controls": ["depth", "depth"]}, "'controls' should name"),
        ({"controls": ["depht"]}, "'depht' is none of the passes"),
        ({"passes": ["depth"]}, "'guide' is none of the passes, but a control: depth"),
        ({"pose_dialect": "mime"}, "'mime' is none of the pose dialects: openpose"),
        ({"pose_parts": ["tail"]}, "'tail' is none of the parts"),
        ({"normal_dialect": "directx"}, "'directx' is none of the normal dialects"),
        ({"depth_encoding": "log"}, "'log' is none of the depth encodings"),
        ({"transport": {"exact": "gif"}}, "'exact' is 'gif'"),
        ({"transport": {"always_exact": ["masks"]}}, "'masks' is none of the passes"),
        ({"transport": {"exact_below": {"pose": "720"}}}, "'pose' should be a whole number"),
        ({"transport": {"exactly": "png"}}, "nobody knows its key 'exactly'"),
        ({"references": -1}, "'references' should be 0 or more"),
        ({"context": 9}, "'context' should be from 0 to the overlap"),
        ({"graph": "../../graph"}, "no plain name"),
        ({"contorls": ["depth"]}, "nobody knows its key 'contorls'"),
        ({"qualities": []}, "'qualities' should be at least one"),
        ({"qualities": [QUALITY, QUALITY]}, "a name of its own"),
        ({"qualities": [{**QUALITY, "size": [833, 480]}]}, "Use|multiples of 16"),
        ({"qualities": [{**QUALITY, "size": [40000, 480]}]}, "more than 16384 pixels"),
        ({"qualities": [{**QUALITY, "handles": [-1, 0]}]}, "handles of 0 or more"),
        ({"qualities": [{**QUALITY, "handles": [0, 10_000_000]}]}, "1000 at most"),
        ({"qualities": [{**QUALITY, "steps": 0}]}, "at least one step"),
        ({"qualities": [{**QUALITY, "longest_side": 640}]}, "'longest_side' of 'draft'"),
        ({"qualities": [{**QUALITY, "sise": 1}]}, "nobody knows its key 'sise'"),
    ],
)
def test_nonsense_is_refused_with_file_and_reason(own: Path, change: dict[str, Any], said: str) -> None:
    path = write(own, {**shipped(), **change})
    with pytest.raises(DocumentError, match=said) as caught:
        load_profile("custom", own)
    assert str(path) in caught.value.what
    assert caught.value.what.endswith(".")
    assert "shipped profile" in caught.value.fix


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema": "second_unit.shot/1"}', '{"schema": "second_unit.profile/2"}']
)
def test_what_is_no_profile_is_refused(own: Path, text: str) -> None:
    path = own / "custom.json"
    path.write_text(text, "utf-8")
    with pytest.raises(SecondUnitError, match="custom"):
        load_profile("custom", own)


def test_a_model_of_fixed_sizes_takes_no_other() -> None:
    fixed = replace(load_profile(DEFAULT_PROFILE), any_size=False)
    fixed.check_size((1280, 720))
    with pytest.raises(UsageError, match=r"1280x544 is no size .* Use one of: 832x480, 480x832"):
        fixed.check_size((1280, 544))
