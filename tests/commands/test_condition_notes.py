# SPDX-License-Identifier: GPL-3.0-or-later
"""What condition tells people beside its packages, and what it refuses before anything is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.shot.package import load_manifest

Cli = Callable[..., Any]


def blind(host: Any, film: Any) -> None:
    """The camera of SH020 turns away from the box."""
    host.cameras["Cam SH020"] = -9.0
    assert film.info.shots[1].camera == "Cam SH020"


def test_a_camera_that_sees_nothing_is_said_also_when_nothing_is_drawn(cli: Cli, host: Any, film: Any) -> None:
    """The package is made all the same, and its manifest keeps the sentence."""
    blind(host, film)
    said = "Nothing is in view in frames 1008 to 1020: look through the shot's camera."
    for new in (True, False):
        heard = cli("condition", film.blend, "--size", "64x48", "--json")
        assert heard.code == 0
        assert f"  SH020: {said}" in heard.err
        assert [r for r in heard.records if r["kind"] == "note"] == [{"kind": "note", "shot": "SH020", "text": said}]
        package = next(r for r in heard.records if r["kind"] == "package" and r["shot"] == "SH020")
        assert package["new"] is new
        assert load_manifest(Path(package["package"])).notes == (said,)


def test_a_lock_to_the_only_shot_there_is_said(cli: Cli, film: Any, host: Any) -> None:
    assert host.tasks == []
    args = ("condition", film.blend, "--size", "64x48", "--lock-depth", "SH010")
    for more in ((), ("--dry-run",)):
        alone = cli(*args, "--shot", "SH010", *more)
        assert alone.code == 0
        assert "SH010 keeps a range of its own" in alone.err
    both = cli(*args)
    assert (both.code, "keeps a range of its own" in both.err) == (0, False)


def test_many_stills_are_said_before_they_are_drawn(cli: Cli, film: Any, host: Any) -> None:
    """With the frames, and how to have one of them."""
    assert host.tasks == []
    args = ("condition", film.blend, "--profile", "sdxl-union", "--size", "64x64", "--shot", "SH010")
    for more in (("--dry-run",), ()):
        heard = cli(*args, *more)
        assert heard.code == 0
        assert "makes 7 stills, one of each frame from 1001 to 1007." in heard.err
        assert "give --frames 1001-1001." in heard.err
    one = cli(*args, "--frames", "1001-1001")
    assert (one.code, "--frames" in one.err) == (0, False)


def test_a_frame_too_thin_to_show_anything_is_refused_before_anything_is_drawn(cli: Cli, film: Any, host: Any) -> None:
    film.info = replace(film.info, size=(40000, 192))
    heard = cli("condition", film.blend)
    assert (heard.code, host.tasks) == (2, [])
    assert "40000x192 would be 832x4 in a picture of 832x16, and each side must be at least 8 pixels" in heard.err


@pytest.mark.parametrize("size", ["40000x192", "40000x40000", "0x0", "1x1", "8208x16"])
def test_a_size_beyond_all_limits_is_refused_with_the_limits(size: str, cli: Cli, film: Any, host: Any) -> None:
    heard = cli("condition", film.blend, "--size", size)
    assert (heard.code, host.tasks) == (2, [])
    assert f"A picture of {size} pixels cannot be made: each side must be 16 to 8192 pixels long." in heard.err
