"""Losses and matching against cases made by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from test_model import TINY, each_variant, few_people, random_features, random_text, tiny_model
from torch import Tensor, nn

from refatomnet.boxes import xyxy_to_cxcywh
from refatomnet.config import ModelConfig
from refatomnet.heads import (
    Counting,
    DenseDetections,
    DetectionHead,
    Detections,
    LookEncoder,
    Looks,
    PhraseMatch,
    keep_best,
)
from refatomnet.model import PlaceMap, RavarModel
from training.criterion import (
    MATCH_IOU,
    Criterion,
    LookHeads,
    LossWeights,
    _mass,
    box_loss,
    choice_loss,
    detection_losses,
    focal_bce,
    frame_losses,
    kind_loss,
    match_people,
    part_loss,
    place_losses,
    rank_loss,
    real_loss,
    training_detections,
)
from training.data.examples import ATTRIBUTES, Batch
from training.data.synthetic.facts import JOINTS

NAN = float("nan")
WIDE, TALL = [0.1, 0.55, 0.7, 0.75], [0.55, 0.05, 0.75, 0.5]  # xyxy
PEOPLE = TINY.people


def make_batch(clips: int = 2, sentences: int = 2, *, seed: int = 0) -> Batch:
    """Two real people a clip, a wide and a tall one who move a little, and a padded row or two; one thing."""
    random = torch.Generator().manual_seed(seed)
    still = torch.tensor([WIDE, TALL])
    people = torch.full((clips, PEOPLE, TINY.frames, 4), NAN)
    drift = 0.02 * (torch.arange(TINY.frames) - TINY.key_frame).view(1, -1, 1)
    people[:, :2] = still[:, None] + drift
    people[0, 0, 0] = NAN  # not yet in view
    real = torch.zeros(clips, PEOPLE, dtype=torch.bool)
    real[:, :2] = True
    things = torch.full((clips, 3, 4), NAN)
    things[:, 0] = torch.tensor([0.05, 0.05, 0.3, 0.2])
    actions = torch.zeros(clips, PEOPLE, 80)
    actions[:, 0, [11, 79]] = 1
    actions[:, 1, [13]] = 1
    attributes = torch.full((clips, PEOPLE, len(ATTRIBUTES)), -1)
    attributes[:, :2] = torch.randint(2, (clips, 2, len(ATTRIBUTES)), generator=random)
    person = torch.tensor([[0, 1, -1][i % 3] for i in range(clips * sentences)])
    return Batch(
        features=random_features(clips, seed=seed),
        people_xyxy=people,
        people_real=real,
        frames_known=torch.ones(len(real), dtype=torch.bool),
        things_known=torch.ones(len(real), dtype=torch.bool),
        things_xyxy=things,
        things_kind=torch.ones(clips, 3, dtype=torch.long),
        joints=torch.rand(clips, PEOPLE, len(JOINTS), 2, generator=random),
        actions=actions,
        attributes=attributes,
        text=random_text(clips * sentences, seed=seed),
        person=person,
        parts=torch.randint(-1, 2, (len(person), len(PhraseMatch.PARTS), PEOPLE), generator=random).to(torch.int8),
        key=TINY.key_frame,
    )


def dense_of(batch: Batch) -> DenseDetections:
    """The perfect detector: every cell near an object names it and its box."""
    rows, columns = TINY.image_height // 8, TINY.image_width // 8
    y, x = (torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns
    centres = torch.cartesian_prod(y, x).flip(-1)
    clips = len(batch.people_xyxy)
    logits = torch.full((clips, len(centres), len(TINY.categories)), -20.0)
    boxes = torch.full((clips, len(centres), 4), 0.5)
    for clip in range(clips):
        objects = [(0, box) for box, real in zip(batch.key_boxes[clip], batch.people_real[clip], strict=True) if real]
        objects += [(1, batch.things_xyxy[clip, 0])]
        for kind, box in objects:
            middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
            near = ((centres - middle).abs() < 0.4 * half).all(1)
            near[((centres - middle) ** 2).sum(1).argmin()] = True
            logits[clip, near, kind] = 20.0
            boxes[clip, near] = xyxy_to_cxcywh(box)
    return DenseDetections(logits, boxes, centres)


def step(model: RavarModel, batch: Batch, *, share: float = 1.0) -> tuple[Criterion, dict[str, Tensor]]:
    criterion = Criterion(model, LossWeights())
    clip, reading = model.encode_clips(
        batch.features,
        choose=lambda dense: training_detections(dense, batch, TINY.people, TINY.things, true_share=share),
    )
    return criterion, criterion(batch, clip, reading, model(clip, batch.text))


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


# ---- who is real --------------------------------------------------------------------------------------------------
def test_of_two_boxes_on_one_person_only_the_better_is_real() -> None:
    batch = make_batch()
    boxes = torch.tensor([WIDE, WIDE, TALL, TALL]).expand(2, -1, -1).clone()
    boxes[:, 1, :2] += 0.01  # a twin
    boxes[:, 3] += 0.3  # somewhere else
    found = Detections(xyxy_to_cxcywh(boxes), torch.ones(2, 4), torch.zeros(2, 4), torch.ones(2, 4) > 0)
    model = tiny_model()
    clip, _ = model.encode_clips(batch.features)
    clip = replace(clip, people_mask=torch.ones(2, 4, dtype=torch.bool))
    sure = torch.tensor([20.0, -20.0, 20.0, -20.0]).expand(2, -1)
    assert real_loss(found.boxes_cxcywh, batch.key_boxes, batch, replace(clip, person_real=sure)) < 1e-4
    for i in range(4):
        wrong = sure.clone()
        wrong[:, i] *= -1
        assert real_loss(found.boxes_cxcywh, batch.key_boxes, batch, replace(clip, person_real=wrong)) > 4
    unseen = replace(clip, people_mask=torch.tensor([[True, False, True, True]] * 2))
    wrong = sure.clone()
    wrong[:, 1] = 20.0
    assert real_loss(found.boxes_cxcywh, batch.key_boxes, batch, replace(unseen, person_real=wrong)) < 1e-4
    described = replace(batch, frames_known=torch.zeros(2, dtype=torch.bool))
    stranger = replace(clip, person_real=sure * torch.tensor([1.0, 1.0, 1.0, -1.0]))
    assert real_loss(found.boxes_cxcywh, batch.key_boxes, described, stranger) < 1e-4, (
        "who is not described may be somebody"
    )
    nobody = replace(described, people_real=torch.zeros_like(batch.people_real))
    assert real_loss(found.boxes_cxcywh, batch.key_boxes, nobody, clip) == 0


# ---- detection ----------------------------------------------------------------------------------------------------
def test_a_perfect_detector_costs_nothing_and_finds_everybody() -> None:
    batch = make_batch()
    dense = dense_of(batch)
    losses = detection_losses(dense, batch.key_boxes, batch)
    assert losses["detect"] < 1e-4 and losses["detect_box"] < 1e-4
    found = keep_best(dense, people=TINY.people, things=TINY.things)
    assert found.mask.tolist() == [[True, True, False, False, True, False]] * 2
    who, matched = match_people(
        found.boxes_cxcywh[:, :PEOPLE], batch.key_boxes, batch.people_real, found.mask[:, :PEOPLE]
    )
    assert matched.tolist() == [[True, True, False, False]] * 2 and sorted(who[0, :2].tolist()) == [0, 1]


@pytest.mark.parametrize("fault", ["corners as centres", "width and height swapped", "x and y swapped"])
def test_a_detector_with_another_convention_is_wrong(fault: str) -> None:
    batch = make_batch()
    dense = dense_of(batch)
    cx, cy, width, height = dense.boxes_cxcywh.unbind(-1)
    wrong = {
        "corners as centres": torch.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], -1),
        "width and height swapped": torch.stack([cx, cy, height, width], -1),
        "x and y swapped": torch.stack([cy, cx, height, width], -1),
    }[fault]
    assert detection_losses(replace(dense, boxes_cxcywh=wrong), batch.key_boxes, batch)["detect_box"] > 0.5


def test_a_wide_person_is_learnt_at_the_cells_of_their_middle() -> None:
    batch = make_batch(1, 1)
    batch.people_real[:, 1:] = False
    batch.things_xyxy[:] = NAN
    dense = dense_of(batch)
    logits = torch.zeros_like(dense.logits, requires_grad=True)
    detection_losses(replace(dense, logits=logits), batch.key_boxes, batch)["detect"].backward()
    wanted = dense.centres[(logits.grad[0, :, 0] < 0)]  # pushed up
    assert len(wanted) >= 2 and (logits.grad[0, :, 1:] > 0).all()
    assert (wanted[:, 0] > 0.28).all() and (wanted[:, 0] < 0.52).all()  # middle 0.4, within 0.4 of half of 0.6
    assert ((wanted[:, 1] - 0.65).abs() < 0.04 + 0.5 / 8).all()
    assert wanted[:, 0].max() - wanted[:, 0].min() > 0.1


def test_the_head_can_learn_a_wide_box() -> None:
    torch.manual_seed(0)
    batch = make_batch(1, 1)
    head = DetectionHead(16, categories=3)
    fine = torch.randn(1, 16, TINY.image_height // 8, TINY.image_width // 8)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.01)
    for _ in range(60):
        losses = detection_losses(head(fine), batch.key_boxes, batch)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    found = keep_best(head(fine), people=2, things=1)
    who, matched = match_people(found.boxes_cxcywh[:, :2], batch.key_boxes, batch.people_real, found.mask[:, :2])
    assert matched.all() and sorted(who[0].tolist()) == [0, 1]


def test_the_smaller_object_owns_a_shared_cell() -> None:
    batch = make_batch(1, 1)
    batch.people_xyxy[:, 0] = torch.tensor([0.0, 0.0, 1.0, 1.0])
    batch.people_xyxy[:, 1] = torch.tensor([0.2, 0.2, 0.8, 0.8])
    dense = dense_of(batch)
    middle = ((dense.centres - 0.5).abs() < 0.07).all(1)
    small = torch.where(middle.view(1, -1, 1), torch.tensor([0.5, 0.5, 0.6, 0.6]), dense.boxes_cxcywh)
    large = torch.where(middle.view(1, -1, 1), torch.tensor([0.5, 0.5, 1.0, 1.0]), dense.boxes_cxcywh)
    truth = batch.key_boxes
    both = (replace(dense, boxes_cxcywh=boxes) for boxes in (small, large))
    right, wrong = (detection_losses(predicted, truth, batch)["detect_box"] for predicted in both)
    assert middle.sum() == 4 and right < wrong


def test_even_the_tiniest_object_has_a_cell() -> None:
    batch = make_batch(1, 1)
    batch.people_xyxy[:, 0] = torch.tensor([0.30, 0.30, 0.303, 0.304])
    dense = dense_of(batch)
    logits = torch.zeros_like(dense.logits, requires_grad=True)
    detection_losses(replace(dense, logits=logits), batch.key_boxes, batch)["detect"].backward()
    up = dense.centres[logits.grad[0, :, 0] < 0]
    assert (up - 0.3).abs().amax(1).min() < 0.07


def test_people_unseen_at_the_key_frame_are_no_objects() -> None:
    batch = make_batch(1, 1)
    batch.people_real[:] = False
    batch.things_xyxy[:] = NAN
    dense = dense_of(make_batch(1, 1))
    quiet = replace(dense, logits=torch.full_like(dense.logits, -20.0))
    losses = detection_losses(quiet, batch.key_boxes, batch)
    assert losses["detect"] < 1e-4 and losses["detect_box"] == 0


# ---- boxes, actions -----------------------------------------------------------------------------------------------
def test_box_loss_by_hand() -> None:
    target = torch.tensor([WIDE])
    assert box_loss(xyxy_to_cxcywh(target), target) < 1e-6
    ours = torch.tensor([[0.5, 0.5, 0.4, 0.2]])  # corners 0.3, 0.4, 0.7, 0.6
    theirs = torch.tensor([[0.5, 0.4, 0.9, 0.6]])  # centre 0.7, 0.5, size 0.4, 0.2; shares half, hull is the union
    assert float(box_loss(ours, theirs)) == pytest.approx(2 * (1 - 1 / 3) + 5 * 0.2 / 4)
    none = torch.zeros(0, 4, requires_grad=True)
    nothing = box_loss(none, none)
    nothing.backward()
    assert nothing == 0


def test_focal_loss_by_hand() -> None:
    even, one = torch.zeros(1, 1), torch.ones(1, 1)
    assert float(focal_bce(even, one)) == pytest.approx(0.25 * math.log(2))
    sure = torch.tensor([[math.log(9.0)]])  # probability 0.9
    assert float(focal_bce(sure, one)) == pytest.approx(0.01 * -math.log(0.9), rel=1e-4)
    assert float(focal_bce(sure, 0 * one)) == pytest.approx(0.81 * -math.log(0.1), rel=1e-4)
    two = torch.cat([even, sure], dim=1)  # summed over classes, averaged over rows
    both = 0.25 * math.log(2) + 0.01 * -math.log(0.9)
    assert float(focal_bce(two.expand(3, 2), torch.ones(3, 2))) == pytest.approx(both, rel=1e-4)
    assert float(focal_bce(torch.zeros(0, 80), torch.zeros(0, 80))) == 0


def test_rank_loss_by_hand() -> None:
    def logit(*values: float) -> Tensor:
        return torch.tensor([values]).logit()

    labels = torch.tensor([[1.0, 0, 0]])
    assert float(rank_loss(logit(0.9, 0.1, 0.2), labels)) == pytest.approx(0.0)
    # gaps to the wrong ones, 0.2 − 0.5 + 0.4 and 0.2 − 0.5 + 0.6, over three candidates of which one is no wrong one
    assert float(rank_loss(logit(0.5, 0.4, 0.6), labels)) == pytest.approx((0.1 + 0.3) / 3, rel=1e-4)
    assert float(rank_loss(logit(0.5, 0.4, 0.6), labels, hardest=1)) == pytest.approx(0.3, rel=1e-4)
    assert float(rank_loss(logit(0.5, 0.4, 0.6), torch.ones(1, 3))) == 0
    assert float(rank_loss(logit(0.5, 0.4, 0.6), torch.zeros(1, 3))) == 0


# ---- the answer, by hand ------------------------------------------------------------------------------------------
def test_joints_are_learnt_in_the_box_that_was_looked_at() -> None:
    heads = LookHeads(8)
    nn.init.zeros_(heads.joints.weight)
    with torch.no_grad():
        heads.joints.bias.copy_(torch.tensor([0.25, -0.5]).repeat(len(JOINTS)))
    looks = Looks(torch.randn(2, 8), torch.randn(2, LookEncoder.WIDTH), torch.zeros(2, 80))
    box = torch.tensor([[0.5, 0.4, 0.2, 0.6], [0.3, 0.3, 0.1, 0.1]])
    joints = torch.full((2, len(JOINTS), 2), NAN)
    joints[0, 3] = torch.tensor([0.55, 0.1])  # a quarter of the width to the right of the middle, at the upper edge
    known = torch.full((2, len(ATTRIBUTES)), -1), torch.zeros(2, 80)
    assert heads(looks, box, *known, joints)["look_joint"].item() == pytest.approx(0, abs=1e-6)
    joints[1, 5] = torch.tensor([0.325, 0.35])  # a whole height below where it is taken to be
    off = heads(looks, box, *known, joints)["look_joint"]
    assert off.item() == pytest.approx((1.0 - 0.05) / 4)
    nothing = heads(looks, box, *known, joints * NAN)
    assert nothing["look_joint"] == 0 and nothing["look"] == 0 and nothing["look_action"] > 0


def test_part_loss_by_hand() -> None:
    fits = torch.tensor([[[2.0, -1.0], [0.5, 9.0]], [[3.0, 3.0], [3.0, 3.0]]])  # two sentences of two parts, two people
    known = torch.tensor([[[1, 0], [-1, 0]], [[-1, -1], [-1, 1]]], dtype=torch.int8)
    told = [math.log1p(math.exp(-2.0)), math.log1p(math.exp(-1.0)), math.log1p(math.exp(9.0)), math.log1p(math.exp(-3))]
    assert part_loss(fits, known).item() == pytest.approx(sum(told) / 3)  # of the first person nothing is known, once
    assert part_loss(fits, known.clamp(max=0) - 1) == 0


def test_sentences_that_only_choose_count_as_much_as_those_that_are_fused() -> None:
    model = tiny_model()
    criterion, batch = Criterion(model, LossWeights(choose=1.0, part=1.0)), make_batch(2, 4)
    clip, reading = model.encode_clips(batch.features)
    truth = batch.key_boxes.nan_to_num(0.5)
    found = replace(
        reading.detections,
        boxes_cxcywh=torch.cat([xyxy_to_cxcywh(truth), reading.detections.boxes_cxcywh[:, PEOPLE:]], dim=1),
        mask=torch.cat([batch.people_real, reading.detections.mask[:, PEOPLE:]], dim=1),
    )
    clip, reading = replace(clip, people_mask=batch.people_real), replace(reading, detections=found)
    output = model(clip, batch.text)
    whole = criterion(batch, clip, reading, output)
    first, rest = batch.parted(1)
    assert rest is not None and [len(part.person) for part in (first, rest)] == [2, 6]
    rows = torch.tensor([1, 2, 3, 5, 6, 7])
    assert torch.equal(rest.person, batch.person[rows]) and rest.text.words == batch.text.select(rows).words
    also = rest, output.choice[rows], output.fits[rows]
    split = criterion(first, clip, reading, model(clip, first.text), also)
    for name in ("choose", "part"):
        torch.testing.assert_close(split[name], whole[name])
        assert whole[name] > 0
    assert batch.parted(4)[1] is None


def test_choice_loss_by_hand() -> None:
    choice = torch.tensor([[2.0, 1, 0, -torch.inf, 1], [0, 0, 0, 0, 3], [5, 0, 0, 0, 0]], requires_grad=True)
    right = torch.zeros(3, 4, dtype=torch.bool)
    right[0, 1] = True
    present = torch.tensor([True, False, True])  # the third is in view, but no candidate is them
    e = math.e
    first, second = math.log((e**2 + e + 1 + e) / e), math.log((4 + e**3) / e**3)
    loss = choice_loss(choice, right, present, nobody=True)
    assert loss.item() == pytest.approx((first + second) / 2)
    loss.backward()
    assert torch.isfinite(choice.grad).all() and (choice.grad[2] == 0).all() and choice.grad[0, 3] == 0


def test_where_nobody_is_no_answer_only_the_people_in_view_teach() -> None:
    choice = torch.tensor([[2.0, 1, 0, -torch.inf, 50], [0, 0, 0, 0, 3]], requires_grad=True)
    right = torch.tensor([[False, True, False, False], [False] * 4])
    loss = choice_loss(choice, right, torch.tensor([True, False]), nobody=False)
    e = math.e
    assert loss.item() == pytest.approx(math.log((e**2 + e + 1) / e))
    loss.backward()
    assert (choice.grad[:, -1] == 0).all() and (choice.grad[1] == 0).all()
    none = choice_loss(choice, right & False, torch.tensor([True, False]), nobody=False)
    assert none == 0 and none.requires_grad


def test_place_losses_by_hand() -> None:
    logits = torch.zeros(6, 6)
    boxes = torch.full((6, 6, 4), 0.5)
    right, left, middle = [0.8, 0.1, 1.0, 0.3], [0.0, 0.8, 0.2, 1.0], [0.35, 0.3, 0.65, 0.6]
    target = torch.tensor([right, left, [NAN] * 4, middle, middle, [0.9, 0.9, 1.1, 1.1]])
    seen = torch.tensor([True, True, False, False, True, True])
    cells = {0: 2, 1: 3, 4: 1, 5: 5}  # of 2 rows and 3 columns; the last one's middle is the far corner
    for row, cell in cells.items():
        logits[row, cell] = math.log(5.0)  # half of the whole
        boxes[row, cell] = xyxy_to_cxcywh(target[row])
    logits, boxes = logits.requires_grad_(), boxes.requires_grad_()
    parts = place_losses(PlaceMap(logits, boxes), target, seen, 2)
    assert parts["place"].item() == pytest.approx(math.log(2.0))
    assert parts["place_box"].item() == pytest.approx(0, abs=1e-5)
    (parts["place"] + parts["place_box"]).backward()
    assert torch.isfinite(logits.grad).all() and torch.isfinite(boxes.grad).all()
    assert (logits.grad[2:4] == 0).all() and (boxes.grad[2:4] == 0).all()  # unseen, whatever their target says
    nothing = place_losses(PlaceMap(logits, boxes), target, seen & False, 2)
    assert nothing["place"] == 0 and nothing["place_box"] == 0


def test_frame_losses_by_hand() -> None:
    model, batch = tiny_model(), make_batch(1, 1)
    clip, _ = model.encode_clips(batch.features, choose=few_people(1, people=2))
    match = torch.tensor([[1, 0, 0, 0]])  # the first candidate is the tall one, the second the wide one
    matched = torch.tensor([[True, True, False, False]])
    truth = batch.people_xyxy[0, [1, 0]]
    unseen = truth.isnan().any(-1)
    assert unseen.sum() == 1
    boxes = clip.frame_boxes.clone()
    boxes[0, :2] = xyxy_to_cxcywh(truth.nan_to_num(0.5))
    seen = torch.where(unseen, -math.log(3.0), math.log(3.0)).expand(1, 2, -1)  # right with three to one
    perfect = replace(clip, frame_boxes=boxes, frame_seen=nn.functional.pad(seen, (0, 0, 0, 2), value=99.0))
    parts = frame_losses(batch, perfect, match, matched)
    assert parts["frame_box"].item() == pytest.approx(0, abs=1e-5)
    assert parts["frame_seen"].item() == pytest.approx(math.log(4 / 3), rel=1e-4)
    shifted = boxes.clone()
    shifted[0, 1, 2, 0] += 0.1  # one box of the seven seen
    wrong = frame_losses(batch, replace(perfect, frame_boxes=shifted), match, matched)["frame_box"]
    width = WIDE[2] - WIDE[0]
    expected = (2 * (1 - (width - 0.1) / (width + 0.1)) + 5 * 0.1 / 4) / 7
    assert wrong.item() == pytest.approx(expected, rel=1e-3)
    elsewhere = boxes.clone()
    elsewhere[0, :2][unseen] = 9.0  # where nobody was in view, and of nobody's candidates, nothing is asked
    elsewhere[0, 2:] = 9.0
    other = frame_losses(batch, replace(perfect, frame_boxes=elsewhere), match, matched)
    assert other["frame_box"].item() == pytest.approx(0, abs=1e-5)
    nobody = frame_losses(batch, perfect, match, matched & False)
    assert nobody["frame_box"] == 0 and nobody["frame_seen"] == 0


def test_presence_is_asked_of_every_sentence_where_no_people_are_scored() -> None:
    model, batch = tiny_model(answer="place"), make_batch(1, 3)  # about the wide one, the tall one, nobody
    clip, reading = model.encode_clips(batch.features, choose=few_people(1))
    output = model(clip, batch.text)
    criterion = Criterion(model, LossWeights())
    sure = replace(output, presence=torch.tensor([math.log(3.0), math.log(3.0), -math.log(3.0)]))
    assert float(criterion(batch, clip, reading, sure)["presence"]) == pytest.approx(math.log(4 / 3), rel=1e-4)
    wrong = replace(output, presence=-sure.presence)
    assert float(criterion(batch, clip, reading, wrong)["presence"]) == pytest.approx(math.log(4), rel=1e-4)


# ---- who is who ---------------------------------------------------------------------------------------------------
def test_key_boxes_are_those_of_the_key_frame() -> None:
    batch = make_batch()
    batch.people_xyxy[:, 0] = torch.arange(TINY.frames).view(1, -1, 1)
    assert (batch.key_boxes[:, 0] == TINY.key_frame).all()


def test_matching_by_hand() -> None:
    truth = torch.tensor([[WIDE, TALL, [NAN] * 4, [0.8, 0.8, 0.9, 0.9]]])
    real = torch.tensor([[True, True, False, False]])  # the last one is hardly visible
    found = torch.tensor([[TALL, [0.1, 0.55, 0.7, 0.7], [0.1, 0.1, 0.2, 0.2], [0.8, 0.8, 0.9, 0.9], TALL]])
    detections = Detections(xyxy_to_cxcywh(found), torch.ones(1, 5), torch.zeros(1, 5, dtype=torch.long), None)
    who, matched = match_people(detections.boxes_cxcywh[:, :4], truth, real, torch.ones(1, 4, dtype=torch.bool))
    assert matched.tolist() == [[True, True, False, False]] and who[0, :2].tolist() == [1, 0]
    _, masked = match_people(detections.boxes_cxcywh[:, :4], truth, real, torch.tensor([[False, True, True, True]]))
    assert masked.tolist() == [[False, True, False, False]]
    assert MATCH_IOU == 0.5


def test_true_people_come_first_when_shared_and_never_otherwise() -> None:
    torch.manual_seed(0)
    batch = make_batch(4, 1)
    found = few_people(4)(None)
    truth = xyxy_to_cxcywh(batch.key_boxes)
    logits = torch.full((4, 6, 3), -9.0)
    logits[:, :3, 0] = torch.tensor([2.0, 1.0, 0.0])
    logits[:, 3:5, 1] = 1.0
    dense = DenseDetections(logits, found.boxes_cxcywh.clone(), torch.rand(6, 2))
    dense.boxes_cxcywh[:, 0] = truth[:, 1]  # the detector finds the tall one, and two strangers
    dense.boxes_cxcywh[:, 1] = torch.tensor([0.2, 0.2, 0.1, 0.1])
    dense.boxes_cxcywh[:, 2] = torch.tensor([0.9, 0.9, 0.1, 0.1])
    own = keep_best(dense, people=TINY.people, things=TINY.things)
    none = training_detections(dense, batch, TINY.people, TINY.things, true_share=0.0)
    assert torch.equal(none.boxes_cxcywh, own.boxes_cxcywh) and torch.equal(none.mask, own.mask)
    every = training_detections(dense, batch, TINY.people, TINY.things, true_share=1.0)
    who, matched = match_people(
        every.boxes_cxcywh[:, :PEOPLE], batch.key_boxes, batch.people_real, every.mask[:, :PEOPLE]
    )
    assert (every.boxes_cxcywh[:, :2] - truth[:, :2]).abs().max() < 0.3  # shaken
    assert not torch.equal(every.boxes_cxcywh[:, :2], truth[:, :2])
    assert matched[:, :2].float().mean() > 0.8 and (who[:, :2] == torch.tensor([0, 1]))[matched[:, :2]].all()
    torch.testing.assert_close(every.boxes_cxcywh[:, 2:4], dense.boxes_cxcywh[:, 1:3])  # the strangers, to turn down
    assert every.mask[:, :4].all() and not matched[:, 2:].any()
    assert torch.equal(every.boxes_cxcywh[:, 4:], own.boxes_cxcywh[:, 4:]) and every.category[:, :4].eq(0).all()


def test_a_clip_without_real_people_keeps_the_detectors_picks() -> None:
    batch = make_batch(1, 1)
    batch.people_real[:] = False
    dense = dense_of(make_batch(1, 1))
    own = keep_best(dense, people=TINY.people, things=TINY.things)
    every = training_detections(dense, batch, TINY.people, TINY.things, true_share=1.0)
    assert torch.equal(every.boxes_cxcywh, own.boxes_cxcywh) and torch.equal(every.mask, own.mask)


def test_fewer_people_are_kept_than_there_are_rows_but_not_than_there_are_people() -> None:
    batch, dense = make_batch(1, 1), dense_of(make_batch(1, 1))
    kept = training_detections(dense, batch, 3, TINY.things, true_share=1.0)  # two people, in four rows
    assert kept.mask.shape == (1, 3 + TINY.things) and kept.mask[0, :2].all()
    found, _ = match_people(kept.boxes_cxcywh[:, :3], batch.key_boxes, batch.people_real, kept.mask[:, :3])
    assert sorted(found[0, :2].tolist()) == [0, 1]
    with pytest.raises(ValueError, match="2 true people do not fit into 1 kept"):
        training_detections(dense, batch, 1, TINY.things, true_share=1.0)


def test_kinds_are_told_of_those_whose_sex_and_age_are_known() -> None:
    batch = make_batch()
    sex, age = (list(ATTRIBUTES).index(name) for name in ("sex", "age"))
    batch.attributes[:] = -1
    batch.attributes[0, :2, sex], batch.attributes[0, :2, age] = torch.tensor([0, 1]), torch.tensor([0, 2])
    batch.attributes[1, 0, sex] = 1  # of unknown age
    match, matched = torch.tensor([[1, 0, 0], [0, 0, 0]]), torch.tensor([[True, True, False], [True, False, False]])
    kinds = torch.zeros(2, 3, len(Counting.KINDS), requires_grad=True)
    classes = batch.attributes[torch.arange(2).unsqueeze(1), match][matched]
    loss = kind_loss(kinds[matched], classes)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert kinds.grad is not None and (kinds.grad.abs().sum(-1) > 0).tolist() == [[True, True, False], [False] * 3]
    told = [[k for k, g in zip(Counting.KINDS, row, strict=True) if g < 0] for row in kinds.grad[0, :2]]
    assert told == [["female", "adult", "woman"], ["male", "child", "boy"]], "an old woman and a boy"
    assert kind_loss(kinds[matched], torch.full_like(classes, -1)) == 0


# ---- the sum ------------------------------------------------------------------------------------------------------
# A soft-max over what these add to takes no notice of them.
MOVE_ALL_ALIKE = ("choice.score.2.bias", "choice.match_gate.bias", "to_key.bias")
USED_BY = {
    "choose": lambda config: config.answer == "people",
    "part": lambda config: config.answer == "people" and config.relations,
    "person_real": lambda config: config.answer == "people" and config.relations,
    "person_kind": lambda config: config.answer == "people" and config.relations,
    "presence": lambda config: config.answer != "people" and config.presence,
    "place": lambda config: config.answer == "place",
    "place_box": lambda config: config.answer == "place",
    "frame_box": lambda config: config.frame_boxes,
    "frame_seen": lambda config: config.frame_boxes,
    "follow_people": lambda config: follows(config, "scene"),
    "follow_words": lambda config: follows(config, "keyword"),
}


def follows(config: ModelConfig, level: str) -> bool:
    return config.architecture == "refatomnetpp" and level in config.levels and config.retrieval != "random"


@each_variant
def test_every_trained_parameter_gets_a_gradient(switches: dict[str, Any]) -> None:
    model = tiny_model(**switches)
    torch.nn.init.normal_(model.person_box[-1].weight, std=0.01)  # it begins with boxes left as they are
    model.train()
    torch.manual_seed(0)
    criterion, parts = step(model, make_batch(4, 3))
    parts["total"].backward()
    wanted = {n for n in LossWeights().__dataclass_fields__ if n not in USED_BY or USED_BY[n](model.config)}
    assert set(parts) == {*wanted, "total"}
    assert all(torch.isfinite(value) and value >= 0 for value in parts.values())
    torch.testing.assert_close(sum(v for name, v in parts.items() if name != "total"), parts["total"])
    dead = []
    for part in (model, criterion):
        for name, value in part.named_parameters():
            none = value.grad is None or not value.grad.abs().max() > 0
            if value.requires_grad and none and not name.endswith(MOVE_ALL_ALIKE):
                dead.append(name)
            assert value.grad is None or torch.isfinite(value.grad).all(), name
    assert dead == []
    assert all(value.grad is None for value in model.parameters() if not value.requires_grad)


@each_variant
@pytest.mark.parametrize("what", ["hidden", "nobody there", "nobody meant"])
def test_missing_boxes_leave_no_gradient_that_is_not_finite(switches: dict[str, Any], what: str) -> None:
    model, batch = tiny_model(**switches), make_batch(2, 2)
    if what == "hidden":  # the described people are out of view at the key frame, or always
        batch.people_xyxy[0, :2, TINY.key_frame] = NAN
        batch.people_xyxy[1, 1] = NAN
        batch.people_real[0, :2] = batch.people_real[1, 1] = False
    elif what == "nobody there":
        batch.people_xyxy[:] = NAN
        batch.people_real[:] = False
        batch.things_xyxy[:] = NAN
        batch.person[:] = -1
    else:
        batch.person[:] = -1
    _, parts = step(model, batch)
    parts["total"].backward()
    assert all(torch.isfinite(value) for value in parts.values())
    assert all(torch.isfinite(v.grad).all() for v in model.parameters() if v.grad is not None)


def test_weights_scale_their_part() -> None:
    model, batch = tiny_model(), make_batch()
    torch.manual_seed(0)
    _, plain = step(model, batch)
    clip, reading = model.encode_clips(batch.features, choose=few_people(2))
    output = model(clip, batch.text)
    once = Criterion(model, LossWeights())
    twice = Criterion(model, LossWeights(choose=4.0, rank=0.0))
    twice.load_state_dict(once.state_dict())
    first, second = once(batch, clip, reading, output), twice(batch, clip, reading, output)
    torch.testing.assert_close(second["choose"], 2 * first["choose"])
    assert torch.equal(second["refine"], first["refine"]) and plain.keys() == first.keys()
    assert first.keys() - second.keys() == {"rank"}


def read(model: RavarModel, batch: Batch, boxes_xyxy: list[list[float]], choice: Tensor) -> dict[str, Tensor]:
    """The parts when these people are the candidates and the model chooses so."""
    clips = len(batch.people_xyxy)
    found = few_people(clips, people=len(boxes_xyxy))(None)
    found.boxes_cxcywh[:, : len(boxes_xyxy)] = xyxy_to_cxcywh(torch.tensor(boxes_xyxy))
    clip, reading = model.encode_clips(batch.features, choose=lambda _: found)
    output = replace(model(clip, batch.text), choice=choice.requires_grad_())
    return Criterion(model, LossWeights())(batch, clip, reading, output)


def test_the_choice_is_the_described_person_or_nobody() -> None:
    model = tiny_model()
    batch = make_batch(1, 3)  # about the wide one, the tall one, nobody
    candidates = [[0.9, 0.9, 0.95, 0.95], TALL, WIDE]
    right = torch.full((3, 5), -30.0)
    right[0, 2] = right[1, 1] = right[2, 4] = 30.0
    right[:, 3] = -torch.inf
    parts = read(model, batch, candidates, right)
    assert parts["choose"] < 1e-4
    turned = right[[1, 0, 2]]
    assert read(model, batch, candidates, turned)["choose"] > 30
    nobody = right[[2, 2, 2]]
    assert read(model, batch, candidates, nobody)["choose"] > 30
    # Two candidates on the same person share the target.
    shared = torch.full((3, 5), -30.0)
    shared[0, 2] = shared[0, 0] = shared[1, 1] = shared[2, 4] = 30.0
    shared[:, 3] = -torch.inf
    assert read(model, batch, [[0.1, 0.55, 0.7, 0.74], TALL, WIDE], shared)["choose"] < 1e-4


def test_a_described_person_nobody_found_teaches_no_choice() -> None:
    model, batch = tiny_model(), make_batch(1, 3)
    choice = torch.zeros(3, 5)
    choice[:, 1:4] = -torch.inf
    parts = read(model, batch, [[0.9, 0.9, 0.95, 0.95]], choice)
    parts["total"].backward()
    assert torch.isfinite(parts["total"]) and torch.isfinite(choice.grad).all()
    assert (choice.grad[:2] == 0).all() and choice.grad[2, 4] < 0 < choice.grad[2, 0]
    assert parts["action"] == 0 and parts["person_action"] == 0 and parts["branch_box"] > 0


def test_labels_go_to_the_person_they_belong_to() -> None:
    model, batch = tiny_model(), make_batch(1, 2)
    found = few_people(1, people=3)(None)
    found.boxes_cxcywh[:, :3] = xyxy_to_cxcywh(torch.tensor([TALL, [0.9, 0.9, 0.95, 0.95], WIDE]))
    clip, reading = model.encode_clips(batch.features, choose=lambda _: found)
    truth = torch.full((1, PEOPLE, 80), -20.0)
    truth[0, 0] = (batch.actions[0, 1] * 40) - 20  # the tall one is candidate 0
    truth[0, 2] = (batch.actions[0, 0] * 40) - 20
    truth[0, 1] = 20.0  # a stranger, about whom nothing is known
    boxes = clip.person_boxes.clone()
    boxes[0, [0, 2]] = xyxy_to_cxcywh(torch.tensor([TALL, WIDE]))
    perfect = replace(clip, person_actions=truth, person_boxes=boxes)
    output = model(clip, batch.text)
    described = xyxy_to_cxcywh(torch.tensor([WIDE, TALL])).unsqueeze(1).expand(-1, 2, -1)
    output = replace(output, branch_actions=torch.zeros(2, 80), branch_boxes=described)
    parts = Criterion(model, LossWeights())(batch, perfect, reading, output)
    for name in ("person_action", "refine", "action", "rank", "branch_box"):
        assert parts[name] < 1e-4, name
    turned = replace(perfect, person_actions=truth[:, [2, 1, 0, 3]], person_boxes=boxes[:, [2, 1, 0, 3]])
    parts = Criterion(model, LossWeights())(batch, turned, reading, output)
    for name in ("person_action", "refine", "action", "rank"):
        assert parts[name] > 0.01, name


def test_both_refinements_of_boxes_are_taught() -> None:
    model, batch = tiny_model(), make_batch(1, 2)
    found = few_people(1, people=2)(None)
    found.boxes_cxcywh[:, :2] = xyxy_to_cxcywh(torch.tensor([WIDE, TALL]))
    clip, reading = model.encode_clips(batch.features, choose=lambda _: found)
    truth = xyxy_to_cxcywh(torch.tensor([WIDE, TALL])).unsqueeze(0)
    off = truth + torch.tensor([0.02, 0.0, 0.0, 0.0])
    losses = {}
    for first, last in ((truth, truth), (off, truth), (truth, off), (off, off)):
        boxes = (torch.cat([part, clip.person_boxes[:, 2:]], dim=1) for part in (first, last))
        coarse, refined = boxes
        output = model(clip, batch.text)
        read = replace(reading, coarse=coarse)
        parts = Criterion(model, LossWeights())(batch, replace(clip, person_boxes=refined), read, output)
        losses[first is off, last is off] = parts["refine"].item()
    assert losses[False, False] < 1e-5 < losses[True, False] == pytest.approx(losses[False, True], rel=1e-4)
    assert losses[True, True] == pytest.approx(2 * losses[True, False], rel=1e-4)


def test_following_counts_the_share_inside_the_box_of_its_frame() -> None:
    tokens = (TINY.image_height // 16) * (TINY.image_width // 16)
    columns = TINY.image_width // 16
    boxes = torch.tensor([[[0.0, 0.0, 1 / columns, 1.0], [NAN] * 4]])  # the first column; then out of view
    similarity = torch.full((1, 2, tokens), -30.0)
    similarity[0, 0, ::columns] = 30.0
    assert _mass(similarity, boxes, columns) < 1e-4
    assert float(_mass(torch.zeros(1, 2, tokens), boxes, columns)) == pytest.approx(math.log(columns), rel=1e-4)
    assert _mass(torch.zeros(1, 2, tokens), torch.full((1, 2, 4), NAN), columns) == 0


def test_what_is_not_known_is_not_learnt_from() -> None:
    """Data without scenes: an unlabelled thing is no absent one, and an unboxed frame does not mean unseen."""
    batch = make_batch(2, 1)
    dense = dense_of(batch)
    logits = torch.zeros_like(dense.logits, requires_grad=True)
    unknown = replace(batch, things_known=torch.tensor([True, False]))
    detection_losses(replace(dense, logits=logits), batch.key_boxes, unknown)["detect"].backward()
    assert logits.grad[0, :, 1:].abs().max() > 0 and (logits.grad[1, :, 1:] == 0).all()
    assert logits.grad[1, :, 0].abs().max() > 0
    model = tiny_model()
    clip, _ = model.encode_clips(batch.features, choose=few_people(2, people=2))
    match, matched = torch.tensor([[0, 1, 0, 0]] * 2), torch.tensor([[True, True, False, False]] * 2)
    seen = torch.zeros_like(clip.frame_seen, requires_grad=True)
    known = replace(batch, frames_known=torch.tensor([True, False]))
    frame_losses(known, replace(clip, frame_seen=seen), match, matched)["frame_seen"].backward()
    assert seen.grad[0, :2].abs().min() > 0 and (seen.grad[1] == 0).all()
