"""How well one person was followed through a clip, frame by frame: overlap, switches to somebody else, interruptions.

A box is right or wrong against what is *seen* of the person, as boxes of the data sets are. Frames in which the person
is hidden for a moment count neither way: a tracker may bridge them or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

VISIBLE = 0.3  # share of the body from which somebody must be boxed
BRIDGED_S = 1.0  # seconds of hiding that count neither way
HALF = 0.5  # IoU from which a box follows somebody
SETTLED_S = 0.4  # seconds for which a box must follow somebody to count as following them


@dataclass(frozen=True)
class Truth:
    """What is true of a clip of T frames and P people.

    boxes_xyxy: of what is seen of each (P, T, 4), in any one unit; NaN where nothing is. full_boxes_xyxy: of all of
    them, what others hide too. visible: share (P, T), 0 where out of view. cuts: first frames of new takes.
    """

    boxes_xyxy: np.ndarray
    full_boxes_xyxy: np.ndarray
    visible: np.ndarray
    fps: float
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Followed:
    """How one person was followed in one clip.

    iou: mean over the frames that count; NaN where none does. recall: share of the frames with the person in view in
    which the box has half of them. superfluous: share of the counted frames with a box and nobody seen. switches: times
    that the box settled on somebody else. fragments: times that following broke off and began again.
    """

    iou: float
    recall: float
    superfluous: float
    switches: int
    fragments: int
    frames: int


def follow_score(truth: Truth, person: int, track: Mapping[int, np.ndarray]) -> Followed:
    """Score one track against one person.

    Args:
        truth: Of the clip.
        person: Who is meant, a row of ``truth``.
        track: Boxes xyxy (4,) by frame number, in the unit of the truth; frames without a box are absent.

    Raises:
        ValueError: If the person or a frame is not in the clip.
    """
    people, frames = truth.visible.shape
    if not 0 <= person < people:
        raise ValueError(f"there is no person {person}; the clip has {people}, counted from 0")
    if any(not 0 <= n < frames for n in track):
        raise ValueError(f"the track has boxes outside of frames 0 to {frames - 1}")
    given = np.full((frames, 4), np.nan)
    for n, box in track.items():
        given[n] = box
    boxed = np.isfinite(given).all(1)
    overlap = _ious(truth.boxes_xyxy, given)
    seen = (truth.visible[person] >= VISIBLE) & np.isfinite(truth.boxes_xyxy[person]).all(1)
    hidden = short_gaps(seen, round(BRIDGED_S * truth.fps), truth.cuts)
    counted = (seen | boxed) & ~hidden
    mine = overlap[person]
    right = seen & (mine >= HALF)
    nobody = counted & boxed & ~np.isfinite(truth.boxes_xyxy[person]).all(1)
    total = int(counted.sum())
    return Followed(
        float(mine[counted].mean()) if total else float("nan"),
        float(right.sum() / seen.sum()) if seen.any() else float("nan"),
        float(nobody.sum() / total) if total else 0.0,
        switches(settled(truth, person, given, hidden), person, truth.cuts),
        _fragments(seen, right),
        total,
    )


def _ious(boxes: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Overlap of each person's boxes (P, T, 4) with the given one (T, 4); 0 where either is missing."""
    low, high = np.maximum(boxes[..., :2], given[:, :2]), np.minimum(boxes[..., 2:], given[:, 2:])
    shared = np.maximum(high - low, 0).prod(-1)
    sizes = [(b[..., 2:] - b[..., :2]).prod(-1) for b in (boxes, given)]
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(shared / (sizes[0] + sizes[1] - shared), nan=0.0)


def short_gaps(seen: np.ndarray, longest: int, cuts: tuple[int, ...] = ()) -> np.ndarray:
    """Frames (T,) of absences of at most ``longest`` frames, between frames of presence of one take."""
    out = np.zeros(len(seen), bool)
    at = np.flatnonzero(seen)
    for a, b in pairwise(at):
        if 1 < b - a <= longest + 1 and not any(a < cut <= b for cut in cuts):
            out[a + 1 : b] = True
    return out


def settled(truth: Truth, person: int, given: np.ndarray, hidden: np.ndarray) -> list[tuple[int, int]]:
    """Whom a box (T, 4), NaN where there is none, settled on: one entry a stretch, (who, its first frame).

    A box that has half of the meant person, as seen or as a whole, is theirs: while two overlap nobody can tell whose
    it is, and it shows when they part. Frames in which the meant person is hidden for a moment are passed over. A
    stretch ends where a take does.
    """
    overlap = _ious(truth.boxes_xyxy, given)
    who = np.where(overlap.max(0) >= HALF, overlap.argmax(0), -1)
    seen = truth.visible[person] > 0
    whole = _ious(truth.full_boxes_xyxy[person : person + 1], given)[0]
    who[(overlap[person] >= HALF) | (seen & (whole >= HALF))] = person
    least, out = round(SETTLED_S * truth.fps), []
    take = np.searchsorted(truth.cuts, np.arange(len(who)), side="right")
    run, start, length = -1, 0, 0
    frames = [n for n in range(len(who)) if not hidden[n]]
    for n in [*frames, len(who)]:
        now = int(who[n]) if n < len(who) else -1
        if now != run or take[min(n, len(who) - 1)] != take[start]:
            if run >= 0 and length >= least:
                out.append((run, start))
            run, start, length = now, n, 0
        length += 1
    return out


def switches(stretches: list[tuple[int, int]], person: int, cuts: tuple[int, ...]) -> int:
    """How often the box went over to somebody else.

    Within a take, from anybody to anybody else. Across a cut, only from the meant person to another: that a wrong
    choice changes with the picture is no switch.
    """
    count = 0
    for (before, began), (who, start) in pairwise(stretches):
        across = any(began < cut <= start for cut in cuts)
        count += who != before and (not across or before == person)
    return count


def _fragments(seen: np.ndarray, right: np.ndarray) -> int:
    """How often following broke off and began again while the person was in view."""
    on = right[seen]
    ends = np.flatnonzero(on[:-1] & ~on[1:])
    return int(sum(on[n + 1 :].any() for n in ends))
