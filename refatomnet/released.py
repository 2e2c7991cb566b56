"""The fusion part of RefAtomNet++ as released, faults and all, composed of this package's layers.

Its own forward pass (KPeng9510/refAVA2, ``modules/major_pami.py``) is the reference our layers are checked against, and
weights of that code load here should they ever appear. What the release gets wrong stays in this file; the model we
train, :mod:`refatomnet.model`, shares none of it.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from refatomnet.attention import CrossAttention
from refatomnet.errors import CheckpointError
from refatomnet.heads import mlp
from refatomnet.mamba import Mamba
from refatomnet.trajectories import SemanticRetrieval

WIDE, WIDTH, HEADS = 768, 256, 8
KEYWORD_WIDTH, PERSON = 2560, 1
# In the released state dict, and read by nothing in its forward pass.
UNUSED = ("proj_box.", "proj_sem.", "proj_img.", "proj_boxes.", "latent_proj.", "latent_proj2.", ".query_tokens")


class ReleasedOutput(NamedTuple):
    """What the release returns: action logits (B, 80), boxes cxcywh (B, 4), the feature of each branch (B, 256).

    Boxes are in fractions of the picture.
    """

    logits: Tensor
    boxes: Tensor
    branch1: Tensor
    branch2: Tensor


class ReleasedFusion(nn.Module):
    """Parameters under the released names; see :func:`released_fusion` for what goes in."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Linear(4 + WIDE, WIDE)
        self.proj_text = nn.Linear(KEYWORD_WIDTH, WIDE)
        self.proj_text2 = nn.Linear(WIDE, WIDTH)
        self.mamba_fusion = nn.Sequential(Mamba(WIDE))
        self.mamba_fusion_temp = nn.Sequential(nn.Linear(WIDE, WIDTH), Mamba(WIDTH))
        self.mamba_bbox = nn.Sequential(nn.Linear(WIDE, WIDTH), Mamba(WIDTH))
        self.mamba_image = nn.Sequential(nn.Linear(WIDE, WIDTH), Mamba(WIDTH))
        for name in ("_box", "", "_sem", "_box2", "_2", "_sem2"):
            setattr(self, f"cross_attention{name}", CrossAttention(WIDTH, heads=HEADS, dropout=0.0))
        self.bbox_regression_head = mlp(WIDTH, 128, 4, activation=nn.ReLU)
        self.bbox_regression_head2 = mlp(WIDTH, 128, 4, activation=nn.ReLU)
        self.classification_head = mlp(WIDTH, 128, 80, activation=nn.ReLU)
        self.classification_head2 = mlp(WIDTH, 128, 80, activation=nn.ReLU)
        self.retrieval = SemanticRetrieval(WIDE)
        self.retrieval.cue_proj = self.retrieval.token_proj = nn.Identity()  # the release searches what it is given

    def forward(
        self,
        image_tokens: Tensor,
        sentence_tokens: Tensor,
        keywords: list[Tensor],
        logits: Tensor,
        boxes: Tensor,
        category_table: Tensor,
    ) -> ReleasedOutput:
        """Fuse tokens; shapes as in :func:`released_fusion`. The faults of the release are marked where they are."""
        clips, frames = image_tokens.shape[:2]
        words = torch.cat(
            [
                self._follow(self.proj_text(states)[None], tokens[None])
                for states, tokens in zip(keywords, image_tokens, strict=True)
            ]
        )
        scene = self._scene(logits, boxes, category_table, image_tokens)
        visual = self.mamba_image(image_tokens.flatten(1, 2))
        visual = visual.view(clips, -1, frames, WIDTH)  # fault: the sequence is frames first, then tokens
        sentence = self.proj_text2(sentence_tokens.mean(dim=2))
        levels = (scene, words, sentence)
        first = self._branch(visual.mean(dim=2), levels, ("_box", "", "_sem"))
        second = self._branch(visual.mean(dim=1), levels, ("_box2", "_2", "_sem2"))
        actions = (self.classification_head(first) + self.classification_head2(second)) / 2
        corners = (self.bbox_regression_head(first).sigmoid() + self.bbox_regression_head2(second).sigmoid()) / 2
        return ReleasedOutput(actions, corners, first, second)

    def _branch(self, query: Tensor, levels: tuple[Tensor, ...], names: tuple[str, ...]) -> Tensor:
        """Feature of one branch (B, 256): every level read in its own block, averaged over the queries, added up."""
        blocks = [getattr(self, f"cross_attention{name}") for name in names]
        read = [block(query, level).mean(dim=1) for block, level in zip(blocks, levels, strict=True)]
        return torch.stack(read).sum(0)

    def _retrieve(self, cues: Tensor, tokens: Tensor) -> Tensor:
        """Nearest token of each frame to each cue (B, K, T, 768); cues of zero take the first token of each frame."""
        every = torch.ones(cues.shape[:2], dtype=torch.bool, device=cues.device)
        return self.retrieval(cues, tokens, self.retrieval.lengths(tokens), cue_mask=every).tokens

    def _follow(self, cues: Tensor, tokens: Tensor) -> Tensor:
        """Keyword level of one clip (1, T, 256): all trajectories end to end in one scan, averaged, scanned again."""
        paths = self._retrieve(cues, tokens)
        scanned = self.mamba_fusion(paths.flatten(1, 2)).unflatten(1, paths.shape[1:3])
        return self.mamba_fusion_temp(scanned.mean(dim=1))

    def _scene(self, logits: Tensor, boxes: Tensor, category_table: Tensor, tokens: Tensor) -> Tensor:
        """Scene level (B, T, 256): detections that are no people become zero, and stay in the mean (fault)."""
        best = logits.argmax(dim=-1)
        x, y, width, height = boxes.unbind(-1)
        corners = torch.stack([x - height / 2, y - width / 2, x + height / 2, y + width / 2], dim=-1)  # fault: w for h
        cues = self.proj(torch.cat([corners, category_table[best - 1]], dim=-1)) * (best == PERSON).unsqueeze(-1)
        paths = self._retrieve(cues, tokens)
        return self.mamba_bbox(paths.flatten(1, 2)).unflatten(1, paths.shape[1:3]).mean(dim=1)


def load_released(state_dict: dict[str, Tensor]) -> ReleasedFusion:
    """The released fusion part with these weights, ready to run.

    Raises:
        CheckpointError: If a parameter is missing, unknown or has another shape.
    """
    model = ReleasedFusion()
    wanted = {name for name in model.state_dict() if not name.startswith("retrieval.")}
    given = {name: value for name, value in state_dict.items() if not any(part in name for part in UNUSED)}
    if missing := sorted(wanted - set(given)):
        raise CheckpointError(f"no released RefAtomNet++ weights: {missing[0]} is missing ({len(missing)} in all)")
    if unknown := sorted(set(given) - wanted):
        raise CheckpointError(f"no released RefAtomNet++ weights: {unknown[0]} is unknown ({len(unknown)} in all)")
    try:
        model.load_state_dict(given, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f"no released RefAtomNet++ weights: {error}") from error
    return model.eval()


@torch.inference_mode()
def released_fusion(
    state_dict: dict[str, Tensor],
    image_tokens: Tensor,
    sentence_tokens: Tensor,
    keywords: list[Tensor],
    logits: Tensor,
    boxes: Tensor,
    category_table: Tensor,
) -> ReleasedOutput:
    """Run the released fusion part, in evaluation mode.

    Args:
        state_dict: Its weights, under the released names.
        image_tokens: Q-Former tokens (B, T, 32, 768).
        sentence_tokens: (B, T, 4, 768), the same for every frame.
        keywords: One matrix of word states (W, 2560) a clip.
        logits: DETR's class logits (B, 100, 92); class 1 is the person.
        boxes: DETR's boxes cxcywh (B, 100, 4).
        category_table: Embedding of every category but the first (91, 768).

    Raises:
        CheckpointError: If the weights do not fit.
    """
    return load_released(state_dict)(image_tokens, sentence_tokens, keywords, logits, boxes, category_table)
