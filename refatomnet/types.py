"""Results that everything speaks: predictor, command line, overlay and demo. Checked on construction, frozen.

Boxes are ``xyxy`` in pixels of the upright frame, times are seconds, scores are probabilities in [0, 1].
"""

import csv
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refatomnet.actions import Action, action
from refatomnet.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA_VERSION = 1
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video file: upright size in pixels, rate, frame count and seconds."""

    path: str
    width: int
    height: int
    fps: float
    frames: int
    duration: float


@dataclass(frozen=True, slots=True)
class ActionScore:
    """One action of a person with its calibrated probability."""

    action: Action
    score: float

    def __post_init__(self) -> None:
        _check_probability("score", self.score)

    def to_dict(self) -> dict[str, Any]:
        """As the ``actions`` entries of the JSON schema."""
        return {"id": self.action.id, "name": self.action.name, "group": self.action.group, "score": _r(self.score)}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person seen on a key frame, and the probability that the sentence means them."""

    box_xyxy: Box
    score: float


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """The answer at one moment. ``box_xyxy`` is None exactly where nobody fits (``found`` false)."""

    time: float
    frame: int
    found: bool
    presence: float
    box_xyxy: Box | None
    actions: tuple[ActionScore, ...]
    candidates: tuple[Candidate, ...] = ()

    def __post_init__(self) -> None:
        _check_probability("presence", self.presence)
        if self.found != (self.box_xyxy is not None):
            raise ValueError("a key frame has a box exactly when the person was found")
        if self.box_xyxy is not None:
            _check_box(self.box_xyxy)

    def to_dict(self) -> dict[str, Any]:
        """As the ``keyframes`` entries of the JSON schema."""
        return {
            "time": _r(self.time),
            "frame": self.frame,
            "found": self.found,
            "presence": _r(self.presence),
            "box_xyxy": None if self.box_xyxy is None else [round(v, 1) for v in self.box_xyxy],
            "actions": [entry.to_dict() for entry in self.actions],
        }


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time in which one action holds; ``score`` is its mean over the stretch."""

    action: Action
    start: float
    end: float
    score: float

    def to_dict(self) -> dict[str, Any]:
        """As the ``segments`` entries of the JSON schema."""
        name = {"id": self.action.id, "name": self.action.name}
        return {**name, "start": _r(self.start), "end": _r(self.end), "score": _r(self.score)}


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """Where the person is on one video frame."""

    frame: int
    box_xyxy: Box

    def __post_init__(self) -> None:
        _check_box(self.box_xyxy)


@dataclass(frozen=True)
class WordPath:
    """What one content word of a sentence followed through the frames of a window (RefAtomNet++, keyword level).

    times: Seconds of the window's T frames. points: centre of the token picked in each, pixels (x, y) of the upright
    frame. shares: how much of the word's attention in that frame lies on it.
    """

    word: str
    times: tuple[float, ...]
    points: tuple[tuple[float, float], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Query:
    """Everything answered about one sentence."""

    sentence: str
    found: bool
    presence: float
    keyframes: tuple[KeyFrame, ...]
    segments: tuple[Segment, ...]
    track: tuple[TrackPoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """As the ``queries`` entries of the JSON schema."""
        return {
            "sentence": self.sentence,
            "found": self.found,
            "presence": _r(self.presence),
            "keyframes": [key.to_dict() for key in self.keyframes],
            "segments": [segment.to_dict() for segment in self.segments],
            "track": [{"frame": p.frame, "box_xyxy": [round(v, 1) for v in p.box_xyxy]} for p in self.track],
        }


@dataclass(frozen=True)
class Result:
    """Answers to one or more sentences about one video."""

    video: VideoInfo
    start: float
    end: float
    stride: float
    checkpoint: dict[str, str]
    queries: tuple[Query, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain containers, schema version 1."""
        info = self.video
        video = {"path": info.path, "width": info.width, "height": info.height}
        video |= {"fps": round(info.fps, 4), "frames": info.frames, "duration": _r(info.duration)}
        return {
            "schema_version": SCHEMA_VERSION,
            "video": video,
            "analysed": {"start": _r(self.start), "end": _r(self.end), "stride": self.stride},
            "checkpoint": dict(self.checkpoint),
            "queries": [query.to_dict() for query in self.queries],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Result":
        """The inverse of :meth:`to_dict`; reads the answer of the demo's ``/predict`` too, whose video has but a name.

        Raises:
            DataError: If the schema version is not the one this package writes.
        """
        if data.get("schema_version") != SCHEMA_VERSION:
            raise DataError(f"result has schema_version {data.get('schema_version')!r}, expected {SCHEMA_VERSION}")
        span = data["analysed"]
        queries = tuple(_query(entry) for entry in data["queries"])
        video = dict(data["video"])
        name = video.pop("name", None)
        video["path"] = video["path"] or name
        return cls(VideoInfo(**video), span["start"], span["end"], span["stride"], data["checkpoint"], queries)

    def save_json(self, path: str | Path) -> None:
        """Write the JSON schema, whole or not at all."""
        write_whole(path, lambda part: part.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8"))

    def save_csv(self, path: str | Path) -> None:
        """Write AVA's columns (boxes in fractions of the frame) with the sentence, a row an action and key frame."""
        write_whole(path, self._write_csv)

    def save_video(
        self,
        path: str | Path,
        *,
        progress: "Callable[[float], object] | None" = None,
        cancelled: "Callable[[], bool] | None" = None,
    ) -> None:
        """Write the annotated H.264 video, as :func:`refatomnet.overlay.write_annotated` does."""
        from refatomnet.overlay import write_annotated

        write_annotated(self, path, progress=progress, cancelled=cancelled)

    def _write_csv(self, part: Path) -> None:
        width, height = self.video.width, self.video.height
        with part.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            table = csv.writer(file)
            table.writerow(["video", "time", "x1", "y1", "x2", "y2", "action_id", "score", "sentence"])
            for query in self.queries:
                for key in query.keyframes:
                    if key.box_xyxy is None:
                        continue
                    x1, y1, x2, y2 = key.box_xyxy
                    place = [f"{v:.4f}" for v in (x1 / width, y1 / height, x2 / width, y2 / height)]
                    for entry in key.actions:
                        row = [Path(self.video.path).name, f"{key.time:.3f}", *place]
                        table.writerow([*row, entry.action.id, f"{entry.score:.4f}", query.sentence])


def write_whole(path: str | Path, write: "Callable[[Path], object]") -> None:
    """Call ``write`` on a temporary neighbour of ``path`` and rename it, so that no half-written file is ever left.

    Raises:
        VideoError: If the folder does not exist or cannot be written to.
    """
    from refatomnet.errors import VideoError

    target = Path(path)
    part = target.with_name(f".{sha256(os.fsencode(target.name)).hexdigest()[:16]}.part{target.suffix}")
    try:
        write(part)
        part.replace(target)
    except OSError as error:
        reason = error.strerror or error
        raise VideoError(f"cannot write {target}: {reason}; give a path in a folder you can write to") from error
    finally:
        with suppress(OSError):  # the folder may not be there
            part.unlink()


def _query(data: dict[str, Any]) -> Query:
    keyframes = tuple(
        KeyFrame(
            key["time"],
            key["frame"],
            key["found"],
            key["presence"],
            None if key["box_xyxy"] is None else tuple(key["box_xyxy"]),
            tuple(ActionScore(action(entry["id"]), entry["score"]) for entry in key["actions"]),
        )
        for key in data["keyframes"]
    )
    segments = tuple(Segment(action(s["id"]), s["start"], s["end"], s["score"]) for s in data["segments"])
    track = tuple(TrackPoint(p["frame"], tuple(p["box_xyxy"])) for p in data["track"])
    return Query(data["sentence"], data["found"], data["presence"], keyframes, segments, track)


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value}")


def _check_box(box_xyxy: Box) -> None:
    if len(box_xyxy) != 4 or not (box_xyxy[0] < box_xyxy[2] and box_xyxy[1] < box_xyxy[3]):
        raise ValueError(f"box_xyxy must be (x1, y1, x2, y2) with x1 < x2 and y1 < y2, got {box_xyxy}")


def _r(value: float) -> float:
    return round(float(value), 4)
