"""Scores of referring atomic video action recognition; per class by scikit-learn, averaged as the task does.

All results are fractions in [0, 1]; NaN where a score has no meaning, such as AUROC when all labels are alike.
What cannot be scored at all, such as no records, is refused.
"""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from refatomnet.actions import ACTIONS
from refatomnet.boxes import iou, pairwise_iou


def box_ious(predicted_xyxy: np.ndarray, true_xyxy: np.ndarray) -> np.ndarray:
    """IoU of corresponding boxes [n, 4]; a box may be empty, then it overlaps nothing.

    Raises:
        ValueError: If shapes differ, a value is not finite, or a corner lies beyond its opposite.
    """
    if predicted_xyxy.shape != true_xyxy.shape:
        raise ValueError(f"boxes must both be [n, 4], got {predicted_xyxy.shape} and {true_xyxy.shape}")
    _check_boxes(predicted_xyxy)
    _check_boxes(true_xyxy)
    return iou(torch.from_numpy(predicted_xyxy), torch.from_numpy(true_xyxy)).numpy()


def per_class(scores: np.ndarray, labels: np.ndarray) -> dict[int, dict[str, float]]:
    """Average precision, AUROC and support of every class with a positive, by AVA id.

    Args:
        scores: Any monotone score [n, 80].
        labels: 0 or 1 [n, 80].

    Raises:
        ValueError: If shapes differ, there are no records, a score is not finite, or a label is neither 0 nor 1.
    """
    _check_actions(scores, labels)
    _check_scores(scores, labels)
    table = {}
    for column in np.flatnonzero(labels.any(0)):
        truth, score = labels[:, column], scores[:, column]
        entry = {"ap": float(average_precision_score(truth, score)), "support": int(truth.sum())}
        if not truth.all():  # AUROC needs a negative as well
            entry["auroc"] = float(roc_auc_score(truth, score))
        table[int(column) + 1] = entry
    return table


def average(table: dict[int, dict[str, float]], key: str, *, weighted: bool) -> float:
    """Mean of one score over the classes that have it, by support or plainly; NaN without any class."""
    rows = [(entry[key], entry["support"] if weighted else 1.0) for entry in table.values() if key in entry]
    if not rows:
        return float("nan")
    values, weights = np.array(rows, dtype=float).T
    return float((values * weights).sum() / weights.sum())


def action_scores(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """mAP and AUROC, weighted by support and macro, over classes with a positive; raises as :func:`per_class`."""
    table = per_class(scores, labels)
    return {
        "map_weighted": average(table, "ap", weighted=True),
        "map_macro": average(table, "ap", weighted=False),
        "auroc_weighted": average(table, "auroc", weighted=True),
        "auroc_macro": average(table, "auroc", weighted=False),
    }


def presence_auroc(logits: np.ndarray, present: np.ndarray) -> float:
    """AUROC of "somebody here fits" [n]; NaN when all or none are present.

    Raises:
        ValueError: If shapes differ, there are no records, a logit is not finite, or a label is neither 0 nor 1.
    """
    _check_scores(logits, present)
    return float("nan") if present.all() or not present.any() else float(roc_auc_score(present, logits))


def calibration_error(probabilities: np.ndarray, truths: np.ndarray, *, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins of probability (Naeini et al., 2015), of any shape.

    A probability on the border of two bins belongs to the upper one.

    Raises:
        ValueError: If shapes differ, there is nothing, a value is no probability, or a truth is neither 0 nor 1.
    """
    _check_scores(probabilities, truths)
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must lie in [0, 1]; make them from logits first")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    edge = np.minimum((probabilities * bins).astype(int), bins - 1).ravel()
    flat, truth = probabilities.ravel(), truths.ravel().astype(float)
    gap = np.abs(np.bincount(edge, flat, bins) - np.bincount(edge, truth, bins))
    return float(gap.sum() / flat.size)


def frame_average_precision(
    boxes_xyxy: np.ndarray,
    scores: np.ndarray,
    frames: np.ndarray,
    true_xyxy: np.ndarray,
    labels: np.ndarray,
    true_frames: np.ndarray,
    *,
    threshold: float = 0.5,
) -> dict[int, dict[str, float]]:
    """AVA's frame-level average precision and support of every class with a true box, by AVA id.

    As AVA's evaluation does (Gu et al., 2018): the detections of a class are taken by falling score, equal ones as they
    come; each stands for the true box of that class in its frame that it overlaps most, and is right if their IoU
    reaches the threshold and no detection before it was right about that box. Average precision is the area under the
    curve of precision over recall with precision made never to fall towards lower recall, at all points of the curve
    (PASCAL VOC since 2010), not at eleven of them, and not scikit-learn's, which does not interpolate.

    Args:
        boxes_xyxy: Detected boxes [d, 4]; each is a detection of every class.
        scores: Any monotone score [d, 80].
        frames: Number of each detection's key frame [d].
        true_xyxy: Boxes of all people of the key frames [n, 4].
        labels: Their actions, 0 or 1 [n, 80].
        true_frames: Numbers of their key frames [n].
        threshold: Least IoU of a detection that is right.

    Raises:
        ValueError: If shapes do not fit, nobody is there, a value is not finite, or a label is neither 0 nor 1.
    """
    _check_boxes(boxes_xyxy)
    _check_boxes(true_xyxy)
    _check_actions(scores, labels)
    if not len(boxes_xyxy) == len(scores) == len(frames) or not len(true_xyxy) == len(labels) == len(true_frames):
        raise ValueError(
            "boxes, scores and frames must be of as many detections, and true boxes, labels and true frames of as many "
            f"people, got {len(boxes_xyxy)}, {len(scores)}, {len(frames)} and "
            f"{len(true_xyxy)}, {len(labels)}, {len(true_frames)}"
        )
    _check_finite(scores)
    _check_labels(labels)
    right = np.zeros(scores.shape, dtype=bool)
    for frame in np.intersect1d(frames, true_frames):
        found, there = np.flatnonzero(frames == frame), np.flatnonzero(true_frames == frame)
        overlap = pairwise_iou(torch.from_numpy(boxes_xyxy[found]), torch.from_numpy(true_xyxy[there])).numpy()
        for column in np.flatnonzero(labels[there].any(0)):
            mine = overlap[:, labels[there, column] == 1]
            order = _falling(scores[found, column])
            hits = order[mine.max(1)[order] >= threshold]
            _, first = np.unique(mine.argmax(1)[hits], return_index=True)
            right[found[hits[first]], column] = True
    table = {}
    for column in np.flatnonzero(labels.any(0)):
        hits = right[_falling(scores[:, column]), column]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
        support = int(labels[:, column].sum())
        table[int(column) + 1] = {"ap": float(best_from_here[hits].sum() / support), "support": support}
    return table


def bootstrap(
    statistic: Callable[[np.ndarray], dict[str, float]], groups: np.ndarray, *, times: int = 200, seed: int = 0
) -> dict[str, list[float]]:
    """95 % intervals of statistics of record indices, resampling whole clips, whose records are not independent.

    Args:
        statistic: From record indices to named scores; NaN ones are left out.
        groups: Clip number of each record [n].
        times: Number of draws.
        seed: Of the draws; the same one gives the same intervals.

    Raises:
        ValueError: If there are no records or no draws.
    """
    if groups.ndim != 1 or not len(groups) or times < 1:
        raise ValueError(f"a bootstrap needs the clips of records [n] and a draw, got {groups.shape} and {times} draws")
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = []
    for _ in range(times):
        picks = rng.integers(len(members), size=len(members))
        draws.append(statistic(np.concatenate([members[i] for i in picks])))
    return {name: _interval(np.array([draw[name] for draw in draws])) for name in draws[0]}


def _interval(values: np.ndarray) -> list[float]:
    known = values[~np.isnan(values)]
    return [float(v) for v in np.percentile(known, [2.5, 97.5])] if len(known) else [float("nan")] * 2


def _falling(scores: np.ndarray) -> np.ndarray:
    """Order of falling scores, equal ones as they come."""
    return np.argsort(-scores, kind="stable")


# ---- what is refused ----------------------------------------------------------------------------------------------
def _check_boxes(box_xyxy: np.ndarray) -> None:
    if box_xyxy.ndim != 2 or box_xyxy.shape[1] != 4:
        raise ValueError(f"boxes must be [n, 4], got {box_xyxy.shape}")
    if not np.isfinite(box_xyxy).all():
        raise ValueError("boxes hold values that are not finite")
    if (box_xyxy[:, :2] > box_xyxy[:, 2:]).any():
        raise ValueError("boxes must be corners with x1 <= x2 and y1 <= y2; are they centres and sizes?")


def _check_actions(scores: np.ndarray, labels: np.ndarray) -> None:
    for array in (scores, labels):
        if array.ndim != 2 or array.shape[1] != len(ACTIONS):
            raise ValueError(f"scores and labels must be [n, {len(ACTIONS)}], got {scores.shape} and {labels.shape}")


def _check_scores(scores: np.ndarray, labels: np.ndarray) -> None:
    if scores.shape != labels.shape:
        raise ValueError(f"scores and labels must be of one shape, got {scores.shape} and {labels.shape}")
    _check_finite(scores)
    _check_labels(labels)


def _check_finite(scores: np.ndarray) -> None:
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")


def _check_labels(labels: np.ndarray) -> None:
    if not labels.size:
        raise ValueError("there are no records; nothing can be measured")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
