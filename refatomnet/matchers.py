"""Pictures against sentences, by a public model of both: CLIP or SigLIP 2.

Any model of transformers' ``AutoModel`` that puts both into one space will do.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.errors import CheckpointError
from refatomnet.public import PublicModel

# SigLIP 2, base: half of its numbers are the table of words.
MATCHER = PublicModel("matcher", "google/siglip2-base-patch16-224", megabytes=1540)

_AT_ONCE = 32  # pictures or sentences a pass
_TEXT_INPUTS = ("input_ids", "attention_mask")
_LONGEST = 256  # words' pieces, where the model's config does not say


class Matcher(nn.Module):
    """A public model of pictures and sentences.

    width: Numbers of a feature. scale, bias: of its logits, scale times the cosine of picture and sentence, plus bias;
    the bias is None for models that, as CLIP, can but compare sentences.

    Args:
        wanted: Which one.
        download: How it is fetched, as of :meth:`PublicModel.fetch`.

    Raises:
        CheckpointError: If it cannot be had, is damaged, or is another kind of model.
    """

    def __init__(self, wanted: PublicModel = MATCHER, **download: Any) -> None:
        super().__init__()
        folder = wanted.fetch(**download)
        self._prepare = wanted.load_processor("AutoImageProcessor", folder)
        self._tokenizer = wanted.load_processor("AutoTokenizer", folder)
        self.model = wanted.load("AutoModel", folder)
        needed = ("get_image_features", "get_text_features", "logit_scale")
        if not all(hasattr(self.model, name) for name in needed):
            raise CheckpointError(f"the matcher in {folder} is no CLIP or SigLIP model; give one that is")
        self._sigmoid = hasattr(self.model, "logit_bias")
        self.scale = float(self.model.logit_scale.exp())
        self.bias = float(self.model.logit_bias) if self._sigmoid else None
        self._longest = getattr(self.model.config.text_config, "max_position_embeddings", _LONGEST)
        self._remember = lru_cache(maxsize=4096)(self._read_one)
        self.width = len(self._read_one("a person"))

    @torch.inference_mode()
    def pictures(self, pictures: Sequence[np.ndarray]) -> Tensor:
        """Unit features (M, D) of pictures, RGB uint8 (H, W, 3), each padded to a square so that none is cut."""
        parts = [self.texts([])]
        for begin in range(0, len(pictures), _AT_ONCE):
            some = [_square(picture) for picture in pictures[begin : begin + _AT_ONCE]]
            inputs = self._prepare(images=some, return_tensors="pt", input_data_format="channels_last")
            parts.append(self.model.get_image_features(**inputs.to(self.model.device)).pooler_output)
        return functional.normalize(torch.cat(parts), dim=-1)

    def texts(self, sentences: Sequence[str]) -> Tensor:
        """Unit features (S, D) of sentences; each distinct one is read once and remembered."""
        if not sentences:
            return torch.zeros(0, self.width, device=self.model.device)
        return torch.stack([self._remember(sentence) for sentence in sentences]).to(self.model.device)

    @torch.inference_mode()
    def read(self, sentences: Sequence[str]) -> Tensor:
        """Unit features (S, D) of sentences, in batches."""
        parts = []
        for begin in range(0, len(sentences), _AT_ONCE):
            some = list(sentences[begin : begin + _AT_ONCE])
            # At the end, whatever the tokenizer's files say: SigLIP reads a sentence off its last place.
            how = {"truncation": True, "max_length": self._longest, "padding_side": "right", "return_tensors": "pt"}
            if self._sigmoid:
                # Trained on lower-case words, padded to full length and without a mask.
                some = [sentence.lower() for sentence in some]
                tokens = {"input_ids": self._tokenizer(some, padding="max_length", **how)["input_ids"]}
            else:
                tokens = self._tokenizer(some, padding=True, **how)
            inputs = {name: value.to(self.model.device) for name, value in tokens.items() if name in _TEXT_INPUTS}
            parts.append(self.model.get_text_features(**inputs).pooler_output)
        return functional.normalize(torch.cat(parts), dim=-1)

    def _read_one(self, sentence: str) -> Tensor:
        return self.read([sentence])[0].cpu()


def _square(picture: np.ndarray) -> np.ndarray:
    """A picture in the middle of a square of its own mean colour."""
    height, width = picture.shape[:2]
    size = max(height, width)
    square = np.empty((size, size, 3), dtype=np.uint8)
    square[:] = picture.mean(axis=(0, 1)).round()
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = picture
    return square
