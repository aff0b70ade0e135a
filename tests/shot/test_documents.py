# SPDX-License-Identifier: GPL-3.0-or-later
"""Every document on disk: what is written comes back, what is damaged or newer is refused with a sentence."""

from __future__ import annotations

import copy
import errno
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from second_unit.addon.errors import DocumentError, SecondUnitError, StorageError
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.documents import Schema, read_document, stable_json, write_atomic, write_document
from second_unit.addon.shot.job import (
    Chunk,
    JobState,
    Parcel,
    Request,
    SentFile,
    SentText,
    State,
    Submission,
    SubmissionState,
    load_request,
    load_state,
    load_submission,
    save_request,
    save_state,
    save_submission,
)
from second_unit.addon.shot.package import (
    DepthInfo,
    Manifest,
    Pass,
    Video,
    load_current,
    load_manifest,
    save_current,
    save_manifest,
)
from second_unit.addon.shot.shot import Brief, Marker, Shot, load_shot, save_shot
from second_unit.addon.shot.take import Take, load_take, save_take
from second_unit.addon.shot.timing import FrameRange, FrameRule, as_is
from second_unit.addon.timeline.cdl import Cdl
from second_unit.addon.timeline.comp_recipe import Atmosphere, Comp, CompRecipe, load_comp, save_comp

SHA = "ab" * 32
BRIEF = Brief("a red fox", "blurry", 7, (("style", "refs/fox.png"),))
SHOT = Shot(
    "9f1c", "SH015", "SH010", Marker("SH015", 1001, "Camera.A"), BRIEF, ({"person": 0, "name": "Ada"},), "t002",
    {"t001": 2}, "slower",
)  # fmt: skip
MAP = as_is(FrameRange(1001, 1007), (1, 1), FrameRule(4, 1, 5, 1))
MANIFEST = Manifest(
    shot_uuid="9f1c", shot_name="SH015", source={"blend": "film.blend"}, fps=Fraction(24000, 1001), frame_map=MAP,
    size=(832, 480), crop=Crop(0, 6, 832, 468), profile="wan-vace-14b", quality="draft",
    renderer={"name": "zbuffer", "reason": "surfaces only"}, depth=DepthInfo(1.25, 40.0, 0.004),
    passes={"depth": Pass("depth/{frame:04d}.png", 8, 3, "disparity", (SHA,) * 9)},
    videos={"guide.0": Video("video/guide.0.mp4", "guide", 0, Fraction(16), 5, "h264", SHA)},
    people=({"id": 0, "rig": "Ada"},), camera="camera/camera.json", input_hash=SHA, volatile={"seconds": 1.5},
)  # fmt: skip
REQUEST = Request(
    "3f0e", "9f1c", "SH015", "SH010", "SH010/packages/wan-vace-14b-abababab", SHA, "comfyui", "http://127.0.0.1:8188",
    "wan-vace-14b", "draft", "wan_vace_guide", BRIEF, (Chunk(0, 81), Chunk(1, 45)), {"created": "today"},
)  # fmt: skip
SUBMISSION = Submission(
    "gpu.example.org",
    (Parcel(0, (SentFile("control.guide", "a/b.mp4", "su_1/c0.mp4", SHA, 9),), (SentText("prompt", "fox"),),
    {"seed": 7}),),
)  # fmt: skip
STATE = State(
    JobState.RUNNING, (SubmissionState(0, JobState.RUNNING, {"id": "77"}, 2), SubmissionState(1)), "t001", 0.5,
    "It runs.",
    "Wait.", "2026-11-21T10:00:00Z",
)  # fmt: skip
TAKE = Take(
    "77aa", "t001", "9f1c", "SH015", "wan-vace-14b-abababab", SHA, "3f0e", "comfyui", "wan-vace-14b", "wan_vace_guide",
    BRIEF, (832, 480), (1001, 1002), (SHA, SHA), volatile={"host": "x"},
)  # fmt: skip
COMP = Comp("9f1c", "77aa", CompRecipe(Atmosphere(1.0, 9.5, 0.5, (0.1, 0.2, 0.3)), Cdl()), (1001, 1002))


@dataclass(frozen=True)
class Kind:
    """One kind of document: how to write its example and how to read it. ``free`` are places nobody checks."""

    file: str
    noun: Any
    save: Callable[[Path, Any], None]
    load: Callable[[Path], Any]
    free: str = "(?!)"
    keeps_unknown: bool = True


KINDS = {
    "shot": Kind(
        "shot.json", SHOT, lambda d, n: save_shot(d / "shot.json", n), lambda d: load_shot(d / "shot.json"),
        r"cast\.0\..*|ratings\..*",
    ),
    "manifest": Kind(
        "manifest.json", MANIFEST, save_manifest, load_manifest,
        r"(source|renderer|volatile|people\.0)\..*|(frames|cast)(\..*)?|depth\.(encoding|unit)|videos\..*\.(range|matrix)",
    ),
    "request": Kind("request.json", REQUEST, save_request, load_request, r"volatile\..*"),
    "submission": Kind("submission.json", SUBMISSION, save_submission, load_submission, r"parcels\.0\.values\..*"),
    "state": Kind("state.json", STATE, save_state, load_state, r"submissions\.0\.ticket\..*|take"),
    "take": Kind("take.json", TAKE, save_take, load_take, r"volatile\..*"),
    "package": Kind(
        "package.json", "wan-vace-14b-abababab", lambda d, n: save_current(d / "package.json", n),
        lambda d: load_current(d / "package.json"), keeps_unknown=False,
    ),
    "comp": Kind("comp.json", COMP, save_comp, load_comp, "key|encoding", keeps_unknown=False),
}  # fmt: skip
BY_KIND = pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
JUNK = (None, "junk", 7, -1.5, True, [], ["x"], {}, {"x": 1})
Path_ = tuple[str | int, ...]


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here pulls the plug, so none waits for the platters."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "SH010"


def on_disk(kind: Kind, folder: Path) -> dict[str, Any]:
    """The document of the kind's example."""
    kind.save(folder, kind.noun)
    return json.loads((folder / kind.file).read_text("utf-8"))


def put(kind: Kind, folder: Path, document: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / kind.file).write_text(json.dumps(document), "utf-8")


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


@BY_KIND
def test_a_noun_comes_back_as_it_was(kind: Kind, folder: Path) -> None:
    kind.save(folder, kind.noun)
    assert kind.load(folder) == kind.noun


@BY_KIND
def test_the_same_noun_gives_the_same_bytes(kind: Kind, folder: Path) -> None:
    kind.save(folder, kind.noun)
    first = (folder / kind.file).read_bytes()
    kind.save(folder, kind.load(folder))
    assert (folder / kind.file).read_bytes() == first
    assert list(folder.iterdir()) == [folder / kind.file]


@BY_KIND
def test_unknown_keys_survive_a_round_trip(kind: Kind, folder: Path) -> None:
    if not kind.keeps_unknown:
        return
    friendlier = {**on_disk(kind, folder), "flavour": {"deep": [1, None, "ü"]}, "later": 3}
    put(kind, folder, friendlier)
    kind.save(folder, kind.load(folder))
    assert json.loads((folder / kind.file).read_text("utf-8")) == friendlier


@pytest.mark.parametrize(
    ("name", "path"), [("shot", ("brief",)), ("shot", ("marker",)), ("state", ("submissions", 0))], ids=str
)
def test_unknown_keys_survive_inside_what_is_written_again_and_again(name: str, path: Path_, folder: Path) -> None:
    """Circling rewrites shot.json, the runner state.json: what a newer version put inside must not get lost."""
    kind = KINDS[name]
    friendlier = changed(on_disk(kind, folder), (*path, "flavour"), "kept")
    put(kind, folder, friendlier)
    kind.save(folder, kind.load(folder))
    assert json.loads((folder / kind.file).read_text("utf-8")) == friendlier


def test_letters_of_every_script_stay_readable(folder: Path) -> None:
    save_shot(folder / "shot.json", Shot("1", "場面", "SH010", Marker("場面", 1, "Kamera ß"), Brief("ein Fuchs – rot")))
    assert "場面" in (folder / "shot.json").read_text("utf-8")
    assert load_shot(folder / "shot.json").brief.prompt == "ein Fuchs – rot"


# What cannot be read is refused.


@BY_KIND
def test_a_newer_schema_is_refused_with_a_sentence(kind: Kind, folder: Path) -> None:
    document = on_disk(kind, folder)
    name = document["schema"].rsplit("/", 1)[0]
    put(kind, folder, {**document, "schema": f"{name}/2"})
    with pytest.raises(DocumentError, match="newer Second Unit") as caught:
        kind.load(folder)
    assert is_sentence(caught.value.what)
    assert "Update" in caught.value.fix


@BY_KIND
@pytest.mark.parametrize("schema", ["second_unit.cheese/1", "shot/1", "second_unit.shot", "", "second_unit.shot/1 "])
def test_a_document_of_another_kind_is_refused(kind: Kind, schema: str, folder: Path) -> None:
    put(kind, folder, {**on_disk(kind, folder), "schema": schema})
    with pytest.raises(DocumentError, match="is damaged"):
        kind.load(folder)


@BY_KIND
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe{}", b'{"schema": 1}', b"{'a': 1}"])
def test_damaged_json_is_refused_by_name(kind: Kind, data: bytes, folder: Path) -> None:
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
def test_a_missing_key_is_named(name: str, key: str, folder: Path) -> None:
    kind = KINDS[name]
    put(kind, folder, {k: v for k, v in on_disk(kind, folder).items() if k != key})
    with pytest.raises(DocumentError, match=f"'{key}' is missing"):
        kind.load(folder)


def swallowed(kind: Kind, folder: Path) -> Iterator[str]:
    """The lies that a reader took for truth, or fell over."""
    document = on_disk(kind, folder)
    for path in places(document):
        value = at(document, path)
        for junk in JUNK:
            is_number = isinstance(value, float) and isinstance(junk, int | float) and not isinstance(junk, bool)
            is_free = re.fullmatch(kind.free, dotted(path)) or type(junk) in NULLABLE.get(dotted(path), ())
            if type(junk) is type(value) or is_number or is_free:
                continue
            put(kind, folder, changed(document, path, junk))
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
    **{f"frame_map.frames.{i}.plate": (type(None), int) for i in range(len(MAP.frames))},
}  # fmt: skip


@BY_KIND
def test_a_value_of_the_wrong_type_is_refused_wherever_it_stands(kind: Kind, folder: Path) -> None:
    assert list(swallowed(kind, folder)) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -1, 0, "1/0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@BY_KIND
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_value_is_a_sentence_at_worst(kind: Kind, folder: Path, data: st.DataObject) -> None:
    document = on_disk(kind, folder)
    path = data.draw(st.sampled_from(list(places(document))))
    put(kind, folder, changed(document, path, data.draw(ANYTHING)))
    said: list[str] = []
    try:
        kind.load(folder)
    except SecondUnitError as error:
        said += [error.what, error.fix]
    assert all(is_sentence(text) for text in said)


# Nothing in a file leads out of its folder.

UNSAFE_PATTERNS = (
    "../{frame:04d}.png", "depth/../../{frame}.png", "/etc/{frame}", "depth\\..\\{frame}.png", "C:/x/{frame}.png",
    "depth/{frame.__class__}.png", "depth/{frame!r}.png", "depth/{frame:{frame}}.png", "depth/{other}.png",
    "depth/{frame}{frame}.png", "depth/{0}.png", "depth/x.png", "depth/{{frame}}.png", "{frame:>99999999}", "",
)  # fmt: skip


@pytest.mark.parametrize("pattern", UNSAFE_PATTERNS)
def test_an_unsafe_pattern_is_refused(pattern: str, folder: Path) -> None:
    document = on_disk(KINDS["manifest"], folder)
    put(KINDS["manifest"], folder, changed(document, ("passes", "depth", "pattern"), pattern))
    with pytest.raises(DocumentError, match="no safe pattern"):
        load_manifest(folder)


def test_a_pattern_cannot_ask_for_a_name_of_a_billion_digits(folder: Path) -> None:
    document = on_disk(KINDS["manifest"], folder)
    put(KINDS["manifest"], folder, changed(document, ("passes", "depth", "pattern"), "{frame:01000000000d}"))
    with pytest.raises(DocumentError):
        load_manifest(folder)


@pytest.mark.parametrize("pattern", ["depth/{frame:04d}.png", "{frame}.exr", "a-b/c_d.{frame:06d}.png"])
def test_a_pattern_names_one_file_per_plate(pattern: str, folder: Path) -> None:
    document = on_disk(KINDS["manifest"], folder)
    put(KINDS["manifest"], folder, changed(document, ("passes", "depth", "pattern"), pattern))
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
def test_a_document_cannot_name_a_place_outside_its_folder(name: str, place: Path_, folder: Path) -> None:
    kind = KINDS[name]
    document = on_disk(kind, folder)
    taken: list[str] = []
    for path in UNSAFE_PATHS:
        put(kind, folder, changed(document, place, path))
        try:
            kind.load(folder)
        except DocumentError:
            continue
        taken.append(path)
    assert taken == []


@pytest.mark.parametrize("name", ["SH 010/a", "..\\..\\x", "C:SH010", "../../SH010"])
def test_a_frame_lies_in_its_take_whatever_the_shot_is_called(name: str, folder: Path) -> None:
    file = replace(TAKE, shot_name=name).frame_file(folder, 1001)
    assert file.parent == folder / "frames"
    assert not set(file.name) & set("\\/: ")


# Half a document never exists.


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("moment", ["flush", "rename"])
@BY_KIND
def test_a_full_disk_leaves_the_old_document_and_no_leftovers(
    kind: Kind, moment: str, folder: Path, monkeypatch: pytest.MonkeyPatch
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
    assert is_sentence(caught.value.what)


def test_an_unreadable_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "shot.json").mkdir()
    with pytest.raises(StorageError):
        load_shot(tmp_path / "shot.json")


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
