# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``/object_info`` says about node classes, read into one form.

ComfyUI writes a choice in three ways (``[["a", "b"], {}]``, ``["COMBO", {"options": [...]}]`` and nested
dynamic combos whose children travel as dotted keys) and lists of inputs as auto-growing templates. Here all
of them become `InputSpec`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ....errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

ObjectInfo = Mapping[str, Mapping[str, Any]]
RECORDED = Path(__file__).resolve().parents[3] / "data" / "comfyui" / "object_info.json"
RECORDED_VERSION = "0.33.0"

UPLOADS = {"image_upload": "image", "video_upload": "video", "audio_upload": "audio"}
_DYNAMIC = "COMFY_DYNAMICCOMBO_V3"
_AUTOGROW = "COMFY_AUTOGROW_V3"
_ANY = frozenset({"*", "COMFY_MATCHTYPE_V3"})


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a node class: its ``config`` as the server writes it, always ``[type, options]``."""

    name: str
    config: list[Any]
    is_required: bool

    @property
    def type(self) -> str:
        """Name of the type; every kind of choice is ``COMBO``."""
        return "COMBO" if isinstance(self.config[0], list) else str(self.config[0])

    @property
    def options(self) -> Mapping[str, Any]:
        """Limits, default, flags."""
        return cast("Mapping[str, Any]", self.config[1])

    @property
    def choices(self) -> list[Any] | None:
        """Allowed values, None if the input is no choice."""
        if isinstance(self.config[0], list):
            return cast("list[Any]", self.config[0])
        if self.config[0] == _DYNAMIC:
            return [option["key"] for option in self.options.get("options", [])]
        return list(self.options.get("options", [])) if self.config[0] == "COMBO" else None

    @property
    def upload(self) -> str | None:
        """``image``, ``video`` or ``audio`` if the value names an uploaded file."""
        return next((kind for flag, kind in UPLOADS.items() if self.options.get(flag)), None)


def recorded_object_info() -> ObjectInfo:
    """The node classes of ComfyUI 0.33.0 (core only), without texts for people. Raises `DocumentError`."""
    try:
        return cast("ObjectInfo", json.loads(RECORDED.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DocumentError("The table of ComfyUI's nodes cannot be read.", "Install Second Unit again.") from error


def input_specs(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[InputSpec]:
    """Inputs of a node class, given what a node sends: dynamic choices open the inputs of the chosen option."""
    yield from _section(entry["input"], values, "", is_nested=False)


def _section(
    section: Mapping[str, Any], values: Mapping[str, Any], prefix: str, *, is_nested: bool
) -> Iterator[InputSpec]:
    for group in ("required", "optional"):
        for name, raw in section.get(group, {}).items():
            config = _config(raw)
            if config[0] == _AUTOGROW:
                yield from _grown(prefix + name, config[1]["template"], values)
                continue
            # A dynamic choice inside another may be left out: flat "format", "codec" of older servers still
            # pass.
            is_required = group == "required" and not (is_nested and config[0] == _DYNAMIC)
            yield InputSpec(prefix + name, config, is_required)
            if config[0] == _DYNAMIC:
                yield from _chosen(prefix + name, config[1], values)


def _config(raw: list[Any]) -> list[Any]:
    """Type and options; classes without options leave them out."""
    return [raw[0], raw[1]] if len(raw) > 1 else [raw[0], {}]


def _chosen(name: str, options: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[InputSpec]:
    for option in options.get("options", []):
        if option["key"] == values.get(name):
            yield from _section(option["inputs"], values, f"{name}.", is_nested=True)


def _grown(name: str, template: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[InputSpec]:
    (raw,) = (spec for group in ("required", "optional") for spec in template["input"].get(group, {}).values())
    names = template.get("names") or [f"{template['prefix']}{index}" for index in range(template["max"])]
    for index, child in enumerate(names):
        key = f"{name}.{child}"
        if index < template.get("min", 0) or key in values:
            yield InputSpec(key, _config(raw), index < template.get("min", 0))


def types_match(received: str, wanted: str) -> bool:
    """Whether an output of type ``received`` may feed an input of type ``wanted`` (comma lists.

    Any in common).
    """
    got, want = set(received.split(",")), set(wanted.split(","))
    return bool(got & want or got & _ANY or want & _ANY)


def output_types(entry: Mapping[str, Any]) -> list[str]:
    """Types of a class's outputs; every kind of choice is ``COMBO``."""
    return [kind if isinstance(kind, str) else "COMBO" for kind in entry["output"]]
