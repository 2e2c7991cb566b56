"""People and things in pictures, by a public object detector: D-FINE, RT-DETRv2, or DETR as the papers take.

Any detector of transformers' ``AutoModelForObjectDetection`` that knows people will do.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from refatomnet.errors import CheckpointError
from refatomnet.public import PublicModel

# D-FINE small: the smallest download of the detectors that reach 48 AP on COCO, and quick enough for a CPU.
DETECTOR = PublicModel("detector", "ustc-community/dfine-small-coco", megabytes=42)
# The papers' own. The revision has a backbone that needs no further library.
DETR = PublicModel("detector", "facebook/detr-resnet-50", revision="no_timm", megabytes=167)

PERSON = "person"
THRESHOLD = 0.3  # score above which something counts as detected
_AT_ONCE = 8  # pictures a pass
# RT-DETR's files spell some of COCO's names as Pascal VOC does.
_COCO = {"aeroplane": "airplane", "diningtable": "dining table", "motorbike": "motorcycle"}
_COCO |= {"pottedplant": "potted plant", "sofa": "couch", "tvmonitor": "tv"}


class Objects(NamedTuple):
    """What is on one picture, surest first.

    boxes_xyxy: Pixels of the picture (M, 4), inside it. scores: probabilities (M). labels: indices into the detector's
    names (M).
    """

    boxes_xyxy: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def only(self, keep: np.ndarray) -> "Objects":
        """Those that a mask (M) or indices pick."""
        return Objects(*(part[keep] for part in self))


class Detector:
    """A public object detector.

    names: What its labels mean, in COCO's spelling; "person" is among them. person: The label of people.

    Args:
        wanted: Which one.
        device: Where it runs; it goes wherever its ``model`` is moved.
        download: How it is fetched, as of :meth:`PublicModel.fetch`.

    Raises:
        CheckpointError: If it cannot be had, is damaged, or knows no people.
    """

    def __init__(self, wanted: PublicModel = DETECTOR, *, device: str = "cpu", **download: Any) -> None:
        folder = wanted.fetch(**download)
        self._prepare = wanted.load_processor("AutoImageProcessor", folder)
        self.model = wanted.load("AutoModelForObjectDetection", folder).to(device)
        named = {int(label): _COCO.get(name, name) for label, name in self.model.config.id2label.items()}
        self.names = tuple(named.get(label, "") for label in range(max(named) + 1))
        if PERSON not in self.names:
            raise CheckpointError(f"the detector in {folder} knows no people; give one that was trained on COCO")
        self.person = self.names.index(PERSON)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[np.ndarray], *, threshold: float = THRESHOLD) -> list[Objects]:
        """What is on each picture, RGB uint8 (H, W, 3) of any sizes, with a score above this."""
        found: list[Objects] = []
        for begin in range(0, len(pictures), _AT_ONCE):
            some = list(pictures[begin : begin + _AT_ONCE])
            inputs = self._prepare(images=some, return_tensors="pt", input_data_format="channels_last")
            sizes = [picture.shape[:2] for picture in some]
            output = self.model(**inputs.to(self.model.device))
            told = self._prepare.post_process_object_detection(output, threshold=threshold, target_sizes=sizes)
            found += [_tidy(one, size) for one, size in zip(told, sizes, strict=True)]
        return found


def _tidy(told: dict[str, torch.Tensor], size: tuple[int, ...]) -> Objects:
    """Sorted by score, cut at the edges of a picture of this height and width; without what is thinner than a pixel."""
    scores, order = told["scores"].double().cpu().sort(descending=True, stable=True)
    boxes = told["boxes"].double().cpu()[order].numpy().reshape(-1, 4)
    boxes = boxes.clip(0, [size[1], size[0], size[1], size[0]])
    real = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
    return Objects(boxes, scores.numpy(), told["labels"].cpu()[order].numpy()).only(real)
