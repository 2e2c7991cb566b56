"""People followed from picture to picture, and which of them a sentence means over time.

Beyond the papers, which answer for one key frame. People are detected on every picture of every window, about three a
second, and joined to tracks by motion and looks (tracking by detection, as SORT does, Bewley et al. 2016), whatever any
sentence says. A sentence then is a hidden Markov model over key frames: at each, one of the people or nobody is meant,
and the meant person seldom changes while their track goes on. How likely they are there is averaged along the track.
"""

import math
from array import array
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from refatomnet.boxes import iou

BRIDGED_S = 1.0  # a person hidden for so long is taken for the same when they are seen again
SURE, UNSURE = 0.4, 0.1  # detection scores from which a track begins, and goes on
MOST_COST = 1.0  # of joining a detection to a track; see _costs
LOOKS_WEIGHT = 0.5
MEMORY = 0.3  # of velocity and looks for what is new
STAYS, LEAVES = 0.94, 0.03  # chances from key frame to key frame that the meant person is still meant, or gone
NEIGHBOURS = 5  # key frames before and after that presence is averaged over
SMOOTHED = (0.25, 0.5, 0.25)  # weights of a detection's size and those before and after it


class Track:
    """One person over a stretch of the video; kept in few bytes, as an hour has ten thousands of boxes.

    Args:
        frames: Frame numbers where they were seen, ascending; at least one.
        boxes_xyxy: Pixels of the upright frame (N, 4), one each.
    """

    def __init__(self, frames: Sequence[int], boxes_xyxy: Sequence[np.ndarray]) -> None:
        self.frames = array("q", frames)
        self._flat = array("d", np.ravel(boxes_xyxy))

    @property
    def boxes_xyxy(self) -> np.ndarray:
        """A box a frame, pixels of the upright frame (N, 4)."""
        return np.array(self._flat).reshape(-1, 4)

    def add(self, frame: int, box_xyxy: np.ndarray) -> None:
        """The person is seen on a later frame."""
        self.frames.append(frame)
        self._flat.extend(box_xyxy)

    def hold(self, frame: int) -> None:
        """Let the first or last box stay where it is, from or to another frame."""
        if frame > self.frames[-1]:
            self.frames.append(frame)
            self._flat.extend(self._flat[-4:])
        elif frame < self.frames[0]:
            self.frames.insert(0, frame)
            self._flat = self._flat[:4] + self._flat

    def between(self, first: int, last: int) -> dict[int, np.ndarray]:
        """Boxes on every frame from ``first`` to ``last`` on which the person is there, by frame number.

        Between two pictures a box moves straight; its size is smoothed over neighbouring pictures on both sides, so
        that it does not lag.
        """
        first, last = max(first, self.frames[0]), min(last, self.frames[-1])
        if first > last:
            return {}
        wanted = np.arange(first, last + 1)
        smooth = _smooth(self.boxes_xyxy)
        columns = [np.interp(wanted, self.frames, smooth[:, i]) for i in range(4)]
        return dict(zip(wanted.tolist(), np.stack(columns, axis=1), strict=True))


def _smooth(boxes_xyxy: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) with sizes averaged over neighbours, about their own centres; the ends stay."""
    centre, size = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2, boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    if len(size) > 2:
        before, here, after = SMOOTHED
        size = np.concatenate([size[:1], before * size[:-2] + here * size[1:-1] + after * size[2:], size[-1:]])
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)


class _Open:
    """A track that may go on: where its person is going, and what they look like."""

    def __init__(self, number: int, frame: int, time: float, box: np.ndarray, looks: np.ndarray) -> None:
        self.number, self.time, self.looks = number, time, looks
        self.track = Track([frame], [box])
        self.velocity = np.zeros(4)
        self.state = _state(box)

    def ahead(self, time: float) -> np.ndarray:
        """Where the person should be at a later time, as a state."""
        return self.state + self.velocity * (time - self.time)

    def add(self, frame: int, time: float, box: np.ndarray, looks: np.ndarray) -> None:
        state, first = _state(box), len(self.track.frames) == 1
        speed = (state - self.state) / max(time - self.time, 1e-3)
        speed[2:] *= 0.5  # sizes jitter more than they change
        self.velocity = speed if first else (1 - MEMORY) * speed + MEMORY * self.velocity
        self.looks = _unit((1 - MEMORY) * self.looks + MEMORY * looks)
        self.state, self.time = state, time
        self.track.add(frame, box)


class Tracker:
    """Joins the people detected on picture after picture to tracks; no sentence is needed."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._open: list[_Open] = []
        self._frame, self._numbers = -1, list[int]()

    def step(
        self, frame: int, time: float, boxes_xyxy: np.ndarray, scores: np.ndarray, looks: np.ndarray, *, shot: int
    ) -> list[int]:
        """Take in the next picture.

        Args:
            frame: Its number; ascending, and the same number again changes nothing.
            time: Its seconds.
            boxes_xyxy: People detected, pixels (M, 4).
            scores: Of the detections (M).
            looks: Unit vectors of what they look like (M, D).
            shot: First frame of its shot. At a cut nobody goes on; people are taken to stay where they are up to it,
                and to have been there from it on.

        Returns:
            The track of each, an index into ``tracks``; -1 where a doubtful detection begins none, as all but the
            picture's best do.
        """
        if frame == self._frame:
            return self._numbers
        cut = self._frame >= 0 and shot > self._frame
        if cut:
            for one in self._open:
                if one.track.frames[-1] == self._frame:
                    one.track.hold(shot - 1)
        self._open = [] if cut else [one for one in self._open if time - one.time <= BRIDGED_S]
        self._frame, numbers = frame, [-1] * len(boxes_xyxy)
        # Sure detections choose first, so that a doubtful one takes nobody's place (ByteTrack, Zhang et al. 2022).
        for least, most in ((SURE, math.inf), (UNSURE, SURE)):
            rows = [i for i in np.flatnonzero((scores >= least) & (scores < most)) if numbers[i] < 0]
            free = [one for one in self._open if one.track.frames[-1] < frame]
            if not rows or not free:
                continue
            costs = _costs(free, time, boxes_xyxy[rows], looks[rows])
            for a, b in zip(*linear_sum_assignment(np.minimum(costs, 10 * MOST_COST)), strict=True):
                if costs[a, b] <= MOST_COST:
                    free[a].add(frame, time, boxes_xyxy[rows[b]], looks[rows[b]])
                    numbers[rows[b]] = free[a].number
        for i in np.flatnonzero((scores >= SURE) | (scores == scores.max(initial=0))):
            if numbers[i] < 0:
                numbers[i] = len(self.tracks)
                self._open.append(_Open(numbers[i], frame, time, boxes_xyxy[i], looks[i]))
                self.tracks.append(self._open[-1].track)
                if cut:
                    self.tracks[-1].hold(shot)
        self._numbers = numbers
        return numbers


def _costs(tracks: list[_Open], time: float, boxes_xyxy: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """Cost of joining each detection to each track: distance in heights of the person, change of size, other looks.

    A walker crosses a quarter of their own height in a third of a second, so that boxes of one person hardly overlap.
    """
    states = np.stack([_state(box) for box in boxes_xyxy])
    ahead = np.stack([one.ahead(time) for one in tracks])
    height = np.exp(np.maximum(ahead[:, None, 3], states[None, :, 3]))
    away = np.linalg.norm(ahead[:, None, :2] - states[None, :, :2], axis=-1) / height
    grown = np.abs(ahead[:, None, 3] - states[None, :, 3])
    other = 1 - np.stack([one.looks for one in tracks]) @ looks.T
    return np.asarray(1.5 * away + 0.7 * grown + LOOKS_WEIGHT * other)


def _state(box_xyxy: np.ndarray) -> np.ndarray:
    """Centre in pixels and logarithm of the size."""
    x1, y1, x2, y2 = box_xyxy
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, math.log(max(x2 - x1, 1.0)), math.log(max(y2 - y1, 1.0))])


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def who_is_meant(
    presence: Sequence[float], shares: Sequence[np.ndarray], tracks: Sequence[Sequence[int]], cuts: Sequence[bool]
) -> list[np.ndarray]:
    """Probability that each person is the described one at each key frame, in the light of all others.

    That nobody is meant is a state too, so that who was away is not taken for those who stayed.

    The forward-backward algorithm. A lone key frame keeps its own probabilities.

    Args:
        presence: Probability that the described person is there, by key frame (K).
        shares: Of that, how much falls to each person (P); sums to 1, by key frame.
        tracks: The track of each person, -1 for none, by key frame.
        cuts: Whether a cut lies between a key frame and the one before; the first is not read.

    Returns:
        Probabilities of the people (P) if one of them is meant at all, by key frame; they sum to 1.
    """
    given = [np.append(p * share, 1 - p) for p, share in zip(presence, shares, strict=True)]
    priors = [_fresh(len(share)) for share in shares]
    likelihood = [np.maximum(g, 1e-6) / prior for g, prior in zip(given, priors, strict=True)]
    steps = [
        np.tile(prior, (len(before) + 1, 1)) if cut else _chances(before, after)
        for before, after, prior, cut in zip(tracks, tracks[1:], priors[1:], cuts[1:], strict=False)
    ]
    forward = [priors[0] * likelihood[0]]
    for step, here in zip(steps, likelihood[1:], strict=True):
        forward.append(_share(forward[-1]) @ step * here)
    backward = [np.ones_like(likelihood[-1])]
    for step, after in zip(reversed(steps), reversed(likelihood[1:]), strict=True):
        backward.append(_share(step @ (after * backward[-1])))
    return [_share((a * b)[:-1]) for a, b in zip(forward, reversed(backward), strict=True)]


def _fresh(people: int) -> np.ndarray:
    """Chances before anything is known: half for nobody."""
    return np.append(np.full(people, 0.5 / max(people, 1)), 0.5 if people else 1.0)


def _chances(before: Sequence[int], after: Sequence[int]) -> np.ndarray:
    """Chances (P + 1, Q + 1) that after each of P people, or nobody, each of Q people, or nobody, is meant."""
    chances = np.zeros((len(before) + 1, len(after) + 1))
    came = np.array([1.0 if number < 0 or number not in before else 0.2 for number in after])
    for i, number in enumerate(before):
        stay = np.array([number >= 0 and number == other for other in after], dtype=float)
        if stay.any():
            chances[i, :-1] = STAYS * stay + (1 - STAYS - LEAVES) * _share(1 - stay)
            chances[i, -1] = LEAVES
        else:  # they are out of sight, or found again on another track
            chances[i, :-1] = 0.5 * _share(came)
            chances[i, -1] = 0.5
    chances[-1, :-1] = 0.2 * _share(came)
    chances[-1, -1] = 0.8
    return chances / chances.sum(axis=1, keepdims=True)


def _share(values: np.ndarray) -> np.ndarray:
    total = values.sum()
    return values / total if total > 0 else values


def steady_presence(presence: Sequence[float], followed: Sequence[int]) -> list[float]:
    """Presence (K) of who is taken at each key frame, averaged as logits over the nearest where they are on one track.

    An average and no product: what neighbouring key frames say of one person is nearly the same evidence.

    Args:
        presence: Probability that the described person is there, by key frame.
        followed: Track of the person taken, -1 for none.
    """
    odds = np.clip(np.asarray(presence, dtype=float), 1e-6, 1 - 1e-6)
    logits = np.log(odds / (1 - odds))
    steady = []
    for k, number in enumerate(followed):
        near = range(max(0, k - NEIGHBOURS), min(len(logits), k + NEIGHBOURS + 1))
        same = [j for j in near if j == k or (number >= 0 and followed[j] == number)]
        weights = np.array([1 - abs(j - k) / (NEIGHBOURS + 1) for j in same])
        steady.append(float(1 / (1 + np.exp(-(weights @ logits[same]) / weights.sum()))))
    return steady


def meant_frames(
    frames: Sequence[int], taken: Sequence[int | None], tracks: Sequence[Track], cuts: Sequence[int]
) -> dict[int, np.ndarray]:
    """Boxes of the meant person on every frame where they are believed in view, from their first key frame to the last.

    Args:
        frames: Frame numbers of the key frames (K), ascending.
        taken: Track of the person meant at each (K); None where nobody is.
        tracks: All tracks of the video.
        cuts: First frames of its shots.

    Returns:
        Boxes xyxy in pixels by frame number, ascending.
    """
    found = [k for k, number in enumerate(taken) if number is not None]
    if not found:
        return {}
    # Stretches (track, first frame, last frame); key frames of one track in a row make one.
    stretches: list[tuple[int, int, int]] = []
    for k in range(found[0], found[-1] + 1):
        number = taken[k]
        if number is None:
            continue
        first = last = frames[k]
        if k > found[0]:
            first = _handover(tracks, taken[k - 1], number, frames[k - 1], first, cuts)
        if k < found[-1]:
            last = _handover(tracks, number, taken[k + 1], last, frames[k + 1], cuts) - 1
        if stretches and stretches[-1][0] == number and stretches[-1][2] >= first - 1:
            first = stretches.pop()[1]
        stretches.append((number, first, last))
    boxes: dict[int, np.ndarray] = {}
    for number, first, last in stretches:
        boxes |= tracks[number].between(first, last)
    return boxes


def _handover(
    tracks: Sequence[Track], before: int | None, after: int | None, first: int, last: int, cuts: Sequence[int]
) -> int:
    """First frame, between two key frames, that belongs to the person meant at the second.

    A person who is there no more, or not yet, hands over where they go or come; else the cut decides, or where the two
    are closest, as tracks are mixed up there, or the middle.
    """
    cut = next((cut for cut in cuts if first < cut <= last), None)
    if before is not None and before == after:
        return last
    if cut is not None:
        return cut
    if before is not None and tracks[before].frames[-1] < last:
        return tracks[before].frames[-1] + 1
    if after is not None and tracks[after].frames[0] > first:
        return tracks[after].frames[0]
    middle = (first + last + 1) // 2
    if before is None or after is None:
        return middle
    one, other = (tracks[number].between(first + 1, last) for number in (before, after))
    both = sorted(one.keys() & other.keys())
    if not both:
        return middle
    overlaps = iou(*(torch.from_numpy(np.stack([boxes[n] for n in both])) for boxes in (one, other))).tolist()
    return max(zip(overlaps, both, strict=True), key=lambda pair: (pair[0], -abs(pair[1] - middle)))[1]
