"""A predictor whose answers are hand-made, with real files, so that the demo can be tested without a model."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from refatomnet.actions import action
from refatomnet.errors import Cancelled, SentenceError, VideoError
from refatomnet.types import ActionScore, Candidate, KeyFrame, Query, Result, Segment, TrackPoint, VideoInfo, WordPath

CHECKPOINT = {"name": "fake", "version": "0", "trained_on": "nothing"}
SCORES = {"records": 1200, "miou": 0.512, "map_weighted": 0.431, "ci95": {"miou": [0.49, 0.53]}, "per_class": {"1": 0}}


def write_clip(path: Path, *, seconds: float = 2.0, size: tuple[int, int] = (320, 180), hue: int = 90) -> Path:
    """A small H.264 clip of a bright block that walks across."""
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(round(seconds * 10)):
            picture = np.full((height, width, 3), (hue, 110, 130), dtype=np.uint8)
            left = 10 + 6 * index
            picture[height // 4 :, left : left + width // 6] = (225, 205, 170)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def record(clip: str | None, sentence: str, box: list[float] | None) -> dict[str, Any]:
    """A line of a table of records."""
    name = Path(clip).stem if clip else "frames"
    actions = [12] if box else []
    return {
        "video": name, "timestamp": 1, "person_id": "1", "split": "test", "sentence": sentence, "actions": actions,
        "box_xyxy": box, "clip": clip, "key_frame": 10, "fps": 10.0,
    }  # fmt: skip


@dataclass(frozen=True)
class FakeClip:
    """Stands in for an EncodedClip; ``first`` is the number of its first key frame in the whole clip."""

    video: VideoInfo
    stride: float
    start: float
    end: float
    times: tuple[float, ...]
    first: int = 0


@dataclass(frozen=True)
class FakeResult(Result):
    """Its annotated video is a copy of the clip."""

    pause_s: float = 0.0

    def save_video(self, path, *, progress=None, cancelled=None) -> None:
        for step in range(10):
            if cancelled is not None and cancelled():
                raise Cancelled("stopped")
            if progress is not None:
                progress(step / 10)
            time.sleep(self.pause_s)
        shutil.copyfile(self.video.path, path)


class FakePredictor:
    """Says nobody fits a sentence with ``dragon``, breaks at ``crash``, takes ``pause_s`` a step."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.card: dict[str, Any] = {**CHECKPOINT, "scores": SCORES}
        self.pause_s = pause_s
        self.encoded: list[str] = []

    def encode(
        self, path, *, stride=1.0, start=None, end=None, progress=None, cancelled=None, arrived=None
    ) -> FakeClip:
        self.encoded.append(path)
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                width, height, frames = stream.width, stream.height, stream.frames
        except (av.FFmpegError, IndexError) as error:
            raise VideoError(f"{Path(path).name} cannot be opened as a video; give an MP4, MOV or WebM file") from error
        for step in range(10):
            if cancelled is not None and cancelled():
                raise Cancelled("stopped")
            if progress is not None:
                progress("Reading the clip", step / 10)
            time.sleep(self.pause_s)
        info = VideoInfo(str(path), width, height, 10.0, frames, frames / 10)
        first, last = start or 0.0, end or info.duration
        times = tuple(float(moment) for moment in np.arange(first + stride / 4, last, stride / 4))
        for number, moment in enumerate(times) if arrived else ():
            time.sleep(self.pause_s)
            if cancelled is not None and cancelled():
                raise Cancelled("stopped")
            part = FakeClip(info, stride, moment - stride / 8, moment + stride / 8, (moment,), number)
            arrived(part, [np.full((90, 160, 3), 120, dtype=np.uint8)])
        return FakeClip(info, stride, first, last, times)

    def follow(self, clip, sentence, *, key, candidate, top_k=5) -> Result:
        """The person walks on the other side from there on, and sits."""
        (query,) = self.ask(clip, sentence, top_k=top_k).queries
        other = query.keyframes[key].candidates[candidate].box_xyxy
        keys = tuple(
            replace(
                frame,
                found=k >= key,
                presence=0.2 if k >= key else 0.0,
                box_xyxy=other if k >= key else None,
                actions=(ActionScore(action(11), 0.8),) if k >= key else (),
            )
            for k, frame in enumerate(query.keyframes)
        )
        segments = (Segment(action(11), query.keyframes[key].time, clip.end, 0.8),)
        switched = replace(query, found=True, presence=0.2, keyframes=keys, segments=segments)
        return self._result(clip, (switched,))

    def explain(self, clip, sentence) -> tuple[tuple[WordPath, ...], ...]:
        words = [word for word in sentence.lower().split() if word not in ("the", "in")]
        width, height = clip.video.width, clip.video.height
        told = []
        for moment in clip.times:
            times = tuple(float(moment) + 0.1 * (i - 3) for i in range(8))
            told.append(
                tuple(
                    WordPath(
                        word,
                        times,
                        tuple((width * (0.1 + 0.09 * i), height * (0.2 + 0.1 * w)) for i in range(8)),
                        tuple(0.1 + 0.1 * i for i in range(8)),
                    )
                    for w, word in enumerate(words)
                )
            )
        return tuple(told)

    def ask(self, clip, *sentences, top_k=5, threshold=None, progress=None, cancelled=None) -> Result:
        queries = tuple(self._query(clip, sentence, top_k) for sentence in sentences)
        return self._result(clip, queries)

    def _result(self, clip: FakeClip, queries: tuple[Query, ...]) -> FakeResult:
        return FakeResult(clip.video, clip.start, clip.end, clip.stride, CHECKPOINT, queries, self.pause_s)

    def _query(self, clip: FakeClip, sentence: str, top_k: int) -> Query:
        if sentence == "x":
            raise SentenceError("'x' says nothing about a person; name clothes, build or place")
        if "crash" in sentence:
            raise RuntimeError("secret detail")
        here = "dragon" not in sentence
        keys = []
        for index, moment in enumerate(clip.times, start=clip.first):
            found = here and index not in (0, 4)
            scores = {12: 0.91 - 0.05 * index, 14: 0.2 + 0.08 * index, 17: 0.55, 80: 0.34 + 0.02 * index, 79: 0.31}
            entries = sorted((ActionScore(action(i), min(0.99, max(0.01, s))) for i, s in scores.items()),
                             key=lambda entry: -entry.score)  # fmt: skip
            left = 10.0 + 60 * float(moment)
            box = (left, 45.0, left + 53, 179.0) if found else None
            people = (Candidate((left, 45.0, left + 53, 179.0), 0.7), Candidate((250.0, 40.0, 300.0, 170.0), 0.2))
            keys.append(KeyFrame(float(moment), round(moment * 10), found, 0.94 if found else 0.1, box,
                                 tuple(entries[:top_k]) if found else (), people))  # fmt: skip
        segments = (Segment(action(12), clip.start, clip.start + 1.2, 0.83), Segment(action(14), 1.2, clip.end, 0.6))
        track = (TrackPoint(5, (40.0, 45.0, 93.0, 179.0)),)
        presence = 0.94 if here else 0.03
        return Query(sentence, here, presence, tuple(keys), segments if here else (), track if here else ())


@contextmanager
def serve(predictor: "FakePredictor", folder: Path) -> Iterator[str]:
    """The address of a running demo around a predictor and a folder of samples."""
    from refatomnet.demo import build_demo, launch_options, read_samples

    samples = read_samples(folder)
    demo = build_demo(lambda: predictor, samples, folder)
    _, address, _ = demo.launch(**launch_options(samples), prevent_thread_lock=True, quiet=True)
    yield address
    demo.close()
