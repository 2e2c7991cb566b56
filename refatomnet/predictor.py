"""Encode a clip once, ask many sentences about it.

Beyond the papers, which answer for the one key frame of a short clip: a window of frames is read around a key frame
every so many seconds, and the answers of all key frames are joined to a track and to segments.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from refatomnet.actions import ACTIONS, NUM_ACTIONS, action
from refatomnet.boxes import cxcywh_to_xyxy, fraction_to_px, pairwise_iou
from refatomnet.card import learnt_from
from refatomnet.checkpoint import SHIPPED, find_checkpoint, load_checkpoint, read_config
from refatomnet.cuts import CutFinder, first_of_shot
from refatomnet.downloads import weights_sha256
from refatomnet.encoders import PublicEncoder
from refatomnet.errors import Cancelled, CheckpointError, OptionError
from refatomnet.model import Output, People, RavarModel
from refatomnet.preprocess import Letterbox
from refatomnet.shelf import Tokens, TokenShelf
from refatomnet.sight import Sight
from refatomnet.text import build_text_encoder, split_words
from refatomnet.tracks import Track, Tracker, meant_frames, steady_presence, who_is_meant
from refatomnet.types import (
    ActionScore,
    Box,
    Candidate,
    KeyFrame,
    Query,
    Result,
    Segment,
    TrackPoint,
    VideoInfo,
    WordPath,
)
from refatomnet.video import Frame, open_source, sample_frames
from refatomnet.zero_shot import Answer, ZeroShot, ZeroSight, is_zero_shot, load_zero_shot, zero_shot_card

# Calibrated score from which an action belongs to a segment: F1 is best at half of what it reaches there.
ACTION_THRESHOLD = 0.3
LEAST_OVERLAP = 0.5  # (IoU) of an answer's box with that of a followed person to be theirs
MIN_STRIDE, MAX_STRIDE = 0.1, 60.0
MAX_SENTENCES = 16
_CLIPS_AT_ONCE = 16

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class EncodedClip:
    """A video as the model sees it, ready for any number of sentences.

    start, end, stride: Seconds: the stretch looked at, and from key frame to key frame. letterbox: Where frames lie on
    the canvas.
    span: First and last frame number of the stretch.
    times, frames: Seconds and frame numbers of the K key frames. tokens: one window around each. people: who is there.
    tracks: Everybody followed through the video. cuts: frame numbers where the camera cuts.
    """

    video: VideoInfo
    start: float
    end: float
    stride: float
    span: tuple[int, int]
    times: tuple[float, ...]
    frames: tuple[int, ...]
    letterbox: Letterbox
    tokens: TokenShelf
    people: tuple["Seen", ...]
    tracks: Sequence[Track]
    cuts: Sequence[int]


class Seen(NamedTuple):
    """The people on a picture: boxes xyxy in pixels (M, 4), and the track of each, -1 for none."""

    boxes: np.ndarray
    tracks: list[int]


class Predictor:
    """Answers sentences about videos with a loaded model.

    Args:
        model: The model: a trained one, or public models that answer without training.
        card: Its checkpoint's config; the calibration is read from it.
        device: Where the model runs.
    """

    def __init__(self, model: RavarModel | ZeroShot, card: dict[str, Any], *, device: str = "cpu") -> None:
        self.model: Any = model.to(device).eval()
        self.card = card
        self.device = device
        self._calibration = card["calibration"]
        # What encodes sentences, and what runs the network over a video.
        self.text: Any = model.read if isinstance(model, ZeroShot) else build_text_encoder(model.config)
        self.sight: Callable[[Any, Letterbox, str], Sight | ZeroSight]
        self.sight = ZeroSight if isinstance(model, ZeroShot) else Sight

    @classmethod
    def from_pretrained(
        cls,
        checkpoint: str | Path | None = None,
        *,
        device: str = "auto",
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
    ) -> "Predictor":
        """Load a checkpoint: the shipped one, which never touches the network, a folder, a hub id, or "zero-shot".

        Args:
            checkpoint: A name, a folder or a hub id.
            device: auto, cpu or cuda.
            revision: Branch, tag or commit of a hub id. The next three are about public models that it needs, too.
            token: For private repositories; by default the one that is logged in.
            cache_dir: Where fetched files are kept.
            local_files_only: Take what was fetched before, without the network.

        Raises:
            CheckpointError: If it is unknown, damaged or does not fit.
            OptionError: If the device is not there.
        """
        place = _device(device)
        download: dict[str, Any] = {"token": token, "cache_dir": cache_dir, "local_files_only": local_files_only}
        try:
            model: RavarModel | ZeroShot
            if is_zero_shot(checkpoint):
                model, card = load_zero_shot(checkpoint, **download)
            else:
                folder = find_checkpoint(checkpoint, revision=revision, **download)
                model, card = load_checkpoint(folder)
                card |= {"weights": weights_sha256(folder)}
            _check_calibration(card["calibration"])
            if isinstance(model, RavarModel) and isinstance(model.encoder, PublicEncoder):
                model.encoder.load(**download)  # what is missing is better said before a video is decoded
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
        arrived: Callable[[EncodedClip, list[np.ndarray]], object] | None = None,
    ) -> EncodedClip:
        """Decode a video once, as a stream, and encode a window around a key frame every ``stride`` seconds.

        Args:
            path: Video file.
            stride: Seconds between key frames.
            start: First second to look at; the beginning by default.
            end: Last second to look at; the end by default.
            progress: Called with a stage and how much of it is done, 0 to 1.
            cancelled: Asked now and then; stops the work when it says true.
            arrived: Called with every next stretch as soon as it can be asked about, a clip of its own, and with the
                pictures of its key frames, RGB uint8 (h, w, 3) at the size the model sees.

        Returns:
            The encoded clip; its tokens lie in memory, or on disk when they are many.

        Raises:
            VideoError: If the file cannot be used, or the disk has no room for the tokens.
            OptionError: If stride, start or end make no sense.
            Cancelled: If the caller asked to stop.
        """
        check_options(stride=stride)
        source = open_source(path)
        info = source.info
        first, last = _span(info, start, end)
        times = key_times(first, last, stride)
        config = self.model.config
        box = Letterbox.of(config, info.width, info.height)
        windows = [[self._moment(t, i, info) for i in range(config.frames)] for t in times]
        wanted = sorted({moment for moments in windows for moment in moments})
        finder, tracker, shelf = CutFinder(), Tracker(), TokenShelf(len(windows))
        shots = sample_frames(path, wanted, width=box.width, height=box.height, cancelled=cancelled, watch=finder.watch)
        ends = [moments[-1] for moments in windows]
        sight = self.sight(self.model, box, self.device)
        store: dict[float, _Moment] = {}
        people: dict[float, Seen] = {}
        frames: list[int] = []
        seen: list[Seen] = []
        done = 0
        for batch in _batches(shots, sight.pictures_at_once):
            _stop_if(cancelled)
            store |= {moment: _Moment(shot.index, finder.shot(shot.index), shot.image) for moment, shot in batch}
            begin = len(frames)
            ready = sum(1 for _ in itertools.takewhile(store.__contains__, ends[begin:]))
            part = windows[begin : begin + ready]
            found, tokens = sight.look({m: store[m].picture for m, _ in batch}, [self._held(w, store) for w in part])
            people |= self._follow([(m, store[m]) for m, _ in batch], found, box, info, tracker)
            done += len(batch)
            if tokens is not None:
                keys = [w[config.key_frame] for w in part]
                shelf.put(begin, tokens)
                frames += [store[key].frame for key in keys]
                seen += [people[key] for key in keys]
                if arrived:
                    here = times[begin : len(frames)]
                    own = TokenShelf(len(part))
                    own.put(0, tokens)
                    part_of = max(first, here[0] - stride / 2), min(last, here[-1] + stride / 2)
                    stretch = EncodedClip(
                        info, *part_of, stride, source.span(*part_of), tuple(here), tuple(frames[begin:]), box, own,
                        tuple(seen[begin:]), tracker.tracks, finder.cuts,
                    )  # fmt: skip
                    arrived(stretch, [store[key].picture for key in keys])
                oldest = windows[len(frames)][0] if len(frames) < len(windows) else math.inf
                sight.forget(oldest)
                store = {moment: picture for moment, picture in store.items() if moment >= oldest}
                people = {moment: those for moment, those in people.items() if moment >= oldest}
            if progress:
                progress("Looking at the video", min(1.0, done / len(wanted)))
        return EncodedClip(
            info, first, last, stride, source.span(first, last), tuple(times), tuple(frames), box, shelf,
            tuple(seen), tracker.tracks, finder.cuts,
        )  # fmt: skip

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
        every = self._rows(clip, sentences, progress, cancelled)
        queries = []
        for sentence, rows in zip(sentences, every, strict=True):
            settled = [row.settle(level) for row in in_the_light_of_all(rows, clip)]
            queries.append(self._query(sentence, clip, settled, top_k))
        return self._result(clip, queries)

    @torch.inference_mode()
    def follow(self, clip: EncodedClip, sentence: str, *, key: int, candidate: int, top_k: int = 5) -> Result:
        """Answer a sentence with another person than the one taken: a runner-up of a key frame, and wherever they are.

        They are followed on their own track, whatever the sentence says, until they leave or the camera cuts.

        Args:
            clip: What :meth:`encode` returned.
            sentence: The description that was asked.
            key: Index of the key frame whose runner-up is meant.
            candidate: Index among that key frame's ``candidates``.
            top_k: Actions kept a key frame.

        Returns:
            One query; its presence is the probability that the sentence means this very person.

        Raises:
            SentenceError: If the sentence cannot be used.
            OptionError: If there is no such key frame or candidate.
        """
        check_question([sentence])
        check_options(top_k=top_k)
        (rows,) = self._rows(clip, [sentence], None, None)
        rows = in_the_light_of_all(rows, clip)
        if not 0 <= key < len(rows):
            raise OptionError(f"there is no key frame {key}; the clip has {len(rows)}, counted from 0")
        people = rows[key].people
        if not 0 <= candidate < len(people):
            raise OptionError(f"there is no candidate {candidate}; key frame {key} has {len(people)}, counted from 0")
        who = int(people[candidate])
        number = rows[key].tracks[who]
        picks = [row.tracks.index(number) if number in row.tracks and number >= 0 else None for row in rows]
        picks[key] = who
        settled = [row.insist(pick) for row, pick in zip(rows, picks, strict=True)]
        return self._result(clip, [self._query(sentence, clip, settled, top_k)])

    @torch.inference_mode()
    def explain(self, clip: EncodedClip, sentence: str) -> tuple[tuple[WordPath, ...], ...]:
        """What each content word followed through the frames of the window around every key frame.

        Args:
            clip: What :meth:`encode` returned.
            sentence: The description that was asked.

        Returns:
            By key frame, one path a word; empty where the model's fusion follows no words, or its tokens have no place.

        Raises:
            SentenceError: If the sentence cannot be used.
        """
        check_question([sentence])
        text = self.text([sentence]).to(self.device)
        told: list[tuple[WordPath, ...]] = []
        for k, time in enumerate(clip.times):
            words = self.model(clip.tokens.select(torch.tensor([k]), device=self.device), text).words
            if words is None or not self.model.config.has_places:
                told.append(())
                continue
            spoken = [(i, word) for i, word in enumerate(text.words[0]) if text.keywords[0, i]]
            info = clip.video
            moments = tuple(self._moment(time, i, info) for i in range(self.model.config.frames))
            share = words.similarity[0].softmax(-1).amax(-1).cpu()
            points = self._cells(words.index[0].cpu(), clip)
            paths = [(word, points[i].tolist(), share[i].tolist()) for i, word in spoken]
            told.append(tuple(WordPath(w, moments, tuple((x, y) for x, y in p), tuple(s)) for w, p, s in paths))
        return tuple(told)

    def _cells(self, index: Tensor, clip: EncodedClip) -> Tensor:
        """Centres (..., 2) in pixels of the frame of tokens with these indices on their grid."""
        rows, columns = self.model.config.token_grid
        x, y = (index % columns + 0.5) / columns, (index // columns + 0.5) / rows
        inside = clip.letterbox.to_frame(torch.stack([x, y, x, y], dim=-1)).clamp(0, 1)
        return fraction_to_px(inside, width=clip.video.width, height=clip.video.height)[..., :2]

    def _rows(
        self,
        clip: EncodedClip,
        sentences: Sequence[str],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> list[list["_Found"]]:
        """By sentence, the raw answer at every key frame."""
        text = self.text(list(sentences)).to(self.device)
        outputs: list[_Found] = []
        total = len(clip.times)
        for begin in range(0, total, _CLIPS_AT_ONCE):
            _stop_if(cancelled)
            index = torch.arange(begin, min(begin + _CLIPS_AT_ONCE, total))
            every = torch.arange(len(sentences)).repeat(len(index))
            tokens = clip.tokens.select(index, device=self.device)
            here = [clip.people[k] for k in index.tolist() for _ in sentences]
            outputs += self._answer(tokens, text.select(every), clip, here)
            if progress:
                progress("Reading the sentences", (begin + len(index)) / total)
        return [outputs[i :: len(sentences)] for i in range(len(sentences))]

    def _result(self, clip: EncodedClip, queries: list[Query]) -> Result:
        return Result(clip.video, clip.start, clip.end, clip.stride, named(self.card), tuple(queries))

    def _moment(self, time: float, i: int, info: VideoInfo) -> float:
        """When the i-th frame of the window around a key frame is due, inside the video, in seconds."""
        config = self.model.config
        moment = time + (i - config.key_frame) / config.frame_rate
        return round(min(max(moment, 0.0), info.duration), 4)

    def _follow(
        self, batch: list[tuple[float, "_Moment"]], found: People, box: Letterbox, info: VideoInfo, tracker: Tracker
    ) -> dict[float, Seen]:
        """Follow who is on the next pictures; by moment, their boxes and tracks."""
        boxes = self._pixels(found.boxes_cxcywh, box, info).double().numpy()
        scores, mask, looks = (part.numpy() for part in found[1:])
        people = {}
        for i, (moment, picture) in enumerate(batch):
            here = boxes[i][mask[i]]
            numbers = tracker.step(
                picture.frame, moment, here, scores[i][mask[i]], looks[i][mask[i]], shot=picture.shot
            )
            people[moment] = Seen(here, numbers)
        return people

    def _held(self, window: list[float], store: dict[float, "_Moment"]) -> list[float]:
        """A window's moments; beyond a cut the nearest picture of the key frame's shot stands still."""
        shot = store[window[self.model.config.key_frame]].shot
        within = [i for i, moment in enumerate(window) if store[moment].shot == shot]
        return [window[min(max(i, within[0]), within[-1])] for i in range(len(window))]

    def _answer(self, tokens: Tokens, text: Any, clip: EncodedClip, seen: list[Seen]) -> list["_Found"]:
        """One entry a key frame and sentence, sentences fastest."""
        output: Output | Answer = self.model(tokens, text)
        presence = _platt(output.presence, self._calibration["presence"])
        scores = _platt(output.everyone, self._calibration["actions"])
        boxes = self._pixels(output.boxes, clip.letterbox, clip.video).double().cpu().numpy()
        share = output.choice[:, :-1].softmax(-1).nan_to_num(0)  # where there are no people at all
        return [
            _Found(
                presence=float(presence[i]),
                boxes=boxes[i],
                share=share[i].double().cpu().numpy(),
                everyone=scores[i].cpu().numpy(),
                tracks=_tracks_of(boxes[i], seen[i]),
            )
            for i in range(len(presence))
        ]

    @staticmethod
    def _pixels(box_cxcywh: Tensor, letterbox: Letterbox, info: VideoInfo) -> Tensor:
        inside = letterbox.to_frame(cxcywh_to_xyxy(box_cxcywh))
        return fraction_to_px(inside, width=info.width, height=info.height)

    def _query(self, sentence: str, clip: EncodedClip, rows: list["_Found"], top_k: int) -> Query:
        track = follow_meant(rows, clip)
        boxes = {point.frame: point.box_xyxy for point in track}
        keyframes = [
            row.key_frame(t, n, clip, boxes.get(n), top_k)
            for row, t, n in zip(rows, clip.times, clip.frames, strict=True)
        ]
        scores = np.stack([row.actions for row in rows])
        found = [key.found for key in keyframes]
        return Query(
            sentence=sentence,
            found=any(found),
            presence=max(key.presence for key in keyframes),
            keyframes=tuple(keyframes),
            segments=tuple(find_segments(scores, found, clip)),
            track=tuple(track),
        )


class _Moment(NamedTuple):
    """A picture of a window: frame number, shot, RGB uint8 picture (h, w, 3)."""

    frame: int
    shot: int
    picture: np.ndarray


@dataclass(frozen=True)
class _Found:
    """The raw answer at one key frame to one sentence.

    presence: Probability that the described person is there. boxes: Everybody's, pixels [P, 4]. share: how much of the
    presence falls to each [P]; 0 where there is no such person. everyone: action scores of each [P, 80]. tracks: the
    track of each, -1 for none. found, best: whether somebody is taken for the described person, and who.
    """

    presence: float
    boxes: np.ndarray
    share: np.ndarray
    everyone: np.ndarray
    tracks: list[int]
    found: bool = False
    best: int = 0

    @property
    def actions(self) -> np.ndarray:
        """Action scores of the person taken [80]."""
        return np.asarray(self.everyone[self.best])

    @property
    def people(self) -> np.ndarray:
        """Indices of those who are there, the likeliest first."""
        order = np.argsort(-self.share, kind="stable")
        return np.asarray(order[self.share[order] > 0])

    def settle(self, level: float) -> "_Found":
        """The same with the likeliest person taken, if the presence reaches the level."""
        return replace(self, found=self.presence >= level and len(self.people) > 0, best=int(self.share.argmax()))

    def insist(self, who: int | None) -> "_Found":
        """The same with this person taken whatever their share, or nobody."""
        if who is None:
            return replace(self, found=False, presence=0.0)
        return replace(self, found=True, best=who, presence=self.presence * float(self.share[who]))

    def key_frame(self, time: float, frame: int, clip: EncodedClip, box: Box | None, top_k: int) -> KeyFrame:
        """As a result tells it; ``box`` is that of the track, where there is one."""
        order: Sequence[int] = np.argsort(-self.actions, kind="stable")[:top_k].tolist() if self.found else []
        chances = self.presence * self.share
        return KeyFrame(
            time=time,
            frame=frame,
            found=self.found,
            presence=self.presence,
            box_xyxy=(box or _proper(self.boxes[self.best], clip.video)) if self.found else None,
            actions=tuple(ActionScore(ACTIONS[i], float(self.actions[i])) for i in order),
            candidates=tuple(Candidate(_proper(self.boxes[i], clip.video), float(chances[i])) for i in self.people),
        )


def read_card(checkpoint: str | Path | None, *, local_files_only: bool = False) -> dict[str, Any]:
    """What a checkpoint says of itself, read without loading it; as for :meth:`Predictor.from_pretrained`.

    Raises:
        CheckpointError: If it is unknown or damaged.
    """
    if is_zero_shot(checkpoint):
        return zero_shot_card(checkpoint)
    folder = find_checkpoint(checkpoint, local_files_only=local_files_only)
    return read_config(folder) | {"weights": weights_sha256(folder)}


def named(card: dict[str, Any]) -> dict[str, str]:
    """What a result says of its checkpoint; ``weights`` is their SHA-256, empty where they are not ours."""
    told = {name: str(card.get(name, "")) for name in ("name", "version", "weights")}
    return told | {"trained_on": learnt_from(card)}


def in_the_light_of_all(rows: list[_Found], clip: EncodedClip) -> list[_Found]:
    """Presence and shares at each key frame after what was answered at all others."""
    shots = [first_of_shot(frame, clip.cuts) for frame in clip.frames]
    cuts = [k > 0 and shots[k] != shots[k - 1] for k in range(len(shots))]
    here = [np.flatnonzero(row.share > 0) for row in rows]
    chances = who_is_meant(
        [row.presence for row in rows],
        [row.share[people] for row, people in zip(rows, here, strict=True)],
        [[row.tracks[i] for i in people] for row, people in zip(rows, here, strict=True)],
        cuts,
    )
    smooth = []
    for row, people, chance in zip(rows, here, chances, strict=True):
        share = np.zeros_like(row.share)
        share[people] = chance
        smooth.append(replace(row, share=share))
    presence = steady_presence([row.presence for row in rows], [row.tracks[int(row.share.argmax())] for row in smooth])
    return [replace(row, presence=value) for row, value in zip(smooth, presence, strict=True)]


def follow_meant(rows: list[_Found], clip: EncodedClip) -> list[TrackPoint]:
    """The box of the person meant on every frame where they are believed in view."""
    taken = [row.tracks[row.best] if row.found and row.tracks[row.best] >= 0 else None for row in rows]
    boxes = meant_frames(clip.frames, taken, clip.tracks, clip.cuts)
    if len(rows) == 1 and taken[0] is not None:
        # A clip shorter than one stride has one key frame, which speaks for all of it.
        boxes = clip.tracks[taken[0]].between(*clip.span)
    for row, number, frame in zip(rows, taken, clip.frames, strict=True):
        if row.found and number is None:
            boxes[frame] = row.boxes[row.best]
    return [TrackPoint(n, _proper(boxes[n], clip.video)) for n in sorted(boxes)]


def _tracks_of(boxes: np.ndarray, seen: Seen) -> list[int]:
    """The track of the detected person whose box each box (P, 4) overlaps most, by half at least; else -1."""
    if not len(seen.boxes):
        return [-1] * len(boxes)
    overlap = pairwise_iou(torch.from_numpy(boxes), torch.from_numpy(seen.boxes)).numpy()
    nearest = overlap.argmax(axis=1)
    return [seen.tracks[j] if overlap[i, j] >= LEAST_OVERLAP else -1 for i, j in enumerate(nearest)]


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


def _proper(box: np.ndarray, video: VideoInfo) -> Box:
    """A box at least a pixel wide and high, inside the frame."""
    x1, y1, x2, y2 = (float(v) for v in box)
    x1, y1 = (min(max(low, 0.0), most - 1.0) for low, most in ((x1, video.width), (y1, video.height)))
    return (x1, y1, min(max(x2, x1 + 1.0), float(video.width)), min(max(y2, y1 + 1.0), float(video.height)))


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
