"""Scores against cases worked out by hand and against scikit-learn, class by class."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, jaccard_score, roc_auc_score

from training.metrics import (
    action_scores,
    average,
    bootstrap,
    box_ious,
    calibration_error,
    frame_average_precision,
    per_class,
    presence_auroc,
)


def columns(count: int, **given: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels [count, 80]: zero but for classes given as id="scores", by AVA id."""
    scores, labels = np.zeros((count, 80)), np.zeros((count, 80), dtype=int)
    for name, values in given.items():
        (scores if name[0] == "s" else labels)[:, int(name[1:]) - 1] = values
    return scores, labels


@st.composite
def random_case(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels [n, 80] with many ties, and classes that all, some or none have."""
    count, levels = draw(st.integers(2, 25)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = rng.integers(levels, size=(count, 80)) / levels
    if draw(st.booleans()):
        scores = scores.astype(np.float32)
    return scores, (
        rng.random((count, 80)) < rng.choice([0, 0.05, 0.5, 1], size=80, p=[0.82, 0.06, 0.06, 0.06])
    ).astype(int)


# ---- actions ------------------------------------------------------------------------------------------------------
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


def average_precision_plainly(truth: np.ndarray, score: np.ndarray) -> float:
    """Precision among those with at least its score, averaged over the positives."""
    return float(np.mean([truth[score >= own].mean() for own in score[truth == 1]]))


def auroc_plainly(truth: np.ndarray, score: np.ndarray) -> float:
    """How often a positive has more than a negative; half where they are level."""
    more = score[truth == 1][:, None] - score[truth == 0][None]
    return float(((more > 0) + 0.5 * (more == 0)).mean())


@settings(max_examples=20, deadline=None)
@given(random_case())
def test_random_cases_agree_with_scikit_learn_and_with_the_definitions(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, labels = case
    found, table = action_scores(scores, labels), per_class(scores, labels)
    some, varied = labels.any(0), labels.any(0) & ~labels.all(0)
    assert set(table) == {int(i) + 1 for i in np.flatnonzero(some)}
    for name, score, used in (("map", average_precision_score, some), ("auroc", roc_auc_score, varied)):
        for kind in ("macro", "weighted"):
            if used.any():
                expected = score(labels[:, used], scores[:, used], average=kind)
                assert found[f"{name}_{kind}"] == pytest.approx(expected, abs=1e-9)
            else:
                assert math.isnan(found[f"{name}_{kind}"])
    for column in np.flatnonzero(some):
        truth, score = labels[:, column], scores[:, column]
        assert table[column + 1]["support"] == truth.sum()
        assert table[column + 1]["ap"] == pytest.approx(average_precision_plainly(truth, score), abs=1e-9)
        if varied[column]:
            assert table[column + 1]["auroc"] == pytest.approx(auroc_plainly(truth, score), abs=1e-9)
    # Any monotone map of the scores is the same.
    assert action_scores(np.exp(3 * scores.astype(float)), labels) == pytest.approx(found, nan_ok=True)


def test_without_a_class_there_is_no_mean() -> None:
    found = action_scores(np.zeros((3, 80)), np.zeros((3, 80), dtype=int))
    assert all(math.isnan(value) for value in found.values())


def test_impossible_actions_are_refused() -> None:
    scores, labels = np.zeros((3, 80)), np.zeros((3, 80), dtype=int)
    for wrong in ((scores[:, :60], labels[:, :60]), (scores, labels[:, :60]), (scores[0], labels[0])):
        with pytest.raises(ValueError, match="80"):
            per_class(*wrong)
    with pytest.raises(ValueError, match="one shape"):
        per_class(scores[:2], labels)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            per_class(np.full((3, 80), value), labels)
    for added in (2, -1, 0.5):
        with pytest.raises(ValueError, match="0 or 1"):
            action_scores(scores, labels + added)
    with pytest.raises(ValueError, match="no records"):
        action_scores(scores[:0], labels[:0])


# ---- boxes --------------------------------------------------------------------------------------------------------
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
    with pytest.raises(ValueError, match="centres and sizes"):
        box_ious(predicted, true[:, [2, 1, 0, 3]])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 9)] * 8), min_size=1, max_size=8))
def test_box_overlaps_agree_with_scikit_learn_on_painted_masks(numbers: list[tuple[int, ...]]) -> None:
    corners = np.array(numbers, dtype=float).reshape(-1, 2, 2, 2)  # pair, which box, which corner, x and y
    boxes = np.concatenate([corners.min(2), corners.max(2) + 1], axis=-1)
    masks = np.zeros((len(boxes), 2, 10, 10), dtype=int)
    for mask, (x1, y1, x2, y2) in zip(masks.reshape(-1, 10, 10), boxes.reshape(-1, 4).astype(int), strict=True):
        mask[y1:y2, x1:x2] = 1
    expected = [jaccard_score(a.ravel(), b.ravel()) for a, b in masks]
    assert box_ious(boxes[:, 0] / 10, boxes[:, 1] / 10) == pytest.approx(expected, abs=1e-9)


# ---- presence and calibration -------------------------------------------------------------------------------------
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


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=1, max_size=40))
def test_presence_agrees_with_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    logits, present = (np.array(values) for values in zip(*pairs, strict=True))
    if present.all() or not present.any():
        assert math.isnan(presence_auroc(logits, present))
    else:
        assert presence_auroc(logits, present) == pytest.approx(roc_auc_score(present, logits), abs=1e-9)
        assert presence_auroc(logits, present) == pytest.approx(auroc_plainly(present, logits), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_calibration_agrees_with_scikit_learns_curve(count: int, bins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = rng.beta(0.5, 0.5, size=count)  # none on a border, which scikit-learn gives to the lower bin
    truth = rng.integers(2, size=count)
    rate, mean = calibration_curve(truth, said, n_bins=bins)
    share = np.histogram(said, bins, (0, 1))[0] / count
    expected = (share[share > 0] * np.abs(rate - mean)).sum()
    assert calibration_error(said, truth, bins=bins) == pytest.approx(expected, abs=1e-9)


def test_a_border_belongs_to_the_upper_bin() -> None:
    said, truth = np.array([0.5, 0.9, 0.1]), np.array([1, 0, 0])
    assert calibration_error(said, truth, bins=2) == pytest.approx((abs(0.5 + 0.9 - 1) + 0.1) / 3)


def test_impossible_presence_and_probabilities_are_refused() -> None:
    said, truth = np.array([0.2, 0.7]), np.array([0, 1])
    for score in (presence_auroc, calibration_error):
        with pytest.raises(ValueError, match="one shape"):
            score(said, truth[:1])
        with pytest.raises(ValueError, match="finite"):
            score(said * np.nan, truth)
        with pytest.raises(ValueError, match="0 or 1"):
            score(said, truth * 2)
        with pytest.raises(ValueError, match="no records"):
            score(said[:0], truth[:0])
    with pytest.raises(ValueError, match="logits"):
        calibration_error(said + 0.5, truth)
    with pytest.raises(ValueError, match="bins"):
        calibration_error(said, truth, bins=0)


# ---- frame-mAP ----------------------------------------------------------------------------------------------------
def frames_by_hand() -> dict[str, Any]:
    """Two key frames of stand (12): two true boxes in the first, one in the second, and one that only talks (79).

    A box is 0.2 wide; one moved by 0.05 overlaps it by 0.15 / 0.25 = 0.6, one moved by 0.1 by 1/3.
    """
    at = lambda x: [x, 0.1, x + 0.2, 0.9]  # noqa: E731
    true = np.array([at(0.0), at(0.4), at(0.0), at(0.7)])
    labels = np.zeros((4, 80), dtype=int)
    labels[:3, 11] = 1
    labels[3, 78] = 1
    found = np.array([at(0.0), at(0.05), at(0.3), at(0.05), at(0.7), at(0.4)])
    scores = np.zeros((6, 80))
    scores[:, 11] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    scores[:, 78] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    return {
        "boxes_xyxy": found, "scores": scores, "frames": np.array([0, 0, 0, 1, 1, 0]),
        "true_xyxy": true, "labels": labels, "true_frames": np.array([0, 0, 1, 1]),
    }  # fmt: skip


def test_frame_average_precision_by_hand() -> None:
    # Stand, by score: .9 right; .8 on the same person again, wrong; .7 overlaps the second by a third, wrong;
    # .6 right, in the second frame; .5 on one who does not stand, wrong; .4 right. Precisions at the right ones: 1,
    # 2/4, 3/6; nothing to raise. Talk: .6 (other frame) wrong; .5 right: 1/2.
    found = frame_average_precision(**frames_by_hand())
    assert found == {
        12: {"ap": pytest.approx((1 + 1 / 2 + 1 / 2) / 3), "support": 3},
        79: {"ap": pytest.approx(1 / 2), "support": 1},
    }
    assert average(found, "ap", weighted=False) == pytest.approx((2 / 3 + 1 / 2) / 2)
    # In whatever order detections come: their scores decide which of two on a person is the right one.
    turned = {k: v[::-1] if k in ("boxes_xyxy", "scores", "frames") else v for k, v in frames_by_hand().items()}
    assert frame_average_precision(**turned) == found


def test_precision_never_falls_towards_lower_recall() -> None:
    # Wrong, right, right, one missed: precisions 1/2 and 2/3; the first is raised to 2/3.
    case = frames_by_hand()
    case["scores"][:, 11] = [0.9, 0, 0.99, 0.8, -1, -1]
    case = {k: v[[0, 2, 3]] if k in ("boxes_xyxy", "scores", "frames") else v for k, v in case.items()}
    assert frame_average_precision(**case)[12]["ap"] == pytest.approx(2 * (2 / 3) / 3)


def test_a_detection_stands_for_the_box_it_overlaps_most() -> None:
    # The second overlaps both people by half or more, the first of them more, who is taken: it is wrong.
    true = np.array([[0.0, 0, 0.4, 1], [0.1, 0, 0.5, 1]])
    found = np.array([[0.0, 0, 0.4, 1], [0.02, 0, 0.42, 1], [0.1, 0, 0.5, 1]])
    labels, scores, frames = np.zeros((2, 80), int), np.zeros((3, 80)), np.zeros(3, int)
    labels[:, 11], scores[:, 11] = 1, [3, 2, 1]
    entry = frame_average_precision(found, scores, frames, true, labels, frames[:2])[12]
    assert entry["ap"] == pytest.approx((1 + 2 / 3) / 2)
    # An IoU of exactly the threshold is enough.
    half, wide = np.array([[0.0, 0, 0.25, 1]]), np.array([[0.0, 0, 0.5, 1]])
    one = frame_average_precision(half, scores[:1], frames[:1], wide, labels[:1], frames[:1])
    assert one[12]["ap"] == 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_person_a_frame_well_boxed_is_plain_ranking(seed: int) -> None:
    # Then a detection is right exactly if the person has the label, and only interpolation differs from the definition.
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 20))
    labels = (rng.random((count, 80)) < 0.3).astype(int)
    scores = rng.permuted(np.tile(np.arange(count, dtype=float), (80, 1)), axis=1).T
    boxes = np.tile([0.1, 0.2, 0.3, 0.9], (count, 1))
    frames = rng.permutation(count)
    order = rng.permutation(count)  # detections come in another order than people
    found = frame_average_precision(boxes, scores[order], frames[order], boxes, labels, frames)
    for column in np.flatnonzero(labels.any(0)):
        ranked = labels[np.argsort(-scores[:, column]), column]
        precision = [ranked[: i + 1].mean() for i in range(count)]
        raised = [max(precision[i:]) for i in range(count)]
        expected = np.mean([value for value, right in zip(raised, ranked, strict=True) if right])
        assert found[column + 1]["ap"] == pytest.approx(expected, abs=1e-9)


def test_detections_where_nobody_is_are_wrong_and_none_at_all_score_zero() -> None:
    case = frames_by_hand()
    case["frames"] = case["frames"] + 10
    assert [entry["ap"] for entry in frame_average_precision(**case).values()] == [0, 0]
    for name in ("boxes_xyxy", "scores", "frames"):
        case[name] = case[name][:0]
    assert [entry["ap"] for entry in frame_average_precision(**case).values()] == [0, 0]


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("frames", lambda v: v[:-1], "as many"),
        ("true_frames", lambda v: v[:-1], "as many"),
        ("scores", lambda v: v * np.nan, "finite"),
        ("scores", lambda v: v[:, :60], "80"),
        ("labels", lambda v: v * 2, "0 or 1"),
        ("boxes_xyxy", lambda v: v[:, :3], "4"),
        ("true_xyxy", lambda v: v[:, [2, 3, 0, 1]], "corners"),
    ],
)
def test_impossible_detections_are_refused(name: str, wrong: Any, message: str) -> None:
    case = frames_by_hand()
    case[name] = wrong(case[name])
    with pytest.raises(ValueError, match=message):
        frame_average_precision(**case)


def test_frames_of_nobody_are_refused() -> None:
    case = frames_by_hand()
    for name in ("true_xyxy", "labels", "true_frames"):
        case[name] = case[name][:0]
    with pytest.raises(ValueError, match="no records"):
        frame_average_precision(**case)


# ---- intervals ----------------------------------------------------------------------------------------------------
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


def test_the_interval_of_a_mean_is_near_its_standard_error() -> None:
    values = np.random.default_rng(3).normal(size=400)
    low, high = bootstrap(lambda rows: {"mean": float(values[rows].mean())}, np.arange(400), times=2000)["mean"]
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_a_score_that_no_draw_has_has_no_interval() -> None:
    (low, high) = bootstrap(lambda rows: {"a": float("nan")}, np.arange(3), times=5)["a"]
    assert math.isnan(low) and math.isnan(high)


def test_a_bootstrap_of_nothing_is_refused() -> None:
    for groups, times in ((np.arange(0), 5), (np.zeros((2, 2)), 5), (np.arange(3), 0)):
        with pytest.raises(ValueError, match="bootstrap needs"):
            bootstrap(lambda rows: {}, groups, times=times)
