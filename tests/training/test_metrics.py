"""Scores against cases worked out by hand and against scikit-learn, class by class."""

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from training.metrics import (
    action_scores,
    average,
    bootstrap,
    box_ious,
    calibration_error,
    per_class,
    presence_auroc,
)


def columns(count: int, **given: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels [count, 80]: zero but for classes given as id="scores", by AVA id."""
    scores, labels = np.zeros((count, 80)), np.zeros((count, 80), dtype=int)
    for name, values in given.items():
        (scores if name[0] == "s" else labels)[:, int(name[1:]) - 1] = values
    return scores, labels


def test_average_precision_by_hand() -> None:
    # Ranked: right, wrong, right, wrong. Precisions at the right ones: 1 and 2/3.
    scores, labels = columns(4, s12=[0.9, 0.8, 0.7, 0.1], l12=[1, 0, 1, 0], s80=[1, 2, 3, 4], l80=[1, 0, 0, 0])
    table = per_class(scores, labels)
    assert set(table) == {12, 80}  # AVA ids, and only classes with a positive
    assert table[12]["ap"] == pytest.approx((1 + 2 / 3) / 2) and table[12]["support"] == 2
    assert table[12]["auroc"] == pytest.approx(3 / 4)
    assert table[80]["ap"] == pytest.approx(1 / 4) and table[80]["auroc"] == 0
    found = action_scores(scores, labels)
    assert found["map_macro"] == pytest.approx((5 / 6 + 1 / 4) / 2)
    assert found["map_weighted"] == pytest.approx((2 * 5 / 6 + 1 / 4) / 3)
    assert found["auroc_macro"] == pytest.approx(3 / 8) and found["auroc_weighted"] == pytest.approx(1 / 2)


def test_a_class_everybody_has_counts_for_precision_only() -> None:
    scores, labels = columns(3, s5=[1, 2, 3], l5=[1, 1, 1], s6=[3, 2, 1], l6=[1, 0, 0])
    table = per_class(scores, labels)
    assert table[5]["ap"] == 1 and "auroc" not in table[5]
    assert average(table, "auroc", weighted=True) == 1  # of class 6 alone
    assert average(table, "ap", weighted=False) == 1


def test_ties_are_no_luck() -> None:
    scores, labels = columns(4, l7=[1, 0, 0, 0])  # all scores equal
    assert per_class(scores, labels)[7] == {"ap": 0.25, "support": 1, "auroc": 0.5}


@pytest.mark.parametrize("seed", [0, 1])
def test_random_cases_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(50, 80)), (rng.random((50, 80)) < 0.1).astype(int)
    labels[:, 40:50] = 0
    used = labels.any(0)
    found = action_scores(scores, labels)
    for name, score in (("map", average_precision_score), ("auroc", roc_auc_score)):
        for kind in ("macro", "weighted"):
            expected = score(labels[:, used], scores[:, used], average=kind)
            assert found[f"{name}_{kind}"] == pytest.approx(expected)
    # Any monotone map of the scores is the same.
    assert action_scores(1 / (1 + np.exp(-scores)), labels) == pytest.approx(found)


def test_without_a_class_there_is_no_mean() -> None:
    assert math.isnan(action_scores(np.zeros((0, 80)), np.zeros((0, 80), dtype=int))["map_macro"])


def test_impossible_input_is_refused() -> None:
    scores, labels = np.zeros((3, 80)), np.zeros((3, 80), dtype=int)
    for wrong in ((scores[:, :60], labels[:, :60]), (scores[:2], labels), (scores[0], labels[0])):
        with pytest.raises(ValueError, match="80"):
            per_class(*wrong)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            per_class(np.full((3, 80), value), labels)
    with pytest.raises(ValueError, match="0 or 1"):
        per_class(scores, labels + 2)
    with pytest.raises(ValueError, match="0 or 1"):
        per_class(scores, labels + 0.5)


def test_box_overlaps_pair_row_by_row() -> None:
    predicted = np.float32([[0, 0, 0.2, 0.1], [0, 0, 0.1, 0.1], [0, 0, 0.4, 0.1]])
    true = np.float32([[0.1, 0, 0.3, 0.1], [0.5, 0.5, 0.6, 0.6], [0, 0, 0.4, 0.1]])
    assert box_ious(predicted, true) == pytest.approx([1 / 3, 0, 1], rel=1e-5)
    assert box_ious(predicted[:0], true[:0]).shape == (0,)
    for wrong in ((predicted, true[:2]), (predicted[:, :3], true[:, :3])):
        with pytest.raises(ValueError, match=r"\[n, 4\]"):
            box_ious(*wrong)
    with pytest.raises(ValueError, match="finite"):
        box_ious(predicted * np.nan, true)


def test_presence() -> None:
    present = np.array([True, False, True, False])
    assert presence_auroc(np.array([3.0, 2, 1, 0]), present) == 0.75
    assert math.isnan(presence_auroc(np.zeros(4), np.ones(4, bool)))
    assert math.isnan(presence_auroc(np.zeros(4), np.zeros(4, bool)))


def test_calibration_error_by_hand() -> None:
    said = np.array([0.8, 0.8, 0.8, 0.8, 0.3, 0.3])
    truth = np.array([1, 1, 1, 0, 0, 1])
    assert calibration_error(said, truth) == pytest.approx((4 * 0.05 + 2 * 0.2) / 6)
    assert calibration_error(np.array([1.0, 0.0]), np.array([1, 0])) == 0
    assert calibration_error(np.array([1.0, 0.0]), np.array([0, 1])) == 1


def test_the_bootstrap_draws_whole_clips() -> None:
    groups = np.array([0, 0, 0, 1, 2, 2])
    seen = []

    def statistic(rows: np.ndarray) -> dict[str, float]:
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[1] == counts[2] and counts[4] == counts[5]
        assert counts[0] + counts[3] + counts[4] == 3  # three clips each time
        seen.append(tuple(counts))
        return {"mean": float(rows.mean()), "fixed": 0.5, "unknown": float("nan") if counts[0] else 1.0}

    intervals = bootstrap(statistic, groups, times=50)
    assert len(seen) == 50 and len(set(seen)) > 5
    assert intervals["fixed"] == [0.5, 0.5] and intervals["unknown"] == [1.0, 1.0]
    low, high = intervals["mean"]
    assert 0 <= low < high <= 5
    assert bootstrap(statistic, groups, times=50) == intervals  # the same seed
