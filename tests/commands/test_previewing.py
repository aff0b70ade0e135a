# SPDX-License-Identifier: GPL-3.0-or-later
"""What the live preview is told of a project: sizes, dialect, and the depth range of the current package."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from second_unit.addon.commands import previewing
from second_unit.addon.commands.previewing import Question, Reader, read_plans
from second_unit.addon.conditioning.pictures.depth import DepthRange, Encoding
from second_unit.addon.conditioning.preview import Locked, Plan
from second_unit.addon.errors import DocumentError, StorageError, UsageError
from second_unit.addon.shot.package import GreyInfo, load_current, load_manifest, save_manifest
from second_unit.addon.shot.profile import SHIPPED
from second_unit.addon.shot.project import Project

from .conftest import Film

OF_PACKAGE = Locked(DepthRange(1.0, 9.0), Encoding.DISPARITY)


def asked(film: Film) -> Question:
    return Question(film.project, (film.info,))


def write(film: Film, text: str) -> None:
    film.project.root.mkdir(parents=True, exist_ok=True)
    film.project.config.write_text(f'schema = "second_unit.project/1"\n{text}', encoding="utf-8")


def own_profile(film: Film, encoding: Encoding) -> None:
    """A profile of the project that differs from a shipped one by the encoding of its depth."""
    fields = json.loads((SHIPPED / "wan-vace-14b.json").read_text("utf-8"))
    film.project.profiles.mkdir(parents=True)
    text = json.dumps({**fields, "depth_encoding": encoding.value})
    (film.project.profiles / "ours.json").write_text(text, "utf-8")


def regrade(film: Film, grey: GreyInfo) -> None:
    """Let the package of SH010 have 8-bit depth of another kind."""
    paths = film.project.shot("SH010")
    folder = paths.packages / (load_current(paths.current) or "")
    manifest = load_manifest(folder)
    save_manifest(folder, replace(manifest, depth=replace(manifest.depth, grey=grey)))


def plan_of(film: Film, number: int) -> Plan:
    answer, shot = read_plans(asked(film)), film.info.shots[number]
    assert answer.error is None
    return answer.scenes[film.info.name].at(shot.cut.first, shot.camera)


def test_a_file_that_was_never_saved_has_the_defaults_and_no_range(film: Film) -> None:
    plans = read_plans(Question(None, (film.info,))).scenes[film.info.name]
    shot = film.info.shots[0]
    plan = plans.at(shot.cut.first, shot.camera)
    assert (plan.size, plan.dialect.name, plan.locked) == ((832, 480), "vace", None)
    assert not plan.dialect.hands


def test_each_shot_has_the_range_of_its_own_package(film: Film) -> None:
    film.shoot("SH010")
    plans = read_plans(asked(film)).scenes[film.info.name]
    first, second = film.info.shots
    assert plans.at(first.cut.last, first.camera).locked == OF_PACKAGE
    assert plans.at(second.cut.first, second.camera).locked is None
    # another camera than the shot's, and a frame in no shot
    assert plans.at(first.cut.first, "nobody's").locked is None
    assert plans.at(-1, first.camera).locked is None


def test_what_the_project_decides_counts_before_there_is_a_package(film: Film) -> None:
    film.shoot("SH010")
    write(film, '[depth]\nlock = "SH010"\n')
    second = film.info.shots[1]
    at = second.cut.first, second.camera
    assert read_plans(asked(film)).scenes[film.info.name].at(*at).locked == OF_PACKAGE
    write(film, '[depth]\nnear = 2.0\nfar = 5.0\n[defaults]\nquality = "final"\n')
    plan = read_plans(asked(film)).scenes[film.info.name].at(*at)
    assert plan.locked == Locked(DepthRange(2.0, 5.0), Encoding.DISPARITY)
    assert plan.size == (1280, 720)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("near = 20.0\nfar = 0.5", "20 to 0.5"),
        ("near = -1.0\nfar = 5.0", "-1 to 5"),
        ("near = nan\nfar = 5.0", "nan to 5"),
        ("near = 1.0\nfar = inf", "1 to inf"),
        ("near = 0.0\nfar = 10.0", "0 to 10"),
        ("near = 3.0\nfar = 3.0", "3 to 3"),
        ("near = 2.0", "2 to 0"),
    ],
)
def test_a_range_that_is_none_is_told_as_the_plan_tells_it(film: Film, said: str, told: str) -> None:
    write(film, f"[depth]\n{said}\n")
    answer = read_plans(asked(film))
    assert isinstance(answer.error, UsageError)
    assert answer.error.what == f"A depth range from {told} is not possible."
    assert answer.scenes == {}


@pytest.mark.parametrize("encoding", Encoding)
def test_a_range_of_the_project_is_in_the_encoding_of_the_profile(film: Film, encoding: Encoding) -> None:
    write(film, '[depth]\nnear = 2.0\nfar = 5.0\n[defaults]\nprofile = "ours"\n')
    own_profile(film, encoding)
    plan = plan_of(film, 1)
    assert (plan.encoding, plan.locked) == (encoding, Locked(DepthRange(2.0, 5.0), encoding))


@pytest.mark.parametrize(
    ("own", "lent", "expected"),
    [
        (Encoding.LINEAR, Encoding.LINEAR, (2.0, 7.0)),
        (Encoding.LINEAR, Encoding.ZOE, (1.0, 9.0)),
        (Encoding.LINEAR, None, (1.0, 9.0)),
        (Encoding.DISPARITY, Encoding.ZOE, (1.0, 9.0)),
    ],
)
def test_a_lender_of_another_encoding_lends_the_range_of_its_disparity(
    film: Film, own: Encoding, lent: Encoding | None, expected: tuple[float, float]
) -> None:
    """As the package will have it. What is shown of the lender is its own package."""
    film.shoot("SH010")
    write(film, '[depth]\nlock = "SH010"\n[defaults]\nprofile = "ours"\n')
    own_profile(film, own)
    if lent is not None:
        regrade(film, GreyInfo(lent.value, 2.0, 7.0, 0.0))
    assert plan_of(film, 1).locked == Locked(DepthRange(*expected), own)
    shown = Locked(DepthRange(2.0, 7.0), lent) if lent is not None else OF_PACKAGE
    assert plan_of(film, 0).locked == shown


def test_a_package_that_was_deleted_is_no_trouble(film: Film) -> None:
    manifest = film.shoot("SH010")
    paths = film.project.shot("SH010")
    (paths.packages / manifest.folder_name).rename(film.project.root / "gone")
    shot = film.info.shots[0]
    assert read_plans(asked(film)).scenes[film.info.name].at(shot.cut.first, shot.camera).locked is None


def test_what_cannot_be_read_is_told(film: Film) -> None:
    write(film, "[depth\n")
    answer = read_plans(asked(film))
    assert isinstance(answer.error, DocumentError)
    assert answer.scenes == {}
    film.project.config.unlink()
    film.project.config.mkdir()
    (film.project.root / "SH010").mkdir()
    (film.project.root / "SH010" / "shot.json").mkdir()
    assert isinstance(read_plans(asked(film)).error, StorageError | DocumentError)


@pytest.mark.parametrize("times", [1, 3])
def test_the_reader_answers_without_being_waited_for(film: Film, times: int) -> None:
    reader = Reader()
    assert reader.take() is None
    for _ in range(times):
        reader.ask(asked(film))
    reader.stop()
    assert not reader.is_busy
    answer = reader.take()
    assert answer is not None
    assert set(answer.scenes) == {film.info.name}
    assert reader.take() is None


def test_what_nobody_foresaw_is_an_answer_too(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the preview would wait for the shots for ever."""

    def fail(project: Project) -> None:
        raise ValueError(f"{project.root.name} cannot be weighed")

    monkeypatch.setattr(previewing, "load_settings", fail)
    reader = Reader()
    reader.ask(asked(film))
    reader.stop()
    answer = reader.take()
    assert answer is not None
    assert repr(answer.error) == repr(ValueError("film cannot be weighed"))
    assert answer.scenes == {}
