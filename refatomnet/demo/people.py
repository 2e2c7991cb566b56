"""The people a sentence could have meant instead: candidates of the key frames joined to persons, shown as crops."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refatomnet.demo.plots import clock, iou, message_html, percent
from refatomnet.demo.strip import picture_uri
from refatomnet.types import Box, KeyFrame, Query, VideoInfo

SHOWN = 6
SAME_PERSON = 0.25  # overlap (IoU) of boxes on neighbouring key frames from which they are one person's
SAME_BOX = 0.45  # overlap on one key frame from which two candidates, or a candidate and the answer, are one person
GAP = 2  # key frames that a person may be missing from and still be the same
CROP_PX = 200
MARGIN = 0.12


@dataclass(frozen=True)
class Person:
    """Somebody seen on one or more key frames.

    key, candidate: Where the sentence fits them best, as ``follow`` counts. score: the probability there that the
    sentence means them. seen: on how many key frames.
    """

    key: int
    candidate: int
    score: float
    box_xyxy: Box
    seen: int


@dataclass
class _Trail:
    """A person while the key frames are gone through: sightings (key, candidate, box, score, whether answered)."""

    sightings: list[tuple[int, int, Box, float, bool]]

    @property
    def is_answer(self) -> bool:
        return 2 * sum(taken for *_, taken in self.sightings) >= len(self.sightings)


def distinct(key: KeyFrame) -> dict[int, bool]:
    """The candidates of a key frame without those that are somebody's second box; whether each is the person answered.

    The answer's own box comes first, then the candidates from the likeliest on.
    """
    order = sorted(range(len(key.candidates)), key=lambda c: -key.candidates[c].score)
    if key.box_xyxy is not None:
        overlaps = [iou(key.box_xyxy, candidate.box_xyxy) for candidate in key.candidates]
        order.sort(key=lambda c: overlaps[c] < max(overlaps))
    kept: dict[int, bool] = {}
    for c in order:
        box = key.candidates[c].box_xyxy
        if all(iou(box, key.candidates[other].box_xyxy) < SAME_BOX for other in kept):
            kept[c] = not kept and key.box_xyxy is not None and iou(box, key.box_xyxy) >= SAME_BOX
    return kept


def runners_up(query: Query) -> list[Person]:
    """Everybody but the person answered, one entry a person, the likeliest first, at most SHOWN.

    Of candidates that overlap on a key frame the likeliest stands for all. Boxes of neighbouring key frames are joined
    by overlap, the best pairs first. Whoever is the answer on at least half of their key frames is left out.
    """
    trails: list[_Trail] = []
    for k, key in enumerate(query.keyframes):
        here = distinct(key)
        open_trails = [trail for trail in trails if k - trail.sightings[-1][0] <= GAP]
        pairs = sorted(
            (
                (iou(trail.sightings[-1][2], key.candidates[c].box_xyxy), t, c)
                for t, trail in enumerate(open_trails)
                for c in here
            ),
            key=lambda pair: -pair[0],
        )
        partner: dict[int, int] = {}
        for overlap, t, c in pairs:
            if overlap >= SAME_PERSON and c not in partner and t not in partner.values():
                partner[c] = t
        for c, taken in here.items():
            candidate = key.candidates[c]
            sighting = (k, c, candidate.box_xyxy, candidate.score, taken)
            if c in partner:
                open_trails[partner[c]].sightings.append(sighting)
            else:
                trails.append(_Trail([sighting]))
    people = []
    for trail in trails:
        if not trail.is_answer:
            k, c, box, score, _ = max(trail.sightings, key=lambda sighting: sighting[3])
            people.append(Person(k, c, score, box, len(trail.sightings)))
    return sorted(people, key=lambda person: -person.score)[:SHOWN]


def crop(picture: np.ndarray, box_xyxy: Box, video: VideoInfo) -> np.ndarray:
    """The part of a picture, of any scale, around a box in pixels of the full frame, with a margin; never empty."""
    height, width = picture.shape[:2]
    across, down = width / video.width, height / video.height
    x1, y1, x2, y2 = box_xyxy[0] * across, box_xyxy[1] * down, box_xyxy[2] * across, box_xyxy[3] * down
    margin = MARGIN * max(x2 - x1, y2 - y1)
    left, top = max(0, min(int(x1 - margin), width - 1)), max(0, min(int(y1 - margin), height - 1))
    right, bottom = min(width, max(left + 1, round(x2 + margin))), min(height, max(top + 1, round(y2 + margin)))
    return picture[top:bottom, left:right]


def people_html(
    query: Query, pictures: Sequence[np.ndarray], video: VideoInfo, *, switched: bool = False, note: str = ""
) -> str:
    """The runners-up as buttons with crops; the way back where the visitor picked somebody."""
    people = runners_up(query)
    back = "<button type='button' class='back' data-back='1'>Back to the first answer</button>" if switched else ""
    said = message_html(note, "problem") if note else ""
    title = "Somebody else?" if query.found else "The closest people"
    if not people:
        nobody = "Nobody else was seen on the key frames." if query.found else "No people were seen on the key frames."
        return f"<section class='people'>{said}{back}<p class='small'>{nobody}</p></section>"
    explained = (
        "Pick a person to see their answer instead. The number tells how likely the sentence means them."
        if query.found
        else "Nobody fits well enough, but these fit best. Pick one to follow them all the same."
    )
    cards = "".join(_person_html(person, query, pictures, video) for person in people)
    return (
        f"<section class='people' aria-label='{title}'>{said}{back}<p class='lead'><b>{title}</b> {explained}</p>"
        f"<ul>{cards}</ul></section>"
    )


def _person_html(person: Person, query: Query, pictures: Sequence[np.ndarray], video: VideoInfo) -> str:
    time = query.keyframes[person.key].time
    middle = (person.box_xyxy[0] + person.box_xyxy[2]) / 2 / video.width
    side = "at the left" if middle < 1 / 3 else "at the right" if middle > 2 / 3 else "in the middle"
    if person.key < len(pictures):
        cut = crop(pictures[person.key], person.box_xyxy, video)
        shown = f"<img src='{picture_uri(cut, CROP_PX)}' alt=''>"
    else:
        shown = "<em>no picture</em>"
    score = percent(person.score) if person.score >= 0.01 else "under 1 %"
    label = html.escape(f"Follow the person {side} at {clock(time)} instead, {score}", quote=True)
    return (
        f"<li><button type='button' data-key='{person.key}' data-candidate='{person.candidate}' aria-label='{label}'>"
        f"<span class='crop'>{shown}</span><b>{score}</b><span>{side}, {clock(time)}</span></button></li>"
    )
