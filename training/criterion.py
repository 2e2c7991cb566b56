"""Losses; each part is named, weighted and logged on its own. A part whose weight is zero is left out."""

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.actions import NUM_ACTIONS
from refatomnet.boxes import area, cxcywh_to_xyxy, giou, pairwise_iou, xyxy_to_cxcywh
from refatomnet.fusion import Candidates, ClipTokens
from refatomnet.heads import Counting, DenseDetections, Detections, LookEncoder, Looks, keep_best
from refatomnet.model import Output, PlaceMap, RavarModel, SceneReading
from training.data.examples import ATTRIBUTES, Batch
from training.data.synthetic.facts import JOINTS

MATCH_IOU = 0.5


@dataclass(frozen=True)
class LossWeights:
    """Factor of each part of the loss; zero switches it off. Parts a model has no use for are left out.

    detect, detect_box: Of the detection head: focal loss of the categories, and boxes.
    choose: Cross-entropy of who is meant, or nobody. presence: the same of "is somebody", where no people are scored.
    part: Whether people fit each part of a sentence.
    place, place_box: The cell with the described person's middle, and the box there.
    action, rank: Focal loss and ranking of the described person's actions. person_action: focal, of everybody.
    person_real: Whether a detection is a person, and the best one of them. person_kind: man, woman, boy, girl.
    refine: Boxes of the detected people. branch_box: boxes of the branches.
    frame_box, frame_seen: Boxes in every frame, and whether the person is in view there.
    follow_people, follow_words: Trajectories should stay on the people they are about.
    attribute, look: Looks, read from the tokens of people, and from what their pixels alone show.
    look_action, look_joint: Actions of everybody, and where their joints are, as their pixels alone show.
    """

    detect: float = 1.0
    detect_box: float = 1.0
    choose: float = 2.0
    part: float = 2.0
    presence: float = 1.0
    place: float = 1.0
    place_box: float = 1.0
    action: float = 0.5
    person_action: float = 1.0
    person_real: float = 0.3
    person_kind: float = 0.3
    rank: float = 0.2
    refine: float = 1.0
    branch_box: float = 0.3
    frame_box: float = 0.5
    frame_seen: float = 0.2
    follow_people: float = 0.1
    follow_words: float = 0.05
    attribute: float = 0.4
    look: float = 0.2
    look_action: float = 0.3
    look_joint: float = 2.0


class AttributeHeads(nn.Module):
    """Reads a person's looks from a token; teaches the tokens clothes, and is left behind after training.

    It begins at zero, so that tokens that were taught before are not pulled about while it learns to read them.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(width, len(classes)) for classes in ATTRIBUTES.values()])
        for head in self.heads:
            nn.init.zeros_(cast("nn.Linear", head).weight)

    def forward(self, people: Tensor, classes: Tensor) -> Tensor:
        """Cross-entropy of people (N, D), whose class of every attribute is known or -1 (N, attributes), summed."""
        loss = people.sum() * 0
        for head, wanted in zip(self.heads, classes.unbind(1), strict=True):
            known = wanted >= 0
            if known.any():
                loss = loss + functional.cross_entropy(head(people[known]), wanted[known])
        return loss


class LookHeads(nn.Module):
    """Reads from what a person's pixels show their looks, actions and joints; left behind after training, too.

    Looks are read from all that was seen and from the token alone, so that it holds them as well as it may.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attributes = AttributeHeads(LookEncoder.WIDTH)
        self.token_attributes = AttributeHeads(width)
        self.rare = nn.Parameter(torch.full((NUM_ACTIONS,), -3.5))  # how frequent actions are is no matter of pixels
        self.joints = nn.Linear(LookEncoder.WIDTH, 2 * len(JOINTS))
        nn.init.zeros_(self.joints.weight)

    def forward(
        self, looks: Looks, boxes_cxcywh: Tensor, classes: Tensor, actions: Tensor, joints: Tensor
    ) -> dict[str, Tensor]:
        """Losses of what was seen (N, …) of people who were looked at in boxes (N, 4): classes (N, attributes), actions
        (N, 80), joints (N, J, 2), of which some may be NaN.
        """
        inside = (joints - boxes_cxcywh[:, None, :2]) / boxes_cxcywh[:, None, 2:].clamp(min=1e-3)
        known = ~inside.isnan().any(-1)
        told = self.joints(looks.seen).unflatten(-1, inside.shape[1:])[known]
        off = functional.smooth_l1_loss(told, inside[known], beta=0.1) if len(told) else told.sum()
        return {
            "look": (self.attributes(looks.seen, classes) + self.token_attributes(looks.token, classes)) / 2,
            "look_action": focal_bce(looks.actions + self.rare, actions),
            "look_joint": off,
        }


def training_detections(
    dense: DenseDetections, batch: Batch, config_people: int, config_things: int, *, true_share: float
) -> Detections:
    """The detector's own picks, and for a share of the clips the true boxes, shaken, in their place.

    Early on the detector finds nobody; later, its own errors are what the rest must learn to live with.
    """
    found = keep_best(dense, people=config_people, things=config_things)
    truth = batch.key_boxes
    real = batch.people_real
    count = int(real.sum(1).max())
    if count > config_people:
        raise ValueError(f"{count} true people do not fit into {config_people} kept detections")
    shaken = shake(truth)
    use = (torch.rand(len(shaken), device=shaken.device) < true_share) & real.any(1)
    # True people come first; the detector's picks that are none of them follow, as wrong candidates to turn down.
    own = pairwise_iou(cxcywh_to_xyxy(found.boxes_cxcywh[:, :config_people]), truth.nan_to_num(-1.0))
    stranger = found.mask[:, :config_people] & ((own * real[:, None]).amax(-1) < MATCH_IOU)
    order = torch.cat([2 * real.float(), stranger.float()], dim=1).argsort(dim=1, descending=True, stable=True)
    order = order[:, :config_people]
    pool = torch.cat([shaken, found.boxes_cxcywh[:, :config_people]], dim=1)
    pool_mask = torch.cat([real, stranger], dim=1)
    mixed = pool.gather(1, order.unsqueeze(-1).expand(-1, -1, 4))
    mixed_mask = pool_mask.gather(1, order)
    people = torch.where(use[:, None, None], mixed, found.boxes_cxcywh[:, :config_people])
    mask = torch.where(use[:, None], mixed_mask, found.mask[:, :config_people])
    return replace(
        found,
        boxes_cxcywh=torch.cat([people, found.boxes_cxcywh[:, config_people:]], dim=1),
        mask=torch.cat([mask, found.mask[:, config_people:]], dim=1),
    )


def shake(boxes_xyxy: Tensor) -> Tensor:
    """Boxes cxcywh about as far off as detected ones are, of true boxes (..., 4), some of which may be NaN."""
    boxes = xyxy_to_cxcywh(boxes_xyxy.nan_to_num(0.5))
    noise = torch.randn_like(boxes) * boxes.new_tensor([0.07, 0.07, 0.1, 0.1])
    return torch.cat([boxes[..., :2] + noise[..., :2] * boxes[..., 2:], boxes[..., 2:] * noise[..., 2:].exp()], -1)


class Criterion(nn.Module):
    """Adds up the parts; see :class:`LossWeights`."""

    def __init__(self, model: RavarModel, weights: LossWeights) -> None:
        super().__init__()
        self.attributes = AttributeHeads(model.config.width)
        if model.config.looks:
            self.look_heads = LookHeads(model.config.width)
        self.weights = weights
        self.config = model.config
        self.rows, self.columns = model.config.token_grid

    def forward(
        self,
        batch: Batch,
        clip: ClipTokens,
        reading: SceneReading,
        output: Output,
        more: tuple[Batch, Tensor, Tensor | None] | None = None,
    ) -> dict[str, Tensor]:
        """Every part, weighted, by name, and their sum as ``total``.

        ``more``: Further sentences about the same clips, with what :meth:`RavarModel.choose` says to them.
        """
        truth = batch.key_boxes
        found = reading.detections.boxes_cxcywh[:, : self.config.people]
        match, matched = match_people(found, truth, batch.people_real, clip.people_mask)
        parts = {} if reading.dense is None else detection_losses(reading.dense, truth, batch)
        parts |= self._people_losses(batch, clip, reading, match, matched, truth)
        parts |= self._sentence_losses(batch, clip, output, match, matched, truth)
        if self.config.answer == "people":
            asked = [(batch, output.choice, output.fits), *([more] if more else [])]
            parts |= self._choice_losses(asked, match, matched)
        if reading.kinds is not None:  # people count each other
            parts["person_real"] = real_loss(found, truth, batch, clip)
        if self.config.frame_boxes and batch.people_xyxy.shape[2] > 1:
            parts |= frame_losses(batch, clip, match, matched)
        followed = self.config.has_places and self.config.retrieval != "random"
        if reading.paths is not None and followed:
            parts["follow_people"] = _follow_people(batch, reading.paths.similarity, match, matched, self.columns)
        if output.words is not None and followed:
            parts["follow_words"] = _follow_words(batch, output.words.similarity, self.columns)
        return self._summed(parts)

    def looks(self, batch: Batch, looks: Looks, boxes_cxcywh: Tensor) -> dict[str, Tensor]:
        """The same of what everybody's pixels show (B, P, …) in these boxes (B, P, 4), alone."""
        real = batch.people_real
        known = (part[real] for part in (batch.attributes, batch.actions, batch.joints))
        return self._summed(self.look_heads(looks.of(real), boxes_cxcywh[real], *known))

    def choosing(self, batch: Batch, clip: Candidates, choice: Tensor, fits: Tensor | None) -> dict[str, Tensor]:
        """The same of who is meant alone, as :meth:`RavarModel.choose` says it of these candidates."""
        match, matched = match_people(clip.person_boxes, batch.key_boxes, batch.people_real, clip.people_mask)
        return self._summed(self._choice_losses([(batch, choice, fits)], match, matched))

    def _summed(self, parts: dict[str, Tensor]) -> dict[str, Tensor]:
        weights = {name: getattr(self.weights, name) for name in parts}
        weighted = {name: value * weights[name] for name, value in parts.items() if weights[name]}
        return {**weighted, "total": torch.stack(list(weighted.values())).sum()}

    def _people_losses(
        self, batch: Batch, clip: ClipTokens, reading: SceneReading, match: Tensor, matched: Tensor, truth: Tensor
    ) -> dict[str, Tensor]:
        row = torch.arange(len(match), device=match.device).unsqueeze(1).expand_as(match)
        labels = batch.actions[row, match][matched]
        boxes, target = clip.person_boxes[matched], truth[row, match][matched]
        classes = batch.attributes[row, match][matched]
        refined = [boxes] if reading.coarse is None else [reading.coarse[matched], boxes]
        parts = {
            "person_action": focal_bce(clip.person_actions[matched], labels),
            "refine": torch.stack([box_loss(part, target) for part in refined]).mean(),
            "attribute": self.attributes(clip.people[matched], classes),
        }
        if reading.looks is not None:
            seen_in = reading.detections.boxes_cxcywh[:, : match.shape[1]][matched]
            joints = batch.joints[row, match][matched]
            parts |= self.look_heads(reading.looks.of(matched), seen_in, classes, labels, joints)
        if reading.kinds is not None:
            parts["person_kind"] = kind_loss(reading.kinds[matched], classes)
        return parts

    def _sentence_losses(
        self, batch: Batch, clip: ClipTokens, output: Output, match: Tensor, matched: Tensor, truth: Tensor
    ) -> dict[str, Tensor]:
        times = len(batch.person) // len(match)
        clip_of = torch.arange(len(match), device=match.device).repeat_interleave(times)
        present = batch.person >= 0
        who = batch.person.clamp(min=0)
        target = truth[clip_of, who]
        seen = present & ~target.isnan().any(1)
        known = seen
        logits = output.branch_actions
        parts = {}
        if self.config.answer == "people":
            right = self._right(batch, match, matched)
            known = right.any(1)
            logits = logits + clip.person_actions[clip_of, right.float().argmax(dim=1)]
        elif self.config.presence:
            parts["presence"] = functional.binary_cross_entropy_with_logits(output.presence, present.to(logits.dtype))
        if output.place is not None:
            parts |= place_losses(output.place, target, seen, self.rows // 2)
        labels = batch.actions[clip_of, who]
        branch = output.branch_boxes[seen]
        return {
            **parts,
            "action": focal_bce(logits[known], labels[known]),
            "rank": rank_loss(logits[known], labels[known]),
            "branch_box": box_loss(branch, target[seen].unsqueeze(1).expand_as(branch)),
        }

    def _choice_losses(
        self, asked: list[tuple[Batch, Tensor, Tensor | None]], match: Tensor, matched: Tensor
    ) -> dict[str, Tensor]:
        """Of who is meant, over all sentences asked: batches of the same clips, scores (S, P + 1), and fits."""
        choice = torch.cat([scores for _, scores, _ in asked])
        right = torch.cat([self._right(batch, match, matched) for batch, _, _ in asked])
        present = torch.cat([batch.person >= 0 for batch, _, _ in asked])
        parts = {"choose": choice_loss(choice, right, present, nobody=self.config.presence)}
        known = [(fits, self._parts(batch, match, matched)) for batch, _, fits in asked if fits is not None]
        if known:
            parts["part"] = part_loss(*(torch.cat(side) for side in zip(*known, strict=True)))
        return parts

    @staticmethod
    def _right(batch: Batch, match: Tensor, matched: Tensor) -> Tensor:
        """Which candidates are the described person (S, P); of those matched to them, all are."""
        match, matched = _for_each_sentence(batch, match, matched)
        return matched & (match == batch.person.unsqueeze(1))

    @staticmethod
    def _parts(batch: Batch, match: Tensor, matched: Tensor) -> Tensor:
        """Which parts of the sentences are true of the candidates (S, parts, P); −1 where that is not known."""
        match, matched = _for_each_sentence(batch, match, matched)
        known = batch.parts.gather(2, match.unsqueeze(1).expand(-1, batch.parts.shape[1], -1))
        return known.masked_fill(~matched.unsqueeze(1), -1)


def _for_each_sentence(batch: Batch, *of_clips: Tensor) -> tuple[Tensor, ...]:
    """What is of the clips (B, …), once for every sentence about them (S, …)."""
    times = len(batch.person) // len(batch.actions)
    return tuple(part.repeat_interleave(times, 0) for part in of_clips)


def part_loss(fits: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy of fitting each part of a sentence, summed over parts, averaged over people and sentences.

    Args:
        fits: Logits (S, parts, P). known: 1 or 0, −1 where nothing is known (S, parts, P).
    """
    loss = functional.binary_cross_entropy_with_logits(fits, known.to(fits.dtype).clamp(min=0), reduction="none")
    told = known >= 0
    return (loss * told).sum() / told.any(1).sum().clamp(min=1)


def choice_loss(choice: Tensor, right: Tensor, present: Tensor, *, nobody: bool) -> Tensor:
    """Cross-entropy of the described person among the candidates and, if ``nobody`` is an answer, nobody.

    Args:
        choice: Scores (S, P + 1). right: True for the candidates that are the described person (S, P).
        present: True where the person is in view (S). Where they are, but no candidate is them, nothing is learnt.
    """
    right = torch.cat([right, ~present.unsqueeze(1)], dim=1)
    if not nobody:
        choice, right = choice[:, :-1], right[:, :-1]
    answerable = right.any(1)
    chosen = choice[answerable].log_softmax(dim=1).masked_fill(~right[answerable], -torch.inf).logsumexp(dim=1)
    return -chosen.sum() / max(1, len(chosen))


def place_losses(place: PlaceMap, target_xyxy: Tensor, seen: Tensor, rows: int) -> dict[str, Tensor]:
    """Cross-entropy of the cell that holds the described person's middle, and the box predicted there.

    Args:
        place: Cells (S, C), row after row. target_xyxy: Described person's box (S, 4); read only where ``seen`` (S).
        rows: Rows of the cells.
    """
    columns = place.logits.shape[1] // rows
    target = target_xyxy[seen]
    middle = (target[:, :2] + target[:, 2:]) / 2
    column, row = (middle * middle.new_tensor([columns, rows])).long().unbind(-1)
    cell = row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1)
    boxes = place.boxes_cxcywh[seen][torch.arange(len(cell), device=cell.device), cell]
    share = place.logits[seen].log_softmax(dim=1).gather(1, cell.unsqueeze(1))
    return {"place": -share.sum() / max(1, len(cell)), "place_box": box_loss(boxes, target)}


def frame_losses(batch: Batch, clip: ClipTokens, match: Tensor, matched: Tensor) -> dict[str, Tensor]:
    """Boxes of the matched people in the frames they are in view in, and whether they are, where all are known."""
    matched = matched & batch.frames_known.unsqueeze(1)
    row = torch.arange(len(match), device=match.device).unsqueeze(1).expand_as(match)
    target = batch.people_xyxy[row, match][matched]
    there = ~target.isnan().any(-1)
    seen = clip.frame_seen[matched]
    presence = functional.binary_cross_entropy_with_logits(seen, there.to(seen.dtype)) if len(seen) else seen.sum()
    return {"frame_box": box_loss(clip.frame_boxes[matched][there], target[there]), "frame_seen": presence}


def real_loss(found: Tensor, truth: Tensor, batch: Batch, clip: ClipTokens) -> Tensor:
    """Cross-entropy of whether a candidate is a person; of several on the same one, only the best is."""
    mask = clip.people_mask
    overlap = overlaps(found, truth, batch.people_real) * mask.unsqueeze(2)
    best, who = overlap.max(dim=2)
    matched = best >= MATCH_IOU
    real = matched & (best == overlap.amax(dim=1).gather(1, who))
    mask = mask & (matched | batch.frames_known.unsqueeze(1))  # where not everybody is known, others may be people too
    logits = clip.person_real[mask]
    loss = functional.binary_cross_entropy_with_logits(logits, real[mask].to(logits.dtype), reduction="sum")
    return loss / max(1, len(logits))


def kind_loss(kinds: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy of the kinds of people (N, kinds) whose classes (N, attributes) tell their sex and age."""
    sex, age = (classes[:, list(ATTRIBUTES).index(name)] for name in ("sex", "age"))
    known = (sex >= 0) & (age >= 0)
    male, child = sex == ATTRIBUTES["sex"].index("man"), age == ATTRIBUTES["age"].index("child")
    truths = {
        "male": male, "female": ~male, "child": child, "adult": ~child,
        "man": male & ~child, "woman": ~male & ~child, "boy": male & child, "girl": ~male & child,
    }  # fmt: skip
    told = torch.stack([truths[kind] for kind in Counting.KINDS], dim=-1)[known].to(kinds.dtype)
    if not len(told):
        return kinds.sum() * 0
    return functional.binary_cross_entropy_with_logits(kinds[known], told)


def match_people(found: Tensor, truth: Tensor, real: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Which true person each candidate is, and whether it is one at all (IoU of a half or more), (B, P) both.

    Args:
        found: Boxes of the candidates, cxcywh (B, P, 4). mask: True where there is one (B, P).
        truth: True boxes at the key frame, xyxy (B, P, 4), maybe of another number. real: True where one counts (B, P).
    """
    best, who = overlaps(found, truth, real).max(dim=2)
    return who, (best >= MATCH_IOU) & mask


def overlaps(found: Tensor, truth: Tensor, real: Tensor) -> Tensor:
    """IoU of every candidate with every true person (B, P, P), zero with those who are not real (B, P)."""
    return pairwise_iou(cxcywh_to_xyxy(found), truth.nan_to_num(-1.0)) * real.unsqueeze(1)


def detection_losses(dense: DenseDetections, people: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Focal loss on every cell's categories, box loss on the cells near the middle of an object (as FCOS does)."""
    boxes = torch.cat([people.masked_fill(~batch.people_real.unsqueeze(-1), torch.nan), batch.things_xyxy], dim=1)
    exists = ~boxes.isnan().any(-1)
    boxes = boxes.nan_to_num(-5.0)
    kind = torch.cat([torch.zeros_like(batch.people_real, dtype=torch.long), batch.things_kind], dim=1)
    size = boxes[..., 2:] - boxes[..., :2]
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = (dense.centres[:, None] - middle[:, None]).abs() / (size[:, None] * 0.5).clamp(min=1e-3)
    near = (distance < 0.4).all(-1) & exists[:, None]
    nearest = ((dense.centres[:, None] - middle[:, None]) ** 2).sum(-1).argmin(1)  # even a tiny object has its cell
    near |= functional.one_hot(nearest, len(dense.centres)).transpose(1, 2).bool() & exists[:, None]
    owner_size = area(boxes)[:, None].expand_as(near).masked_fill(~near, torch.inf)
    smallest, owner = owner_size.min(dim=2)
    positive = smallest < torch.inf
    row = torch.arange(len(boxes), device=boxes.device).unsqueeze(1).expand_as(owner)
    target = torch.zeros_like(dense.logits)
    target[row[positive], positive.nonzero()[:, 1], kind[row, owner][positive]] = 1
    count = positive.sum().clamp(min=1)
    focal = _focal_terms(dense.logits, target, gamma=2.0, alpha=0.25)
    person = torch.arange(focal.shape[2], device=focal.device) == 0
    focal = focal * (person | batch.things_known[:, None, None])  # unlabelled things are not absent ones
    return {
        "detect": focal.sum() / count,
        "detect_box": box_loss(dense.boxes_cxcywh[positive], boxes[row, owner][positive]),
    }


def box_loss(boxes_cxcywh: Tensor, target_xyxy: Tensor) -> Tensor:
    """2 (1 − GIoU) + 5 L1, averaged over boxes (N, 4); zero for none."""
    if boxes_cxcywh.numel() == 0:
        return boxes_cxcywh.sum() * 0
    overlap = 2 * (1 - giou(cxcywh_to_xyxy(boxes_cxcywh), target_xyxy))
    return (overlap + 5 * (boxes_cxcywh - xyxy_to_cxcywh(target_xyxy)).abs().mean(-1)).mean()


def focal_bce(logits: Tensor, labels: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Focal binary cross-entropy (Lin et al., 2017), summed over classes, averaged over rows (N, A); zero for none."""
    if logits.numel() == 0:
        return logits.sum() * 0
    return _focal_terms(logits, labels, gamma=gamma).sum(-1).mean()


def rank_loss(logits: Tensor, labels: Tensor, *, margin: float = 0.2, hardest: int = 64) -> Tensor:
    """Every true action should score above the hardest wrong ones by a margin, in probability (N, A)."""
    if logits.numel() == 0:
        return logits.sum() * 0
    score = logits.sigmoid()
    wrong = score.masked_fill(labels > 0, -1.0).topk(min(hardest, score.shape[1]), dim=1).values
    gap = functional.relu(margin - score.unsqueeze(2) + wrong.unsqueeze(1)) * (wrong >= 0).unsqueeze(1)
    return (gap.mean(2) * labels).sum() / labels.sum().clamp(min=1)


def _focal_terms(logits: Tensor, labels: Tensor, *, gamma: float, alpha: float | None = None) -> Tensor:
    loss = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    right = torch.exp(-loss)
    weight = (1 - right) ** gamma
    if alpha is not None:
        weight = weight * (alpha * labels + (1 - alpha) * (1 - labels))
    return weight * loss


def _inside(boxes_xyxy: Tensor, tokens: int, columns: int) -> Tensor:
    """Whether each token's centre lies in each box (..., 4) → (..., N); the token grid covers the canvas."""
    rows = tokens // columns
    index = torch.arange(tokens, device=boxes_xyxy.device)
    x, y = (index % columns + 0.5) / columns, (index // columns + 0.5) / rows
    x1, y1, x2, y2 = boxes_xyxy.unsqueeze(-1).unbind(-2)
    return (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)


def _mass(similarity: Tensor, boxes_xyxy: Tensor, columns: int) -> Tensor:
    """Mean of −log of the share of each retrieval (..., T, N) that falls inside the box of its frame (..., T, 4)."""
    inside = _inside(boxes_xyxy, similarity.shape[-1], columns)
    usable = inside.any(-1)
    share = similarity.log_softmax(-1).masked_fill(~inside, -1e4).logsumexp(-1)
    return -(share * usable).sum() / usable.sum().clamp(min=1)


def _follow_people(batch: Batch, similarity: Tensor, match: Tensor, matched: Tensor, columns: int) -> Tensor:
    """Trajectories of detected people should stay on those people; ``similarity`` (B, M, T, N), people first."""
    row = torch.arange(len(match), device=match.device).unsqueeze(1).expand_as(match)
    return _mass(similarity[:, : match.shape[1]][matched], batch.people_xyxy[row, match][matched], columns)


def _follow_words(batch: Batch, similarity: Tensor, columns: int) -> Tensor:
    """Trajectories of the content words should stay on the described person; ``similarity`` (S, L, T, N)."""
    times = len(batch.person) // len(batch.people_xyxy)
    clip_of = torch.arange(len(batch.person), device=batch.person.device) // times
    boxes = batch.people_xyxy[clip_of, batch.person.clamp(min=0)]
    boxes = boxes.masked_fill((batch.person < 0)[:, None, None], torch.nan)
    keywords = batch.text.keywords
    return _mass(similarity[keywords], boxes.unsqueeze(1).expand(-1, keywords.shape[1], -1, -1)[keywords], columns)
