"""From a record to a clip that a browser plays and the model is asked about, and to a picture of its key frame."""

import logging
import shutil
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from refatomnet import video
from refatomnet.demo.samples import THUMBNAIL_PX, is_within, thumbnail
from refatomnet.errors import DataError
from refatomnet.records import FILM_FPS, FILM_FRAMES, Record, film_frame, film_start
from refatomnet.types import write_whole

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

WHOLE_S, AROUND_S = 20.0, 5.0  # a longer clip is cut to so many seconds before and after the key frame
PLAYED = {".mp4": {"h264", "av1", "vp9"}, ".webm": {"vp8", "vp9", "av1"}}  # by every browser of today
PICTURE_PX = 720


@dataclass(frozen=True)
class Playable:
    """A clip in a folder of its own; ``time`` is its key frame's in seconds, ``picture`` that frame, RGB (h, w, 3)."""

    clip: Path
    time: float
    duration: float
    picture: np.ndarray


def make_playable(record: Record, root: Path, folder: Path) -> Playable:
    """Copy, cut or put together the clip of a record.

    Args:
        record: A record of the data set.
        root: The data set's folder; nothing outside is read.
        folder: Where the clip is written.

    Raises:
        DataError: If clip or frames are not there, or lead out of the data set's folder.
        VideoError: If the clip cannot be read.
    """
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        name = f"{record.video[:60]}-{record.timestamp}"
        if record.clip is None:
            target = place / f"{name}.mp4"
            time = _join(record, root, target)
        else:
            target, time = _cut(_clip(record, root), record, place, name)
        info = video.probe(target)
        shrink = min(1.0, PICTURE_PX / info.width)
        width, height = (max(round(side * shrink), 1) for side in (info.width, info.height))
        ((_, frame),) = video.sample_frames(target, [time], width=width, height=height)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return Playable(target, time, info.duration, frame.image)


def still(record: Record, root: Path) -> "Image":
    """A small picture of a record's key frame.

    Raises:
        DataError: If there is none within the data set's folder.
    """
    if record.clip is not None:
        return thumbnail(_clip(record, root), at=record.key_frame / record.fps)
    from PIL import Image

    image = Image.fromarray(_read_frame(_frames(record, root)[record.key_frame]))
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    return image


def _clip(record: Record, root: Path) -> Path:
    path = root / str(record.clip)
    if not is_within(path, root):
        raise DataError(f"the clip {record.clip} is not in its folder; put it there, or choose another person")
    return path


def _cut(path: Path, record: Record, place: Path, name: str) -> tuple[Path, float]:
    """The clip, or the part around its key frame, and the key frame's time in it."""
    source = video.open_source(path)
    if record.key_frame >= len(source.pts):
        raise DataError(f"{record.clip} has {len(source.pts)} frames, but the record's key frame is {record.key_frame}")
    time = source.time(record.key_frame)
    duration = source.info.duration
    suffix = path.suffix.lower()
    if duration <= WHOLE_S and _codec(path) in PLAYED.get(suffix, ()):
        target = place / f"{name}{suffix}"
        shutil.copyfile(path, target)
        return target, time
    start, end = (0.0, None) if duration <= WHOLE_S else (max(time - AROUND_S, 0.0), time + AROUND_S)
    target = place / f"{name}.mp4"
    write_whole(target, lambda part: _write_part(source, part, start, end))
    return target, time - source.time(source.first_at(start))


def _codec(path: Path) -> str:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return str(stream.codec_context.name).removeprefix("lib").replace("dav1d", "av1")


def _write_part(source: video.Source, part: Path, start: float, end: float | None) -> None:
    info = source.info
    first = source.first_at(start)
    begin = int(source.pts[first])
    with video.VideoWriter(
        part,
        width=info.width // 2 * 2,
        height=info.height // 2 * 2,
        fps=info.fps,
        time_base=source.time_base,
        sound_of=info.path,
        start=source.time(first),
        end=end,
        pixel_aspect=source.pixel_aspect,
    ) as writer:
        for index, _, frame in video.decode(info.path, start=start, end=end):
            writer.write(video.upright_yuv(frame, source), int(source.pts[index]) - begin, frame.duration or 0)


def _frames(record: Record, root: Path) -> dict[int, Path]:
    """The frames that are there of the 3 s around a second of a film, by their index from its first.

    ``frames`` itself may be a link, as ``training.convert`` makes one to the films; what lies in it may not lead out.
    """
    films = (root / "frames").resolve()
    start = film_start(record.timestamp)
    paths = {i: film_frame(root, record.video, start + i) for i in range(FILM_FRAMES)}
    there = {i: path for i, path in paths.items() if is_within(path, films)}
    if record.key_frame not in there:
        raise DataError(
            f"the key frame frames/{record.video}/{film_frame(root, record.video, start + record.key_frame).name} is "
            "not in its folder; put it there, or choose another person"
        )
    return there


def _read_frame(path: Path) -> np.ndarray:
    import cv2

    image = cv2.imread(str(path))
    if image is None:
        raise DataError(f"the frame {path.name} of {path.parent.name} is no picture that can be read; replace it")
    return np.ascontiguousarray(image[..., ::-1])


def _join(record: Record, root: Path, target: Path) -> float:
    """Write the frames as a clip, missing ones left out; the key frame's time in it."""
    import cv2

    there = _frames(record, root)
    height, width = (side // 2 * 2 for side in _read_frame(there[record.key_frame]).shape[:2])
    if min(width, height) < 2:
        raise DataError(f"the frames of {record.video} are too small to be shown; replace them")
    first = min(there)

    def write(part: Path) -> None:
        rate = Fraction(1, FILM_FPS)
        with video.VideoWriter(part, width=width, height=height, fps=FILM_FPS, time_base=rate) as writer:
            for i, path in there.items():
                image = cv2.resize(_read_frame(path), (width, height), interpolation=cv2.INTER_AREA)
                picture = av.VideoFrame.from_ndarray(image.astype(np.uint8), format="rgb24")
                picture = picture.reformat(format="yuv420p")
                writer.write(picture, i - first, 1)

    write_whole(target, write)
    return (record.key_frame - first) / FILM_FPS
