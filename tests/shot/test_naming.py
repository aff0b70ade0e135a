# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that every file system takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from second_unit.addon.errors import SceneError
from second_unit.addon.shot.naming import folder_name, frame_name, shot_name, take_name, take_number

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}
OURS = {"jobs", "cache", "review", "project.toml", "edit.blend", "edit.json", "contact_sheet.png"}
LIKELY = st.text('abCN019._- /\\:*?"<>|\n\0üé場', min_size=1, max_size=80)
TRICKY = st.sampled_from(
    [
        *DEVICES,
        *OURS,
        "CON.txt",
        "nul.tar.gz",
        "Aux ",
        "..",
        ".hidden",
        "a" * 63 + ".b",
        "a" * 63 + "_b",
        "-x",
        "~",
        "x.",
    ]
)
NAMES = LIKELY | TRICKY | st.text(min_size=1)


def folder(name: str) -> str:
    """The folder, or this example does not count."""
    try:
        return folder_name(name)
    except SceneError:
        assume(False)
        raise


@given(NAMES)
def test_a_folder_name_is_plain_on_every_system(name: str) -> None:
    made = folder(name)
    assert re.fullmatch(r"[^\W_][\w.-]*", made)
    assert not made.endswith("."), "Windows drops a dot at the end"
    assert len(made) <= 65


@given(NAMES)
def test_a_folder_name_is_no_device_of_windows(name: str) -> None:
    """Windows reserves ``con`` and also ``con.anything``."""
    assert folder(name).split(".")[0].lower() not in DEVICES


@given(NAMES)
def test_a_folder_name_is_none_that_the_project_uses_itself(name: str) -> None:
    assert folder(name).lower() not in OURS


@given(NAMES)
def test_a_folder_name_stays_itself(name: str) -> None:
    assert folder_name(folder(name)) == folder(name)


@pytest.mark.parametrize("name", ["SH010", "SH015", "seq_020.SH010-a", "0420"])
def test_a_plain_name_is_its_own_folder(name: str) -> None:
    assert folder_name(name) == name


@pytest.mark.parametrize(
    ("name", "made"), [("SH 010/a", "SH_010_a"), ("../../etc", "etc"), ("SH010 ", "SH010"), ("CON", "CON_")]
)
def test_what_does_not_fit_is_replaced(name: str, made: str) -> None:
    assert folder_name(name) == made


@pytest.mark.parametrize("name", ["", ".", "..", "---", "  ", "\0", "/"])
def test_a_name_without_letters_is_refused(name: str) -> None:
    with pytest.raises(SceneError, match="no letter or digit") as caught:
        folder_name(name)
    assert "SH010" in caught.value.fix


@given(st.integers(1, 10**6))
def test_take_numbers_and_names_are_each_others_inverse(number: int) -> None:
    assert take_number(take_name(number)) == number


@given(st.text(max_size=6) | st.from_regex(r"t\d{1,5}", fullmatch=True))
def test_only_take_names_have_a_number(name: str) -> None:
    number = take_number(name)
    assert (number is not None) is bool(re.fullmatch(r"t\d{3,}", name))


@pytest.mark.parametrize("name", ["t01", "T001", "t001.part", ".t001", "t-01", "t001\n", "take", ""])
def test_what_is_no_take_has_no_number(name: str) -> None:
    assert take_number(name) is None


@given(st.integers(0, 200))
def test_shots_count_in_tens_and_sort_by_name(position: int) -> None:
    assert shot_name(position) == f"SH{(position + 1) * 10:03d}"
    if position < 98:
        assert shot_name(position) < shot_name(position)[:-1] + "5" < shot_name(position + 1)


def test_frames_carry_shot_take_and_plate() -> None:
    assert frame_name("SH010", "t001", 1001) == "SH010.t001.1001.png"
    assert frame_name("SH010", "t012", 999, "exr") == "SH010.t012.0999.exr"
