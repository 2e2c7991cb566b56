"""Results drawn into pictures and videos: the described person boxed, with the sentence and the top actions beside.

Everything drawn is opaque and lies on even pixels, so that the same layout is painted into RGB pictures and straight
into a decoder's yuv420p planes. That saves two colour conversions a frame, which cost more than all the drawing, and
leaves every other pixel as it was.
"""

import bisect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from refatomnet import video
from refatomnet.errors import Cancelled, VideoError
from refatomnet.pictures import planes
from refatomnet.types import Box, KeyFrame, Result, write_whole

Area = tuple[int, int, int, int]  # x1, y1, x2, y2 in pixels, all even
Colour = tuple[int, int, int]

# Okabe and Ito's colours, told apart by colour-blind people too; black is left out.
PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
)
BLACK, WHITE, DARK = (0, 0, 0), (255, 255, 255), (24, 24, 24)
ACTIONS = 3
LEAST_SCORE = 0.2
BT709 = 1
ITU601_WEIGHTS, BT709_WEIGHTS = (0.299, 0.114), (0.2126, 0.0722)


@dataclass(frozen=True)
class Note:
    """What to draw for one sentence on one frame; without a box it says that nobody matches."""

    sentence: str
    box_xyxy: Box | None
    actions: tuple[str, ...] = ()
    colour: Colour = PALETTE[0]


@dataclass(frozen=True)
class Style:
    """Sizes in pixels, grown with the frame; all but the letters are even."""

    width: int
    height: int

    @cached_property
    def _scale(self) -> float:
        return (self.width * self.height) ** 0.5

    @cached_property
    def letters(self) -> int:
        """Font size: 11 at 320x180, 16 at 768x432, 29 at 1920x1080."""
        return max(7, min(round(8 + 0.0143 * self._scale), self.height // 5))

    @property
    def lines(self) -> int:
        """Most lines in a label: three, two where they would fill a low frame."""
        return 3 if self.height >= 18 * self.letters else 2

    @cached_property
    def line(self) -> int:
        """Thickness of a box."""
        return max(2, 2 * round(self._scale / 500))

    @cached_property
    def text_width(self) -> int:
        """The widest a text may be; fixed for a frame size, so that a label is rendered once and not for every box."""
        return max(self.letters, min(self.width - 6 * self.line, max(self.width // 2, 20 * self.letters)))


@dataclass(frozen=True)
class Patch:
    """An opaque picture to paste, RGB uint8 (height, width, 3), both even."""

    rgb: np.ndarray

    @cached_property
    def _yuv(self) -> dict[bool, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        return {}

    def yuv(self, bt709: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Y, U, V in limited range, U and V of half size; computed once."""
        if bt709 not in self._yuv:
            self._yuv[bt709] = _to_yuv(self.rgb, bt709)
        return self._yuv[bt709]


@dataclass(frozen=True)
class Mark:
    """A patch, or a plain colour, and the even pixels (x1, y1, x2, y2) that it covers."""

    area: Area
    patch: Patch


class Overlay:
    """Finds what to draw on each frame of a result, and where; keeps a label on its side of a box while it fits there.

    Args:
        result: What was answered.
        width: Pixels of the pictures drawn on; boxes are scaled from ``result.video``.
        height: Likewise.
    """

    def __init__(self, result: Result, width: int, height: int) -> None:
        self._style = Style(width, height)
        self._scale = (width / result.video.width, height / result.video.height)
        self._queries = result.queries
        self._tracks = [{point.frame: point.box_xyxy for point in query.track} for query in result.queries]
        self._sides: dict[Note, int] = {}

    def notes(self, index: int, time: float) -> list[Note]:
        """What to draw on frame ``index``, shown at ``time`` seconds."""
        notes = []
        for number, (query, track) in enumerate(zip(self._queries, self._tracks, strict=True)):
            key = _nearest(query.keyframes, time)
            box = track.get(index)
            if box is None and key and key.frame == index:
                box = key.box_xyxy
            if box is not None and not (key and key.found):
                key = _nearest([key for key in query.keyframes if key.found], time)
            if box is None and key and key.found:
                continue  # someone matches around this moment, but is out of sight on this very frame
            across, down = self._scale
            place = None if box is None else (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
            said = _said(key) if key and box is not None else ()
            notes.append(Note(query.sentence, place, said, PALETTE[number % len(PALETTE)]))
        return notes

    def marks(self, index: int, time: float) -> list[Mark]:
        """What to paint on frame ``index``, shown at ``time`` seconds."""
        return _layout(self.notes(index, time), self._style, self._sides)


def draw(image: np.ndarray, notes: Sequence[Note]) -> np.ndarray:
    """Draw on a copy of an RGB uint8 picture (H, W, 3); pixels away from boxes and texts stay as they are."""
    height, width = image.shape[:2]
    return _painted(image, _layout(notes, Style(width, height), {}))


def annotate_frame(image: np.ndarray, frame_index: int, time: float, result: Result) -> np.ndarray:
    """Draw what a result says of one frame on a copy of its RGB uint8 picture (H, W, 3), of any scale.

    Args:
        image: The upright frame.
        frame_index: Its number from the start of the file.
        time: Its seconds from the first frame.
        result: What was answered.
    """
    return _painted(image, Overlay(result, image.shape[1], image.shape[0]).marks(frame_index, time))


def write_annotated(
    result: Result,
    path: str | Path,
    *,
    progress: Callable[[float], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write the analysed part of the video with the result drawn in: H.264 MP4, same frames and timing, sound kept.

    Args:
        result: What was answered; ``result.video.path`` must still be there.
        path: The MP4 to write, whole or not at all.
        progress: Told the fraction done, from 0 to 1.
        cancelled: Asked at every frame; True stops and leaves nothing behind.

    Raises:
        VideoError: If the video cannot be read or the output cannot be written.
        Cancelled: If ``cancelled`` said so.
    """
    target = Path(path)
    source = video.open_source(result.video.path)
    if target.is_dir():
        raise VideoError(f"cannot write {target}: it is a folder; give the path of an MP4 file in it")
    if target.exists() and target.samefile(result.video.path):
        raise VideoError(f"cannot write {target}: it is the video being read; give another path")
    write_whole(target, lambda part: _write(result, source, part, progress, cancelled))


def _write(
    result: Result,
    source: video.Source,
    part: Path,
    progress: Callable[[float], object] | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    info = source.info
    width, height = info.width // 2 * 2, info.height // 2 * 2
    whole = result.end >= info.duration - video.SLACK
    first = source.first_at(result.start)
    stop = len(source.pts) if whole else source.first_at(result.end)
    if first >= stop:
        raise VideoError(
            f"{info.path} has no frame between {result.start:g} s and {result.end:g} s; it lasts {info.duration:g} s"
        )
    overlay = Overlay(result, info.width, info.height)
    begin = int(source.pts[first])
    try:
        with video.VideoWriter(
            part,
            width=width,
            height=height,
            fps=info.fps,
            time_base=source.time_base,
            sound_of=info.path,
            start=source.time(first),
            end=None if whole else result.end,
            pixel_aspect=source.pixel_aspect,
        ) as writer:
            for index, time, frame in video.decode(info.path, start=result.start, end=None if whole else result.end):
                if cancelled and cancelled():
                    raise Cancelled("stopped before the annotated video was complete; nothing was written")
                picture = video.upright_yuv(frame, source)
                _paint_yuv(picture, overlay.marks(index, time))
                writer.write(picture, int(source.pts[index]) - begin, frame.duration or 0)
                if progress:
                    progress((index - first + 1) / (stop - first))
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise VideoError(f"cannot encode the annotated video of {info.path}: {error.strerror}") from error


def _nearest(keyframes: Sequence[KeyFrame], time: float) -> KeyFrame | None:
    if not keyframes:
        return None
    after = bisect.bisect(keyframes, time, key=lambda key: key.time)
    return min(keyframes[max(after - 1, 0) : after + 1], key=lambda key: abs(key.time - time))


def _said(key: KeyFrame) -> tuple[str, ...]:
    """The top actions with per cent: the best, and others that are not too unlikely."""
    likely = [entry for rank, entry in enumerate(key.actions[:ACTIONS]) if rank == 0 or entry.score >= LEAST_SCORE]
    return tuple(f"{_short(entry.action.name)} {100 * entry.score:.0f}%" for entry in likely)


def _short(name: str) -> str:
    """An action's name without AVA's examples, which leave no two names the same."""
    return re.sub(r" \((?:e\.g\.,.*|an object|at the waist)\)", "", name)


def _layout(notes: Sequence[Note], style: Style, sides: dict[Note, int]) -> list[Mark]:
    """Place everything inside the frame: banners in the top left corner, labels beside or in their boxes.

    ``sides`` remembers where the label of each sentence was put, for the next frame.
    """
    texts = _banners([note for note in notes if note.box_xyxy is None], style)
    boxed = [(note, note.box_xyxy) for note in notes if note.box_xyxy is not None]
    outlines: list[Area] = []
    for number, (_, box) in enumerate(boxed):
        # Two sentences may mean one person: their boxes are drawn one in the other.
        twins = sum(_alike(box, other, 2 * style.line) for _, other in boxed[:number])
        outlines.append(_outline(box, style, inset=twins * style.line))
    bars = [
        bar for (note, _), outline in zip(boxed, outlines, strict=True) for bar in _bars(outline, note.colour, style)
    ]
    for number, (note, _) in enumerate(boxed):
        patch = _label(note.sentence, note.actions, note.colour, style)
        taken = [text.area for text in texts]
        others = outlines[:number] + outlines[number + 1 :]
        places = _places(outlines[number], patch, style, taken)
        costs = [_cost(place, outlines[number], others, taken) for place in places]
        subject = Note(note.sentence, None, (), note.colour)
        side = min(range(len(places)), key=lambda side: (costs[side], side != sides.get(subject), side))
        sides[subject] = side
        texts.append(Mark(places[side], patch))
    return bars + texts


def _banners(notes: Sequence[Note], style: Style) -> list[Mark]:
    marks: list[Mark] = []
    top = style.line
    for note in notes:
        patch = _banner(note.sentence, note.colour, style)
        if marks and top + patch.rgb.shape[0] > style.height:
            break  # the frame is full
        marks.append(Mark(_area(style.line, top, patch, style), patch))
        top = marks[-1].area[3] + style.line
    return marks


def _alike(a: Box, b: Box, pixels: float) -> bool:
    return max(abs(one - other) for one, other in zip(a, b, strict=True)) < pixels


def _outline(box: Box, style: Style, *, inset: int) -> Area:
    """The outer edge of a box's frame: just around the person, inside the picture, on even pixels."""
    grown = inset - style.line
    x1, y1 = (max(0, int(value + grown) // 2 * 2) for value in box[:2])
    x2, y2 = (-(int(-(value - grown)) // 2) * 2 for value in box[2:])
    right, bottom = style.width // 2 * 2, style.height // 2 * 2
    x1, y1 = min(x1, right - 2 * style.line), min(y1, bottom - 2 * style.line)
    return max(x1, 0), max(y1, 0), max(min(x2, right), x1 + 2 * style.line), max(min(y2, bottom), y1 + 2 * style.line)


def _bars(outline: Area, colour: Colour, style: Style) -> list[Mark]:
    (x1, y1, x2, y2), line = outline, style.line
    paint = _plain_patch(colour)
    bars = [(x1, y1, x2, y1 + line), (x1, y2 - line, x2, y2), (x1, y1, x1 + line, y2), (x2 - line, y1, x2, y2)]
    return [Mark(bar, paint) for bar in bars]


@lru_cache(maxsize=32)
def _plain_patch(colour: Colour) -> Patch:
    return Patch(np.array([[colour]], np.uint8))


def _places(outline: Area, patch: Patch, style: Style, taken: Sequence[Area]) -> list[Area]:
    """Above, below, inside at the bottom, inside at the top, beside other texts: moved so as to lie in the frame."""
    x1, y1, _, y2 = outline
    tall = patch.rgb.shape[0]
    tops = [y1 - tall, y2, y2 - tall, y1]
    tops += [top for other in taken for top in (other[1] - tall, other[3])]
    return [_area(x1, top, patch, style) for top in tops]


def _area(x: int, y: int, patch: Patch, style: Style) -> Area:
    tall, wide = patch.rgb.shape[:2]
    x = max(0, min(x, style.width // 2 * 2 - wide))
    y = max(0, min(y, style.height // 2 * 2 - tall))
    return x, y, x + wide, y + tall


def _cost(place: Area, outline: Area, others: Iterable[Area], taken: Iterable[Area]) -> float:
    """What a label here would hide: other texts count most, then people; being away from its box counts too."""
    away = max(place[1] - outline[3], outline[1] - place[3], 0) * (place[2] - place[0])
    people = _shared(place, outline) + sum(_shared(place, other) for other in others)
    return 10 * sum(_shared(place, other) for other in taken) + people + 2 * away


def _shared(a: Area, b: Area) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


@lru_cache(maxsize=256)
def _label(sentence: str, actions: tuple[str, ...], colour: Colour, style: Style) -> Patch:
    """The sentence in bold on one line, or two where the frame is wide, and as many of the actions as then fit."""
    bold, plain = _font(style.letters, True), _font(style.letters, False)
    most = 2 if style.width >= 40 * style.letters and not (actions and style.lines < 3) else 1
    words = _wrapped(_clean(sentence).split(), " ", bold, style.text_width, most)
    doings = _wrapped(actions, " · ", plain, style.text_width, style.lines - len(words), drop=True)
    lines = [(line, bold) for line in words] + [(line, plain) for line in doings]
    return _rendered(lines, colour, BLACK if _bright(colour) else WHITE, style)


@lru_cache(maxsize=64)
def _banner(sentence: str, colour: Colour, style: Style) -> Patch:
    bold = _font(style.letters, True)
    words = f"nobody matches: {_clean(sentence)}".split()
    return _rendered(
        [(line, bold) for line in _wrapped(words, " ", bold, style.text_width, 2)], DARK, WHITE, style, colour
    )


def _rendered(
    lines: Sequence[tuple[str, ImageFont.FreeTypeFont]],
    ground: Colour,
    ink: Colour,
    style: Style,
    stripe: Colour | None = None,
) -> Patch:
    """Letters on a plain ground, with a coloured stripe at the left where asked for."""
    pad = max(2, style.letters // 3)
    left = pad + (2 * style.line if stripe else 0)
    pitch = round(style.letters * 1.25)
    wide = int(left + pad + max((font.getlength(text) for text, font in lines), default=0)) + 1
    wide = min(wide + wide % 2, style.width // 2 * 2)
    tall = pitch * len(lines) + pad
    tall = min(tall + tall % 2, style.height // 2 * 2)
    image = Image.new("RGB", (wide, tall), ground)
    pen = ImageDraw.Draw(image)
    for number, (text, font) in enumerate(lines):
        pen.text((left, pad // 2 + pitch * (number + 0.5)), text, fill=ink, font=font, anchor="lm")
    if stripe:
        pen.rectangle((0, 0, 2 * style.line - 1, tall), fill=stripe)
    return Patch(np.asarray(image))


def _wrapped(
    parts: Sequence[str], joint: str, font: ImageFont.FreeTypeFont, width: int, lines: int, *, drop: bool = False
) -> list[str]:
    """Parts joined into at most so many lines; what does not fit is dropped, or shortened with … in the last line."""
    made: list[str] = []
    for position, part in enumerate(parts):
        if made and font.getlength(made[-1] + joint + part) <= width:
            made[-1] += joint + part
        elif len(made) < lines:
            made.append(part)
        else:
            if not drop:
                made[-1] += joint + joint.join(parts[position:])
            break
    return [_shortened(line, font, width) for line in made]


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    fits = bisect.bisect(range(len(text)), False, key=lambda count: font.getlength(text[:count] + "…") > width)
    return text[: max(fits - 1, 0)].rstrip(" ·,") + "…"


def _clean(sentence: str) -> str:
    """One line of printable letters, no longer than could ever be shown."""
    return "".join(letter if letter.isprintable() else " " for letter in sentence[:400])


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans from Matplotlib, which supervision brings: it has the accents that Pillow's own font lacks."""
    found = find_spec("matplotlib")
    if found and found.origin:
        file = Path(found.origin).parent / "mpl-data/fonts/ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _bright(colour: Colour) -> bool:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 110


def _painted(image: np.ndarray, marks: Iterable[Mark]) -> np.ndarray:
    painted = image.copy()
    for (x1, y1, x2, y2), patch in ((mark.area, mark.patch) for mark in marks):
        painted[y1:y2, x1:x2] = patch.rgb
    return painted


def _paint_yuv(picture: av.VideoFrame, marks: Iterable[Mark]) -> None:
    luma, *chroma = planes(picture)
    bt709 = picture.colorspace == BT709
    for (x1, y1, x2, y2), patch in ((mark.area, mark.patch) for mark in marks):
        y, *uv = patch.yuv(bt709)
        luma[y1:y2, x1:x2] = y
        for plane, half in zip(chroma, uv, strict=True):
            plane[y1 // 2 : y2 // 2, x1 // 2 : x2 // 2] = half


def _to_yuv(rgb: np.ndarray, bt709: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    red, blue = BT709_WEIGHTS if bt709 else ITU601_WEIGHTS
    colours = rgb / 255.0
    luma = colours @ np.array([red, 1 - red - blue, blue])
    # Chroma of each two by two pixels; a patch of one pixel stands for a plain area of any size.
    tall, wide = max(1, rgb.shape[0] // 2), max(1, rgb.shape[1] // 2)
    halves = [(colours[..., channel] - luma) / (2 - 2 * weight) for channel, weight in ((2, blue), (0, red))]
    halves = [half.reshape(tall, -1, wide, rgb.shape[1] // wide).mean(axis=(1, 3)) for half in halves]
    u, v = (np.round(128 + 224 * half).astype(np.uint8) for half in halves)
    return np.round(16 + 219 * luma).astype(np.uint8), u, v
