"""The model on random features: what each part may and may not depend on, and which way round boxes lie.

The helpers here build the smallest model and inputs; the training tests use them too.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from refatomnet.boxes import cxcywh_to_xyxy
from refatomnet.checkpoint import encoder_state
from refatomnet.config import ModelConfig
from refatomnet.encoders import FrameFeatures
from refatomnet.encoders.compact import CHANNELS
from refatomnet.errors import VideoError
from refatomnet.heads import DenseDetections, Detections, shift_boxes
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


VARIANTS: dict[str, dict[str, Any]] = {
    "refatomnetpp": {},
    "refatomnet": {"architecture": "refatomnet"},
    "plain": {"architecture": "plain"},
    "refatomnetpp by place": {"answer": "place"},
    "refatomnet by place": {"architecture": "refatomnet", "answer": "place"},
    "plain by place": {"architecture": "plain", "answer": "place"},
    "refatomnetpp by branches": {"answer": "branches"},
    "refatomnet by branches": {"architecture": "refatomnet", "answer": "branches"},
    "no presence": {"presence": False},
    "no presence by place": {"presence": False, "answer": "place"},
    "no presence by branches": {"presence": False, "answer": "branches"},
    "no scene": {"levels": ("keyword", "sentence")},
    "no keywords": {"levels": ("scene", "sentence")},
    "no sentence": {"levels": ("scene", "keyword")},
    "temporal branch": {"branches": ("temporal",)},
    "spatial branch": {"branches": ("spatial",)},
    "temporal branch by place": {"branches": ("temporal",), "answer": "place"},
    "lstm": {"scan": "lstm"},
    "transformer": {"scan": "transformer"},
    "no scan": {"scan": "none"},
    "soft retrieval": {"retrieval": "soft"},
    "random retrieval": {"retrieval": "random"},
    "no frame boxes": {"frame_boxes": False},
}
each_variant = pytest.mark.parametrize("switches", VARIANTS.values(), ids=VARIANTS)


def tiny_model(*, seed: int = 0, quiet: bool = False, **switches: Any) -> RavarModel:
    """A model in evaluation mode whose untrained detector finds as many as it may, or, ``quiet``, hardly anyone."""
    torch.manual_seed(seed)
    model = RavarModel(replace(TINY, **switches))
    if not quiet:
        nn.init.constant_(model.detector.category.bias, 0.0)
    for name, parameter in model.named_parameters():
        if name.startswith(("choice.", "look")) and not parameter.any():  # layers that say nothing until they learn
            nn.init.normal_(parameter, std=0.1 if name.startswith("choice.") else 0.01)
    return model.eval()


BY_PERSON = "people person_boxes person_actions frame_boxes frame_seen person_real looks".split()  # of clip tokens
BY_THING = "things things_mask thing_boxes".split()


def random_features(clips: int, *, seed: int = 0) -> FrameFeatures:
    random, rows, columns = torch.Generator().manual_seed(seed), TINY.image_height // 32, TINY.image_width // 32

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    fine = draw(clips, TINY.frames, CHANNELS.fine, 4 * rows, 4 * columns)
    middle = draw(clips, TINY.frames, CHANNELS.middle, 2 * rows, 2 * columns)
    deep = draw(clips, TINY.frames, CHANNELS.deep, rows, columns)
    picture = draw(clips, TINY.frames, 3, TINY.image_height, TINY.image_width)
    return FrameFeatures(fine, middle, deep, picture, picture.mean(2))


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


def same(a: Any, b: Any, *, ignore: tuple[str, ...] = (), tolerance: float = 1e-5) -> None:
    """Every tensor of two results is the same, those of their parts too."""
    for name in names_of(a):
        if name not in ignore:
            one, other = getattr(a, name), getattr(b, name)
            if one is None or isinstance(one, tuple):
                assert (one is None) == (other is None), name
                same(one, other, ignore=ignore, tolerance=tolerance)
            else:
                torch.testing.assert_close(one, other, atol=tolerance, rtol=0, msg=lambda why, name=name: name + why)


def names_of(result: Any) -> tuple[str, ...]:
    if is_dataclass(result):
        return tuple(f.name for f in fields(result))
    return () if result is None else result._fields


def part_of(result: Any, rows: slice) -> Any:
    """The same result of these sentences alone."""
    values = {name: getattr(result, name) for name in names_of(result)}
    parts = {
        name: value[rows] if isinstance(value, Tensor) else value and part_of(value, rows)
        for name, value in values.items()
    }
    return type(result)(**parts)


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def model() -> RavarModel:
    return tiny_model()


# ---- the whole ----------------------------------------------------------------------------------------------------
@each_variant
def test_shapes_follow_the_config(switches: dict[str, Any]) -> None:
    model = tiny_model(**switches)
    config = model.config
    clip, reading = model.encode_clips(random_features(2))
    rows, columns = TINY.image_height // 16, TINY.image_width // 16
    assert clip.tokens.shape == (2, TINY.frames, rows * columns, TINY.width)
    assert clip.temporal.shape == (2, TINY.frames, TINY.width)
    assert clip.scene.shape[2] == TINY.width and clip.scene_mask.shape == clip.scene.shape[:2]
    assert clip.spatial.shape == (2, rows * columns // 4, TINY.width)
    assert clip.people.shape == (2, TINY.people, TINY.width) and clip.person_actions.shape == (2, TINY.people, 80)
    assert clip.frame_boxes.shape == (2, TINY.people, TINY.frames, 4)
    assert clip.frame_seen.shape == (2, TINY.people, TINY.frames)
    assert reading.dense.boxes_cxcywh.shape == (2, 4 * rows * columns, 4)
    output = model(clip, random_text(6))
    candidates = 1 if config.answer == "branches" else TINY.people
    branches = len(config.branches) if config.architecture == "refatomnetpp" else 1
    assert output.choice.shape == (6, candidates + 1) and output.presence.shape == (6,)
    assert output.boxes.shape == (6, candidates, 4) and output.everyone.shape == (6, candidates, 80)
    assert output.box_cxcywh.shape == (6, 4) and output.actions.shape == output.branch_actions.shape == (6, 80)
    assert output.branch_boxes.shape == (6, branches, 4)
    assert output.frame_boxes.shape == (6, TINY.frames, 4) and output.frame_seen.shape == (6, TINY.frames)
    assert (output.place is not None) == (config.answer == "place")
    if output.place is not None:
        assert output.place.logits.shape == (6, rows * columns // 4)
        assert output.place.boxes_cxcywh.shape == (6, rows * columns // 4, 4)
    follows = config.architecture == "refatomnetpp"
    assert (reading.paths is not None) == (follows and "scene" in config.levels)
    assert (output.words is not None) == (follows and "keyword" in config.levels)
    if output.words is not None:
        assert output.words.tokens.shape == (6, 6, TINY.frames, TINY.width)


def test_people_are_boxed_again_in_the_boxes_of_a_first_refinement() -> None:
    model = tiny_model()
    step = torch.tensor([0.4, 0.0, 0.2, -0.1])
    with torch.no_grad():
        model.person_box[-1].bias.copy_(step)
    choose, people = few_people(2), TINY.people
    clip, reading = model.encode_clips(random_features(2), choose=choose)
    given = choose(None).boxes_cxcywh
    coarse = shift_boxes(given[:, :people], step)
    torch.testing.assert_close(reading.coarse, coarse)
    torch.testing.assert_close(reading.detections.boxes_cxcywh, torch.cat([coarse, given[:, people:]], dim=1))
    torch.testing.assert_close(clip.person_boxes, shift_boxes(coarse, step))
    assert reading.coarse.requires_grad and not reading.detections.boxes_cxcywh.requires_grad


def test_the_answer_is_about_the_best_person(model: RavarModel) -> None:
    clip, _ = model.encode_clips(random_features(3), choose=few_people(3))
    output = model(clip, random_text(3))
    assert (output.choice[:, 3] == -torch.inf).all() and torch.isfinite(output.choice[:, [0, 1, 2, 4]]).all()
    best = output.choice[:, :-1].argmax(1)
    row = torch.arange(3)
    torch.testing.assert_close(output.box_cxcywh, clip.person_boxes[row, best])
    torch.testing.assert_close(output.actions, clip.person_actions[row, best] + output.branch_actions)
    torch.testing.assert_close(output.frame_boxes, clip.frame_boxes[row, best])
    torch.testing.assert_close(output.frame_seen, clip.frame_seen[row, best])
    shares = output.choice.softmax(1)
    torch.testing.assert_close(output.presence.sigmoid(), 1 - shares[:, -1])


def test_the_answer_by_place_is_the_likeliest_cell() -> None:
    model = tiny_model(answer="place", people=3)
    clip, _ = model.encode_clips(random_features(2))
    output = model(clip, random_text(4))
    share, cell = output.place.logits.softmax(1).sort(dim=1, descending=True)
    row = torch.arange(4)
    torch.testing.assert_close(output.box_cxcywh, output.place.boxes_cxcywh[row, cell[:, 0]])
    torch.testing.assert_close(output.boxes[:, 2], output.place.boxes_cxcywh[row, cell[:, 2]])
    among = output.choice[:, :-1].softmax(1)
    torch.testing.assert_close(among, share[:, :3] / share[:, :3].sum(1, keepdim=True))
    torch.testing.assert_close(output.actions, output.branch_actions)
    torch.testing.assert_close(output.frame_boxes, output.box_cxcywh.unsqueeze(1).expand(-1, TINY.frames, -1))


def test_more_candidates_are_wanted_than_there_are_places() -> None:
    model = tiny_model(answer="place", people=8)
    clip, _ = model.encode_clips(random_features(1))
    assert model(clip, random_text(1)).boxes.shape == (1, 6, 4)


def test_the_answer_by_branches_is_their_mean() -> None:
    model = tiny_model(answer="branches")
    clip, _ = model.encode_clips(random_features(2))
    output = model(clip, random_text(4))
    assert (output.branch_boxes[:, 0] - output.branch_boxes[:, 1]).abs().max() > 1e-3
    torch.testing.assert_close(output.box_cxcywh, output.branch_boxes.mean(1))
    torch.testing.assert_close(output.presence, output.choice[:, 0])


@pytest.mark.parametrize("answer", ["people", "place", "branches"])
def test_without_presence_nobody_has_no_score_of_its_own(answer: str) -> None:
    model = tiny_model(answer=answer, presence=False)
    clip, _ = model.encode_clips(random_features(2))
    assert (model(clip, random_text(4)).choice[:, -1] == 0).all()
    assert not hasattr(model, "presence")


@each_variant
def test_pictures_glanced_at_make_the_clips_that_their_features_make(switches: dict[str, Any]) -> None:
    model, features, mirrored = tiny_model(**switches), random_features(2), random_features(2)
    torch.nn.init.normal_(model.neck.time)
    clip, reading = model.encode_clips(features)
    people, kept = model.glance(*(view.map(lambda part: part.flatten(0, 1)) for view in (features, mirrored)))
    assert not {"middle", "deep"} & vars(kept[0]).keys()
    views = [view.map(lambda part: part.unflatten(0, (2, TINY.frames))) for view in kept]
    again, recalled = model.encode_clips(views[0])
    same(again, clip)
    same(recalled.detections, reading.detections)
    same(model.encode(*views), model.encode(features, mirrored))
    of_keys = slice(TINY.key_frame, None, TINY.frames)
    torch.testing.assert_close(people.boxes_cxcywh[of_keys], clip.person_boxes)
    assert torch.equal(people.mask[of_keys], clip.people_mask) and people.mask.sum() > 3


def test_a_second_view_tells_what_people_do_and_nothing_else() -> None:
    model, features, mirrored = tiny_model(), random_features(2), random_features(2)
    clip, reading = model.encode_clips(features)
    same(model.encode(features), clip)
    both = model.encode(features, mirrored)
    given = reading.detections.mirrored()
    turned, found = model.encode_clips(mirrored, choose=given)
    torch.testing.assert_close(both.person_actions, (clip.person_actions + turned.person_actions) / 2)
    assert (turned.person_actions - clip.person_actions).abs().max() > 1e-3
    same(replace(both, person_actions=clip.person_actions), clip)
    assert found.detections is given and found.dense is None


def test_the_second_view_is_the_mirror_image_with_people_where_they_are_there() -> None:
    model = tiny_model()
    pixels = torch.randn(3, 3, TINY.image_height, TINY.image_width)
    plain, turned = model.encode_views(pixels)
    same(plain, model.encode_frames(pixels))
    assert torch.equal(turned.picture, plain.picture.flip(-1)) and not torch.equal(turned.deep, plain.deep)
    boxes = torch.rand(2, 5, 4)
    found = Detections(boxes, torch.rand(2, 5), torch.zeros(2, 5, dtype=torch.long), torch.ones(2, 5).bool())
    there = found.mirrored()
    corners, others = (cxcywh_to_xyxy(d.boxes_cxcywh) for d in (found, there))
    torch.testing.assert_close(
        others, torch.stack([1 - corners[..., 2], corners[..., 1], 1 - corners[..., 0], corners[..., 3]], -1)
    )
    same(there.mirrored(), found)


@each_variant
def test_a_batch_equals_its_clips_one_by_one(switches: dict[str, Any]) -> None:
    model, features, text = tiny_model(**switches), random_features(3), random_text(3)
    clip, _ = model.encode_clips(features)
    assert clip.people_mask.sum() > 3  # several people each
    output = model(clip, text)
    for i in range(3):
        one = FrameFeatures(*(getattr(features, f.name)[i : i + 1] for f in fields(features)))
        alone, _ = model.encode_clips(one)
        same(alone, clip.select(torch.tensor([i])))
        same(part_of(output, slice(i, i + 1)), model(alone, text.select(torch.tensor([i]))))


@each_variant
def test_many_sentences_equal_one_by_one(switches: dict[str, Any]) -> None:
    model = tiny_model(**switches)
    clip, _ = model.encode_clips(random_features(2))
    text = random_text(6)
    together = model(clip, text)
    for i in range(6):  # the first three are about the first clip
        alone = model(clip.select(torch.tensor([i // 3])), text.select(torch.tensor([i])))
        same(part_of(together, slice(i, i + 1)), alone)
    same(together, model(clip.repeat(3), text))


def test_sentences_must_be_a_multiple_of_clips(model: RavarModel) -> None:
    clip, _ = model.encode_clips(random_features(2))
    for count in (3, 1):
        with pytest.raises(ValueError, match=f"{count} sentences are no multiple of 2 clips"):
            model(clip, random_text(count))


@pytest.mark.parametrize("frames", [2, 3, 5])
def test_another_number_of_frames_is_refused_rather_than_padded(model: RavarModel, frames: int) -> None:
    features = random_features(1)
    wrong = FrameFeatures(*(getattr(features, f.name)[:, [0] * frames] for f in fields(features)))
    with pytest.raises(ValueError, match=f"a clip has {frames} frames; expected 4, or the key frame alone"):
        model.encode_clips(wrong)


@each_variant
def test_a_still_picture_is_read_as_its_key_frame(switches: dict[str, Any]) -> None:
    model, features = tiny_model(**switches), random_features(2)
    key = TINY.key_frame
    still = FrameFeatures(*(getattr(features, f.name)[:, key : key + 1] for f in fields(features)))
    clip, reading = model.encode_clips(features)
    alone, only = model.encode_clips(still)
    torch.testing.assert_close(only.dense.logits, reading.dense.logits)
    torch.testing.assert_close(alone.person_boxes, clip.person_boxes)
    torch.testing.assert_close(alone.tokens[:, 0], clip.tokens[:, key])
    torch.testing.assert_close(alone.frame_boxes[:, :, 0], alone.person_boxes)
    assert model(alone, random_text(4)).frame_boxes.shape == (4, 1, 4)


@each_variant
def test_padding_words_change_nothing(switches: dict[str, Any]) -> None:
    model = tiny_model(**switches)
    clip, _ = model.encode_clips(random_features(2))
    text = random_text(4)
    pad = nn.functional.pad
    longer = TextTokens(
        pad(text.states, (0, 0, 0, 5)), pad(text.mask, (0, 5)), pad(text.keywords, (0, 5)), text.sentence, text.words
    )
    longer.states[~longer.mask] = torch.randn(int((~longer.mask).sum()), TINY.word_width)  # even if not zero
    first, second = model(clip, text), model(clip, longer)
    same(first, second, ignore=("words",), tolerance=3e-6)
    if first.words is not None:
        real = text.keywords
        torch.testing.assert_close(second.words.tokens[:, :6][real], first.words.tokens[real], atol=1e-6, rtol=0)
        assert (second.words.tokens[~longer.keywords] == 0).all()


@each_variant
def test_masked_detections_change_nothing(switches: dict[str, Any]) -> None:
    model, features, text = tiny_model(**switches), random_features(2), random_text(4)
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
    assert reading.paths is None or (reading.paths.tokens[~more.mask] == 0).all()
    longer = () if model.config.architecture == "refatomnetpp" else ("scene", "scene_mask")  # it averages over them
    same(expected, clip, ignore=(*BY_PERSON, *BY_THING, *longer), tolerance=1e-6)
    for name in BY_PERSON:
        torch.testing.assert_close(getattr(expected, name)[:, :2], getattr(clip, name)[:, :2], atol=1e-6, rtol=0)
    first, second = model(expected, text), model(clip, text)
    by_candidate = ("boxes", "everyone") if model.config.answer == "people" else ()
    same(first, second, ignore=by_candidate, tolerance=3e-6)
    torch.testing.assert_close(first.box_cxcywh, second.box_cxcywh, atol=1e-6, rtol=0)
    torch.testing.assert_close(first.actions, second.actions, atol=1e-6, rtol=0)


@each_variant
def test_people_in_another_order_get_the_same_scores(switches: dict[str, Any]) -> None:
    model, features, text = tiny_model(**switches), random_features(2), random_text(4)
    found = few_people(2, people=4)(None)
    order = torch.tensor([2, 0, 3, 1])
    index = torch.cat([order, torch.tensor([4, 5])])
    turned = Detections(*(getattr(found, f.name)[:, index] for f in fields(found)))
    clip, _ = model.encode_clips(features, choose=lambda _: found)
    other, _ = model.encode_clips(features, choose=lambda _: turned)
    for name in BY_PERSON:
        torch.testing.assert_close(getattr(clip, name)[:, order], getattr(other, name), atol=1e-5, rtol=0)
    first, second = model(clip, text), model(other, text)
    if model.config.answer == "people":
        torch.testing.assert_close(first.choice[:, order], second.choice[:, :4], atol=1e-5, rtol=0)
        torch.testing.assert_close(first.boxes[:, order], second.boxes, atol=1e-5, rtol=0)
        torch.testing.assert_close(first.everyone[:, order], second.everyone, atol=1e-5, rtol=0)
        if first.fits is not None and second.fits is not None:
            torch.testing.assert_close(first.fits[..., order], second.fits[..., :4], atol=1e-5, rtol=0)
        same(first, second, ignore=("choice", "boxes", "everyone", "fits"))
    else:
        same(first, second)


@each_variant
def test_the_sentence_and_the_clip_matter(switches: dict[str, Any]) -> None:
    model = tiny_model(**switches)
    clip, _ = model.encode_clips(random_features(1))
    two = model(clip, random_text(2))
    other, _ = model.encode_clips(random_features(1, seed=1))
    elsewhere = model(other, random_text(2))

    def answer(output: Output, row: int) -> Tensor:
        """What tells candidates apart, and the actions."""
        if output.place is not None:
            return torch.cat([output.place.logits[row].log_softmax(0), output.actions[row]])
        if model.config.answer == "branches":
            return torch.cat([output.branch_boxes[row].flatten(), output.actions[row]])
        return torch.cat([output.choice[row], output.actions[row]])

    count = len(answer(two, 0)) - 80
    for apart in (answer(two, 0) - answer(two, 1), answer(elsewhere, 0) - answer(two, 0)):
        assert apart[:count].nan_to_num(0).abs().max() > 1e-4 and apart[count:].abs().max() > 1e-4


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


def test_frames_are_encoded_one_by_one_as_they_are_together() -> None:
    encoder = tiny_model().encoder
    pixels = torch.randn(5, 3, 64, 96)
    together = encoder(pixels)
    for i in range(5):
        same(part_of(together, slice(i, i + 1)), encoder(pixels[i : i + 1]))


# ---- other ways to run it -----------------------------------------------------------------------------------------
class Whole(nn.Module):
    """The model from pixels, or from features as a model is trained, and embedded words to plain tensors."""

    def __init__(self, model: RavarModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, seen: tuple[Tensor, ...], text: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Answer S sentences about B clips: pixels (B, T, 3, H, W), or the fields of their features."""
        if len(seen) == 1:
            flat = self.model.encode_frames(seen[0].flatten(0, 1))
            seen = tuple(getattr(flat, f.name).unflatten(0, seen[0].shape[:2]) for f in fields(FrameFeatures))
        clip, _ = self.model.encode_clips(FrameFeatures(*seen))
        output = self.model(clip, TextTokens(*text, ()))
        return output.choice, output.presence, output.boxes, output.everyone, output.frame_boxes, output.frame_seen


def whole(**switches: Any) -> tuple[Whole, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The whole model, features of two clips, and four sentences about them."""
    model, text = tiny_model(**switches), random_text(4)
    model.encoder.load_state_dict(encoder_state())
    features = tuple(getattr(random_features(2), f.name) for f in fields(FrameFeatures))
    return Whole(model).eval(), features, (text.states, text.mask, text.keywords, text.sentence)


each_architecture = pytest.mark.parametrize(
    "switches",
    [VARIANTS[name] for name in ("refatomnetpp", "refatomnet", "plain", "refatomnetpp by place")],
    ids=["refatomnetpp", "refatomnet", "plain", "by place"],
)


def close(got: tuple[Tensor, ...], expected: tuple[Tensor, ...], *, tolerance: float = 1e-5) -> None:
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, atol=tolerance, rtol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(
    "switches",
    [
        pytest.param(VARIANTS["refatomnetpp"], id="refatomnetpp"),
        pytest.param(VARIANTS["plain"], id="plain", marks=pytest.mark.long),
    ],
)
def test_a_compiled_model_answers_and_learns_the_same(switches: dict[str, Any]) -> None:
    model, features, text = whole(**switches)
    torch.compiler.reset()
    answers, gradients = [], []
    for run in (model, torch.compile(model, backend="aot_eager")):
        model.zero_grad()
        answers.append(run(features, text))
        choice, _, *rest = answers[-1]
        (choice[:, -2:].softmax(1).square().sum() + sum(part.square().mean() for part in rest)).backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
    close(answers[1], answers[0], tolerance=1e-4)
    assert gradients[0].keys() == gradients[1].keys() and len(gradients[0]) > 50
    for name, gradient in gradients[0].items():
        other = gradients[1][name]
        if "looks.features." in name:  # fourteen layers of sums, and steps of ReLU6 that a rounding may turn
            assert (other - gradient).norm() <= 0.1 * gradient.norm(), name
            continue
        torch.testing.assert_close(other, gradient, atol=1e-4, rtol=1e-3, msg=lambda why, name=name: name + why)


@pytest.mark.slow
@pytest.mark.parametrize(
    "switches",  # the shipped one is exported with its encoder below
    [
        pytest.param(VARIANTS["refatomnet"], id="refatomnet"),
        *(pytest.param(VARIANTS[n], id=n, marks=pytest.mark.long) for n in ("plain", "refatomnetpp by place")),
    ],
)
def test_an_exported_model_answers_the_same(switches: dict[str, Any], tmp_path: Path) -> None:
    model, features, text = whole(**switches)
    others = tuple(torch.randn_like(part) for part in features)
    check_export(model, features, others, text, tmp_path)


@pytest.mark.slow
def test_a_model_is_exported_with_its_encoder(tmp_path: Path) -> None:
    model, _, text = whole()
    pixels = torch.randn(2, 2, TINY.frames, 3, TINY.image_height, TINY.image_width)
    check_export(model, (pixels[0],), (pixels[1],), text, tmp_path)


def check_export(
    model: Whole, seen: tuple[Tensor, ...], others: tuple[Tensor, ...], text: tuple[Tensor, ...], folder: Path
) -> None:
    """What is exported with some clips answers about them and about others as the model does."""
    with torch.no_grad():
        torch.export.save(torch.export.export(model, (seen, text)), folder / "model.pt2")
        loaded = torch.export.load(folder / "model.pt2").module()
        for clips in (seen, others):
            close(loaded(clips, text), model(clips, text))


@each_architecture
@pytest.mark.parametrize("training", [False, True])
def test_half_precision_answers_nearly_the_same(switches: dict[str, Any], training: bool) -> None:
    model, features, text = tiny_model(**switches).train(training), random_features(2), random_text(4)
    answers = []
    for half in (False, True):
        torch.manual_seed(0)
        model.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            clip, _ = model.encode_clips(features, choose=few_people(2, people=4))
            output = model(clip, text)
            loss = output.choice.float().softmax(1)[:, 0].sum() + output.actions.float().square().mean()
        loss.backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
        answers.append(output)
    full, half = answers
    assert half.branch_actions.dtype == torch.bfloat16
    for name, tolerance in (("choice", 0.15), ("boxes", 0.05), ("everyone", 0.15), ("branch_boxes", 0.03)):
        got = getattr(half, name).float()
        assert torch.isfinite(got).all()
        assert (got - getattr(full, name)).abs().mean() < tolerance, name
