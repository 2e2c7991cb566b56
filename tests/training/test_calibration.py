"""Calibration against data whose making is known."""

import json

import numpy as np
import pytest

from training.calibration import FLAT, fit_calibration, fit_platt, platt
from training.metrics import calibration_error


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def made(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels of three classes, each with a scale and a bias of its own; the last is rare."""
    logits = rng.normal(scale=2.0, size=(count, 3)) - np.array([0, 0, 4.0])
    labels = rng.random((count, 3)) < sigmoid(np.array([0.5, 1.5, 1.0]) * logits + np.array([-1.0, 0.5, 0.0]))
    return logits, labels.astype(int)


def test_platt_finds_what_made_the_data() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2.0, size=40_000)
    found = fit_platt(logits, rng.random(40_000) < sigmoid(0.5 * logits - 1.0))
    assert found["scale"] == pytest.approx(0.5, abs=0.03) and found["bias"] == pytest.approx(-1.0, abs=0.05)
    assert platt(np.array([2.0]), found) == pytest.approx(0.5, abs=0.02)
    assert platt(np.array([2.0]), {"scale": 1.0, "bias": -2.0})[0] == 0.5


def test_every_class_gets_its_own_scale_and_bias() -> None:
    rng = np.random.default_rng(0)
    logits, labels = made(rng, 20_000)
    presence, present = rng.normal(size=20_000), rng.random(20_000) < 2
    present[:10] = False
    found = fit_calibration(logits, labels, presence, present, np.arange(20_000) // 5)
    assert found["actions"]["scale"][:2] == pytest.approx([0.5, 1.5], abs=0.08)
    assert found["actions"]["bias"][:2] == pytest.approx([-1.0, 0.5], abs=0.08)
    fresh, truth = made(rng, 20_000)
    before, after = (calibration_error(said, truth) for said in (sigmoid(fresh), platt(fresh, found["actions"])))
    assert after < 0.02 < before
    assert found["ece"]["before"] == pytest.approx(before, abs=0.01)
    assert found["ece"]["after"] == pytest.approx(after, abs=0.01)
    json.dumps(found)


def test_a_class_seen_once_stays_near_the_common_fit() -> None:
    rng = np.random.default_rng(1)
    logits, labels = made(rng, 4_000)
    labels[:, 2] = 0
    labels[0, 2] = 1
    present = np.ones(4_000, bool)
    present[:5] = False
    found = fit_calibration(logits, labels, rng.normal(size=4_000), present, np.arange(4_000))
    common = fit_platt(logits[5:].ravel(), labels[5:].ravel())
    assert 0.3 < found["actions"]["scale"][2] / common["scale"] < 3
    assert platt(logits, found["actions"])[:, 2].mean() < 0.03


def test_the_threshold_finds_more_people_where_others_balance_little_better() -> None:
    rng = np.random.default_rng(0)
    logits, labels = made(rng, 3000)
    present = np.arange(3000) % 5 > 0
    presence = 1.5 * present + rng.normal(size=3000)
    found = fit_calibration(logits, labels, presence, present, np.arange(3000) // 3)
    said = platt(presence, found["presence"])

    def balanced(level: float) -> float:
        return float(((said >= level)[present].mean() + (said < level)[~present].mean()) / 2)

    best = max(said, key=balanced)
    assert balanced(best) - FLAT <= balanced(found["threshold"]) < balanced(best) - FLAT / 2
    assert (said >= found["threshold"])[present].mean() > (said >= best)[present].mean() + 0.05


def test_the_threshold_parts_present_from_absent() -> None:
    rng = np.random.default_rng(0)
    logits, labels = made(rng, 600)
    present = np.arange(600) % 4 > 0
    presence = np.where(present, 2.0, -1.0) + 0.1 * rng.normal(size=600)
    found = fit_calibration(logits, labels, presence, present, np.arange(600) // 3)
    said = platt(presence, found["presence"])
    assert ((said >= found["threshold"]) == present).all() and 0 < found["threshold"] < 1
