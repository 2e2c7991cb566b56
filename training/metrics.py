"""Scores of referring atomic video action recognition; per class by scikit-learn, averaged as the task does.

All results are fractions in [0, 1].
"""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from refatomnet.actions import ACTIONS
from refatomnet.boxes import iou


def box_ious(predicted_xyxy: np.ndarray, true_xyxy: np.ndarray) -> np.ndarray:
    """IoU of corresponding boxes [n, 4].

    Raises:
        ValueError: If shapes differ or a value is not finite.
    """
    if predicted_xyxy.shape != true_xyxy.shape or predicted_xyxy.shape[-1:] != (4,):
        raise ValueError(f"boxes must both be [n, 4], got {predicted_xyxy.shape} and {true_xyxy.shape}")
    if not (np.isfinite(predicted_xyxy).all() and np.isfinite(true_xyxy).all()):
        raise ValueError("boxes hold values that are not finite")
    return iou(torch.from_numpy(predicted_xyxy), torch.from_numpy(true_xyxy)).numpy()


def per_class(scores: np.ndarray, labels: np.ndarray) -> dict[int, dict[str, float]]:
    """Average precision, AUROC and support of every class with a positive, by AVA id.

    Args:
        scores: Any monotone score [n, 80].
        labels: 0 or 1 [n, 80].

    Raises:
        ValueError: If shapes differ, a score is not finite, or a label is neither 0 nor 1.
    """
    if scores.shape != labels.shape or scores.ndim != 2 or scores.shape[1] != len(ACTIONS):
        raise ValueError(f"scores and labels must both be [n, {len(ACTIONS)}], got {scores.shape} and {labels.shape}")
    if not np.isfinite(scores).all() or not np.isin(labels, (0, 1)).all():
        raise ValueError("scores must be finite and labels 0 or 1")
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
    """mAP and AUROC, weighted by support and macro, over classes with a positive."""
    table = per_class(scores, labels)
    return {
        "map_weighted": average(table, "ap", weighted=True),
        "map_macro": average(table, "ap", weighted=False),
        "auroc_weighted": average(table, "auroc", weighted=True),
        "auroc_macro": average(table, "auroc", weighted=False),
    }


def presence_auroc(logits: np.ndarray, present: np.ndarray) -> float:
    """AUROC of "somebody here fits"; NaN when all or none are present."""
    return float("nan") if present.all() or not present.any() else float(roc_auc_score(present, logits))


def calibration_error(probabilities: np.ndarray, truths: np.ndarray, *, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins of probability."""
    edge = np.minimum((probabilities * bins).astype(int), bins - 1).ravel()
    flat, truth = probabilities.ravel(), truths.ravel().astype(float)
    count = np.bincount(edge, minlength=bins)
    gap = np.abs(np.bincount(edge, flat, bins) - np.bincount(edge, truth, bins))
    return float(gap.sum() / max(1, count.sum()))


def bootstrap(
    statistic: Callable[[np.ndarray], dict[str, float]], groups: np.ndarray, *, times: int = 200, seed: int = 0
) -> dict[str, list[float]]:
    """95 % intervals of statistics of record indices, resampling whole clips, whose records are not independent.

    Args:
        statistic: From record indices to named scores.
        groups: Clip number of each record [n].
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = []
    for _ in range(times):
        picks = rng.integers(len(members), size=len(members))
        draws.append(statistic(np.concatenate([members[i] for i in picks])))
    return {
        name: [float(v) for v in np.nanpercentile([draw[name] for draw in draws], [2.5, 97.5])] for name in draws[0]
    }
