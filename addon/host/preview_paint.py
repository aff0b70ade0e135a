# SPDX-License-Identifier: GPL-3.0-or-later
"""Live preview, the part that speaks to the GPU: textures, one shader, and the mark in the corner. Needs a GPU context.

Positions are pixels of the viewport, row 0 at the bottom.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import blf  # pyright: ignore[reportMissingModuleSource] - Blender's own, as those below
import bpy
import gpu  # pyright: ignore[reportMissingModuleSource]
import gpu_extras.batch  # pyright: ignore[reportMissingModuleSource]
import numpy as np
from mathutils import Matrix  # pyright: ignore[reportMissingModuleSource]

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy.typing as npt

    from ..conditioning.preview import Box, Lens, Mapping

    F32: TypeAlias = npt.NDArray[np.float32]
    Size: TypeAlias = tuple[int, int]
    Place: TypeAlias = tuple[float, float]
    Four: TypeAlias = tuple[float, float, float, float]

_VERTEX = """
void main()
{
  picture_at = picture;
  spot_at = spot;
  gl_Position = vec4(corner, 0.0, 1.0);
}
"""
# lens: a, b, is orthographic, is there; grey: gain, bias, is inverse (see `conditioning.preview`). What is bound may
# hold linear numbers (Blender sets srgbTarget where it does), which Blender shows with a power of 1 / 2.2.
_FRAGMENT = """
float fetched(sampler2D image, vec2 at)
{
  return texelFetch(image, clamp(ivec2(floor(at)), ivec2(0), textureSize(image, 0) - 1), 0).r;
}

float grey_of(float d)
{
  if (d >= 1.0) {
    return 0.0;
  }
  float n = 2.0 * d - 1.0;
  float z = lens.z > 0.5 ? (lens.y - n) / lens.x : lens.y / (n + lens.x);
  return clamp((grey.z > 0.5 ? grey.x / z : grey.x * z) + grey.y, 0.0, 1.0);
}

vec3 linear_of(vec3 c)
{
  return pow(c, vec3(2.2));
}

void main()
{
  vec3 shown = vec3(lens.w > 0.5 ? grey_of(fetched(depths, spot_at)) : 0.0);
  float figure = fetched(figures, picture_at);
  if (figure > 0.0) {
    float red = floor(figure / 65536.0);
    float green = floor((figure - red * 65536.0) / 256.0);
    shown = vec3(red, green, figure - red * 65536.0 - green * 256.0) / 255.0;
  }
  colour = vec4(srgbTarget ? linear_of(shown) : shown, 1.0);
}
"""
_MARK_COLOUR = (1.0, 0.6, 0.1, 1.0)
_MARK_SIZE, _MARK_MARGIN, _LINE = 13.0, 10.0, 1.4
_FONT, _SHADOW = 0, 3


NOTHING = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Painting:
    """What is drawn over a viewport until something changes. Without ``batch`` the marks alone are."""

    marks: Sequence[str]
    corner: Place
    batch: Any = None
    depths: Any = None
    figures: Any = None
    lens: Four = NOTHING
    grey: Four = NOTHING


def make_shader() -> Any:
    """The shader that makes greys of the depth and lays the figures over them."""
    types: Any = gpu.types
    between = types.GPUStageInterfaceInfo("second_unit_preview")
    between.smooth("VEC2", "picture_at")
    between.smooth("VEC2", "spot_at")
    info = types.GPUShaderCreateInfo()
    for slot, name in enumerate(("corner", "picture", "spot")):
        info.vertex_in(slot, "VEC2", name)
    info.vertex_out(between)
    for slot, name in enumerate(("depths", "figures")):
        info.sampler(slot, "FLOAT_2D", name)
    for kind, name in (("VEC4", "lens"), ("VEC4", "grey"), ("BOOL", "srgbTarget")):
        info.push_constant(kind, name)
    info.fragment_out(0, "VEC4", "colour")
    info.vertex_source(_VERTEX)
    info.fragment_source(_FRAGMENT)
    create: Any = gpu.shader.create_from_info
    return create(info)


def read_depth(box: Box) -> tuple[Any, F32]:
    """The depth buffer of what is bound within ``box``: as Blender's own buffer, and (height, width) of the same."""
    state: Any = gpu.state
    buffer = state.active_framebuffer_get().read_depth(*box)
    buffer.dimensions = box[2] * box[3]
    return buffer, np.asarray(buffer, np.float32).reshape(box[3], box[2])


def texture(values: Any, size: Size) -> Any:
    """A texture of one float per pixel; ``values`` is a buffer of Blender's."""
    types: Any = gpu.types
    return types.GPUTexture(size, format="R32F", data=values)


def texture_of(values: F32) -> Any:
    """The same of (height, width) float32."""
    types: Any = gpu.types
    height, width = values.shape
    return texture(types.Buffer("FLOAT", values.size, np.ascontiguousarray(values).reshape(-1)), (width, height))


def quad(shader: Any, box: Box, region: Size, places: tuple[Place, Place]) -> Any:
    """A rectangle over ``box``; ``places`` are those of its lower left and upper right corner in the picture."""
    left, bottom, width, height = box
    across = [2 * x / region[0] - 1 for x in (left, left + width)]
    up = [2 * y / region[1] - 1 for y in (bottom, bottom + height)]
    low, high = places
    batches: Any = gpu_extras.batch
    return batches.batch_for_shader(
        shader, "TRI_STRIP",
        {
            "corner": [(x, y) for y in up for x in across],
            "picture": [(u, v) for v in (low[1], high[1]) for u in (low[0], high[0])],
            "spot": [(float(u), float(v)) for v in (0, height) for u in (0, width)],
        },
    )  # fmt: skip


def lens_numbers(lens: Lens) -> Four:
    """As the shader takes it."""
    return lens.a, lens.b, float(lens.orthographic), 1.0


def grey_numbers(mapping: Mapping) -> Four:
    """As the shader takes it."""
    return mapping.gain, mapping.bias, float(mapping.inverse), 0.0


def paint(shader: Any, painting: Painting, region: Size) -> None:
    """Draw it into what is bound."""
    with _plain_state():
        if painting.batch is not None:
            shader.bind()
            shader.uniform_sampler("depths", painting.depths)
            shader.uniform_sampler("figures", painting.figures)
            shader.uniform_float("lens", painting.lens)
            shader.uniform_float("grey", painting.grey)
            painting.batch.draw(shader)
        _write(painting.marks, painting.corner, region)


@contextmanager
def _plain_state() -> Generator[None]:
    """Every pixel is drawn, and nothing is left changed for who draws next."""
    state: Any = gpu.state
    blend, test, mask = state.blend_get(), state.depth_test_get(), state.depth_mask_get()
    state.blend_set("NONE")
    state.depth_test_set("NONE")
    state.depth_mask_set(False)  # noqa: FBT003 Blender's own way
    try:
        yield
    finally:
        state.blend_set(blend)
        state.depth_test_set(test)
        state.depth_mask_set(mask)


def _write(marks: Sequence[str], corner: Place, region: Size) -> None:
    """The marks, the first one on top, from the lower left corner on."""
    state: Any = gpu.state
    matrix: Any = gpu.matrix
    draw: Any = blf
    scale = _ui_scale()
    state.blend_set("ALPHA")
    with matrix.push_pop(), matrix.push_pop_projection():
        matrix.load_matrix(Matrix.Identity(4))
        matrix.load_projection_matrix(_pixels(region))
        draw.size(_FONT, _MARK_SIZE * scale)
        draw.color(_FONT, *_MARK_COLOUR)
        draw.enable(_FONT, blf.SHADOW)
        draw.shadow(_FONT, _SHADOW, 0.0, 0.0, 0.0, 1.0)
        for number, mark in enumerate(reversed(marks)):
            up = corner[1] + (_MARK_MARGIN + number * _MARK_SIZE * _LINE) * scale
            draw.position(_FONT, corner[0] + _MARK_MARGIN * scale, up, 0.0)
            draw.draw(_FONT, mark)
        draw.disable(_FONT, blf.SHADOW)


def _pixels(region: Size) -> Matrix:
    """Pixels of the viewport to what is drawn."""
    width, height = region
    return Matrix(((2 / width, 0, 0, -1), (0, 2 / height, 0, -1), (0, 0, -1, 0), (0, 0, 0, 1)))


def _ui_scale() -> float:
    context: Any = bpy.context
    return float(context.preferences.system.ui_scale) or 1.0  # 0 without a window
