"""Every architecture can learn a handful of clips by heart, and is asked as a user would ask it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_model import TINY, random_features, random_text
from torch import Tensor, nn

from refatomnet.boxes import cxcywh_to_xyxy
from refatomnet.heads import PhraseMatch
from refatomnet.model import RavarModel
from training.criterion import Criterion, LossWeights, training_detections
from training.data.examples import ATTRIBUTES, Batch
from training.data.synthetic.facts import JOINTS
from training.metrics import action_scores, box_ious

CLIPS, PEOPLE, STEPS = 8, 3, 70
# Someone on the left, in the middle and on the right, xyxy; they differ in size, and no two overlap by half.
PLACES = torch.tensor([[0.05, 0.10, 0.30, 0.90], [0.35, 0.30, 0.60, 0.80], [0.62, 0.05, 0.95, 0.60]])
CLASSES = [11, 13, 3, 58, 73, 78, 79, 47]


def clips_to_learn() -> Batch:
    """Eight clips of two or three people in boxes of their own, each with actions and one sentence about them."""
    random = torch.Generator().manual_seed(1)
    people = torch.full((CLIPS, TINY.people, TINY.frames, 4), torch.nan)
    shift = (torch.rand(CLIPS, PEOPLE, 2, generator=random) - 0.5) * 0.1
    people[:, :PEOPLE] = (PLACES + shift.repeat(1, 1, 2)).clamp(0, 1).unsqueeze(2)
    people[::2, PEOPLE - 1] = torch.nan
    real = ~people[:, :, TINY.key_frame].isnan().any(-1)
    actions = torch.zeros(CLIPS, TINY.people, 80)
    for clip, person in real.nonzero().tolist():
        count = 1 + (clip + person) % 3
        actions[clip, person, [CLASSES[(3 * clip + 5 * person + k) % len(CLASSES)] for k in range(count)]] = 1
    return Batch(
        features=random_features(CLIPS, seed=1),
        people_xyxy=people,
        people_real=real,
        frames_known=torch.ones(len(real), dtype=torch.bool),
        things_known=torch.ones(len(real), dtype=torch.bool),
        things_xyxy=torch.full((CLIPS, 1, 4), torch.nan),
        things_kind=torch.zeros(CLIPS, 1, dtype=torch.long),
        joints=torch.full((CLIPS, TINY.people, len(JOINTS), 2), torch.nan),
        actions=actions,
        attributes=torch.full((CLIPS, TINY.people, len(ATTRIBUTES)), -1),
        text=random_text(CLIPS * PEOPLE, seed=1),
        # Two sentences about the first person of a clip that has no third.
        person=torch.tensor([[0, 1, 2 if clip % 2 else 0] for clip in range(CLIPS)]).flatten(),
        parts=torch.full((CLIPS * PEOPLE, len(PhraseMatch.PARTS), TINY.people), -1),
        key=TINY.key_frame,
    )


def learn(model: RavarModel, batch: Batch) -> None:
    criterion = Criterion(model, LossWeights())
    parameters = [p for part in (model, criterion) for p in part.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=4e-3, weight_decay=0.0)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=STEPS, pct_start=0.1)
    model.train()
    for step in range(STEPS):
        share = max(0.0, 1 - 2 * step / STEPS)
        clip, reading = model.encode_clips(
            batch.features,
            choose=lambda dense, share=share: training_detections(
                dense, batch, TINY.people, TINY.things, true_share=share
            ),
        )
        loss = criterion(batch, clip, reading, model(clip, batch.text))["total"]
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        rate.step()


@torch.no_grad()
def scores(model: RavarModel, batch: Batch) -> dict[str, float]:
    """The task's scores on these clips, one after another, by the model's own detections."""
    model.eval()
    boxes: list[Tensor] = []
    actions: list[Tensor] = []
    for i in range(CLIPS):
        features = type(batch.features)(*(x[i : i + 1] for x in vars(batch.features).values()))
        clip, _ = model.encode_clips(features)
        output = model(clip, batch.text.select(torch.arange(i * PEOPLE, (i + 1) * PEOPLE)))
        boxes.append(cxcywh_to_xyxy(output.box_cxcywh))
        actions.append(output.actions)
    clip_of = torch.arange(CLIPS).repeat_interleave(PEOPLE)
    overlap = box_ious(torch.cat(boxes).numpy(), batch.key_boxes[clip_of, batch.person].numpy())
    labels = batch.actions[clip_of, batch.person].numpy()
    return {"miou": float(np.mean(overlap)), **action_scores(torch.cat(actions).numpy(), labels)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "architecture",
    ["refatomnetpp", *(pytest.param(name, marks=pytest.mark.long) for name in ("refatomnet", "plain"))],
)
def test_eight_clips_are_learnt_by_heart(architecture: str) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = RavarModel(replace(TINY, architecture=architecture, dropout=0.0))
    batch = clips_to_learn()
    before = scores(model, batch)
    learn(model, batch)
    after = scores(model, batch)
    assert before["miou"] < 0.5 and before["map_macro"] < 0.6
    assert after["miou"] > 0.9, after
    assert after["map_macro"] > 0.95, after
