"""Why: what each word of the sentence followed through the frames around a key frame, drawn on its picture."""

import html
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from refatomnet.demo.plots import clock, message_html, percent
from refatomnet.demo.strip import picture_uri
from refatomnet.types import Query, VideoInfo, WordPath

PICTURE_PX = 640
# Light enough to be seen on any picture with their dark rim; a word past the last starts over with another mark.
COLOURS = ("#f5b62e", "#5cc2f2", "#2fd19a", "#f2a0cf", "#fff176", "#ff8a50", "#b7a6ff", "#ffffff")
MARKS = ("round", "square")
HOW_TO_READ = (
    "Each line links the patches of the picture that a word picked, frame by frame, as most like itself. Dots grow "
    "towards the key frame's moment; the more solid, the more of the word's attention lay there. This shows where the "
    "model looked: a hint, and no proof of why it answered so."
)
NO_WORDS = "This model follows no words, so there is nothing to draw."


def why_html(
    told: Sequence[Sequence[WordPath]],
    query: Query,
    pictures: Sequence[np.ndarray],
    video: VideoInfo,
    key: int,
    start: float = 0.0,
) -> str:
    """The paths of one key frame on its picture, with words to switch and buttons to the other key frames.

    Args:
        told: By key frame, one path a word.
        query: The answer; tells times and boxes.
        pictures: Of the first key frames, RGB uint8 (h, w, 3).
        video: The size of the full frame.
        key: Which key frame.
        start: Where the annotated video begins in the clip, in seconds.
    """
    if not any(told):
        return message_html(NO_WORDS)
    key = max(0, min(key, len(told) - 1))
    paths, moment = told[key], query.keyframes[key]
    words = "".join(
        f"<button type='button' data-word='{i}' aria-pressed='true'><i class='dot {_mark(i)}' "
        f"style='background:{_colour(i)}'></i>{html.escape(path.word)}</button>"
        for i, path in enumerate(paths)
    )
    drawn = "".join(_path_html(path, i, moment.time, video) for i, path in enumerate(paths))
    drawn += "".join(_labels(paths, moment.time, video))
    box = ""
    if moment.box_xyxy is not None:
        x1, y1, x2, y2 = moment.box_xyxy
        box = f"<rect class='taken' x='{x1:.1f}' y='{y1:.1f}' width='{x2 - x1:.1f}' height='{y2 - y1:.1f}'/>"
    picture = (
        f"<img src='{picture_uri(pictures[key], PICTURE_PX)}' alt=''>"
        if key < len(pictures)
        else "<em>The picture of this key frame was not kept.</em>"
    )
    label = html.escape(f"Key frame at {clock(moment.time)} with the paths of {len(paths)} words", quote=True)
    drawing = (
        f"<svg viewBox='0 0 {video.width} {video.height}' role='img' aria-label='{label}' "
        f"style='--unit:{max(video.width, video.height) / 100:.2f}px'>{box}{drawn}</svg>"
    )
    return (
        f"<section class='why'><p class='small'>{HOW_TO_READ}</p>"
        f"<div class='words' role='group' aria-label='Words to draw'>{words}</div>"
        f"<figure><div class='pic' style='--ratio:{video.width}/{video.height}'>{picture}{drawing}</div></figure>"
        f"{_steps_html(key, len(told), moment.time, start)}</section>"
    )


def best_key(query: Query, pictures: int) -> int:
    """The key frame to begin with: where the person is surest found, among those with a picture."""
    keys = query.keyframes[:pictures] or query.keyframes
    return max(range(len(keys)), key=lambda k: (keys[k].found, keys[k].presence), default=0)


def _steps_html(key: int, total: int, time: float, start: float) -> str:
    def step(to: int, name: str, sign: str) -> str:
        off = "" if 0 <= to < total else " disabled"
        return f"<button type='button' data-key='{to}' aria-label='{name}'{off}>{sign}</button>"

    here = f"<span>Key frame {key + 1} of {total}, {clock(time)}</span>"
    seek = f"<button type='button' data-seek='{max(0.0, time - start):.3f}'>Show in the video</button>"
    before, after = step(key - 1, "Key frame before", "‹"), step(key + 1, "Next key frame", "›")
    return f"<div class='steps'>{before}{here}{after}{seek}</div>"


def _path_html(path: WordPath, number: int, time: float, video: VideoInfo) -> str:
    """One word's path in pixels of the frame: pieces as solid as the word's share, dots growing to the key moment."""
    most = max((abs(moment - time) for moment in path.times), default=0.0) or 1.0
    top = max(path.shares, default=0.0) or 1.0
    unit = max(video.width, video.height) / 100
    solid = [0.25 + 0.75 * min(1.0, share / top) for share in path.shares]
    pieces = [
        f"<line x1='{a[0]:.1f}' y1='{a[1]:.1f}' x2='{b[0]:.1f}' y2='{b[1]:.1f}' opacity='{(p + q) / 2:.2f}'/>"
        for (a, b), (p, q) in zip(pairwise(path.points), pairwise(solid), strict=True)
    ]
    dots = []
    for (x, y), moment, share, strength in zip(path.points, path.times, path.shares, solid, strict=True):
        radius = unit * (0.5 + 1.1 * (1 - abs(moment - time) / most))
        note = html.escape(f"{path.word} at {clock(moment)}: {percent(share)} of its attention")
        shape = (
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius:.1f}' opacity='{strength:.2f}'>"
            if _mark(number) == "round"
            else f"<rect x='{x - radius:.1f}' y='{y - radius:.1f}' width='{2 * radius:.1f}' height='{2 * radius:.1f}' "
            f"opacity='{strength:.2f}'>"
        )
        dots.append(f"{shape}<title>{note}</title></{'circle' if _mark(number) == 'round' else 'rect'}>")
    return f"<g data-word='{number}' style='--word:{_colour(number)}'>{''.join(pieces)}{''.join(dots)}</g>"


def _labels(paths: Sequence[WordPath], time: float, video: VideoInfo) -> list[str]:
    """Each word beside its dot at the key moment, moved down until it covers no other."""
    unit = max(video.width, video.height) / 100
    high = 2.6 * unit
    placed: list[tuple[float, float, float]] = []
    told = []
    for number, path in enumerate(paths):
        if not path.points:
            continue
        nearest = min(range(len(path.times)), key=lambda i: abs(path.times[i] - time))
        x, y = path.points[nearest]
        wide = 1.5 * unit * len(path.word)
        x = max(0.0, min(x + 2 * unit, video.width - wide))
        while any(x < right and left < x + wide and abs(y - other) < high for left, right, other in placed):
            y += high / 2
        y = min(y, video.height - unit)
        placed.append((x, x + wide, y))
        told.append(
            f"<text data-word='{number}' x='{x:.1f}' y='{y:.1f}' style='--word:{_colour(number)}'>"
            f"{html.escape(path.word)}</text>"
        )
    return told


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _mark(number: int) -> str:
    return MARKS[number // len(COLOURS) % len(MARKS)]
