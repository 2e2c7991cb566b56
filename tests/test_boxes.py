"""Box formats on boxes that are not square, and overlaps against numbers worked out by hand."""

import pytest
import torch

from refatomnet.boxes import area, cxcywh_to_xyxy, fraction_to_px, giou, iou, pairwise_iou, xyxy_to_cxcywh

WIDE_XYXY, WIDE_CXCYWH = torch.tensor([0.1, 0.2, 0.7, 0.3]), torch.tensor([0.4, 0.25, 0.6, 0.1])


def box(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_a_wide_box_keeps_width_before_height() -> None:
    torch.testing.assert_close(cxcywh_to_xyxy(WIDE_CXCYWH), WIDE_XYXY)
    torch.testing.assert_close(xyxy_to_cxcywh(WIDE_XYXY), WIDE_CXCYWH)


def test_conversions_are_inverse_for_any_leading_shape() -> None:
    corners = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(cxcywh_to_xyxy(xyxy_to_cxcywh(corners)), corners)
    torch.testing.assert_close(xyxy_to_cxcywh(cxcywh_to_xyxy(corners)), corners)


def test_pixels_of_a_wide_picture_are_clamped_to_it() -> None:
    fractions = torch.tensor([[0.25, 0.5, 0.5, 0.75], [-0.2, -0.1, 1.3, 1.1]])
    expected = torch.tensor([[160.0, 180.0, 320.0, 270.0], [0.0, 0.0, 640.0, 360.0]])
    torch.testing.assert_close(fraction_to_px(fractions, width=640, height=360), expected)


def test_area_of_an_inverted_box_is_zero() -> None:
    assert area(box(0, 0, 3, 2)) == 6
    assert area(box(3, 0, 0, 2)) == 0 and area(box(3, 2, 0, 0)) == 0


@pytest.mark.parametrize(
    ("a", "b", "overlap", "general"),
    [
        (box(0, 0, 2, 1), box(0, 0, 2, 1), 1.0, 1.0),
        (box(0, 0, 2, 1), box(1, 0, 3, 1), 1 / 3, 1 / 3),  # the hull is the union
        (box(0, 0, 1, 1), box(3, 0, 4, 1), 0.0, -0.5),  # union 2, hull 4
        (box(0, 0, 2, 2), box(1, 1, 3, 3), 1 / 7, 1 / 7 - 2 / 9),
        (box(0, 0, 4, 1), box(0, 0, 1, 4), 1 / 7, 1 / 7 - 9 / 16),  # a lying and a standing box
    ],
)
def test_overlaps_by_hand(a: torch.Tensor, b: torch.Tensor, overlap: float, general: float) -> None:
    for first, second in ((a, b), (b, a)):
        assert float(iou(first, second)) == pytest.approx(overlap)
        assert float(giou(first, second)) == pytest.approx(general)


def test_overlap_with_an_empty_box_is_zero_and_has_a_gradient() -> None:
    empty = box(0.5, 0.5, 0.5, 0.5).requires_grad_()
    value = giou(empty, box(0, 0, 1, 1))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(empty.grad).all()


def test_pairwise_is_every_box_with_every_box() -> None:
    a = torch.stack([box(0, 0, 2, 1), box(5, 5, 6, 6)])
    b = torch.stack([box(1, 0, 3, 1), box(0, 0, 2, 1), box(5, 5, 6, 6)])
    expected = torch.tensor([[1 / 3, 1, 0], [0, 0, 1]], dtype=torch.float64)
    torch.testing.assert_close(pairwise_iou(a.expand(2, 2, 4), b.expand(2, 3, 4)), expected.expand(2, 2, 3))
