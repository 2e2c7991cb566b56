"""Calibration: from logits to probabilities that mean what they say, fitted on val and stored in the checkpoint."""

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from training.metrics import calibration_error

HELD = 20.0  # pseudo-observations that hold a class to the common fit: rare classes stay near it
FLAT = 0.05  # balanced accuracy that the threshold may lose to find more people


def platt(logits: np.ndarray, parameters: dict[str, Any]) -> np.ndarray:
    """Calibrated probabilities: sigmoid(scale · logit + bias), one scale and bias for all or one a column."""
    return 1 / (1 + np.exp(-(np.asarray(parameters["scale"]) * logits + np.asarray(parameters["bias"]))))


def fit_calibration(
    actions: np.ndarray, labels: np.ndarray, presence: np.ndarray, present: np.ndarray, clips: np.ndarray
) -> dict[str, Any]:
    """Platt scaling (Platt, 1999) of action logits, a class at a time, and of presence, and the presence threshold.

    Args:
        actions: Logits [n, A]. labels: 0 or 1 [n, A]. Rows with nobody described teach no actions.
        presence: Logits [n]. present: whether the described person is in view [n].
        clips: Which clip each record is of [n].

    Returns:
        ``actions`` (lists of scale and bias by class), ``presence``, the ``threshold`` (half where every sentence fits
        somebody, as in RefAVA++: nothing can be learnt of absence then), and ``ece``, the expected calibration error of
        the actions before and after; "after" is measured on clips that were left out of the fit, half of them at a
        time. The threshold is the lowest whose balanced accuracy is within ``FLAT`` of the best one's: most sentences
        that people ask with fit somebody, so that of what balances both, the side that finds more of them is taken. Of
        those that find as many, it is the highest.
    """
    fitted = fit_platt(presence, present)
    threshold = 0.5
    if present.any() and not present.all():
        said = platt(presence, fitted)
        levels = np.quantile(said, np.linspace(0.01, 0.99, 99))
        there = np.array([(said >= t)[present].mean() for t in levels])
        balanced = (there + np.array([(said < t)[~present].mean() for t in levels])) / 2
        near = balanced >= balanced.max() - FLAT
        threshold = float(levels[near & (there == there[near].max())].max())
    logits, truth = actions[present], labels[present]
    first = clips[present] % 2 == 0
    after = [
        calibration_error(platt(logits[out], _fit_by_class(logits[~out], truth[~out])), truth[out])
        for out in (first, ~first)
        if out.any() and not out.all()
    ]
    before = calibration_error(1 / (1 + np.exp(-logits)), truth)
    return {
        "actions": _fit_by_class(logits, truth),
        "presence": fitted,
        "threshold": threshold,
        "ece": {"before": before, "after": float(np.mean(after)) if after else None},
    }


def fit_platt(logits: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Scale and bias of one logistic regression on logits [n] of truths [n]; 1 and 0 where all truths are alike."""
    if truth.all() or not truth.any():
        return {"scale": 1.0, "bias": 0.0}
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=1e6).fit(logits.reshape(-1, 1), truth.astype(int))
    return {"scale": float(fit.coef_[0, 0]), "bias": float(fit.intercept_[0])}


def _fit_by_class(logits: np.ndarray, labels: np.ndarray) -> dict[str, list[float]]:
    """A scale and a bias a class, around the common ones: how far it strays is held by ``HELD`` pseudo-observations."""
    common = fit_platt(logits.ravel(), labels.ravel())
    x = torch.from_numpy(common["scale"] * logits.astype(np.float64) + common["bias"])
    y = torch.from_numpy(labels.astype(np.float64))
    stray = torch.zeros(2, x.shape[1], dtype=torch.float64, requires_grad=True)  # of the scale's logarithm, of the bias
    optimizer = torch.optim.LBFGS([stray], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        said = x * stray[0].exp() + stray[1]
        value = functional.binary_cross_entropy_with_logits(said, y, reduction="sum")
        value = value + HELD / 2 * stray.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    scale, shift = stray.detach()[0].exp(), stray.detach()[1]
    return {"scale": (common["scale"] * scale).tolist(), "bias": (common["bias"] * scale + shift).tolist()}
