"""What is detected, what a detection becomes, and the heads that answer: which way round boxes and cells lie."""

import math

import pytest
import torch
from test_model import TINY, numbered_maps, random_features, random_text, tiny_model
from torch import Tensor, nn

from refatomnet.boxes import cxcywh_to_xyxy, iou, pairwise_iou
from refatomnet.fusion import pool_maps
from refatomnet.heads import (
    LOOK_GRID,
    BranchHeads,
    Counting,
    DenseDetections,
    DetectionHead,
    FrameBoxes,
    Layout,
    LookEncoder,
    PersonChoice,
    PhraseMatch,
    PlaceHead,
    RegionTokens,
    Surroundings,
    TubeTokens,
    cell_centres,
    keep_best,
    sample_inside,
    shift_boxes,
)


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


# ---- detections --------------------------------------------------------------------------------------------------
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


def test_kept_people_overlap_little() -> None:
    _, reading = tiny_model().encode_clips(random_features(4))
    found = reading.detections
    for clip in range(4):
        people = found.boxes_cxcywh[clip, : TINY.people][found.mask[clip, : TINY.people]]
        corners = cxcywh_to_xyxy(people)
        overlap = pairwise_iou(corners, corners).fill_diagonal_(0)
        assert len(people) >= 2 and (overlap <= 0.45).all()
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


# ---- boxes in every frame -----------------------------------------------------------------------------------------
ROWS, COLUMNS = 4, 9  # a grid that is not square


def marked(cells: Tensor, *, width: int = 8) -> Tensor:
    """Maps (B, T, D, rows, columns) on which each person has a mark of their own at their cells (B, P, T, row and
    column).
    """
    clips, people, frames, _ = cells.shape
    maps = torch.zeros(clips, frames, width, ROWS, COLUMNS)
    for clip in range(clips):
        for person in range(people):
            for frame in range(frames):
                row, column = cells[clip, person, frame].tolist()
                maps[clip, frame, person, row, column] = 1.0
    return maps


def centre_of(cells: Tensor) -> Tensor:
    """Middle x, y of cells (..., row and column)."""
    return (cells.flip(-1) + 0.5) / torch.tensor([COLUMNS, ROWS])


def test_a_person_is_boxed_where_the_likest_cell_is() -> None:
    head = FrameBoxes(8).eval()
    with torch.no_grad():
        for layer in (head.cue, head.key):
            layer.weight.copy_(torch.eye(8))
            layer.bias.zero_()
        head.log_sharpness.fill_(math.log(100.0))
        head.log_reach.fill_(math.log(100.0))  # look everywhere
        head.shift[2].weight.zero_()
        head.shift[2].bias.zero_()
    cells = torch.tensor([[[[0, 0], [0, 8], [3, 1]], [[2, 4], [1, 7], [2, 2]]]])
    boxes = torch.tensor([[[0.5, 0.5, 0.3, 0.1], [0.4, 0.6, 0.05, 0.5]]])
    cues = torch.eye(8)[:2].unsqueeze(0)
    found, seen = head(cues, torch.randn(1, 2, 3, 8), marked(cells), boxes)
    assert found.shape == (1, 2, 3, 4) and seen.shape == (1, 2, 3)
    torch.testing.assert_close(found[..., :2], centre_of(cells), atol=1e-3, rtol=0)
    torch.testing.assert_close(found[..., 2:], boxes[:, :, None, 2:].expand(-1, -1, 3, -1))


def test_without_a_likeness_a_person_stays_where_they_are_at_the_key_frame() -> None:
    head = FrameBoxes(8).eval()
    with torch.no_grad():
        head.shift[2].weight.zero_()
        head.shift[2].bias.zero_()
        head.log_reach.fill_(math.log(0.3))
    boxes = torch.tensor([[[0.5, 0.5, 0.7, 0.9], [0.611, 0.625, 0.4, 0.5]]])  # in the middle of the grid, and of a cell
    found, _ = head(torch.randn(1, 2, 8), torch.zeros(1, 2, 3, 8), torch.zeros(1, 3, 8, ROWS, COLUMNS), boxes)
    torch.testing.assert_close(found, boxes.unsqueeze(2).expand(-1, -1, 3, -1), atol=0.01, rtol=0)


def test_a_person_who_moves_is_followed() -> None:
    """Trained on people who walk at random over a grid, it follows others."""
    torch.manual_seed(0)
    head, frames = FrameBoxes(8), 5
    cues = torch.eye(8)[:2].expand(16, -1, -1)

    def walk() -> tuple[Tensor, Tensor, Tensor]:
        """Two people, one across and one down and up; their maps, their boxes, and those of the key frame (2)."""
        time = torch.arange(frames)
        across = torch.stack([torch.randint(ROWS, (16, 1)).expand(-1, 5), torch.randint(5, (16, 1)) + time], dim=-1)
        down = torch.stack(
            [(torch.randint(4, (16, 1)) + time) % ROWS, torch.randint(COLUMNS, (16, 1)).expand(-1, 5)], dim=-1
        )
        cells = torch.stack([across, down], dim=1)
        size = torch.tensor([[0.30, 0.25], [0.15, 0.5]]).view(1, 2, 1, 2).expand(16, 2, frames, 2)
        boxes = torch.cat([centre_of(cells), size], dim=-1)
        return marked(cells), boxes, boxes[:, :, 2]

    optimiser = torch.optim.Adam(head.parameters(), lr=0.02)
    still = torch.zeros(16, 2, frames, 8)
    for _ in range(120):
        maps, truth, key = walk()
        found, _ = head(cues, still, maps, key)
        optimiser.zero_grad()
        (found - truth).abs().mean().backward()
        optimiser.step()
    maps, truth, key = walk()
    found, _ = head(cues, still, maps, key)
    standing = iou(cxcywh_to_xyxy(key.unsqueeze(2).expand_as(truth)), cxcywh_to_xyxy(truth)).mean()
    assert standing < 0.6
    assert iou(cxcywh_to_xyxy(found), cxcywh_to_xyxy(truth)).mean() > 0.85


def test_the_key_frames_box_is_the_persons_own() -> None:
    model = tiny_model()
    clip, _ = model.encode_clips(random_features(2))
    assert torch.equal(clip.frame_boxes[:, :, TINY.key_frame], clip.person_boxes)
    others = [t for t in range(TINY.frames) if t != TINY.key_frame]
    moved = (clip.frame_boxes[:, :, others] - clip.person_boxes.unsqueeze(2)).abs().amax((-1, -3))
    assert (moved > 1e-3).all()
    output = model(clip, random_text(4))
    assert torch.equal(output.frame_boxes[:, TINY.key_frame], output.box_cxcywh)


def test_without_frame_boxes_everyone_stands_still() -> None:
    model = tiny_model(frame_boxes=False)
    clip, _ = model.encode_clips(random_features(2))
    assert torch.equal(clip.frame_boxes, clip.person_boxes.unsqueeze(2).expand(-1, -1, TINY.frames, -1))
    assert (clip.frame_seen == 0).all() and not [name for name, _ in model.named_parameters() if "frame_boxes" in name]


# ---- the answer ---------------------------------------------------------------------------------------------------
def test_places_are_told_row_after_row_and_x_then_y() -> None:
    head = PlaceHead(8).eval()
    with torch.no_grad():
        head.box[2].weight.zero_()
        head.box[2].bias.zero_()
    cells = torch.randn(2, 6, 8)
    logits, boxes = head(cells, 2, 3)
    assert logits.shape == (2, 6) and boxes.shape == (2, 6, 4)
    sixth = 1 / 6
    expected = [(sixth, 0.25), (0.5, 0.25), (5 * sixth, 0.25), (sixth, 0.75), (0.5, 0.75), (5 * sixth, 0.75)]
    torch.testing.assert_close(boxes[1, :, :2], torch.tensor(expected))
    torch.testing.assert_close(boxes[..., 2:], torch.full((2, 6, 2), 0.3))
    torch.testing.assert_close(logits[1, 4:5], head.middle(cells[1, 4:5]).squeeze(-1))
    with torch.no_grad():
        head.box[2].bias.copy_(torch.tensor([9.0, 0, 9, -9]))  # to the right; wide and low
    moved = head(cells, 2, 3)[1] - boxes
    wide = torch.tensor([0.15, 0, 0.3 * (math.e - 1), 0.3 * (1 / math.e - 1)])
    torch.testing.assert_close(moved, wide.expand(2, 6, 4), atol=1e-4, rtol=0)


def test_pooled_tokens_lie_in_the_order_of_the_places() -> None:
    rows, columns = TINY.image_height // 16, TINY.image_width // 16
    maps = torch.zeros(1, 1, 2, rows, columns)
    maps[0, 0, 0] = (torch.arange(columns) + 0.5) / columns
    maps[0, 0, 1] = ((torch.arange(rows) + 0.5) / rows).view(-1, 1)
    centres = cell_centres(rows // 2, columns // 2, torch.device("cpu"))
    torch.testing.assert_close(pool_maps(maps)[0, 0], centres)


def test_every_branch_has_heads_of_its_own() -> None:
    heads = BranchHeads(8, branches=2).eval()
    first, second = torch.randn(2, 3, 8)
    boxes, actions = heads((first, second))
    assert boxes.shape == (3, 2, 4) and ((boxes > 0) & (boxes < 1)).all()
    torch.testing.assert_close(boxes[:, 1], heads.box[1](second).sigmoid())
    torch.testing.assert_close(actions, (heads.action[0](first) + heads.action[1](second)) / 2)


def test_a_person_who_matches_no_word_differs_from_one_who_does() -> None:
    choice = PersonChoice(8, layers=1, heads=2, dropout=0.0, context=False).eval()
    with torch.no_grad():
        choice.score[2].weight.zero_()  # leave the match of persons and words alone
        choice.score[2].bias.zero_()
        for layer in (choice.match_person, choice.match_word):
            layer.weight.copy_(torch.eye(8))
            layer.bias.zero_()
        choice.match_gate.weight.zero_()
    people = torch.stack([torch.eye(8)[0], torch.eye(8)[1], torch.eye(8)[2]]).unsqueeze(0)
    words = torch.stack([4 * torch.eye(8)[1], 2 * torch.eye(8)[0], 100 * torch.eye(8)[2]]).unsqueeze(0)
    real = torch.tensor([[True, True, False]])
    scores, fits = choice(people, torch.tensor([[True, True, True]]), words, real, None)
    assert fits is None, "without relations nobody must fit every part"
    torch.testing.assert_close(scores, torch.tensor([[1.0, 2.0, 0, 0]]) / 8**0.5)  # the padded word counts nothing
    nobody_there, _ = choice(people, torch.tensor([[True, False, False]]), words, real, None)
    assert nobody_there[0].tolist() == [pytest.approx(1 / 8**0.5), -math.inf, -math.inf, 0.0]


def test_people_read_the_sentence_and_what_a_fusion_gives_them() -> None:
    choice = PersonChoice(8, layers=1, heads=2, dropout=0.0, context=True).eval()
    torch.nn.init.zeros_(choice.match_person.weight)  # leave out the match of persons and words
    torch.nn.init.zeros_(choice.match_person.bias)
    people, there = torch.randn(1, 3, 8), torch.tensor([[True, True, False]])
    words, real, context = torch.randn(1, 4, 8), torch.tensor([[True, True, True, False]]), torch.randn(1, 2, 8)
    scores, _ = choice(people, there, words, real, context)
    assert scores.shape == (1, 4) and scores[0, 2] == -torch.inf
    for other, _ in (choice(people, there, words.flip(2), real, context), choice(people, there, words, real, -context)):
        assert (other - scores)[0, [0, 1, 3]].abs().min() > 1e-4
    noise = torch.cat([words[:, :3], torch.full((1, 1, 8), 9.0)], dim=1)
    torch.testing.assert_close(choice(people, there, noise, real, context)[0], scores)
    assert (choice(people, there, words, real, None)[0] - scores)[0, [0, 1, 3]].abs().min() > 1e-4, "it may be left out"


def test_counts_are_of_each_side_and_kind() -> None:
    counting = Counting(8)
    boxes = torch.tensor([[[0.2, 0.5, 0.1, 0.4], [0.5, 0.6, 0.1, 0.8], [0.8, 0.5, 0.1, 0.6]]])
    sides = counting.sides(boxes)[0].round()
    left, right, below, above, taller, shorter = sides.unbind(-1)
    assert left.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]] and torch.equal(right, left.T)
    assert below.tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]] and torch.equal(above, below.T)
    assert taller.tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]] and torch.equal(shorter, taller.T)
    asked: list[torch.Tensor] = []
    counting.tell = nn.Sequential(nn.Identity())
    counting.tell.register_forward_hook(lambda _, given, out: asked.append(out))
    with torch.no_grad():
        counting.kinds.weight.zero_()
        counting.kinds.bias.fill_(-30.0)
        counting.kinds.weight[1, 0] = 60.0  # the second kind: those whose first number is 1
    people = torch.tensor([[1.0], [0.0], [1.0]]).unsqueeze(0) * torch.eye(8)[0]

    def told(real: list[float]) -> Tensor:  # by person, side and kind
        numbers: Tensor = counting(people, boxes, torch.tensor([real]))[0, :, : 6 * 9 * 5]
        return numbers.reshape(3, 6, 9, 5).argmax(-1)

    everybody, second = told([1.0, 1.0, 1.0]).unbind(2)[:3:2]
    assert everybody[:, 0].tolist() == [0, 1, 2] and everybody[:, 1].tolist() == [2, 1, 0]  # on the left, on the right
    assert second[:, 0].tolist() == [0, 1, 1] and second[:, 1].tolist() == [1, 1, 0]
    assert not told([1.0, 1.0, 1.0])[:, :, 1].any(), "of a kind that nobody is"
    assert told([1.0, 0.0, 1.0])[:, 0, 0].tolist() == [0, 1, 1], "who is not real does not count"


def test_who_fails_one_part_is_out() -> None:
    count, width = len(PhraseMatch.PARTS), 16
    match = PhraseMatch(width)
    words, there = width * torch.eye(width)[: count + 1].unsqueeze(0), torch.tensor([[True] * count + [False]])
    people = torch.ones(1, 3, width)  # the first fits every part, the second one less, the third none
    people[0, 1, 2], people[0, 2, :count] = -3.0, -3.0
    compared = torch.zeros_like(people)
    match.shown, match.read = nn.Sequential(), nn.Sequential()
    with torch.no_grad():
        match.name.zero_()
        nn.init.zeros_(match.shown_compared.bias)
        match.gate = nn.Sequential(nn.Linear(width, count, bias=False))
        match.gate[0].weight.copy_(50 * torch.eye(width)[:count])  # each part picks a word
        asks = nn.Linear(width, width + 1, bias=False)  # what it picked is what is wanted
        asks.weight.copy_(torch.cat([torch.eye(width), torch.zeros(1, width)]))
        match.wanted = nn.Sequential(asks)
        fits = match(people, compared, words, there)
        torch.testing.assert_close(match(people, compared, words + 9 * ~there.unsqueeze(-1), there), fits)
        asks.weight[-1, 2] = 100.0  # the second person's failing is not asked for
        kept = match(people, compared, words, there)
    torch.testing.assert_close(fits[0], people[0, :, :count].T * width**0.5)
    scores = match.score(fits)[0]
    torch.testing.assert_close(scores, (fits[0].sigmoid() * 2).log().sum(0))
    assert 7 < scores[0] < count * math.log(2) and scores[1] < -4 and scores[2] < -100
    assert torch.equal(kept[0, :2], fits[0, :2]) and match.score(kept)[0, 1] > 7
    seen = match(people, torch.randn_like(people), words, there)
    assert (seen - kept).abs().min() > 1e-4, "what was found in comparing counts, too"


@pytest.mark.parametrize("learnt", ["ranking", "counting", "lies", "phrases"])
def test_people_who_are_alike_are_told_apart_by_where_they_stand(learnt: str) -> None:
    choice = PersonChoice(8, layers=1, heads=2, dropout=0.0, context=False, relations=True).eval()
    people, words = torch.ones(1, 3, 8), torch.randn(1, 4, 8)
    there, read = torch.ones(1, 3, dtype=torch.bool), torch.ones(1, 4, dtype=torch.bool)
    boxes = torch.tensor([[[0.2, 0.5, 0.1, 0.4], [0.5, 0.5, 0.1, 0.4], [0.8, 0.5, 0.1, 0.4]]])
    table = torch.tensor([[[0.3, 0.6, 0.2, 0.2]]])
    layout = Layout(boxes, torch.full((1, 3), 9.0), torch.randn(1, 1, 8), table, torch.ones(1, 1, dtype=torch.bool))

    def ask(layout: Layout) -> Tensor:
        scores: Tensor = choice(people, there, words, read, None, layout)[0][0, :3]
        return scores

    torch.testing.assert_close(ask(layout), ask(layout)[:1].expand(3), msg="until it has learnt it says nothing")
    if learnt == "phrases":  # what ranks people show goes into them
        nn.init.normal_(choice.ranking.tell[-1].weight)
        nn.init.zeros_(choice.match_person.weight)
    if learnt != "lies":  # ranks and what was counted are in the product of person and words, too
        nn.init.zeros_(choice.score[2].weight)
        nn.init.normal_(choice.match_compared[0].weight, std=float(learnt == "counting"))
    layers = {"ranking": choice.ranking.tell, "counting": choice.counting[0].tell, "lies": choice.lies}
    if learnt != "phrases":  # they tell as soon as there is something to tell apart
        nn.init.normal_(layers[learnt][-1].weight)
    scores = ask(layout)
    assert (scores[:, None] - scores).abs()[~torch.eye(3, dtype=torch.bool)].min() > 1e-4
    if learnt in ("ranking", "phrases"):
        return
    assert (ask(layout._replace(things=-layout.things)) - scores).abs().min() > 1e-5, "things are seen"
    hidden = layout._replace(things_mask=~layout.things_mask)
    torch.testing.assert_close(ask(hidden._replace(things=-layout.things)), ask(hidden))


# ---- looks --------------------------------------------------------------------------------------------------------
def one_key_frame(picture: Tensor, frames: int = 3) -> tuple[Tensor, Tensor, int]:
    """A picture (B, 3, H, W) as the key frame of a clip whose other frames are random: picture, grey, key."""
    grey = torch.randn(len(picture), frames, *picture.shape[2:], generator=torch.Generator().manual_seed(1))
    grey[:, 1] = picture.mean(1)
    return picture, grey, 1


def test_looks_are_of_the_pixels_in_the_box_of_each_person() -> None:
    looks = LookEncoder(16, frames=3, dropout=0.0).eval()
    picture, grey, key = one_key_frame(torch.randn(2, 3, 60, 90))
    wide, tall = [0.3, 0.6, 0.4, 0.2], [0.8, 0.4, 0.1, 0.6]
    boxes, mask = torch.tensor([[wide, tall]] * 2), torch.ones(2, 2, dtype=torch.bool)
    seen = looks(picture, grey, key, boxes, mask)
    assert seen.token.shape == (2, 2, 16) and seen.seen.shape == (2, 2, LookEncoder.WIDTH)
    painted, moved = picture.clone(), grey.clone()
    for changed in (painted, moved[:, 2:]):
        changed[1, :, 30:42, 10:44] += 3.0  # inside the wide one of the second picture
    for other in (looks(painted, grey, key, boxes, mask), looks(picture, moved, key, boxes, mask)):
        for now, before in zip(other[:2], seen[:2], strict=True):
            assert ((now - before).abs().amax(-1) > 1e-4).tolist() == [[False, False], [True, False]]
    alone = looks(picture[1:], grey[1:], key, boxes[1:, 1:], mask[1:, 1:])
    torch.testing.assert_close(alone.seen[0, 0], seen.seen[1, 1])


def test_in_a_still_picture_nothing_changes() -> None:
    looks = LookEncoder(16, frames=3, dropout=0.0).eval()
    picture, grey, key = one_key_frame(torch.randn(1, 3, 60, 90))
    boxes, mask = torch.tensor([[[0.5, 0.5, 0.4, 0.6]]]), torch.ones(1, 1, dtype=torch.bool)
    frozen = grey[:, key : key + 1].expand(-1, 3, -1, -1)
    still = looks(picture, grey[:, key : key + 1], 0, boxes, mask)
    torch.testing.assert_close(still, looks(picture, frozen, key, boxes, mask))
    assert (still.seen - looks(picture, grey, key, boxes, mask).seen).abs().max() > 1e-3


def test_a_crop_is_upright_and_not_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, crops = LookEncoder(8, frames=3, dropout=0.0).eval(), []
    monkeypatch.setattr(looks, "look", lambda x: crops.append(x) or torch.zeros(len(x), LookEncoder.WIDTH))
    y, x = torch.meshgrid((torch.arange(100) + 0.5) / 100, (torch.arange(200) + 0.5) / 200, indexing="ij")
    picture = torch.stack([x, y, torch.zeros_like(x)]).unsqueeze(0)
    grey = torch.stack([x, picture[0].mean(0), y]).unsqueeze(0)
    looks(picture, grey, 1, torch.tensor([[[0.5, 0.4, 0.2, 0.6]]]), torch.ones(1, 1, dtype=torch.bool))
    crop = crops[0][0]
    assert crop.shape == (3 + 1 + 3, *LookEncoder.CROP)
    across, down = 0.2 * LookEncoder.WIDEN, 0.6 * LookEncoder.WIDEN
    assert crop[0, 10, -1] - crop[0, 10, 0] == pytest.approx(across * 47 / 48, abs=1e-3)
    assert crop[1, -1, 10] - crop[1, 0, 10] == pytest.approx(down * 95 / 96, abs=1e-3)
    assert crop[0].mean() == pytest.approx(0.5, abs=1e-3) and crop[1].mean() == pytest.approx(0.4, abs=1e-3)
    torch.testing.assert_close(crop[3], crop[:3].mean(0))
    torch.testing.assert_close(crop[4:], torch.stack([crop[0], crop[3], crop[1]]) - crop[3])


def test_in_training_only_real_people_are_looked_at_and_get_their_own_token() -> None:
    looks = LookEncoder(16, frames=3, dropout=0.0).train()
    pictures, boxes = one_key_frame(torch.randn(2, 3, 60, 90)), torch.rand(2, 3, 4) * 0.3 + 0.3
    mask = torch.tensor([[True, False, True], [False, True, False]])
    torch.manual_seed(0)
    seen = looks(*pictures, boxes, mask).token
    assert (seen[mask] - seen[~mask][0]).abs().amax(-1).min() > 0
    assert (seen[~mask] == seen[~mask][0]).all()
    calm = looks.eval()(*pictures, boxes, mask).token
    likeness = torch.nn.functional.cosine_similarity(seen[mask], calm[mask], dim=-1)
    others = torch.nn.functional.cosine_similarity(seen[mask], calm[mask].roll(1, 0), dim=-1)
    assert (likeness > others).all()  # but for the light, the same person's
