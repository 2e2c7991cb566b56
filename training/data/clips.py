"""Frames of a short training clip."""

from pathlib import Path

import av
import numpy as np


def read_clip(path: Path) -> list[np.ndarray]:
    """All frames of a short clip, RGB uint8 [H, W, 3]; for files of seconds, not films."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
