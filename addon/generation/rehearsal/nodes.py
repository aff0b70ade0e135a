# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a graph's links backwards from what it saves.

Nodes that only move pictures are carried out; everything a model would do between controls and decoded frames
is taken together and handed to the painter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import UnidentifiedImageError

from ...errors import SecondUnitError
from .pictures import GREY, Clip, Picture, blur, plain, read_picture, scale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ...shot.ports import MovieCodec
    from ..services.comfyui.graph import Graph
    from .storage import Storage

# Inputs through which core nodes take a picture that steers the model.
CONTROLS = frozenset({"control_video", "pose_video", "background_video", "image", "control_image"})


class NodeFailedError(Exception):
    """A node failed while running; ``kind`` is the name of the exception a server would report."""

    def __init__(self, node: str, kind: str, message: str) -> None:
        super().__init__(node, kind, message)
        self.node = node
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class Brief:
    """What the nodes between the controls and the frames ask for."""

    width: int
    height: int
    length: int
    prompt: str
    seed: int
    controls: tuple[Clip, ...]


@dataclass(slots=True)
class Runner:
    """Carries out one prompt. ``visit`` is told each node before it runs and may raise to stop."""

    graph: Graph
    storage: Storage
    codec: MovieCodec
    scratch: Path
    paint: Callable[[Brief], Clip]
    visit: Callable[[str], None]
    done: dict[str, Clip] = field(default_factory=dict[str, Clip])

    def clip(self, link: object) -> Clip:
        """The frames behind a link. Raises `NodeFailedError`."""
        node = self.source(link)
        if node not in self.done:
            self.visit(node)
            self.done[node] = self._run(node)
        return self.done[node]

    def source(self, link: object) -> str:
        """Id of the node behind a link."""
        node = _source(link)
        if node is None or node not in self.graph:
            raise NodeFailedError("", "KeyError", f"no such link: {link!r}")
        return node

    def inputs(self, node: str) -> Mapping[str, Any]:
        """Inputs of a node."""
        return self.graph[node]["inputs"]

    def _run(self, node: str) -> Clip:
        step = _STEPS.get(self.graph[node]["class_type"])
        if step is not None:
            return step(self, node)
        return self.paint(self._brief(node))

    def upstream(self, node: str) -> Iterator[str]:
        """``node`` and what feeds it, the nearest first."""
        seen, queue = {node}, [node]
        while queue:
            current = queue.pop(0)
            yield current
            for link in self.inputs(current).values():
                if _is_link(link) and link[0] in self.graph and link[0] not in seen:
                    seen.add(link[0])
                    queue.append(link[0])

    def _brief(self, node: str) -> Brief:
        order = list(self.upstream(node))
        size = next((key for key in order if _has_numbers(self.inputs(key), "width", "height")), None)
        where: Mapping[str, Any] = self.inputs(size) if size else {}
        length = where.get("length", where.get("batch_size", 1))
        controls = [
            self.clip(self.inputs(key)[name])
            for key in order
            for name in sorted(CONTROLS & self.inputs(key).keys())
            if _is_link(self.inputs(key)[name]) and self.graph[key]["class_type"] not in _STEPS
        ]
        return Brief(
            int(where.get("width", 832)),
            int(where.get("height", 480)),
            int(length) if not isinstance(length, list) else 1,
            self._prompt(order),
            next(
                (int(value) for key in order for name, value in self.inputs(key).items() if _is_seed(name, value)),
                0,
            ),
            tuple(controls),
        )

    def _prompt(self, order: list[str]) -> str:
        """The text at the end of the nearest chain of ``positive`` inputs."""
        for key in order:
            if _is_link(self.inputs(key).get("positive")):
                for feeder in self.upstream(self.inputs(key)["positive"][0]):
                    text = self._text(feeder)
                    if text:
                        return text
        return ""

    def _text(self, key: str) -> str:
        # "positive" comes before "negative" in every node that passes both on, so the first text found is
        # the right one.
        text = self.inputs(key).get("text")
        return text if isinstance(text, str) and self.graph[key]["class_type"].startswith("CLIPTextEncode") else ""


def _source(value: object) -> str | None:
    """The node a link comes from, None if ``value`` is no link."""
    pair = cast("list[object]", value) if isinstance(value, list) else []
    return pair[0] if len(pair) == 2 and isinstance(pair[0], str) else None


def _is_link(value: object) -> bool:
    return _source(value) is not None


def _has_numbers(inputs: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(inputs.get(name), int | float | str) for name in names)


def _is_seed(name: str, value: object) -> bool:
    return name in {"seed", "noise_seed"} and isinstance(value, int)


def _load_image(run: Runner, node: str) -> Clip:
    path = _uploaded(run, node, "image")
    if path.suffix.lower() in {".mp4", ".mkv", ".webm", ".mov"}:
        return _decoded(run, node, path)
    return Clip(1, lambda _: _opened(path, node))


def _opened(path: Path, node: str) -> Picture:
    try:
        return read_picture(path)
    except UnidentifiedImageError as error:
        raise NodeFailedError(
            node, "PIL.UnidentifiedImageError", f"cannot identify image file '{path.name}'\n"
        ) from error
    except OSError as error:
        raise NodeFailedError(node, "OSError", f"{error.strerror or error}: '{path.name}'\n") from error


def _uploaded(run: Runner, node: str, name: str) -> Path:
    path = run.storage.named(str(run.inputs(node)[name]))
    if path is None:
        raise NodeFailedError(node, "FileNotFoundError", f"No such file: '{run.inputs(node)[name]}'\n")
    return path


def _load_video(run: Runner, node: str) -> Clip:
    return _decoded(run, node, _uploaded(run, node, "file"))


def _decoded(run: Runner, node: str, movie: Path) -> Clip:
    folder = run.scratch / f"decoded_{len(run.done):03}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        frames = run.codec.decode(movie, folder)
    except (SecondUnitError, OSError, ValueError) as error:
        raise NodeFailedError(node, type(error).__name__, f"cannot decode '{movie.name}'\n") from error
    if not frames:
        raise NodeFailedError(node, "ValueError", f"no frames in '{movie.name}'\n")
    return Clip(len(frames), lambda index: read_picture(frames[index]))


def _pass_on(name: str) -> Callable[[Runner, str], Clip]:
    return lambda run, node: run.clip(run.inputs(node)[name])


def _empty(run: Runner, node: str) -> Clip:
    inputs = run.inputs(node)
    picture = plain(int(inputs["width"]), int(inputs["height"]), int(inputs.get("color", 0)))
    return Clip(int(inputs.get("batch_size", 1)), lambda _: picture)


def _invert(run: Runner, node: str) -> Clip:
    return run.clip(run.inputs(node)["image"]).mapped(lambda picture: np.subtract(255, picture, dtype=np.uint8))


def _scale(run: Runner, node: str) -> Clip:
    inputs = run.inputs(node)
    width, height, method = int(inputs["width"]), int(inputs["height"]), str(inputs["upscale_method"])
    is_cropped = inputs.get("crop") == "center"
    return run.clip(inputs["image"]).mapped(
        lambda picture: _scaled(picture, width, height, method, is_cropped=is_cropped)
    )


def _scaled(picture: Picture, width: int, height: int, method: str, *, is_cropped: bool) -> Picture:
    """A size of 0 follows the other one, both 0 keep the picture."""
    rows, columns = picture.shape[:2]
    if width == height == 0:
        return picture
    width = width or max(1, round(columns * height / rows))
    height = height or max(1, round(rows * width / columns))
    return scale(picture, width, height, method, is_cropped=is_cropped)


def _blur(run: Runner, node: str) -> Clip:
    sigma = float(run.inputs(node)["sigma"])
    return _kept(run.clip(run.inputs(node)["image"]).mapped(lambda picture: blur(picture, sigma)))


def _kept(clip: Clip) -> Clip:
    """A single picture is made once, also when a chain of nodes asks again."""
    if clip.count != 1:
        return clip
    picture = clip.frame(0)
    return Clip(1, lambda _: picture)


def _batch(run: Runner, node: str) -> Clip:
    """The second batch is scaled to the size of the first, middle cut out."""
    first, second = (run.clip(run.inputs(node)[name]) for name in ("image1", "image2"))
    rows, columns = first.frame(0).shape[:2]
    return first.then(second.mapped(lambda picture: scale(picture, columns, rows, is_cropped=True)))


_STEPS: Mapping[str, Callable[[Runner, str], Clip]] = {
    "LoadImage": _load_image,
    "LoadVideo": _load_video,
    "GetVideoComponents": _pass_on("video"),
    "CreateVideo": _pass_on("images"),
    "EmptyImage": _empty,
    "ImageInvert": _invert,
    "ImageScale": _scale,
    "ImageBlur": _blur,
    "ImageBatch": _batch,
}


def fitted(clip: Clip, width: int, height: int, index: int) -> Picture:
    """Frame ``index`` of a control as ``WanVaceToVideo`` reads it.

    Bilinear, middle cut out, 0.5 grey past its end.
    """
    if index >= clip.count:
        return plain(width, height, GREY * 0x10101)
    return scale(clip.frame(index), width, height, is_cropped=True)


def frame_rate(run: Runner, node: str) -> Fraction | None:
    """Frames per second of the movie behind a node, None if it does not say."""
    for key in run.upstream(node):
        fps = run.inputs(key).get("fps")
        if isinstance(fps, int | float):
            return Fraction(fps).limit_denominator(1001)
    return None
