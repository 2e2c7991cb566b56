"""Encode a clip once, ask many sentences about it.

Beyond the papers, which answer for the one key frame of a short clip: a window of frames is read around a key frame
every so many seconds, and the answers of all key frames are joined to a track and to segments.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from refatomnet.actions import ACTIONS, NUM_ACTIONS, action
from refatomnet.boxes import cxcywh_to_xyxy, fraction_to_px, pairwise_iou
from refatomnet.checkpoint import SHIPPED, load_checkpoint
from refatomnet.encoders import FrameFeatures
from refatomnet.errors import Cancelled, CheckpointError, OptionError
from refatomnet.fusion import ClipTokens
from refatomnet.model import Output, RavarModel
from refatomnet.preprocess import Letterbox, to_pixels
from refatomnet.shelf import TokenShelf
from refatomnet.text import build_text_encoder, split_words
from refatomnet.types import ActionScore, Box, Candidate, KeyFrame, Query, Result, Segment, TrackPoint, VideoInfo
from refatomnet.video import Frame, probe, sample_frames

# Calibrated score from which an action belongs to a segment: F1 is best at half of what it reaches there.
ACTION_THRESHOLD = 0.3
MIN_STRIDE, MAX_STRIDE = 0.1, 60.0
MAX_SENTENCES = 16
_FRAMES_AT_ONCE, _CLIPS_AT_ONCE = 8, 16

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class EncodedClip:
    """A video as the model sees it, ready for any number of sentences.

    start, end, stride: Seconds: the stretch looked at, and from key frame to key frame. letterbox: Where frames lie on
    the canvas.
    times, frames: Seconds and frame numbers of the K key frames. tokens: one window around each.
    """

    video: VideoInfo
    start: float
    end: float
    stride: float
    times: tuple[float, ...]
    frames: tuple[int, ...]
    letterbox: Letterbox
    tokens: TokenShelf


class Predictor:
    """Answers sentences about videos with a loaded model.

    Args:
        model: The model, in evaluation mode.
        card: Its checkpoint's config; the calibration is read from it.
        device: Where the model runs.
    """

    def __init__(self, model: RavarModel, card: dict[str, Any], *, device: str = "cpu") -> None:
        self.model = model.to(device).eval()
        self.card = card
        self.device = device
        self.text = build_text_encoder(model.config.text)
        self._calibration = card["calibration"]

    @classmethod
    def from_pretrained(cls, checkpoint: str | Path | None = None, *, device: str = "auto") -> "Predictor":
        """Load a checkpoint: the shipped one, a folder, or a hub id.

        Raises:
            CheckpointError: If it is unknown, damaged or does not fit.
            OptionError: If the device is not there.
        """
        place = _device(device)
        try:
            model, card = load_checkpoint(checkpoint)
            _check_calibration(card["calibration"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            said = f"{type(error).__name__}: {error}"
            raise CheckpointError(f"checkpoint {checkpoint or SHIPPED} is damaged ({said}); fetch it again") from error
        return cls(model, card, device=place)

    @torch.inference_mode()
    def encode(
        self,
        path: str | Path,
        *,
        stride: float = 1.0,
        start: float | None = None,
        end: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> EncodedClip:
        """Decode a video once, as a stream, and encode a window around a key frame every ``stride`` seconds.

        Args:
            path: Video file.
            stride: Seconds between key frames.
            start: First second to look at; the beginning by default.
            end: Last second to look at; the end by default.
            progress: Called with a stage and how much of it is done, 0 to 1.
            cancelled: Asked now and then; stops the work when it says true.

        Returns:
            The encoded clip; its tokens lie in memory, or on disk when they are many.

        Raises:
            VideoError: If the file cannot be used, or the disk has no room for the tokens.
            OptionError: If stride, start or end make no sense.
            Cancelled: If the caller asked to stop.
        """
        check_options(stride=stride)
        info = probe(path)
        first, last = _span(info, start, end)
        times = key_times(first, last, stride)
        config = self.model.config
        box = Letterbox.fit(info.width, info.height, canvas_width=config.image_width, canvas_height=config.image_height)
        windows = [[self._moment(t, i, info) for i in range(config.frames)] for t in times]
        wanted = sorted({moment for moments in windows for moment in moments})
        shots = sample_frames(path, wanted, width=box.width, height=box.height, cancelled=cancelled)
        shelf = TokenShelf(len(windows))
        numbers: dict[float, int] = {}
        store: dict[float, FrameFeatures] = {}
        done, ready = 0, 0  # moments encoded, windows put on the shelf
        for batch in _batches(shots, _FRAMES_AT_ONCE):
            _stop_if(cancelled)
            store |= self._encode_frames(batch, box)
            numbers |= {moment: frame.index for moment, frame in batch}
            done += len(batch)
            while part := [w for w in windows[ready : ready + _CLIPS_AT_ONCE] if w[-1] in store]:
                shelf.put(ready, self._encode_windows(part, store))
                ready += len(part)
                oldest = windows[ready][0] if ready < len(windows) else math.inf
                store = {moment: features for moment, features in store.items() if moment >= oldest}
            if progress:
                progress("Looking at the video", min(1.0, done / len(wanted)))
        frames = tuple(numbers[w[config.key_frame]] for w in windows)
        return EncodedClip(info, first, last, stride, tuple(times), frames, box, shelf)

    @torch.inference_mode()
    def ask(
        self,
        clip: EncodedClip,
        *sentences: str,
        top_k: int = 5,
        threshold: float | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Result:
        """Find the described person of each sentence at every key frame, and say what they do.

        Args:
            clip: What :meth:`encode` returned.
            sentences: One description of one person each.
            top_k: Actions kept a key frame.
            threshold: Presence from which somebody counts as found; the checkpoint's calibrated one by default.
            progress, cancelled: As of :meth:`encode`.

        Returns:
            One query a sentence, in their order; boxes in pixels of the upright frame, times in seconds, scores
            calibrated probabilities.

        Raises:
            SentenceError: If a sentence cannot be used.
            OptionError: If there is no sentence, there are too many, or an option is out of range.
            Cancelled: If the caller asked to stop.
        """
        check_question(sentences)
        check_options(top_k=top_k, threshold=threshold)
        level = self._calibration["threshold"] if threshold is None else threshold
        text = self.text(list(sentences)).to(self.device)
        outputs = []
        total = len(clip.times)
        for begin in range(0, total, _CLIPS_AT_ONCE):
            _stop_if(cancelled)
            index = torch.arange(begin, min(begin + _CLIPS_AT_ONCE, total))
            every = torch.arange(len(sentences)).repeat(len(index))
            tokens = clip.tokens.select(index, device=self.device)
            outputs.append(self._answer(tokens, text.select(every), clip, level))
            if progress:
                progress("Reading the sentences", (begin + len(index)) / total)
        keyed = [found for output in outputs for found in output]
        queries = []
        for i, sentence in enumerate(sentences):
            rows = keyed[i :: len(sentences)]
            queries.append(self._query(sentence, clip, rows, top_k))
        name = {"name": str(self.card.get("name", "")), "version": str(self.card.get("version", ""))}
        card = {**name, "trained_on": str(self.card.get("trained_on", ""))}
        return Result(clip.video, clip.start, clip.end, clip.stride, card, tuple(queries))

    def _moment(self, time: float, i: int, info: VideoInfo) -> float:
        """When the i-th frame of the window around a key frame is due, inside the video, in seconds."""
        config = self.model.config
        moment = time + (i - config.key_frame) / config.frame_rate
        return round(min(max(moment, 0.0), info.duration), 4)

    def _encode_frames(self, batch: list[tuple[float, Frame]], box: Letterbox) -> dict[float, FrameFeatures]:
        pixels = to_pixels([frame.image for _, frame in batch], box).to(self.device)
        features = self.model.encode_frames(pixels)
        rows = zip(features.fine, features.middle, features.deep, features.picture, strict=True)
        return {moment: FrameFeatures(*row) for (moment, _), row in zip(batch, rows, strict=True)}

    def _encode_windows(self, windows: list[list[float]], store: dict[float, FrameFeatures]) -> ClipTokens:
        features = FrameFeatures.stack([FrameFeatures.stack([store[m] for m in moments]) for moments in windows])
        return self.model.encode_clips(features)[0]

    def _answer(self, tokens: ClipTokens, text: Any, clip: EncodedClip, level: float) -> list["_Found"]:
        """One entry a key frame and sentence, sentences fastest."""
        output: Output = self.model(tokens, text)
        presence = _platt(output.presence, self._calibration["presence"])
        scores = _platt(output.everyone, self._calibration["actions"])
        people = self._pixels(output.boxes, clip)
        share = output.choice.softmax(-1)[:, :-1]
        return [
            _Found(
                presence=float(presence[i]),
                found=bool(presence[i] >= level),
                boxes=people[i].double().cpu().numpy(),
                share=share[i].double().cpu().numpy(),
                everyone=scores[i].double().cpu().numpy(),
            )
            for i in range(len(presence))
        ]

    def _pixels(self, box_cxcywh: Tensor, clip: EncodedClip) -> Tensor:
        inside = clip.letterbox.to_frame(cxcywh_to_xyxy(box_cxcywh))
        return fraction_to_px(inside, width=clip.video.width, height=clip.video.height)

    def _query(self, sentence: str, clip: EncodedClip, rows: list["_Found"], top_k: int) -> Query:
        path = steady_path([row.share for row in rows], [row.boxes for row in rows])
        rows = [row.settle(best) for row, best in zip(rows, path, strict=True)]
        keyframes = [row.key_frame(t, n, clip, top_k) for row, t, n in zip(rows, clip.times, clip.frames, strict=True)]
        scores = np.stack([row.actions for row in rows])
        found = [key.found for key in keyframes]
        return Query(
            sentence=sentence,
            found=any(found),
            presence=max(key.presence for key in keyframes),
            keyframes=tuple(keyframes),
            segments=tuple(find_segments(scores, found, clip)),
            track=tuple(interpolate(keyframes, clip)),
        )


@dataclass(frozen=True)
class _Found:
    """The raw answer at one key frame to one sentence.

    boxes: Everybody's, pixels [P, 4]. share: probability that the sentence means each [P]. everyone: action scores of
    each [P, 80]. best: who is taken for the described person.
    """

    presence: float
    found: bool
    boxes: np.ndarray
    share: np.ndarray
    everyone: np.ndarray
    best: int = 0

    @property
    def actions(self) -> np.ndarray:
        """Action scores of the person taken [80]."""
        return np.asarray(self.everyone[self.best])

    def settle(self, best: int) -> "_Found":
        """The same with this person taken."""
        return replace(self, best=best)

    def key_frame(self, time: float, frame: int, clip: EncodedClip, top_k: int) -> KeyFrame:
        order: Sequence[int] = np.argsort(-self.actions, kind="stable")[:top_k].tolist() if self.found else []
        people = [i for i in np.argsort(-self.share, kind="stable") if self.share[i] > 0]
        return KeyFrame(
            time=time,
            frame=frame,
            found=self.found,
            presence=self.presence,
            box_xyxy=_proper(self.boxes[self.best], clip.video) if self.found else None,
            actions=tuple(ActionScore(ACTIONS[i], float(self.actions[i])) for i in order),
            candidates=tuple(Candidate(_proper(self.boxes[i], clip.video), float(self.share[i])) for i in people),
        )


def steady_path(shares: list[np.ndarray], boxes: list[np.ndarray]) -> list[int]:
    """Who is meant at each key frame: likely at every one, and overlapping from one to the next where that is possible.

    Viterbi's algorithm over people; a step earns the overlap of the two boxes, so that a doubtful key frame between
    clear ones follows them, and a cut, where nobody overlaps, costs nothing.

    Args:
        shares: Probability of each person [P], by key frame; 0 where there is no such person.
        boxes: Their boxes xyxy in pixels [P, 4], by key frame.

    Returns:
        Who is taken, by key frame.
    """
    logs = [np.log(np.maximum(share, 1e-9)) for share in shares]
    total, back = logs[0], []
    for before, after, log in zip(boxes, boxes[1:], logs[1:], strict=False):
        overlap = pairwise_iou(torch.from_numpy(before), torch.from_numpy(after)).numpy()
        step = total[:, None] + overlap
        back.append(step.argmax(0))
        total = step.max(0) + log
    path = [int(total.argmax())]
    for origin in reversed(back):
        path.append(int(origin[path[-1]]))
    return path[::-1]


def key_times(start: float, end: float, stride: float) -> list[float]:
    """Seconds of the key frames, in the middle of every stride from ``start`` to ``end`` seconds; at least one."""
    count = max(1, math.floor((end - start) / stride + 0.5))
    times = [start + (k + 0.5) * stride for k in range(count)]
    return [round(min(t, (start + end) / 2 if count == 1 else end), 4) for t in times]


def find_segments(scores: np.ndarray, found: list[bool], clip: EncodedClip) -> Iterator[Segment]:
    """Runs of key frames over which an action's score (K, 80) stays up, by their start; half a stride around them."""
    segments = []
    for column in np.flatnonzero((scores >= ACTION_THRESHOLD).any(0)):
        holds = (scores[:, column] >= ACTION_THRESHOLD) & np.array(found)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], holds, [0]])))
        for first, after in zip(edges[::2], edges[1::2], strict=True):
            start = max(clip.start, clip.times[first] - clip.stride / 2)
            end = min(clip.end, clip.times[after - 1] + clip.stride / 2)
            if end > start:
                mean = float(scores[first:after, column].mean())
                segments.append(Segment(action(int(column) + 1), start, end, mean))
    yield from sorted(segments, key=lambda s: (s.start, -s.score))


def interpolate(keyframes: list[KeyFrame], clip: EncodedClip) -> Iterator[TrackPoint]:
    """Boxes of every frame between neighbouring found key frames, on straight lines; a lone key frame stands alone."""
    if len(keyframes) == 1 and keyframes[0].box_xyxy:
        # A clip shorter than one stride has one key frame, which speaks for all of it.
        first = round(clip.start * clip.video.fps)
        last = min(clip.video.frames - 1, round(clip.end * clip.video.fps))
        yield from (TrackPoint(n, keyframes[0].box_xyxy) for n in range(first, max(first, last) + 1))
        return
    previous: KeyFrame | None = None
    for key in keyframes:
        if key.box_xyxy is None:
            previous = None
            continue
        if previous is not None and previous.box_xyxy is not None:
            between = range(previous.frame + 1, key.frame)
            for n in between:
                part = (n - previous.frame) / (key.frame - previous.frame)
                yield TrackPoint(n, _mix(previous.box_xyxy, key.box_xyxy, part))
        if previous is None or key.frame > previous.frame:
            yield TrackPoint(key.frame, key.box_xyxy)
        previous = key


def _mix(a: Box, b: Box, part: float) -> Box:
    x1, y1, x2, y2 = (u + (v - u) * part for u, v in zip(a, b, strict=True))
    return (x1, y1, x2, y2)


def _proper(box: np.ndarray, video: VideoInfo) -> Box:
    """A box at least a pixel wide and high, inside the frame."""
    x1, y1, x2, y2 = (float(v) for v in box)
    x1, y1 = min(x1, video.width - 1.0), min(y1, video.height - 1.0)
    return (x1, y1, max(x2, x1 + 1.0), max(y2, y1 + 1.0))


def _platt(logits: Tensor, parameters: dict[str, Any]) -> Tensor:
    """Calibrated probabilities; scale and bias are numbers, or lists with one a class."""
    scale, bias = (torch.as_tensor(parameters[name], dtype=torch.float32) for name in ("scale", "bias"))
    return torch.sigmoid(scale.to(logits.device) * logits + bias.to(logits.device))


def _batches(frames: Iterator[tuple[float, Frame]], size: int) -> Iterator[list[tuple[float, Frame]]]:
    batch: list[tuple[float, Frame]] = []
    for entry in frames:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _stop_if(cancelled: Callable[[], bool] | None) -> None:
    if cancelled and cancelled():
        raise Cancelled("stopped as asked; nothing was kept")


def _span(info: VideoInfo, start: float | None, end: float | None) -> tuple[float, float]:
    first, last = start or 0.0, info.duration if end is None else min(end, info.duration)
    for name, value in (("start", start), ("end", end)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise OptionError(f"the {name} is {value} s; give seconds from 0 to {info.duration:.2f}")
    if first >= info.duration:
        raise OptionError(f"the start is {first} s but the video ends at {info.duration:.2f} s; give an earlier start")
    if last <= first:
        raise OptionError(f"the end, {end} s, is not after the start, {first} s; give an end after the start")
    return first, last


def check_options(*, stride: float = 1.0, top_k: int = 5, threshold: float | None = None) -> None:
    """Refuse options out of range, as :meth:`Predictor.encode` and :meth:`Predictor.ask` do.

    Raises:
        OptionError: If one is.
    """
    if not MIN_STRIDE <= stride <= MAX_STRIDE:
        raise OptionError(f"the stride is {stride} s; give seconds from {MIN_STRIDE} to {MAX_STRIDE:.0f}")
    if not 1 <= top_k <= len(ACTIONS):
        raise OptionError(f"top-k is {top_k}; give a number from 1 to {len(ACTIONS)}")
    if threshold is not None and not 0 <= threshold <= 1:
        raise OptionError(f"the threshold is {threshold}; give a probability from 0 to 1")


def check_question(sentences: Sequence[str]) -> None:
    """Refuse sentences that cannot be asked, as :meth:`Predictor.ask` does.

    Raises:
        OptionError: If there is none, or too many.
        SentenceError: If one of them cannot be used.
    """
    if not 1 <= len(sentences) <= MAX_SENTENCES:
        raise OptionError(f"{len(sentences)} sentences were given; ask 1 to {MAX_SENTENCES} at a time")
    for sentence in sentences:
        split_words(sentence)


def _check_calibration(calibration: dict[str, Any]) -> None:
    for part, sizes in (("actions", (1, NUM_ACTIONS)), ("presence", (1,))):
        for name in ("scale", "bias"):
            values = np.ravel(np.asarray(calibration[part][name], dtype=float))
            if values.size not in sizes or not np.isfinite(values).all():
                raise ValueError(f"the {name} of the {part} is not {sizes[-1]} finite numbers")
    if not math.isfinite(calibration["threshold"]):
        raise ValueError("the threshold of the presence is not finite")


def _device(name: str) -> str:
    if name not in ("auto", "cpu", "cuda"):
        raise OptionError(f"unknown device {name!r}; give auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise OptionError("no CUDA device is there; give --device cpu")
    return "cuda" if name == "auto" and torch.cuda.is_available() else "cpu" if name == "auto" else name
