# SPDX-License-Identifier: GPL-3.0-or-later
"""What the live preview is told of a project: sizes, dialect, and the depth range of the current package."""

from __future__ import annotations

import pytest

from second_unit.addon.commands.previewing import Question, Reader, read_plans
from second_unit.addon.conditioning.pictures.depth import DepthRange, Encoding
from second_unit.addon.conditioning.preview import Locked
from second_unit.addon.errors import DocumentError, StorageError

from .conftest import Film

OF_PACKAGE = Locked(DepthRange(1.0, 9.0), Encoding.DISPARITY)


def asked(film: Film) -> Question:
    return Question(film.project, (film.info,))


def write(film: Film, text: str) -> None:
    film.project.root.mkdir(parents=True, exist_ok=True)
    film.project.config.write_text(f'schema = "second_unit.project/1"\n{text}', encoding="utf-8")


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
