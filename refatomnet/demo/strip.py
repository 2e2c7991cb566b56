"""The strip of key frames: a picture each, with the box of every sentence, the time and the top action."""

import html
from collections.abc import Sequence

import numpy as np

from refatomnet.demo.chart import reach
from refatomnet.demo.plots import clock, colour, data_address, iou, percent, place_css, short_name, swatch
from refatomnet.types import Box, KeyFrame, Result

PICTURE_PX = 240
QUALITY = 72
SAME = 0.8  # overlap (IoU) from which a later sentence's box is drawn inside an earlier one's, or it would hide it


def picture_uri(picture: np.ndarray, width: int) -> str:
    """A JPEG of an RGB uint8 picture (h, w, 3), at most ``width`` wide, as a data address: nothing to fetch or keep."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((width, 4 * width))
    return data_address(image, QUALITY)


def tile_html(
    picture: np.ndarray | None,
    keys: Sequence[KeyFrame],
    size: tuple[int, int],
    *,
    stretch: tuple[float, float] | None = None,
    start: float = 0.0,
) -> str:
    """One key frame.

    Args:
        picture: RGB uint8 (h, w, 3); None where it was not kept.
        keys: The answer there to each sentence.
        size: Width and height of the full frame, which boxes are in pixels of.
        stretch: Seconds of the annotated video that it speaks for; None while that video is not there yet.
        start: Where the annotated video begins in the clip.
    """
    total, time = len(keys), keys[0].time
    taken = [(i, key.box_xyxy) for i, key in enumerate(keys) if key.box_xyxy is not None]
    boxes = "".join(
        f"<i class='box' style='{_place(box, size)};--who:{colour(i)};"
        f"--inside:{sum(iou(box, other) > SAME for _, other in taken[:n])}'>{i + 1 if total > 1 else ''}</i>"
        for n, (i, box) in enumerate(taken)
    )
    said = "".join(f"<span>{swatch(i, total)}{html.escape(_top(key))}</span>" for i, key in enumerate(keys))
    shown = f"<img src='{picture_uri(picture, PICTURE_PX)}' alt=''>" if picture is not None else "<em>no picture</em>"
    label = html.escape(f"Key frame at {clock(time)}: {'; '.join(_top(key) for key in keys)}", quote=True)
    if stretch is None:
        where, button = "", "disabled"
    else:
        where = f" data-from='{stretch[0]:.3f}' data-to='{stretch[1]:.3f}'"
        button = f"data-seek='{max(0.0, time - start):.3f}'"
    ratio = f"{size[0]}/{size[1]}"
    return (
        f"<li{where}><button type='button' {button} aria-label='{label}'><span class='pic' style='--ratio:{ratio}'>"
        f"{shown}{boxes}</span><b>{clock(time)}</b>{said}</button></li>"
    )


def strip_html(tiles: Sequence[str], *, whole: bool, left_out: int = 0) -> str:
    """The tiles in a row that scrolls; while more are to come it is left open, so that every step only adds to it."""
    if not tiles:
        return ""
    body = "<div class='film' role='region' aria-label='Key frames' tabindex='0'><ol>" + "".join(tiles)
    if not whole:
        return body
    rest = f"<li class='rest'>{left_out} more key frames, without pictures, are in the chart.</li>" if left_out else ""
    return f"{body}{rest}</ol></div>"


def result_strip_html(result: Result, pictures: Sequence[np.ndarray]) -> str:
    """The strip of a whole answer; its tiles seek."""
    if not result.queries or not pictures:
        return ""
    moments = list(zip(*(query.keyframes for query in result.queries), strict=True))
    spans = reach([keys[0] for keys in moments], result.start, result.end)
    size = (result.video.width, result.video.height)
    tiles = [
        tile_html(picture, keys, size, stretch=(a - result.start, b - result.start), start=result.start)
        for picture, keys, (a, b) in zip(pictures, moments, spans, strict=False)
    ]
    return strip_html(tiles, whole=True, left_out=len(moments) - len(tiles))


def _place(box_xyxy: Box, size: tuple[int, int]) -> str:
    (x1, y1, x2, y2), (width, height) = box_xyxy, size
    return place_css(x1 / width, y1 / height, x2 / width, y2 / height)


def _top(key: KeyFrame) -> str:
    if not key.found:
        return "nobody"
    if not key.actions:
        return "found"
    best = key.actions[0]
    return f"{short_name(best.action.name)} {percent(best.score)}"
