# SPDX-License-Identifier: GPL-3.0-or-later
"""Animals, vehicles, props and rubbish are nobody, under a person's names too."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.rigs.bones import LEFT, Skeleton, rest_points
from second_unit.addon.conditioning.rigs.find import DAMAGED, find_person

from .armatures import NAMES, Names, Row, anonymous, moved, named_rows, skeleton
from .test_rigs_named import turned
from .test_rigs_shaped import RIGIFY, strand

F64 = npt.NDArray[np.float64]

DOG_LIMBS = {
    "upperarm": [(0.08, -0.3, 0.5), (0.08, -0.2, 0.35)], "forearm": [(0.08, -0.2, 0.35), (0.08, -0.28, 0.12)],
    "hand": [(0.08, -0.28, 0.12), (0.08, -0.33, 0.02)],
    "thigh": [(0.08, 0.3, 0.5), (0.08, 0.25, 0.33)], "shin": [(0.08, 0.25, 0.33), (0.08, 0.38, 0.14)],
    "foot": [(0.08, 0.38, 0.14), (0.08, 0.3, 0.02)],
}  # fmt: skip
ABOVE = {
    "forearm": "upperarm",
    "hand": "forearm",
    "shin": "thigh",
    "foot": "shin",
    "upperarm": "chest",
    "thigh": "hips",
}


def dog(names: Names) -> list[Row]:
    """A dog whose bones bear a person's names."""
    middle: dict[str, list[tuple[float, float, float]]] = {
        "hips": [(0, 0.35, 0.55), (0, 0.15, 0.56)], "spine": [(0, 0.15, 0.56), (0, -0.1, 0.56)],
        "chest": [(0, -0.1, 0.56), (0, -0.35, 0.58)], "neck": [(0, -0.35, 0.58), (0, -0.45, 0.7)],
        "head": [(0, -0.45, 0.7), (0, -0.6, 0.72)],
    }  # fmt: skip
    chain = list(middle)
    rows: list[Row] = []
    for above, (part, (head, tail)) in zip([None, *chain], middle.items(), strict=False):
        rows.append((names.parts[part], names.parts[above] if above else None, head, tail))
    for part, ends in DOG_LIMBS.items():
        for side, sign in zip(names.sides, (1, -1), strict=True):
            head, tail = ((sign * x, y, z) for x, y, z in ends)
            above = names.parts[ABOVE[part]].replace("{s}", side)
            rows.append((names.parts[part].replace("{s}", side), above, head, tail))
    return rows


@pytest.mark.parametrize("names", NAMES, ids=[f"{i} {names.family}" for i, names in enumerate(NAMES)])
def test_a_dog_with_a_persons_names_is_a_dog(names: Names) -> None:
    found = skeleton(dog(names))
    assert find_person(found).person is None
    assert find_person(anonymous(found)).person is None
    upright = moved(found, turned(0, math.pi / 2))
    assert find_person(upright).person is None


@pytest.mark.parametrize("names", NAMES, ids=[f"{i} {names.family}" for i, names in enumerate(NAMES)])
def test_a_lizard_with_a_persons_names_is_a_lizard(names: Names) -> None:
    """Its legs stand off sideways and a little back."""
    rows: list[Row] = []
    for name, above, head, tail in named_rows(names, 80):
        rows.append((name, above, _sprawled(head), _sprawled(tail)))
    assert find_person(skeleton(rows)).person is None


def _sprawled(point: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = point
    below = max(0.93 - z, 0.0)
    return x + math.copysign(below, x) * 1.5 if abs(x) > 0.05 else x, y, z + 0.6 * below


@pytest.mark.parametrize("names", NAMES, ids=[f"{i} {names.family}" for i, names in enumerate(NAMES)])
@pytest.mark.parametrize("backwards", [True, False])
def test_a_bird_with_a_persons_names_is_a_bird(names: Names, backwards: bool) -> None:
    """One whose knee is what a person's ankle is, and one whose thigh is folded as in nature."""
    knee = -0.17 if backwards else 0.45
    bent = {"shin": ("head", knee), "thigh": ("tail", knee)}
    rows = [
        (name, above, _shifted(part, "head", head, bent), _shifted(part, "tail", tail, bent))
        for (name, above, head, tail), part in zip(named_rows(names, 10), _parts_of(names), strict=True)
    ]
    assert find_person(skeleton(rows)).person is None


def _parts_of(names: Names) -> list[str]:
    """The part of each row, "" for extras."""
    plain = replace(names, parts={part: f"{part} {{s}}" for part in names.parts}, extras={})
    parts = [row[0].split(" ")[0] for row in named_rows(plain)]
    return parts + [""] * (len(named_rows(names)) - len(parts))


def _shifted(
    part: str, end: str, point: tuple[float, float, float], bent: dict[str, tuple[str, float]]
) -> tuple[float, float, float]:
    """Knees moved forward by so many metres, which is along -y."""
    moved_end, forward = bent.get(part, ("", 0.0))
    x, y, z = point
    return (x, y - forward, z) if end == moved_end else point


def spider(legs: int = 4) -> list[Row]:
    rows: list[Row] = [
        ("body", None, (0, 0.1, 0.3), (0, -0.1, 0.3)), ("head", "body", (0, -0.1, 0.3), (0, -0.2, 0.3)),
        ("abdomen", "body", (0, 0.1, 0.3), (0, 0.4, 0.35)),
    ]  # fmt: skip
    for i in range(legs):
        angle = math.radians(35 + 110 * i / (legs - 1))
        points = [
            (r * math.sin(angle), -r * math.cos(angle), z)
            for r, z in ((0.1, 0.3), (0.3, 0.5), (0.6, 0.35), (0.8, 0.0), (0.85, 0.0))
        ]
        rows += strand(f"leg{i}_", "body", points)
    return rows


def bird() -> list[Row]:
    rows: list[Row] = [
        ("hips", None, (0, 0.1, 0.3), (0, 0, 0.34)), ("spine", "hips", (0, 0, 0.34), (0, -0.12, 0.4)),
        ("neck", "spine", (0, -0.12, 0.4), (0, -0.16, 0.5)), ("head", "neck", (0, -0.16, 0.5), (0, -0.24, 0.5)),
        ("beak", "head", (0, -0.24, 0.5), (0, -0.3, 0.49)), ("tail", "hips", (0, 0.1, 0.3), (0, 0.3, 0.28)),
    ]  # fmt: skip
    rows += strand("wing", "spine", [(0.05, -0.08, 0.4), (0.25, -0.05, 0.42), (0.5, -0.1, 0.42), (0.8, 0.05, 0.42)])
    leg = [(0.05, 0.03, 0.28), (0.05, -0.02, 0.2), (0.05, 0.06, 0.08), (0.05, 0.0, 0.0), (0.05, -0.06, 0.0)]
    return rows + strand("leg", "hips", leg)


def car() -> list[Row]:
    rows: list[Row] = [("body", None, (0, 0, 0.5), (0, -1, 0.5)), ("wheel", "body", (0.4, -0.4, 0.9), (0.4, -0.5, 1.0))]
    for name, y in (("front", -1.3), ("back", 1.3)):
        rows += strand(f"{name}_axle", "body", [(0.3, y, 0.35), (0.6, y, 0.35), (0.75, y, 0.35), (0.8, y, 0.35)])
    rows += strand("door", "body", [(0.8, -0.4, 0.6), (0.8, 0.4, 0.6)])
    return rows + strand("wiper", "body", [(0.3, -0.9, 0.9), (0.2, -0.8, 1.1)])


def arms_alone() -> list[Row]:
    return [row for row in named_rows(RIGIFY) if not row[0].startswith(("thigh", "shin", "foot", "toe"))]


OTHERS = {
    "no bones": [],
    "a prop": [("Bone", None, (0, 0, 0), (0, 0, 1)), ("Bone.001", "Bone", (0, 0, 1), (0, 0, 2))],
    "three bones": [(n, None, (i, 0, 0), (i, 0, 1)) for i, n in enumerate(("a", "b", "c"))],
    "a spider": spider(),
    "a crab": spider(5),
    "an insect": spider(3),
    "a bird": bird(),
    "a car": car(),
    "arms alone": arms_alone(),
    "a chain": [(f"link{i}", f"link{i - 1}" if i else None, (0, 0, i), (0, 0, i + 1)) for i in range(60)],
    "a pile in one place": [(f"b{i}", None, (1, 1, 1), (1, 1, 1)) for i in range(30)],
    "a row of posts": [(f"post{i}", None, (i, 0, 0), (i, 0, 1)) for i in range(30)],
}


def test_a_bird_is_none_however_it_holds_its_body() -> None:
    for pitch in range(0, 91, 5):
        matrix, hip = turned(0, -math.radians(pitch)), np.array([0, 0.03, 0.28])

        def lifted(
            point: tuple[float, float, float], matrix: F64 = matrix, hip: F64 = hip
        ) -> tuple[float, float, float]:
            x, y, z = (matrix @ (np.array(point) - hip) + hip).tolist()
            return x, y, z

        rows = [row if row[0].startswith("leg") else (*row[:2], lifted(row[2]), lifted(row[3])) for row in bird()]
        assert find_person(anonymous(skeleton(rows))).person is None, pitch


@pytest.mark.parametrize("rows", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("tilt", [0, 60, 90])
def test_animals_and_props_are_no_people(rows: list[Row], tilt: int) -> None:
    found = moved(skeleton(rows), turned(0, math.radians(tilt)))
    for finding in (find_person(found), find_person(anonymous(found))):
        assert finding.person is None
        assert finding.reason


def test_bones_that_are_nowhere_are_said_to_be() -> None:
    found = skeleton(named_rows(RIGIFY))
    heads = found.heads.copy()
    heads[4] = np.nan
    assert find_person(replace(found, heads=heads)).reason == DAMAGED


def test_limbs_without_length_are_nobodys() -> None:
    found = skeleton(named_rows(RIGIFY))
    flat = Skeleton(found.names, found.parents, found.heads * 0, found.tails * 0)
    assert find_person(flat).person is None


@given(st.integers(0, 2**32 - 1), st.integers(12, 60))
def test_rubbish_is_read_without_an_error(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    parents = np.array([random.integers(-1, i) if i else -1 for i in range(count)], np.int64)
    heads = random.normal(size=(count, 3)) * 10.0 ** random.integers(-30, 30)
    found = Skeleton(tuple(map(str, range(count))), parents, heads, heads + random.normal(size=(count, 3)))
    mapping = find_person(found).person
    if mapping is not None:
        assert np.isfinite(rest_points(found, mapping.joints)[LEFT["hip"]]).all()
