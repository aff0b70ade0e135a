# SPDX-License-Identifier: GPL-3.0-or-later
"""Every document on disk: what is written comes back, what is damaged or newer is refused with a sentence."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from second_unit.addon.errors import DocumentError, SecondUnitError
from second_unit.addon.shot.documents import Schema, read_document, stable_json, write_document
from second_unit.addon.shot.shot import Brief, Marker, Shot, load_shot, save_shot

JUNK = (None, "junk", 7, -1.5, True, [], ["x"], {}, {"x": 1})
Path_ = tuple[str | int, ...]


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Every place below the root of a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield (*path, step)
        yield from places(item, (*path, step))


def at(value: Any, path: Path_) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(document: dict[str, Any], path: Path_, value: object) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    at(copied, path[:-1])[path[-1]] = value
    return copied


def dotted(path: Path_) -> str:
    return ".".join(str(step) for step in path)


def is_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"['A-Z].*[.!]", text, re.DOTALL)) and "Traceback" not in text


# What is written comes back.


def test_a_noun_comes_back_as_it_was(kind: Any, folder: Path) -> None:
    kind.save(folder, kind.noun)
    assert kind.load(folder) == kind.noun


def test_the_same_noun_gives_the_same_bytes(kind: Any, folder: Path) -> None:
    kind.save(folder, kind.noun)
    first = (folder / kind.file).read_bytes()
    kind.save(folder, kind.load(folder))
    assert (folder / kind.file).read_bytes() == first
    assert list(folder.iterdir()) == [folder / kind.file]


def test_unknown_keys_survive_a_round_trip(kind: Any, folder: Path) -> None:
    if not kind.keeps_unknown:
        return
    friendlier = {**kind.document(folder), "flavour": {"deep": [1, None, "ü"]}, "later": 3}
    kind.put(folder, friendlier)
    kind.save(folder, kind.load(folder))
    assert json.loads((folder / kind.file).read_text("utf-8")) == friendlier


@pytest.mark.parametrize(
    ("name", "path"), [("shot", ("brief",)), ("shot", ("marker",)), ("state", ("submissions", 0))], ids=str
)
def test_unknown_keys_survive_inside_what_is_written_again_and_again(
    name: str, path: Path_, kinds: Any, folder: Path
) -> None:
    """Circling rewrites shot.json, the runner state.json: what a newer version put inside must not get lost."""
    kind = kinds[name]
    friendlier = changed(kind.document(folder), (*path, "flavour"), "kept")
    kind.put(folder, friendlier)
    kind.save(folder, kind.load(folder))
    assert json.loads((folder / kind.file).read_text("utf-8")) == friendlier


def test_letters_of_every_script_stay_readable(folder: Path) -> None:
    save_shot(folder / "shot.json", Shot("1", "場面", "SH010", Marker("場面", 1, "Kamera ß"), Brief("ein Fuchs – rot")))
    assert "場面" in (folder / "shot.json").read_text("utf-8")
    assert load_shot(folder / "shot.json").brief.prompt == "ein Fuchs – rot"


# What cannot be read is refused.


def test_a_newer_schema_is_refused_with_a_sentence(kind: Any, folder: Path) -> None:
    document = kind.document(folder)
    name = document["schema"].rsplit("/", 1)[0]
    kind.put(folder, {**document, "schema": f"{name}/2"})
    with pytest.raises(DocumentError, match="newer Second Unit") as caught:
        kind.load(folder)
    assert is_sentence(caught.value.what)
    assert "Update" in caught.value.fix


@pytest.mark.parametrize("schema", ["second_unit.cheese/1", "shot/1", "second_unit.shot", "", "second_unit.shot/1 "])
def test_a_document_of_another_kind_is_refused(kind: Any, schema: str, folder: Path) -> None:
    kind.put(folder, {**kind.document(folder), "schema": schema})
    with pytest.raises(DocumentError, match="is damaged"):
        kind.load(folder)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe{}", b'{"schema": 1}', b"{'a': 1}"])
def test_damaged_json_is_refused_by_name(kind: Any, data: bytes, folder: Path) -> None:
    folder.mkdir()
    (folder / kind.file).write_bytes(data)
    with pytest.raises(DocumentError) as caught:
        kind.load(folder)
    assert kind.file in caught.value.what
    assert is_sentence(caught.value.what)


def test_a_nest_too_deep_to_read_is_damage(folder: Path) -> None:
    folder.mkdir()
    (folder / "shot.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(DocumentError):
        load_shot(folder / "shot.json")


REQUIRED = {
    "shot": ("uuid", "name", "marker"),
    "manifest": ("shot", "fps", "frame_map", "size", "crop", "profile", "depth", "passes", "videos", "input_hash"),
    "request": ("job", "shot", "package", "service", "url", "brief", "chunks"),
    "submission": ("host", "parcels"),
    "state": ("state", "submissions"),
    "take": ("uuid", "name", "shot", "package", "plates", "sha256", "size"),
    "package": ("current",),
    "comp": ("shot", "take", "recipe", "frames"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in REQUIRED.items() for key in ("schema", *keys)])
def test_a_missing_key_is_named(name: str, key: str, kinds: Any, folder: Path) -> None:
    kind = kinds[name]
    kind.put(folder, {k: v for k, v in kind.document(folder).items() if k != key})
    with pytest.raises(DocumentError, match=f"'{key}' is missing"):
        kind.load(folder)


def swallowed(kind: Any, folder: Path) -> Iterator[str]:
    """The lies that a reader took for truth, or fell over."""
    document = kind.document(folder)
    for path in places(document):
        value = at(document, path)
        for junk in JUNK:
            is_number = isinstance(value, float) and isinstance(junk, int | float) and not isinstance(junk, bool)
            is_free = re.fullmatch(kind.free, dotted(path)) or type(junk) in NULLABLE.get(dotted(path), ())
            if type(junk) is type(value) or is_number or is_free:
                continue
            kind.put(folder, changed(document, path, junk))
            try:
                kind.load(folder)
            except DocumentError:
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not a sentence
                yield f"{dotted(path)} = {junk!r}: {type(error).__name__}"
            else:
                yield f"{dotted(path)} = {junk!r}: taken"


NULLABLE = {
    "circle": (type(None),), "submissions.0.ticket": (type(None),),
    "submissions.1.ticket": (dict,),
    **{f"frame_map.frames.{i}.plate": (type(None), int) for i in range(9)},
}  # fmt: skip


def test_a_value_of_the_wrong_type_is_refused_wherever_it_stands(kind: Any, folder: Path) -> None:
    assert list(swallowed(kind, folder)) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -1, 0, "1/0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_value_is_a_sentence_at_worst(kind: Any, folder: Path, data: st.DataObject) -> None:
    document = kind.document(folder)
    path = data.draw(st.sampled_from(list(places(document))))
    kind.put(folder, changed(document, path, data.draw(ANYTHING)))
    said: list[str] = []
    try:
        kind.load(folder)
    except SecondUnitError as error:
        said += [error.what, error.fix]
    assert all(is_sentence(text) for text in said)


@given(
    st.dictionaries(st.text(max_size=8), st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False))
)
def test_stable_json_reads_back_exactly(value: dict[str, Any]) -> None:
    text = stable_json(value)
    assert json.loads(text) == value
    assert list(json.loads(text)) == list(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(1, 99), version=st.integers(1, 99))
def test_a_version_is_read_up_to_the_one_known(number: int, version: int, folder: Path) -> None:
    write_document(folder / "x.json", Schema("second_unit.thing", number), {"a": 1})
    if number <= version:
        assert read_document(folder / "x.json", Schema("second_unit.thing", version)).integer("a") == 1
    else:
        with pytest.raises(DocumentError, match="newer"):
            read_document(folder / "x.json", Schema("second_unit.thing", version))


def test_a_version_of_thousands_of_digits_is_damage(tmp_path: Path) -> None:
    """Python refuses to read such a number, with an error of its own."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"schema": f"second_unit.shot/{'9' * 5000}", "at": f"{'9' * 5000}/2"}))
    with pytest.raises(DocumentError, match="is damaged"):
        read_document(file, Schema("second_unit.shot", 1))
    file.write_text(json.dumps({"schema": "second_unit.shot/1", "at": f"{'9' * 5000}/2"}))
    with pytest.raises(DocumentError, match="is damaged"):
        read_document(file, Schema("second_unit.shot", 1)).rational("at")
