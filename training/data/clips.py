"""Frames of training clips, and which of them the model reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer

from refatomnet.config import ModelConfig
from refatomnet.errors import DataError
from refatomnet.records import FILM_FRAMES, Record, film_frame, film_start

Change = Callable[[np.ndarray, int], np.ndarray]  # a frame and its index into the clip to the frame shown instead


def model_frames(fps: float, key_frame: int, count: int, config: ModelConfig) -> list[int]:
    """Indices of the frames the model reads around a clip's key frame, at its own rate; the ends are repeated.

    Args:
        fps: Frames a second of the clip.
        key_frame: Index of the clip's key frame; it becomes the model's.
        count: Number of frames of the clip.
        config: The model's: number of frames, which of them is the key frame, and their rate.
    """
    step = fps / config.frame_rate
    places = [round(key_frame + (i - config.key_frame) * step) for i in range(config.frames)]
    return [min(max(place, 0), count - 1) for place in places]


def read_clip(path: Path) -> list[np.ndarray]:
    """All frames of a short clip, RGB uint8 [H, W, 3]; for files of seconds, not films.

    Raises:
        DataError: If it cannot be read, or has no frame.
    """
    with _opened(path) as container:
        container.streams.video[0].thread_type = "NONE"
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    if not images:
        raise DataError(f"{path} has no frames; expected a short video")
    return images


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"{path} has no pictures; expected a short video")
            yield container
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); expected a short video") from error


def read_model_frames(
    data: Path, record: Record, config: ModelConfig, change: Change | None = None
) -> list[np.ndarray]:
    """What the model looks at to answer a record, RGB: from its clip, or from RefAVA's folder of frames.

    Args:
        data: The data set folder.
        record: Any of the clip's.
        config: The model's.
        change: Done to every frame looked at, once even where it is looked at twice; none by default.

    Raises:
        DataError: If a frame is missing.
    """
    if record.clip is not None:
        images = read_clip(data / record.clip)
        if record.key_frame >= len(images):
            raise DataError(f"{record.clip} has {len(images)} frames, its record's key frame is {record.key_frame}")
        places = model_frames(record.fps, record.key_frame, len(images), config)
        frames = {i: images[i] for i in places}
    else:
        places = model_frames(record.fps, record.key_frame, FILM_FRAMES, config)
        start = film_start(record.timestamp)
        frames = {i: _read_picture(film_frame(data, record.video, start + i)) for i in set(places)}
    if change is not None:
        frames = {i: change(image, i) for i, image in frames.items()}
    return [frames[i] for i in places]


def key_file(data: Path, record: Record) -> Path:
    """The file that holds a record's key frame: its clip, or the picture among RefAVA's frames."""
    if record.clip is not None:
        return data / record.clip
    return film_frame(data, record.video, film_start(record.timestamp) + record.key_frame)


def _read_picture(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    if image is None:
        raise DataError(f"{path} is missing or no picture; expected the frames of its record's 3 s")
    return np.ascontiguousarray(image[..., ::-1])
