"""Records: one JSON line a described person, the common form of every data set.

A data set folder holds ``{split}.jsonl`` and its media: clips, or the frames of films as RefAVA has them on disk,
``frames/<video>/image_%06d.jpg``, 30 a second and numbered from second 900.
"""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refatomnet.actions import NUM_ACTIONS
from refatomnet.errors import DataError

FILM_FPS, FILM_BEGIN, FILM_FRAMES = 30, 900, 90  # RefAVA's: frames a second, first second on disk, frames of a clip


@dataclass(frozen=True)
class Record:
    """One sentence about one person of one clip, or about nobody.

    box_xyxy: fractions of the key frame, x1 < x2, y1 < y2; None, with no actions, where the sentence fits nobody.
    actions: AVA ids, 1-80. clip: path of the video, from and within the data set folder, or None where frames come from
    ``frames/<video>/image_%06d.jpg``. key_frame: index into the clip. fps: frames a second. timestamp: seconds.
    extra: any further keys of the line, such as "kind" and "hard".

    Raises:
        DataError: If a value has the wrong type or range.
    """

    video: str
    timestamp: int
    person_id: str
    split: str
    sentence: str
    actions: tuple[int, ...]
    box_xyxy: tuple[float, float, float, float] | None
    clip: str | None
    key_frame: int
    fps: float
    extra: dict[str, Any] = field(default_factory=dict, compare=True, hash=False)

    def __post_init__(self) -> None:
        for name in ("video", "person_id", "split", "sentence"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise DataError(f"{name} must be a non-empty string, got {value!r}")
            if _SURROGATE.search(value):
                raise DataError(f"{name} must be text, got half of a character in {value!r}")
        if not is_name(self.video):
            raise DataError(f"video must be a name, not a path, got {self.video!r}")
        if self.clip is not None and not is_inside(self.clip):
            raise DataError(f"clip must be a path within the data set folder or null, got {self.clip!r}")
        if not is_number(self.timestamp):
            raise DataError(f"timestamp must be a number of seconds, got {self.timestamp!r}")
        if not isinstance(self.key_frame, int) or not is_number(self.key_frame) or self.key_frame < 0:
            raise DataError(f"key_frame must be a frame index from 0, got {self.key_frame!r}")
        if not is_number(self.fps) or self.fps <= 0:
            raise DataError(f"fps must be a positive number, got {self.fps!r}")
        if not isinstance(self.actions, list | tuple) or any(
            type(a) is not int or not 1 <= a <= NUM_ACTIONS for a in self.actions
        ):
            raise DataError(f"actions must be AVA ids from 1 to {NUM_ACTIONS}, got {self.actions!r}")
        object.__setattr__(self, "actions", tuple(self.actions))
        if self.box_xyxy is None:
            if self.actions:
                raise DataError(
                    f"a record without a box fits nobody and has no actions, got actions {list(self.actions)}"
                )
            return
        box = self.box_xyxy
        if not isinstance(box, list | tuple) or len(box) != 4 or not all(is_number(v) for v in box):
            raise DataError(f"box_xyxy must be four finite numbers or null, got {box!r}")
        x1, y1, x2, y2 = box
        if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
            raise DataError(f"box_xyxy must be fractions of the frame with x1 < x2 and y1 < y2, got {list(box)}")
        object.__setattr__(self, "box_xyxy", tuple(float(v) for v in box))

    @property
    def source(self) -> str:
        """Which clip it is about: the path, or the film and its second."""
        return self.clip or f"{self.video} {self.timestamp}"

    @property
    def moment(self) -> str:
        """Which key frame it is about: the clip, or the film and its second, and the frame's index."""
        return f"{self.source}#{self.key_frame}"

    def to_dict(self) -> dict[str, Any]:
        """The line's JSON object: the documented keys in their order, then the extra ones."""
        known = {name: getattr(self, name) for name in KEYS}
        known["actions"] = list(self.actions)
        known["box_xyxy"] = None if self.box_xyxy is None else list(self.box_xyxy)
        if self.clip is None:
            del known["clip"]
        return known | self.extra


_SURROGATE = re.compile("[\ud800-\udfff]")
KEYS = ("video", "timestamp", "person_id", "split", "sentence", "actions", "box_xyxy", "clip", "key_frame", "fps")


def is_number(value: Any) -> bool:
    """Whether it is a finite number, an integer beyond all floats being none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def is_name(text: str) -> bool:
    """Whether it can name a file or folder, and leads nowhere else."""
    return text not in ("", ".", "..") and not set(text) & set("/\\\0")


def is_inside(path: Any) -> bool:
    """Whether it is a relative path that stays within its folder."""
    return isinstance(path, str) and all(is_name(part) or part == "." for part in path.split("/"))


def record_from_dict(line: dict[str, Any]) -> Record:
    """A record from one line's JSON object.

    Raises:
        DataError: If a key is missing or a value is wrong.
    """
    if not isinstance(line, dict):
        raise DataError(f"a record is a JSON object, got {type(line).__name__}")
    missing = [key for key in KEYS if key not in line and key != "clip"]
    if missing:
        raise DataError(f"a record needs the keys {', '.join(KEYS)}; missing: {', '.join(missing)}")
    known: dict[str, Any] = {key: line.get(key) for key in KEYS}
    return Record(**known, extra={k: v for k, v in line.items() if k not in KEYS})


def read_lines(path: str | Path) -> Iterable[tuple[str, Any]]:
    """(where, parsed JSON) for each non-empty line; where is "file:line" for messages."""
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                if not text.strip():
                    continue
                where = f"{path}:{number}"
                try:
                    yield where, json.loads(text)
                except (ValueError, RecursionError) as error:  # also of numbers too long and lists too deep
                    raise DataError(f"{where}: not a JSON line ({error})") from error
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); expected a file with one JSON object a line"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text; expected a file with one JSON object a line") from error


def read_records(path: str | Path) -> list[Record]:
    """Every record of a ``{split}.jsonl`` file, in order.

    Raises:
        DataError: Naming file and line, if the file or a line does not follow the documented form.
    """
    records = []
    for where, line in read_lines(path):
        try:
            records.append(record_from_dict(line))
        except DataError as error:
            raise DataError(f"{where}: {error}") from error
    return records


def film_start(timestamp: float) -> int:
    """Number of the first frame, of ``FILM_FRAMES``, of the clip around this second of a film."""
    return round((timestamp - FILM_BEGIN) * FILM_FPS) - FILM_FRAMES // 2


def film_frame(folder: Path, video: str, number: int) -> Path:
    """Where a frame of a film lies in a data set folder."""
    return folder / "frames" / video / f"image_{number:06d}.jpg"
