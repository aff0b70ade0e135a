# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents and the disk: nothing in a file leads out of its folder, and no file is ever half."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import DocumentError, StorageError
from second_unit.addon.shot.documents import write_atomic
from second_unit.addon.shot.package import load_manifest
from second_unit.addon.shot.shot import load_shot


def with_value(document: dict[str, Any], place: tuple[str, ...], value: object) -> dict[str, Any]:
    """The document with another value at a place."""
    first, *rest = place
    return {**document, first: with_value(document[first], tuple(rest), value) if rest else value}


# Nothing in a file leads out of its folder.

UNSAFE_PATTERNS = (
    "../{frame:04d}.png", "depth/../../{frame}.png", "/etc/{frame}", "depth\\..\\{frame}.png", "C:/x/{frame}.png",
    "depth/{frame.__class__}.png", "depth/{frame!r}.png", "depth/{frame:{frame}}.png", "depth/{other}.png",
    "depth/{frame}{frame}.png", "depth/{0}.png", "depth/x.png", "depth/{{frame}}.png", "{frame:>99999999}", "",
)  # fmt: skip


@pytest.mark.parametrize("pattern", UNSAFE_PATTERNS)
def test_an_unsafe_pattern_is_refused(pattern: str, kinds: Any, folder: Path) -> None:
    document = kinds["manifest"].document(folder)
    kinds["manifest"].put(folder, with_value(document, ("passes", "depth", "pattern"), pattern))
    with pytest.raises(DocumentError, match="no safe pattern"):
        load_manifest(folder)


def test_a_pattern_cannot_ask_for_a_name_of_a_billion_digits(kinds: Any, folder: Path) -> None:
    document = kinds["manifest"].document(folder)
    kinds["manifest"].put(folder, with_value(document, ("passes", "depth", "pattern"), "{frame:01000000000d}"))
    with pytest.raises(DocumentError):
        load_manifest(folder)


@pytest.mark.parametrize("pattern", ["depth/{frame:04d}.png", "{frame}.exr", "a-b/c_d.{frame:06d}.png"])
def test_a_pattern_names_one_file_per_plate(pattern: str, kinds: Any, folder: Path) -> None:
    document = kinds["manifest"].document(folder)
    kinds["manifest"].put(folder, with_value(document, ("passes", "depth", "pattern"), pattern))
    item = load_manifest(folder).passes["depth"]
    names = {item.file(plate) for plate in range(1001, 1010)}
    assert len(names) == 9
    assert all("{" not in name for name in names)


UNSAFE_PATHS = ("../x.mp4", "/etc/passwd", "video/../../x", "..\\x.mp4", "C:\\x.mp4", "\\\\server\\x")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("manifest", ("videos", "guide.0", "file")), ("manifest", ("camera",)), ("package", ("current",)),
        ("take", ("package",)), ("take", ("name",)),
    ],
    ids=["manifest movie", "manifest camera", "current package", "take package", "take name"],
)  # fmt: skip
def test_a_document_cannot_name_a_place_outside_its_folder(
    name: str, place: tuple[str, ...], kinds: Any, folder: Path
) -> None:
    kind = kinds[name]
    document = kind.document(folder)
    taken: list[str] = []
    for path in UNSAFE_PATHS:
        kind.put(folder, with_value(document, place, path))
        try:
            kind.load(folder)
        except DocumentError:
            continue
        taken.append(path)
    assert taken == []


@pytest.mark.parametrize("name", ["SH 010/a", "..\\..\\x", "C:SH010", "../../SH010"])
def test_a_frame_lies_in_its_take_whatever_the_shot_is_called(name: str, kinds: Any, folder: Path) -> None:
    file = replace(kinds["take"].noun, shot_name=name).frame_file(folder, 1001)
    assert file.parent == folder / "frames"
    assert not set(file.name) & set("\\/: ")


# Half a document never exists.


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("moment", ["flush", "rename"])
def test_a_full_disk_leaves_the_old_document_and_no_leftovers(
    kind: Any, moment: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    (folder / kind.file).write_bytes(b"old")
    monkeypatch.setattr(*{"flush": (os, "fsync"), "rename": (Path, "replace")}[moment], no_space)
    with pytest.raises(StorageError, match="full") as caught:
        kind.save(folder, kind.noun)
    assert "Free some space" in caught.value.fix
    assert [(p.name, p.read_bytes()) for p in folder.iterdir()] == [(kind.file, b"old")]


def test_an_interruption_leaves_no_leftovers_either(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    write_atomic(folder / "x.json", b"old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(folder / "x.json", b"new")
    assert [(p.name, p.read_bytes()) for p in folder.iterdir()] == [("x.json", b"old")]


def test_a_file_in_the_way_of_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "SH010").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        write_atomic(tmp_path / "SH010" / "shot.json", b"x")
    assert caught.value.what.endswith(".")
    assert caught.value.fix.endswith(".")


def test_an_unreadable_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "shot.json").mkdir()
    with pytest.raises(StorageError):
        load_shot(tmp_path / "shot.json")
