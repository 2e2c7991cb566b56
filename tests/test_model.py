"""The model on random features: what each part may and may not depend on, and which way round boxes lie.

The helpers here build the smallest model and inputs; the training tests use them too.
"""

import errno
import math
import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from refatomnet.boxes import cxcywh_to_xyxy, pairwise_iou
from refatomnet.checkpoint import encoder_state
from refatomnet.config import ModelConfig
from refatomnet.encoders import FrameFeatures
from refatomnet.encoders.compact import CHANNELS
from refatomnet.errors import VideoError
from refatomnet.heads import (
    LOOK_GRID,
    DenseDetections,
    DetectionHead,
    Detections,
    RegionTokens,
    Surroundings,
    TubeTokens,
    keep_best,
    sample_inside,
    shift_boxes,
)
from refatomnet.model import Output, RavarModel
from refatomnet.shelf import TokenShelf
from refatomnet.text import TextTokens

TINY = ModelConfig(
    width=32,
    heads=4,
    layers=1,
    state_size=2,
    frames=4,
    key_frame=2,
    image_height=64,
    image_width=96,
    people=4,
    things=2,
    categories=("person", "chair", "thing"),
)


def tiny_model(*, seed: int = 0, quiet: bool = False) -> RavarModel:
    """A model in evaluation mode whose untrained detector finds as many as it may, or, ``quiet``, hardly anyone."""
    torch.manual_seed(seed)
    model = RavarModel(TINY)
    if not quiet:
        nn.init.constant_(model.detector.category.bias, 0.0)
    return model.eval()


BY_PERSON = ("people", "person_boxes", "person_actions", "frame_boxes", "frame_seen")  # of clip tokens
APART = ("place", "words")  # of an output: no plain tensors


def random_features(clips: int, *, seed: int = 0) -> FrameFeatures:
    random, rows, columns = torch.Generator().manual_seed(seed), TINY.image_height // 32, TINY.image_width // 32

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    return FrameFeatures(
        draw(clips, TINY.frames, CHANNELS.fine, 4 * rows, 4 * columns),
        draw(clips, TINY.frames, CHANNELS.middle, 2 * rows, 2 * columns),
        draw(clips, TINY.frames, CHANNELS.deep, rows, columns),
    )


def random_text(count: int, *, length: int = 6, seed: int = 0) -> TextTokens:
    """Sentences of different lengths, about half of whose words are content words."""
    random = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([length - i % 3 for i in range(count)])
    mask = torch.arange(length) < lengths.unsqueeze(1)
    keywords = (torch.rand(count, length, generator=random) < 0.5) & mask
    keywords[:, 1] = True
    states = torch.randn(count, length, TINY.word_width, generator=random) * mask.unsqueeze(-1)
    sentence = nn.functional.normalize(torch.randn(count, TINY.word_width, generator=random), dim=1)
    return TextTokens(states, mask, keywords, sentence, tuple(("word",) * int(n) for n in lengths))


def few_people(clips: int, *, seed: int = 0, people: int = 3) -> Callable[[DenseDetections], Detections]:
    """A choice of detections made by hand: so many people, then padding, and one thing."""
    random = torch.Generator().manual_seed(seed)
    total = TINY.people + TINY.things
    boxes = torch.rand(clips, total, 4, generator=random) * 0.4 + 0.2
    category = torch.tensor([0] * TINY.people + [1] * TINY.things).expand(clips, -1)
    mask = torch.arange(total).expand(clips, -1)
    mask = (mask < people) | (mask == TINY.people)
    return lambda dense: Detections(boxes, torch.rand(clips, total, generator=random), category, mask)


def same(a: object, b: object, *, ignore: tuple[str, ...] = (), tolerance: float = 1e-5) -> None:
    """Every tensor field of two results is the same."""
    for field in fields(a):
        if field.name not in ignore:
            torch.testing.assert_close(
                getattr(a, field.name), getattr(b, field.name), atol=tolerance, rtol=1e-4, msg=field.name
            )


def part_of(output: Output, rows: slice) -> Output:
    values = {f.name: getattr(output, f.name)[rows] for f in fields(output) if f.name not in APART}
    return Output(**values, place=output.place, words=output.words)


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def model() -> RavarModel:
    return tiny_model()


# ---- the whole ----------------------------------------------------------------------------------------------------
def test_shapes_follow_the_config(model: RavarModel) -> None:
    clip, reading = model.encode_clips(random_features(2))
    rows, columns = TINY.image_height // 16, TINY.image_width // 16
    assert clip.tokens.shape == (2, TINY.frames, rows * columns, TINY.width)
    assert clip.temporal.shape == clip.scene.shape == (2, TINY.frames, TINY.width)
    assert clip.spatial.shape == (2, rows * columns // 4, TINY.width)
    assert clip.people.shape == (2, TINY.people, TINY.width) and clip.person_actions.shape == (2, TINY.people, 80)
    assert reading.dense.boxes_cxcywh.shape == (2, 4 * rows * columns, 4)
    output = model(clip, random_text(6))
    assert output.choice.shape == (6, TINY.people + 1) and output.actions.shape == (6, 80)
    assert output.branch_boxes.shape == (6, 2, 4) and output.presence.shape == (6,)
    assert output.words.tokens.shape == (6, 6, TINY.frames, TINY.width)


def test_the_answer_is_about_the_best_person(model: RavarModel) -> None:
    clip, _ = model.encode_clips(random_features(3), choose=few_people(3))
    output = model(clip, random_text(3))
    assert (output.choice[:, 3] == -torch.inf).all() and torch.isfinite(output.choice[:, [0, 1, 2, 4]]).all()
    best = output.choice[:, :-1].argmax(1)
    row = torch.arange(3)
    torch.testing.assert_close(output.box_cxcywh, clip.person_boxes[row, best])
    torch.testing.assert_close(output.actions, clip.person_actions[row, best] + output.branch_actions)
    shares = output.choice.softmax(1)
    torch.testing.assert_close(output.presence.sigmoid(), 1 - shares[:, -1])


def test_a_batch_equals_its_clips_one_by_one(model: RavarModel) -> None:
    features, text = random_features(3), random_text(3)
    clip, _ = model.encode_clips(features)
    assert clip.people_mask.sum() > 3  # several people each
    output = model(clip, text)
    for i in range(3):
        one = FrameFeatures(features.fine[i : i + 1], features.middle[i : i + 1], features.deep[i : i + 1])
        alone, _ = model.encode_clips(one)
        same(alone, clip.select(torch.tensor([i])))
        answer = model(alone, text.select(torch.tensor([i])))
        same(part_of(output, slice(i, i + 1)), answer, ignore=APART)


def test_many_sentences_equal_one_by_one(model: RavarModel) -> None:
    clip, _ = model.encode_clips(random_features(2))
    text = random_text(6)
    together = model(clip, text)
    for i in range(6):  # the first three are about the first clip
        alone = model(clip.select(torch.tensor([i // 3])), text.select(torch.tensor([i])))
        same(part_of(together, slice(i, i + 1)), alone, ignore=APART)
        torch.testing.assert_close(together.words.tokens[i], alone.words.tokens[0], atol=1e-5, rtol=1e-4)
        assert torch.equal(together.words.index[i], alone.words.index[0])
    repeated = model(clip.repeat(3), text)
    same(together, repeated, ignore=APART)


def test_sentences_must_be_a_multiple_of_clips(model: RavarModel) -> None:
    clip, _ = model.encode_clips(random_features(2))
    for count in (3, 1):
        with pytest.raises(ValueError, match=f"{count} sentences are no multiple of 2 clips"):
            model(clip, random_text(count))


def test_padding_words_change_nothing(model: RavarModel) -> None:
    clip, _ = model.encode_clips(random_features(2))
    text = random_text(2)
    pad = nn.functional.pad
    longer = TextTokens(
        pad(text.states, (0, 0, 0, 5)), pad(text.mask, (0, 5)), pad(text.keywords, (0, 5)), text.sentence, text.words
    )
    longer.states[~longer.mask] = torch.randn(int((~longer.mask).sum()), TINY.word_width)  # even if not zero
    same(model(clip, text), model(clip, longer), ignore=APART)


def test_masked_detections_change_nothing(model: RavarModel) -> None:
    features, text = random_features(2), random_text(4)
    few = few_people(2, people=2)(None)
    expected, _ = model.encode_clips(features, choose=lambda _: few)
    noisy = torch.where(few.mask[..., None], few.boxes_cxcywh, torch.rand(2, 6, 4))
    more = Detections(  # other padding, and a hundred discarded detections behind it
        torch.cat([noisy, torch.rand(2, 99, 4)], 1),
        torch.cat([few.scores, torch.rand(2, 99)], 1),
        torch.cat([few.category, torch.ones(2, 99, dtype=torch.long)], 1),
        torch.cat([few.mask, torch.zeros(2, 99, dtype=torch.bool)], 1),
    )
    clip, reading = model.encode_clips(features, choose=lambda _: more)
    assert (reading.paths.tokens[~more.mask] == 0).all()
    same(expected, clip, ignore=BY_PERSON)
    for name in BY_PERSON:
        torch.testing.assert_close(getattr(expected, name)[:, :2], getattr(clip, name)[:, :2], atol=1e-5, rtol=1e-4)
    first, second = model(expected, text), model(clip, text)
    same(first, second, ignore=("boxes", "everyone", *APART))
    torch.testing.assert_close(first.box_cxcywh, second.box_cxcywh, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(first.actions, second.actions, atol=1e-5, rtol=1e-4)


def test_people_in_another_order_get_the_same_scores(model: RavarModel) -> None:
    features, text = random_features(2), random_text(2)
    found = few_people(2, people=4)(None)
    order = torch.tensor([2, 0, 3, 1])
    index = torch.cat([order, torch.tensor([4, 5])])
    turned = Detections(*(getattr(found, f.name)[:, index] for f in fields(found)))
    clip, _ = model.encode_clips(features, choose=lambda _: found)
    other, _ = model.encode_clips(features, choose=lambda _: turned)
    first, second = model(clip, text), model(other, text)
    torch.testing.assert_close(first.choice[:, order], second.choice[:, :4], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(first.boxes[:, order], second.boxes, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(first.everyone[:, order], second.everyone, atol=1e-5, rtol=1e-4)
    same(first, second, ignore=("choice", "boxes", "everyone", *APART))


def test_the_sentence_and_the_clip_matter(model: RavarModel) -> None:
    clip, _ = model.encode_clips(random_features(1))
    two = model(clip, random_text(2))
    assert (two.choice[0] - two.choice[1]).abs().nan_to_num(0).max() > 1e-3
    other, _ = model.encode_clips(random_features(1, seed=1))
    assert (model(other, random_text(2)).choice[0] - two.choice[0]).abs().nan_to_num(0).max() > 1e-3


@pytest.mark.parametrize("limit", [0, 2**30], ids=["disk", "memory"])
def test_a_shelf_gives_back_what_was_put_on_it(
    model: RavarModel, limit: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("refatomnet.shelf.MEMORY_LIMIT", limit)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    clip, _ = model.encode_clips(random_features(3))
    shelf = TokenShelf(3)
    shelf.put(2, clip.select(torch.tensor([0])))
    shelf.put(0, clip.select(torch.tensor([1, 2])))
    back = shelf.select(torch.tensor([2, 0, 1]))
    assert len(shelf) == 3 and back.tokens.dtype == torch.float16 and not list(tmp_path.iterdir())
    same(back, replace(clip, tokens=clip.tokens.half()), tolerance=0)
    text = random_text(3)
    torch.testing.assert_close(model(back, text).choice, model(clip, text).choice, atol=0.02, rtol=0.02)


def test_a_full_disk_is_told_before_anything_is_written(model: RavarModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("refatomnet.shelf.MEMORY_LIMIT", 0)
    monkeypatch.setattr(os, "posix_fallocate", full)
    clip, _ = model.encode_clips(random_features(1))
    with pytest.raises(VideoError, match="no room for 0.0 GB .*No space left on device.*longer stride"):
        TokenShelf(1).put(0, clip)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="architecture is 'x'; expected 'refatomnetpp' or 'refatomnet' or 'plain'"):
        replace(TINY, architecture="x")


# ---- axes ---------------------------------------------------------------------------------------------------------
def numbered_maps(clips: int) -> Tensor:
    """Maps (B, T, D, h, w) whose first channels hold frame, token, pooled token and clip."""
    rows, columns = TINY.image_height // 16, TINY.image_width // 16
    maps = torch.zeros(clips, TINY.frames, TINY.width, rows, columns)
    y, x = torch.arange(rows).view(-1, 1), torch.arange(columns).view(1, -1)
    maps[:, :, 0] = torch.arange(TINY.frames).view(1, -1, 1, 1)
    maps[:, :, 1] = y * columns + x
    maps[:, :, 2] = (y // 2) * (columns // 2) + x // 2
    maps[:, :, 3] = torch.arange(clips).view(-1, 1, 1, 1)
    return maps


def test_means_are_over_the_axes_their_names_say() -> None:
    model = tiny_model()
    model.fusion.scan_visual = nn.Identity()
    temporal, spatial = model.fusion._scan_visual(numbered_maps(2))
    frames, cells = TINY.frames, spatial.shape[1]
    torch.testing.assert_close(temporal[1, :, 0], torch.arange(float(frames)))  # one token a frame
    torch.testing.assert_close(temporal[1, :, 2], torch.full((frames,), (cells - 1) / 2))
    torch.testing.assert_close(spatial[1, :, 2], torch.arange(float(cells)))  # one token a place
    torch.testing.assert_close(spatial[1, :, 0], torch.full((cells,), (frames - 1) / 2))
    assert (temporal[..., 3] == torch.tensor([[0.0], [1.0]])).all() and (spatial[0, :, 3] == 0).all()


def test_the_visual_scan_runs_frame_after_frame() -> None:
    model, seen = tiny_model(), []

    class Watch(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return x

    model.fusion.scan_visual = Watch()
    model.fusion._scan_visual(numbered_maps(1))
    cells = TINY.image_height * TINY.image_width // 32**2
    assert torch.equal(seen[0][0, :, 0], torch.arange(TINY.frames).repeat_interleave(cells).float())
    assert torch.equal(seen[0][0, :, 2], torch.arange(cells).repeat(TINY.frames).float())


def test_tokens_keep_their_frame_and_place() -> None:
    class Fixed(nn.Module):
        def forward(self, features: FrameFeatures, key_frame: int) -> tuple[Tensor, Tensor]:
            assert key_frame == TINY.key_frame
            return numbered_maps(2), torch.randn(2, 96, *features.fine.shape[3:])

    model = tiny_model()
    model.neck = Fixed()
    clip, reading = model.encode_clips(random_features(2), choose=few_people(2))
    frames, count = TINY.frames, clip.tokens.shape[2]
    assert torch.equal(clip.tokens[1, :, :, 0], torch.arange(float(frames)).view(-1, 1).expand(-1, count))
    assert torch.equal(clip.tokens[1, :, :, 1], torch.arange(float(count)).expand(frames, -1))
    words = model(clip, random_text(4)).words
    real = random_text(4).keywords
    torch.testing.assert_close(words.tokens[..., 1][real], words.index[real].float())
    torch.testing.assert_close(words.tokens[..., 0][real], torch.arange(float(frames)).expand(int(real.sum()), -1))
    assert words.tokens[..., 3][:2][real[:2]].abs().max() < 1e-6  # the first two sentences are about clip 0
    torch.testing.assert_close(words.tokens[..., 3][2:][real[2:]], torch.ones(int(real[2:].sum()), frames))
    paths = reading.paths
    torch.testing.assert_close(paths.tokens[..., 1][:, 0], paths.index[:, 0].float())


def test_the_fine_map_is_that_of_the_key_frame(model: RavarModel) -> None:
    features = random_features(1)
    _, before = model.neck(features, TINY.key_frame)
    for frame in range(TINY.frames):
        middle = features.middle.clone()
        middle[:, frame] += 1
        _, after = model.neck(replace(features, middle=middle), TINY.key_frame)
        assert torch.equal(before, after) == (frame != TINY.key_frame)


# ---- boxes --------------------------------------------------------------------------------------------------------
def test_cells_and_boxes_of_the_detector_are_x_then_y() -> None:
    head = DetectionHead(8, categories=3).eval()
    nn.init.zeros_(head.box.weight)
    with torch.no_grad():
        head.box.bias.copy_(torch.tensor([-2.0, -2.0, -0.5, -3.0]))  # centred; wide and low
    dense = head(torch.randn(1, 8, 4, 12))
    assert dense.centres.shape == (48, 2)
    torch.testing.assert_close(dense.centres[0], torch.tensor([0.5 / 12, 0.5 / 4]))
    torch.testing.assert_close(dense.centres[11], torch.tensor([11.5 / 12, 0.5 / 4]))  # along the first row
    torch.testing.assert_close(dense.centres[12], torch.tensor([0.5 / 12, 1.5 / 4]))
    torch.testing.assert_close(dense.boxes_cxcywh[0, :, :2], dense.centres)
    torch.testing.assert_close(dense.boxes_cxcywh[0, 5, 2:], torch.tensor([-0.5, -3.0]).exp())


def test_a_cell_predicts_from_its_own_place() -> None:
    head = DetectionHead(8, categories=3).eval()
    fine = torch.zeros(1, 8, 4, 12)
    fine[..., 3, 10] = 5
    dense, empty = head(fine), head(torch.zeros_like(fine))
    moved = (dense.logits - empty.logits).abs().sum(-1)[0]
    x, y = dense.centres[moved.argmax()].tolist()
    assert (x, y) == pytest.approx((10.5 / 12, 3.5 / 4), abs=0.26)
    fine[..., 3, 10], fine[..., 0, 1] = 0, 5
    moved = (head(fine).logits - empty.logits).abs().sum(-1)[0]
    assert dense.centres[moved.argmax()][0] < 0.3


def grid_of(positions: list[tuple[list[float], int, float]]) -> DenseDetections:
    """Dense detections made by hand: box cxcywh, category and score of each cell, one clip."""
    logits = torch.full((1, len(positions), 3), -8.0)
    for cell, (_, kind, score) in enumerate(positions):
        logits[0, cell, kind] = torch.tensor(score).logit()
    boxes = torch.tensor([[box for box, _, _ in positions]])
    return DenseDetections(logits, boxes, boxes[0, :, :2])


def test_suppression_keeps_the_best_of_each_heap() -> None:
    wide, tall = [0.5, 0.5, 0.6, 0.1], [0.5, 0.5, 0.1, 0.6]  # they cross, and overlap little
    dense = grid_of(
        [
            ([0.5, 0.5, 0.58, 0.1], 0, 0.7),
            (wide, 0, 0.9),
            (tall, 0, 0.8),
            ([0.5, 0.49, 0.1, 0.6], 0, 0.6),
            ([0.1, 0.1, 0.1, 0.1], 0, 0.01),  # under the floor
            ([0.2, 0.8, 0.1, 0.1], 2, 0.5),
            ([0.2, 0.8, 0.1, 0.11], 1, 0.95),
            ([0.5, 0.5, 0.6, 0.1], 1, 0.4),  # things do not compete with people
        ]
    )
    found = keep_best(dense, people=3, things=3)
    assert found.mask.tolist() == [[True, True, False, True, True, False]]
    torch.testing.assert_close(found.boxes_cxcywh[0, :2], torch.tensor([wide, tall]))
    torch.testing.assert_close(found.scores[0, :2], torch.tensor([0.9, 0.8]))
    assert found.category.tolist()[0][:5] == [0, 0, 0, 1, 1]
    torch.testing.assert_close(found.boxes_cxcywh[0, 3:5, :2], torch.tensor([[0.2, 0.8], [0.5, 0.5]]))


def test_a_repeated_pick_is_not_real() -> None:
    heap = [([0.5, 0.5, 0.4, 0.2 + 0.001 * i], 0, 0.9 - 0.01 * i) for i in range(6)]
    found = keep_best(grid_of(heap), people=4, things=2)
    assert found.mask.tolist() == [[True, False, False, False, True, False]]
    torch.testing.assert_close(found.scores[0, 0], torch.tensor(0.9))


def test_kept_people_overlap_little(model: RavarModel) -> None:
    _, reading = model.encode_clips(random_features(4))
    found = reading.detections
    for clip in range(4):
        people = found.boxes_cxcywh[clip, : TINY.people][found.mask[clip, : TINY.people]]
        corners = cxcywh_to_xyxy(people)
        overlap = pairwise_iou(corners, corners).fill_diagonal_(0)
        assert len(people) >= 2 and (overlap <= 0.55).all()
        scores = found.scores[clip, : TINY.people][found.mask[clip, : TINY.people]]
        assert (scores.diff() <= 0).all()


def test_an_empty_picture_still_has_one_candidate() -> None:
    clip, _ = tiny_model(quiet=True).encode_clips(random_features(2))
    assert clip.people_mask[:, 0].all() and torch.isfinite(clip.people).all()


def test_samples_lie_inside_a_wide_box() -> None:
    rows, columns = 40, 60
    y = (torch.arange(rows) + 0.5) / rows
    x = (torch.arange(columns) + 0.5) / columns
    place = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1]).unsqueeze(0)  # x, then y
    box = torch.tensor([[[0.4, 0.7, 0.6, 0.1]]])
    assert LOOK_GRID == (6, 4)
    samples = sample_inside(place, box, LOOK_GRID).view(6, 4, 2)
    left, top, right, bottom = 0.1, 0.65, 0.7, 0.75
    across, down = (torch.arange(4) + 0.5) / 4 * (right - left) + left, (torch.arange(6) + 0.5) / 6 * 0.1 + top
    torch.testing.assert_close(samples[..., 0], across.expand(6, 4), atol=1e-4, rtol=0)
    torch.testing.assert_close(samples[..., 1], down.view(6, 1).expand(6, 4), atol=1e-4, rtol=0)
    assert samples[..., 1].max() < bottom


def test_a_tube_looks_at_its_box_in_every_frame() -> None:
    tubes = TubeTokens(TINY.width, 6)
    for unused in (tubes.limbs[2].weight, tubes.limbs[2].bias):
        nn.init.zeros_(unused)
    tubes.norm = nn.Identity()
    fine = torch.randn(2, TINY.frames, 6, 8, 12)
    plain = nn.Linear(TINY.width * 8, TINY.width)  # the first sample passes: the upper left one of 4 x 2
    nn.init.zeros_(plain.bias)
    with torch.no_grad():  # channels lead, sample points follow
        plain.weight.copy_(torch.eye(TINY.width * 8).view(8, TINY.width, -1)[0])
    tubes.body = plain
    boxes = torch.rand(2, 5, 4) * 0.2 + 0.4
    tokens = tubes(numbered_maps(2), fine, boxes)
    assert tokens.shape == (2, 5, TINY.frames, TINY.width)
    torch.testing.assert_close(tokens[..., 0], torch.arange(float(TINY.frames)).expand(2, 5, -1))  # its own frame
    torch.testing.assert_close(tokens[..., 3], torch.tensor([0.0, 1.0]).view(2, 1, 1).expand(2, 5, TINY.frames))
    alone = tubes(numbered_maps(2)[1:], fine[1:], boxes[1:, 3:4])
    torch.testing.assert_close(alone[0, 0], tokens[1, 3])
    wide = torch.tensor([[[0.5, 0.5, 0.6, 0.1]]])
    place = numbered_maps(1).clone()
    x, y = (torch.arange(6) + 0.5) / 6, (torch.arange(4) + 0.5) / 4
    place[:, :, 0], place[:, :, 1] = x, y.view(-1, 1)
    upper_left = tubes(place, fine[:1], wide)[0, 0, 0, :2]
    torch.testing.assert_close(upper_left, torch.tensor([0.5 - 0.6 * 1.25 / 4, 0.5 - 0.1 * 1.25 * 3 / 8]))


def test_a_tube_sees_limbs_on_the_fine_map_of_every_frame() -> None:
    tubes = TubeTokens(TINY.width, 6).eval()
    maps, boxes = torch.zeros(1, TINY.frames, TINY.width, 4, 6), torch.tensor([[[0.5, 0.5, 0.4, 0.6]]])
    fine = torch.randn(1, TINY.frames, 6, 8, 12)
    before = tubes(maps, fine, boxes)
    hand = fine.clone()
    hand[0, 2, :, 2, 4] += 5.0  # inside the box of frame 2, but for a quarter of a token
    changed = (tubes(maps, hand, boxes) - before).abs().amax(-1)[0, 0]
    norm_only = changed[torch.arange(TINY.frames) != 2]
    assert changed[2] > 0.05 and norm_only.max() == 0


def test_surroundings_look_at_real_detections_by_where_they_lie() -> None:
    around = Surroundings(TINY.width, heads=2, dropout=0.0).eval()
    cues, boxes = torch.randn(2, 5, TINY.width), torch.rand(2, 5, 4) * 0.3 + 0.2
    mask = torch.tensor([[True, True, False, True, False], [False, False, False, False, True]])
    seen = around(cues[:, :3], cues, boxes, mask)
    assert seen.shape == (2, 3, TINY.width) and torch.isfinite(seen).all()
    other = cues.clone()
    other[0, 2], other[0, 4] = 9.0, -9.0  # padding
    torch.testing.assert_close(around(cues[:1, :2], other[:1], boxes[:1], mask[:1]), seen[:1, :2])
    other[0, 3] = 9.0  # a thing that is there
    assert not torch.allclose(around(cues[:1, :2], other[:1], boxes[:1], mask[:1]), seen[:1, :2])
    moved = boxes.clone()
    moved[0, 3, 0] += 0.2
    assert not torch.allclose(around(cues[:1, :2], cues[:1], moved[:1], mask[:1]), seen[:1, :2])
    swapped = around(cues[:1, [1, 0]], cues[:1, [1, 0, 2, 3, 4]], boxes[:1, [1, 0, 2, 3, 4]], mask[:1])
    torch.testing.assert_close(swapped, seen[:1, [1, 0]])


def test_where_a_thing_lies_is_told_in_heights_of_the_person() -> None:
    person, ball = torch.tensor([[[0.5, 0.5, 0.1, 0.4]]]), torch.tensor([[[0.7, 0.6, 0.1, 0.1]]])
    expected = torch.tensor([0.5, 0.25, math.log(0.25), math.log(0.25), 0.0])
    torch.testing.assert_close(Surroundings.describe(person, ball)[0, 0, 0], expected)
    assert float(Surroundings.describe(person, person)[0, 0, 0, -1]) == pytest.approx(1.0)


def test_the_numbers_of_a_box() -> None:
    wide = torch.tensor([0.4, 0.7, 0.6, 0.1])
    numbers = RegionTokens.describe(wide)
    corners = torch.tensor([0.1, 0.65, 0.7, 0.75])
    rest = torch.tensor([0.06**0.5, math.log(1 / 6)])
    torch.testing.assert_close(numbers, torch.cat([4 * wide - 2, wide[2:].log(), 4 * corners - 2, rest]))


def test_a_refined_box_moves_in_units_of_itself() -> None:
    wide = torch.tensor([0.5, 0.5, 0.6, 0.1])
    torch.testing.assert_close(shift_boxes(wide, torch.zeros(4)), wide)
    moved = shift_boxes(wide, torch.tensor([9.0, -9, 9, -9]))
    torch.testing.assert_close(moved, torch.tensor([0.8, 0.45, 0.6 * torch.e, 0.1 / torch.e]))


# ---- the frozen encoder -------------------------------------------------------------------------------------------
def test_the_encoder_is_frozen_in_every_mode() -> None:
    model = tiny_model()
    model.encoder.load_state_dict(encoder_state())
    pixels = torch.randn(2, 3, 64, 96)
    before = model.encode_frames(pixels)
    assert before.fine.shape == (2, CHANNELS.fine, 8, 12) and before.deep.shape == (2, CHANNELS.deep, 2, 3)
    model.train()
    same(before, model.encode_frames(pixels), tolerance=0.0)
    assert not before.fine.requires_grad
    parts = [type(part).__name__ for part in model.encoder.modules()]
    assert not [name for name in parts if "Dropout" in name or "BatchNorm" in name]
    assert not any(p.requires_grad for p in model.encoder.parameters())
    frozen = {name: value.clone() for name, value in model.encoder.state_dict().items()}
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    clip, _ = model.encode_clips(random_features(1))
    model(clip, random_text(1)).actions.sum().backward()
    optimiser.step()
    assert all(torch.equal(value, frozen[name]) for name, value in model.encoder.state_dict().items())
    assert all(p.grad is None for p in model.encoder.parameters())


def test_the_retrieval_learns_from_the_answer_alone() -> None:
    model = tiny_model()
    clip, _ = model.encode_clips(random_features(2), choose=few_people(2))
    output = model(clip, random_text(4))
    (output.choice[:, [0, 1, 2, 4]].square().sum() + output.branch_actions.square().sum()).backward()
    for retrieval in (model.fusion.scene_retrieval, model.fusion.word_retrieval):
        for name in ("cue_proj", "token_proj"):
            assert getattr(retrieval, name).weight.grad.abs().max() > 1e-7, name


def test_channels_hold_the_colours_of_the_frame() -> None:
    from refatomnet.encoders.compact import CompactEncoder

    pixels = torch.zeros(1, 3, 64, 96)
    pixels[:, 0, 16:32, 48:64] = 1.0  # a red square at row 1, column 3 of the middle map
    features = CompactEncoder()(pixels)
    middle = features.middle[0, -3:]
    assert torch.nonzero(middle).tolist() == [[0, 1, 3]] and middle[0, 1, 3] == 1
    red = features.fine[0, -12:-8]
    assert (red[:, 2:4, 6:8] == 1).all() and red.sum() == 16 and (features.fine[0, -8:] == 0).all()
