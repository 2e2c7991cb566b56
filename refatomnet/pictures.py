"""Decoded frames made upright: as RGB to look at, or as yuv420p to draw on and encode.

High dynamic range becomes standard range, and what is transparent becomes black, so that a frame is one picture to the
model, to the drawing and to every player.
"""

import math
import os
import threading
from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

RGB_COLOURS = 0
HIGH_RANGE = {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}
# FFmpeg maps tones when told to change the transfer; sRGB's is what screens and pictures expect.
STANDARD_RANGE = {"dst_color_trc": ColorTrc.IEC61966_2_1, "dst_color_primaries": ColorPrimaries.BT709}

SMALL = 2**17  # pixels of a frame from which on several threads are worth their waiting for each other
# By thread and pixel format, and in no threading.local: a forked process, as ZeroGPU works in, frees what is local to
# threads that it does not have, and to free a converter waits for threads that it does not have either.
_converters: dict[tuple[int, str], VideoReformatter] = {}
_left_alone: list[dict[tuple[int, str], VideoReformatter]] = []


def _begin_anew() -> None:
    _left_alone.append(dict(_converters))
    _converters.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def convert(frame: av.VideoFrame, width: int, height: int, kind: str, **colours: Any) -> av.VideoFrame:
    """A frame scaled and in another pixel format; ``colours`` as of ``VideoFrame.reformat``.

    The converter is kept for the thread's next frame: to set one up takes longer than to use it, with high dynamic
    range a thousand times.
    """
    own = threading.get_ident(), kind
    kept = _converters.get(own)
    if kept is None:
        running = {thread.ident for thread in threading.enumerate()}
        for other in [key for key in list(_converters) if key[0] not in running]:
            _converters.pop(other, None)
        kept = _converters[own] = VideoReformatter()
    threads = 1 if frame.width * frame.height <= SMALL else 0  # as many as there are cores
    made: av.VideoFrame = kept.reformat(frame, width=width, height=height, format=kind, threads=threads, **colours)
    return made


def to_rgb(frame: av.VideoFrame, width: int, height: int, turns: int = 0, mirrored: bool = False) -> np.ndarray:
    """Convert a decoded frame to upright RGB uint8 (height, width, 3), scaled in the same step.

    Args:
        frame: As it left the decoder; not written into.
        width: Pixels of the upright picture.
        height: Likewise.
        turns: Quarter turns counter-clockwise that make it upright.
        mirrored: Whether it is mirrored left to right before that.
    """
    if turns % 2:
        width, height = height, width
    image = _flat_rgb(frame, width, height)
    return turn(image, turns, mirrored) if turns or mirrored else image


def to_yuv(frame: av.VideoFrame, width: int, height: int, turns: int = 0, mirrored: bool = False) -> av.VideoFrame:
    """Convert a decoded frame to an upright yuv420p one of even size to draw on; odd edges are cut off.

    Args: as of :func:`to_rgb`, with the size before the edges are cut.
    """
    coded = (height, width) if turns % 2 else (width, height)
    if _transparent(frame):
        frame = av.VideoFrame.from_ndarray(_flat_rgb(frame, *coded), format="rgb24")
    target: Any = {"dst_colorspace": Colorspace.ITU601 if frame.colorspace == RGB_COLOURS else None}
    if frame.color_trc in HIGH_RANGE:
        target = {**STANDARD_RANGE, "dst_colorspace": Colorspace.ITU709}
    flat = convert(frame, *coded, "yuv420p", dst_color_range=ColorRange.MPEG, **target)
    if not (turns or mirrored or width % 2 or height % 2):
        flat.make_writable()
        return flat
    upright = av.VideoFrame(width // 2 * 2, height // 2 * 2, "yuv420p")
    upright.colorspace, upright.color_range = flat.colorspace, flat.color_range
    upright.color_primaries, upright.color_trc = flat.color_primaries, flat.color_trc
    for old, new in zip(planes(flat), planes(upright), strict=True):
        turned = turn(old, turns, mirrored)
        new[:] = turned[: new.shape[0], : new.shape[1]]
    return upright


def planes(frame: av.VideoFrame) -> list[np.ndarray]:
    """The Y, U and V planes of a yuv420p frame as writable uint8 views (height, width)."""
    return [plane_pixels(plane) for plane in frame.planes]


def plane_pixels(plane: Any) -> np.ndarray:
    """One 8-bit plane as a writable view (height, width)."""
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.height * plane.line_size]
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]


def turn(image: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """Mirror left to right if ``mirrored``, then turn ``turns`` quarters counter-clockwise; (H, W) or (H, W, C)."""
    return np.ascontiguousarray(np.rot90(image[:, ::-1] if mirrored else image, turns))


def orientation(matrix: Sequence[int]) -> tuple[int, bool]:
    """Read a display matrix (nine numbers, row by row) as quarter turns counter-clockwise and mirrored or not.

    The matrix takes a picture point (x, y) to (a x + c y, b x + d y), y pointing down; see FFmpeg's ``display.h``.
    """
    a, b, _, c, d = matrix[:5]
    mirrored = a * d - b * c < 0
    angle = math.atan2(b, -a) if mirrored else math.atan2(-b, a)
    return round(angle / (math.pi / 2)) % 4, mirrored


def _flat_rgb(frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
    if _transparent(frame):
        layers = convert(frame, width, height, "rgba").to_ndarray()
        return (layers[..., :3] * (layers[..., 3:] / np.float32(255)) + 0.5).astype(np.uint8)
    target: Any = STANDARD_RANGE if frame.color_trc in HIGH_RANGE else {}
    return convert(frame, width, height, "rgb24", **target).to_ndarray()


def _transparent(frame: av.VideoFrame) -> bool:
    return frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
