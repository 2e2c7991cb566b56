"""Where a frame lies on the canvas, and what its pixels become."""

import numpy as np
import pytest
import torch

from refatomnet.preprocess import MEAN, STD, Letterbox, to_pixels

SIZES = [(320, 180), (1920, 800), (180, 320), (100, 100), (7, 3000), (161, 97)]


@pytest.mark.parametrize("size", SIZES)
def test_boxes_come_back_from_the_canvas(size: tuple[int, int]) -> None:
    box = Letterbox.fit(*size, canvas_width=320, canvas_height=192)
    boxes = torch.tensor([[0.1, 0.2, 0.9, 0.4], [0.0, 0.0, 1.0, 1.0], [0.5, 0.1, 0.55, 0.8]], dtype=torch.float64)
    on_canvas = box.to_canvas(boxes)
    torch.testing.assert_close(box.to_frame(on_canvas), boxes)
    x1, y1, x2, y2 = on_canvas[1].tolist()  # the whole frame
    assert [x1 * 320, y1 * 192] == pytest.approx([box.left, box.top])
    assert [(x2 - x1) * 320, (y2 - y1) * 192] == pytest.approx([box.width, box.height])
    assert box.left >= 0 and box.left + box.width <= 320 and box.top >= 0 and box.top + box.height <= 192


def test_wide_tall_and_square_are_centred_with_their_proportions() -> None:
    def fit(width: int, height: int) -> tuple[int, int, int, int]:
        box = Letterbox.fit(width, height, canvas_width=320, canvas_height=192)
        return box.left, box.top, box.width, box.height

    assert fit(320, 180) == (0, 6, 320, 180)
    assert fit(640, 320) == (0, 16, 320, 160)
    assert fit(180, 320) == (106, 0, 108, 192)
    assert fit(50, 50) == (64, 0, 192, 192)


def test_a_box_out_of_the_frame_is_clamped_and_an_unseen_one_stays_unknown() -> None:
    box = Letterbox.fit(320, 180, canvas_width=320, canvas_height=192)
    assert box.to_frame(torch.tensor([-0.5, 0.0, 2.0, 1.0])).tolist() == [0, 0, 1, 1]
    assert box.to_canvas(torch.full((2, 4), torch.nan)).isnan().all()


def test_pixels_are_normalised_and_the_border_is_zero() -> None:
    box = Letterbox.fit(80, 40, canvas_width=96, canvas_height=64)
    assert (box.left, box.top, box.width, box.height) == (0, 8, 96, 48)
    image = np.zeros((40, 80, 3), np.uint8)
    image[..., 0], image[..., 2] = 255, 51  # red first: RGB
    pixels = to_pixels([image, image], box)
    assert pixels.shape == (2, 3, 64, 96) and pixels.dtype == torch.float32
    assert pixels.is_contiguous(memory_format=torch.channels_last)
    assert (pixels[:, :, :8] == 0).all() and (pixels[:, :, 56:] == 0).all()
    expected = (torch.tensor([1.0, 0.0, 0.2]) - torch.tensor(MEAN)) / torch.tensor(STD)
    inside = pixels[:, :, 8:56]
    torch.testing.assert_close(inside, expected.view(1, 3, 1, 1).expand_as(inside))


def test_a_point_lies_where_its_box_says() -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    image[60:75, 20:60] = 255  # a lying rectangle, down on the left
    box = Letterbox.fit(160, 90, canvas_width=160, canvas_height=96)
    bright = to_pixels([image], box)[0, 0] > 0
    x1, y1, x2, y2 = (
        box.to_canvas(torch.tensor([20 / 160, 60 / 90, 60 / 160, 75 / 90])) * torch.tensor([160, 96, 160, 96])
    ).tolist()
    rows, columns = torch.nonzero(bright, as_tuple=True)
    assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == pytest.approx([x1, y1, x2, y2])
