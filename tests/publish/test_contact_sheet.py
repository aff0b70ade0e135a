# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet for people who decide: every picture where it belongs, without its overscan."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from second_unit.addon.errors import DocumentError, SecondUnitError
from second_unit.addon.publish.contact_sheet import SheetRow, contact_sheet
from second_unit.addon.shot.camera import Crop

RED, GREEN, BLUE, WHITE = (200, 20, 20), (20, 200, 20), (20, 20, 200), (255, 255, 255)
GREY = (102, 102, 102)  # also in the palette of the web
COLUMNS = ("playblast", "take")
WHOLE = Crop(0, 0, 64, 36)


def save(path: Path, colour: tuple[int, int, int], size: tuple[int, int], mode: str = "RGB") -> Path:
    Image.new("RGB", size, colour).convert(mode).save(path)
    return path


def row(folder: Path, title: str, *colours: tuple[int, int, int], crop: Crop = WHOLE) -> SheetRow:
    files = [save(folder / f"{title}{i}.png", c, (crop.width, crop.height)) for i, c in enumerate(colours)]
    return SheetRow(title, "frame 1001\nplate 1001", tuple(files), crop)


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as sheet:
        assert sheet.format == "PNG"
        return np.asarray(sheet.convert("RGB"))


def area(sheet: npt.NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[int, int, int, int, int]:
    """Left, top, width, height and number of the pixels of one colour."""
    ys, xs = np.nonzero((sheet == colour).all(axis=2))
    return int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1, len(xs)


def test_rows_are_moments_and_columns_are_passes(tmp_path: Path) -> None:
    sheet = pixels(
        contact_sheet([row(tmp_path, "SH010", RED, GREEN), row(tmp_path, "SH020", BLUE, WHITE)], COLUMNS, "film")
    )
    red, green, blue, white = (area(sheet, c) for c in (RED, GREEN, BLUE, WHITE))
    assert red[0] == blue[0] < green[0] == white[0]
    assert red[1] == green[1] < blue[1] == white[1]
    for _, _, width, height, count in (red, green, blue):
        assert (width, height) == (320, 180)
        assert count == width * height
    assert red[0] + red[2] <= green[0]
    assert red[1] + red[3] <= blue[1]


def test_every_row_keeps_its_own_shape(tmp_path: Path) -> None:
    wide = row(tmp_path, "WIDE", RED, RED, crop=Crop(0, 0, 478, 200))
    tall = row(tmp_path, "TALL", BLUE, BLUE, crop=Crop(0, 0, 36, 64))
    sheet = pixels(contact_sheet([wide, tall], COLUMNS, "film"))
    assert area(sheet, RED)[3] == round(320 * 200 / 478)
    assert area(sheet, BLUE)[3] == round(320 * 64 / 36)
    assert sheet.shape[0] >= area(sheet, BLUE)[1] + area(sheet, BLUE)[3]


def test_the_overscan_is_cut_off(tmp_path: Path) -> None:
    """A white picture with a red frame inside: only the inside shows. What is cropped already is left alone."""
    crop = Crop(8, 6, 64, 36)
    picture = Image.new("RGB", (80, 48), WHITE)
    picture.paste(RED, (8, 6, 72, 42))
    picture.save(tmp_path / "guide.png")
    done = save(tmp_path / "comp.png", BLUE, (64, 36))
    sheet = pixels(contact_sheet([SheetRow("SH010", "", (tmp_path / "guide.png", done), crop)], COLUMNS, "film"))
    assert area(sheet, RED)[4] == area(sheet, BLUE)[4] == 320 * 180
    assert not (sheet == WHITE).all(axis=2).any()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_pictures_of_every_kind_are_shown(tmp_path: Path, mode: str) -> None:
    crop = Crop(0, 0, 64, 36)
    files = tuple(save(tmp_path / f"{i}.png", GREY, (64, 36), mode) for i in range(2))
    sheet = pixels(contact_sheet([SheetRow("A", "", files, crop)], COLUMNS, "film"))
    assert area(sheet, GREY)[4] >= 2 * 320 * 180


def test_titles_notes_and_columns_can_be_read(tmp_path: Path) -> None:
    """Ink where they stand, and none when they are empty."""
    shown = pixels(contact_sheet([row(tmp_path, "SH010", RED, GREEN)], COLUMNS, "film"))
    bare = SheetRow("", "", row(tmp_path, "X", RED, GREEN).pictures, Crop(0, 0, 64, 36))
    empty = pixels(contact_sheet([bare], ("", ""), ""))
    assert shown.shape == empty.shape
    left, top = area(shown, RED)[:2]
    changed = (shown != empty).any(axis=2)
    assert changed[:top].any()
    assert changed[top:, :left].any()
    assert not changed[top:, left:].any()


def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [row(tmp_path, "SH010", RED, GREEN)]
    assert contact_sheet(rows, COLUMNS, "film") == contact_sheet(list(rows), list(COLUMNS), "film")
    other = [row(tmp_path, "SH020", RED, BLUE)]
    assert contact_sheet(rows, COLUMNS, "film") != contact_sheet(other, COLUMNS, "film")


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    good = row(tmp_path, "SH010", RED, GREEN)
    gone = SheetRow("SH010", "", (good.pictures[0], tmp_path / "gone.png"), good.crop)
    with pytest.raises(DocumentError, match=r"gone\.png' is missing") as caught:
        contact_sheet([gone], COLUMNS, "film")
    assert caught.value.fix


@pytest.mark.parametrize("cut", [0, 20, 60])
def test_a_damaged_picture_is_a_sentence_with_a_reason(tmp_path: Path, cut: int) -> None:
    good = row(tmp_path, "SH010", RED, GREEN)
    whole = good.pictures[1].read_bytes()
    good.pictures[1].write_bytes(whole[:cut])
    with pytest.raises(SecondUnitError, match=good.pictures[1].name) as caught:
        contact_sheet([good], COLUMNS, "film")
    assert "None" not in caught.value.what
