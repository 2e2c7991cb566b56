"""A record's ground truth beside the model's answer: the figures, and how the page shows them."""

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from refatomnet.actions import Action, action
from refatomnet.demo.library import QUALITY
from refatomnet.demo.plots import data_address, iou, place_css
from refatomnet.records import Record
from refatomnet.types import KeyFrame, Result

if TYPE_CHECKING:
    from refatomnet.demo.playing import Playable

HIT_IOU = 0.5
HIT, MISSED, EXTRA = "hit", "missed", "extra"
SIGNS = {HIT: "✓", MISSED: "✗", EXTRA: "+"}
Fractions = tuple[float, float, float, float]


@dataclass(frozen=True)
class Row:
    """One action of truth or answer; ``score`` is the model's, None where it boxed nobody."""

    action: Action
    verdict: str
    score: float | None


@dataclass(frozen=True)
class Comparison:
    """Truth and answer at a record's key frame.

    box_xyxy: The answer's, in fractions of the frame; None where it found nobody. iou: Overlap of the two boxes, None
    where neither has any, 0 where one has. threshold: Score from which an action counts as answered.
    """

    record: Record
    key: KeyFrame
    box_xyxy: Fractions | None
    iou: float | None
    rows: tuple[Row, ...]
    threshold: float

    @property
    def right(self) -> bool:
        """Whether the right person was boxed, or rightly nobody."""
        return self.iou is None or self.iou >= HIT_IOU

    def count(self, verdict: str) -> int:
        """Number of actions with a verdict."""
        return sum(row.verdict == verdict for row in self.rows)


def compare(record: Record, result: Result, time: float) -> Comparison:
    """Hold a result, asked for all 80 actions, against a record.

    Args:
        record: The truth.
        result: The answer to its sentence.
        time: Seconds of the record's key frame in the result's video; the nearest key frame is compared.
    """
    from refatomnet.predictor import ACTION_THRESHOLD

    (query,) = result.queries
    key = min(query.keyframes, key=lambda entry: abs(entry.time - time))
    box, overlap = None, None
    if key.box_xyxy is not None:
        width, height = result.video.width, result.video.height
        x1, y1, x2, y2 = key.box_xyxy
        box = (x1 / width, y1 / height, x2 / width, y2 / height)
    if box or record.box_xyxy:
        overlap = iou(box, record.box_xyxy) if box and record.box_xyxy else 0.0
    scores = {entry.action.id: entry.score for entry in key.actions}
    answered = {i for i, score in scores.items() if score >= ACTION_THRESHOLD}
    told = [(i, HIT if i in answered else MISSED) for i in record.actions]
    told += [(i, EXTRA) for i in answered.difference(record.actions)]
    order = sorted(told, key=lambda entry: (list(SIGNS).index(entry[1]), -scores.get(entry[0], 0.0), entry[0]))
    rows = tuple(Row(action(i), verdict, scores.get(i)) for i, verdict in order)
    return Comparison(record, key, box, overlap, rows, ACTION_THRESHOLD)


def verdict(found: Comparison) -> str:
    """The outcome in a sentence."""
    presence = f"presence {100 * found.key.presence:.0f} %"
    if found.record.box_xyxy is None:
        if found.box_xyxy is None:
            return f"Right: the sentence fits nobody, and the model says so ({presence})."
        return f"Wrong: the sentence fits nobody, but the model boxed somebody ({presence})."
    if found.box_xyxy is None:
        return f"Missed: somebody fits the sentence, but the model says nobody does ({presence})."
    overlap = f"the boxes overlap with IoU {found.iou:.2f}"
    if found.right:
        return f"Right person: {overlap}."
    return f"Wrong person or place: {overlap}, less than {HIT_IOU}."


# ---- on the page --------------------------------------------------------------------------------------------------
def pair_html(record: Record, shown: "Playable", found: Comparison | None) -> str:
    """The key frame twice: with the truth, and with the answer where there is one."""
    from PIL import Image

    address = data_address(Image.fromarray(shown.picture), QUALITY)
    truth = _box(record.box_xyxy, "truth")
    nobody = "The sentence fits nobody." if record.box_xyxy is None else ""
    left = _figure("Ground truth", address, truth, nobody, "Key frame with the described person boxed")
    if found is None:
        return f"<div class='pair one'>{left}</div>"
    said = "" if found.box_xyxy else "Nobody, says the model."
    boxes = _box(record.box_xyxy, "truth faint") + _box(found.box_xyxy, "answer")
    note = "" if found.iou is None else f" <span class='iou'>IoU {found.iou:.2f}</span>"
    right = _figure(f"The model’s answer{note}", address, boxes, said, "Key frame with the answered person boxed")
    return f"<div class='pair'>{left}{right}</div>"


def comparison_html(found: Comparison) -> str:
    """The outcome, and the actions one by one."""
    kind = "right" if found.right else "wrong"
    said = f"<p class='outcome {kind}' role='status'>{html.escape(verdict(found))}</p>"
    if not found.rows:
        return f"{said}<p class='subtle'>There are no actions to compare.</p>"
    counts = ", ".join(f"{found.count(name)} {name}" for name in SIGNS)
    rows = "".join(
        f"<tr class='{row.verdict}'><th scope='row'>{html.escape(row.action.name)}</th>"
        f"<td>{'–' if row.score is None else f'{100 * row.score:.0f} %'}</td>"
        f"<td><span class='sign' aria-hidden='true'>{SIGNS[row.verdict]}</span> {row.verdict}</td></tr>"
        for row in found.rows
    )
    return (
        f"{said}<table class='verdicts'><caption>Actions: {counts}</caption>"
        "<thead><tr><th scope='col'>Action</th><th scope='col'>Score</th><th scope='col'>Verdict</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        f"<p class='subtle'>An action counts as answered from a score of {100 * found.threshold:.0f} % at the key "
        "frame, as for the segments of the Ask tab. <b>Hit</b>: true and answered; <b>missed</b>: true, not "
        "answered; <b>extra</b>: answered, not true.</p>"
    )


def _figure(caption: str, address: str, boxes: str, said: str, alt: str) -> str:
    note = f"<span class='nobody'>{html.escape(said)}</span>" if said else ""
    return (
        f"<figure><figcaption>{caption}</figcaption><div class='shot'><img src='{address}' alt='{html.escape(alt)}'>"
        f"{boxes}{note}</div></figure>"
    )


def _box(box_xyxy: Fractions | None, kind: str) -> str:
    if box_xyxy is None or not all(map(math.isfinite, box_xyxy)):
        return ""
    return f"<i class='box {kind}' style='{place_css(*box_xyxy)}'></i>"
