"""Frames to normalised pixels, and boxes between frame and canvas; the only place with mean and deviation."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Letterbox:
    """Where a frame lies on the canvas, in canvas pixels: its top left corner and its size there."""

    left: int
    top: int
    width: int
    height: int
    canvas_width: int
    canvas_height: int

    @classmethod
    def of(cls, config: Any, width: int, height: int) -> "Letterbox":
        """How a model's pictures lie on its canvas, of frames of this size (pixels).

        In the BLIP-2 tier a canvas is the picture itself, of the largest size that the config allows: its encoders want
        whole pictures without a border.
        """
        most = {"canvas_width": config.image_width, "canvas_height": config.image_height}
        box = cls.fit(width, height, **most)
        return cls(0, 0, box.width, box.height, box.width, box.height) if config.whole_pictures else box

    @classmethod
    def fit(cls, width: int, height: int, *, canvas_width: int, canvas_height: int) -> "Letterbox":
        """Centre a frame of this size (pixels) on the canvas, as large as fits, its proportions kept."""
        scale = min(canvas_width / width, canvas_height / height)
        inner_width = max(1, min(canvas_width, round(width * scale)))
        inner_height = max(1, min(canvas_height, round(height * scale)))
        left, top = (canvas_width - inner_width) // 2, (canvas_height - inner_height) // 2
        return cls(left, top, inner_width, inner_height, canvas_width, canvas_height)

    def to_canvas(self, box_xyxy: Tensor) -> Tensor:
        """Corner boxes (..., 4) from fractions of the frame to fractions of the canvas."""
        return (box_xyxy * self._size(box_xyxy) + self._corner(box_xyxy)) / self._canvas(box_xyxy)

    def to_frame(self, box_xyxy: Tensor) -> Tensor:
        """Corner boxes (..., 4) from fractions of the canvas to fractions of the frame, clamped to it."""
        inner = (box_xyxy * self._canvas(box_xyxy) - self._corner(box_xyxy)) / self._size(box_xyxy)
        return inner.clamp(0, 1)

    def _corner(self, like: Tensor) -> Tensor:
        return like.new_tensor([self.left, self.top, self.left, self.top])

    def _size(self, like: Tensor) -> Tensor:
        return like.new_tensor([self.width, self.height, self.width, self.height])

    def _canvas(self, like: Tensor) -> Tensor:
        return like.new_tensor([self.canvas_width, self.canvas_height, self.canvas_width, self.canvas_height])


def to_pixels(images: list[np.ndarray], letterbox: Letterbox) -> Tensor:
    """Put RGB frames on the canvas and normalise them.

    Args:
        images: Frames uint8 [H, W, 3], RGB; resized if they are not yet of the letterbox's inner size.
        letterbox: Where they go.

    Returns:
        Pixels (M, 3, canvas height, canvas width), float32, channels last in memory; the border is zero, the mean.
    """
    box = letterbox
    canvas = np.zeros((len(images), box.canvas_height, box.canvas_width, 3), dtype=np.float32)
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)
    for row, image in zip(canvas, images, strict=True):
        inside = (resize(image, box) / np.float32(255) - mean) / std
        row[box.top : box.top + box.height, box.left : box.left + box.width] = inside
    return torch.from_numpy(canvas).permute(0, 3, 1, 2)


def resize(image: np.ndarray, box: Letterbox) -> np.ndarray:
    """A frame uint8 [H, W, 3] at the letterbox's inner size."""
    if image.shape[:2] == (box.height, box.width):
        return image
    return cv2.resize(image, (box.width, box.height), interpolation=cv2.INTER_AREA)
