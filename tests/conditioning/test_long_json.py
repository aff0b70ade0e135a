# SPDX-License-Identifier: GPL-3.0-or-later
"""A list written item by item is the same file as one written at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from second_unit.addon.conditioning.files.long_json import write_long_json
from second_unit.addon.shot.documents import stable_json

LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(LEAF, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@settings(max_examples=40)
@given(items=st.lists(JSON, max_size=4), head=st.none() | st.dictionaries(st.text(min_size=2), JSON, max_size=3))
def test_item_by_item_or_at_once(
    items: list[Any], head: dict[str, Any] | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "list.json"
    write_long_json(path, iter(items), head, "f")
    assert path.read_text("utf-8") == stable_json(items if head is None else {**head, "f": items})
