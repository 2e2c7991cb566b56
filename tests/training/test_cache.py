"""Cached features are those of direct encoding, on a few painted clips; the training tests use the same folder."""

import functools
import json
import multiprocessing.pool
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from refatomnet.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from refatomnet.checkpoint import encoder_state
from refatomnet.config import ModelConfig
from refatomnet.encoders.compact import CompactEncoder
from refatomnet.errors import DataError
from refatomnet.heads import PhraseMatch
from refatomnet.preprocess import Letterbox, to_pixels
from refatomnet.records import Record, film_frame, film_start
from refatomnet.text import MiniLM
from training import cache as cache_module
from training.cache import FeatureCache, build, cache_folder
from training.data import examples
from training.data.clips import model_frames, read_clip
from training.data.examples import ATTRIBUTES, BROADER, MAX_PEOPLE, Examples
from training.data.records import write_records, write_scenes
from training.data.synthetic.facts import JOINTS
from training.data.weather import weather
from training.generate import write_clip

SMALL = ModelConfig(width=32, heads=4, layers=1, state_size=2, image_height=96, image_width=160)
COLOURS = {"red": (220, 20, 20), "green": (20, 180, 20)}
LOOK = {"sex": "man", "age": "adult", "top": "shirt", "bottom": "trousers", "bottom_colour": "blue"}
LOOK |= {"hair_colour": "brown", "hair_length": "short"}
KEY, FRAMES = SMALL.key_frame, SMALL.frames


def boxes_of(clip: int, person: int) -> np.ndarray:
    """A person who walks: boxes [T, 4]; the first person lies, wide and low, the second stands."""
    start = np.array([[0.05, 0.7, 0.4, 0.85], [0.4, 0.1, 0.52, 0.6]][person])
    step = np.array([0.05, 0, 0.05, 0]) * (1 + 0.1 * clip)
    return np.round(start + np.arange(FRAMES)[:, None] * step, 5)


def paint_split(out: Path, split: str, clips: int) -> None:
    """Write clips of two coloured rectangles on the move, with records and scenes about them."""
    records, scenes = [], []
    for number in range(clips):
        name = f"clips/{split}/{number:06d}.mp4"
        images = np.full((FRAMES, 180, 320, 3), 110, np.uint8)
        people = []
        for person, (colour, paint) in enumerate(COLOURS.items()):
            boxes = boxes_of(number, person)
            for image, box in zip(images, boxes, strict=True):
                x1, y1, x2, y2 = (box * [320, 180, 320, 180]).round().astype(int)
                image[y1:y2, x1:x2] = paint
            listed = [[float(v) for v in box] for box in boxes]
            actions, box = (8, 11) if person == 0 else (14,), tuple(listed[KEY])
            looks = LOOK | {"top_colour": colour}
            seen = [None, *listed[1:]] if number == 0 else listed  # not yet in view
            people.append(
                {"person_id": str(person), "boxes_xyxy": seen, "full_boxes_xyxy": listed, "visible": [1.0] * FRAMES}
                | {"actions": list(actions), "look": looks, "facing": "left", "posture": "standing", "depth": 3.0}
            )
            about = {"video": f"{split}-{number}", "timestamp": 902, "split": split, "clip": name}
            about |= {"key_frame": KEY, "fps": 3.0}
            sentence = f"the {colour} one in clip {number}"
            extra = {"kind": "clothes", "hard": False}
            said = {"person_id": str(person), "sentence": sentence, "extra": extra}
            records.append(Record(**about, **said, actions=actions, box_xyxy=box))
        nobody = f"the blue one in clip {number}"
        records.append(Record(**about, person_id="absent0", sentence=nobody, actions=(), box_xyxy=None))
        thing = {"name": "backpack", "colour": "grey", "boxes_xyxy": [[0.8, 0.8, 0.9, 0.95]] * FRAMES}
        scene = {"clip": name, "key_frame": KEY, "fps": 3.0, "people": people, "things": [thing]}
        scenes.append(scene | {"place": "room"})
        write_clip(out / name, images, 3.0)
    # In another order than clips or people: nothing may be joined by position.
    write_records(out / f"{split}.jsonl", records[::-1])
    write_scenes(out / "scenes" / f"{split}.jsonl", scenes[::-1])


class ThreadContext:
    """Workers that are threads: no second process that loads PyTorch."""

    Pool = staticmethod(multiprocessing.pool.ThreadPool)


@functools.cache
def painted(base: Path, shard: int = cache_module.SHARD) -> Path:
    """A data folder with features, made once a test session; with three clips a shard, train has two shards.

    Training computes what is missing by the common size of a shard, so who looks at shards has a folder of their own.
    """
    out = base / f"shards of {shard}" / "openravar"
    for split, clips in (("train", 4), ("val", 3)):
        paint_split(out, split, clips)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
        patch.setattr(cache_module, "SHARD", shard)
        for split in ("train", "val"):
            build(out, split, SMALL, workers=1)
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return painted(tmp_path_factory.getbasetemp(), shard=3)


@pytest.fixture(scope="module")
def features(data: Path) -> FeatureCache:
    return FeatureCache(cache_folder(data, "train", SMALL), SMALL)


def test_features_are_those_of_direct_encoding(data: Path, features: FeatureCache) -> None:
    encoder = CompactEncoder()
    encoder.load_state_dict(encoder_state())
    box = Letterbox.fit(320, 180, canvas_width=160, canvas_height=96)
    for number in (0, 3):  # of both shards
        name = f"clips/train/{number:06d}.mp4"
        direct = encoder(to_pixels(read_clip(data / name), box))
        stored = features.frames(f"{name}#{KEY}")
        expected = {"fine": direct.fine, "middle": direct.middle, "deep": direct.deep}
        for part, value in expected.items():
            assert torch.equal(stored[part], value.half().float()), part
    assert stored["fine"].shape == (FRAMES, 68, 12, 20) and stored["middle"].shape == (FRAMES, 99, 6, 10)
    assert torch.equal(stored["picture"], direct.picture[KEY : KEY + 1].half().float())  # of the key frame alone
    assert f"clips/train/000004.mp4#{KEY}" not in features
    assert not torch.equal(features.frames(f"clips/train/000000.mp4#{KEY}")["deep"], stored["deep"])


def test_words_are_those_of_the_text_encoder(features: FeatureCache) -> None:
    sentences = ["the red one in clip 2", "the green one in clip 0", "the blue one in clip 1"]
    stored, direct = features.text(sentences), MiniLM()(sentences)
    assert stored.words == direct.words
    assert torch.equal(stored.mask, direct.mask) and torch.equal(stored.keywords, direct.keywords)
    torch.testing.assert_close(stored.states, direct.states, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(stored.sentence, direct.sentence, atol=2e-3, rtol=2e-3)
    with pytest.raises(KeyError):
        features.text(["nobody ever said this"])


def test_a_second_run_computes_only_what_is_missing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
    monkeypatch.setattr(cache_module, "SHARD", 3)
    monkeypatch.setattr(cache_module, "build_text_encoder", None)  # sentences are all there
    real = cache_module._encode_shard
    monkeypatch.setattr(cache_module, "_encode_shard", lambda job: done.append(job[1].name) or real(job))
    folder = cache_folder(data, "train", SMALL)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
    assert build(data, "train", SMALL, workers=1) == folder and done == []
    (folder / "0001" / "moments.json").unlink()  # as if that shard had been cut short
    build(data, "train", SMALL, workers=1)
    assert done == ["0001"]
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
    assert before.keys() == after.keys()
    assert {path.parent.name for path in after if after[path] != before[path]} == {"0001"}
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    name = "clips/train/000003.mp4"
    told = json.loads((folder / "0001" / "moments.json").read_text())
    assert told == [[f"{name}#{KEY}", (data / name).stat().st_size, 320, 180]]


def shards_of(folder: Path) -> dict[str, int]:
    """When each shard below a folder was written."""
    return {str(path.parent.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("moments.json")}


def test_a_clip_made_anew_is_encoded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
    monkeypatch.setattr(cache_module, "SHARD", 1)
    paint_split(tmp_path, "train", 2)
    folder = build(tmp_path, "train", SMALL, workers=1)
    name = "clips/train/000001.mp4"
    before, old = shards_of(folder), FeatureCache(folder, SMALL).frames(f"{name}#{KEY}")
    noise = np.random.default_rng(0).integers(0, 255, (FRAMES, 180, 320, 3), dtype=np.uint8)
    write_clip(tmp_path / name, noise, 3.0)
    build(tmp_path, "train", SMALL, workers=1)
    assert shards_of(folder)["0000"] == before["0000"] and shards_of(folder)["0001"] != before["0001"]
    new = FeatureCache(folder, SMALL).frames(f"{name}#{KEY}")
    assert not torch.allclose(new["deep"], old["deep"], atol=0.1)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match="000001.mp4 is missing; expected what the records speak of"):
        build(tmp_path, "train", SMALL, workers=1)


@pytest.mark.slow
def test_workers_share_the_shards_and_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "SHARD", 1)
    paint_split(tmp_path / "two", "val", 3)
    shutil.copytree(tmp_path / "two", tmp_path / "one")
    two = build(tmp_path / "two", "val", SMALL, workers=2)  # in processes of their own
    asked = []

    class Watched(ThreadContext):
        @staticmethod
        def Pool(workers: int) -> multiprocessing.pool.ThreadPool:
            asked.append(workers)
            return ThreadContext.Pool(workers)

    monkeypatch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: Watched))
    one = build(tmp_path / "one", "val", SMALL, workers=1)
    assert asked == [1]
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    assert len(files) == 3 * 6 + 4
    assert all((one / file).read_bytes() == (two / file).read_bytes() for file in files)


def read_sentences(data: Path) -> None:
    """Word states of a split's sentences, in the data folder itself."""
    sentences = cache_module._unread(data, "train", data / "minilm", mirrored=False)
    cache_module._encode_sentences(data / "train.jsonl", sentences, data / "minilm", SMALL)


def test_words_cut_short_are_not_taken_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embeddings of more sentences, half of them written: the old list must not speak of the new rows."""
    record = Record("v", 902, "0", "train", "the man in red", (12,), (0.1, 0.1, 0.5, 0.9), "a.mp4", 0, 6.0)
    write_records(tmp_path / "train.jsonl", [record])
    read_sentences(tmp_path)
    mapped = FeatureCache(tmp_path, SMALL)
    before = mapped.text(["the man in red"]).states
    write_records(tmp_path / "train.jsonl", [record, replace(record, sentence="a woman")])
    with monkeypatch.context() as patch:
        real, names = np.save, iter(("starts", "states"))
        patch.setattr(np, "save", lambda file, array: real(file, array) if next(names, None) else 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read_sentences(tmp_path)
    with pytest.raises(FileNotFoundError):
        FeatureCache(tmp_path, SMALL)
    assert torch.equal(mapped.text(["the man in red"]).states, before)  # nor are rows another process reads replaced
    read_sentences(tmp_path)
    torch.testing.assert_close(
        FeatureCache(tmp_path, SMALL).text(["the man in red"]).states, before, atol=2e-3, rtol=2e-3
    )


def test_sentences_that_were_read_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record("v", 902, "0", "train", "the man in red", (12,), (0.1, 0.1, 0.5, 0.9), "a.mp4", 0, 6.0)
    write_records(tmp_path / "train.jsonl", [record])
    read_sentences(tmp_path)
    write_records(tmp_path / "train.jsonl", [record, replace(record, sentence="a woman who waits")])
    read, encode = [], MiniLM.encode_words
    monkeypatch.setattr(MiniLM, "encode_words", lambda self, said: read.extend(said) or encode(self, said))
    read_sentences(tmp_path)
    assert read == [("a", "woman", "who", "waits")]
    both = ["the man in red", "a woman who waits"]
    stored, direct = FeatureCache(tmp_path, SMALL).text(both), MiniLM()(both)
    torch.testing.assert_close(stored.states, direct.states, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(stored.sentence, direct.sentence, atol=2e-3, rtol=2e-3)


def test_what_a_killed_process_of_the_same_number_left_is_no_hindrance(data: Path, tmp_path: Path) -> None:
    for name in (f".0000.{os.getpid()}", f".0000.{os.getpid()}.partial"):
        (tmp_path / name).mkdir()
    assert cache_module._encode_shard((data, tmp_path / "0000", read_records_of(data)[:1], SMALL, False)) == "0000"


def test_bad_arguments_and_data_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    gone = Record("v", 902, "0", "gone", "the man in red", (12,), (0.1, 0.1, 0.5, 0.9), "a.mp4", 0, 6.0)
    write_records(tmp_path / "gone.jsonl", [gone])
    write_records(tmp_path / "film.jsonl", [replace(gone, clip=None)])
    write_records(tmp_path / "bare.jsonl", [])
    for more, message in (
        (["--split", "none"], "none.jsonl: cannot be read"),
        (["--split", "bare"], "bare.jsonl holds no record"),
        (["--split", "gone"], "a.mp4 is missing; expected what the records speak of"),
        (["--split", "film"], "is missing; expected what the records speak of"),
        (["--split", "none", "--workers", "0"], "--workers must be at least 1"),
    ):
        assert cache_module.main(["--data", str(tmp_path), *more]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ") and message in line
    assert not (tmp_path / "features").exists()  # nothing is left of what is not there


def test_other_pictures_have_another_folder(data: Path) -> None:
    changes = ({}, {"image_height": 128}, {"image_width": 96}, {"frames": 6}, {"frame_rate": 6.0})
    folders = {cache_folder(data, "train", replace(SMALL, **change)) for change in changes}
    assert len({folder.parent for folder in folders}) == 5
    assert cache_folder(data, "train", replace(SMALL, width=64)) in folders  # the model's own sizes do not matter
    with pytest.raises(FileNotFoundError, match=r"training\.cache"):
        FeatureCache(data / "nowhere", SMALL)


# ---- in a mirror ----------------------------------------------------------------------------------------------------
LEFT = {  # what is said of the two people of each clip, and of nobody
    0: ("the red one on the left", "the green one on the right", "the one on the left of nobody"),
    1: ("the red one on the left", "the green one who left the room", "the one at the right"),
    2: ("the red one who left the room", "the only one left", "the one who sits right"),
}
RIGHT = {
    "the red one on the left": "the red one on the right",
    "the green one on the right": "the green one on the left",
    "the one on the left of nobody": "the one on the right of nobody",
    "the one at the right": "the one at the left",
}
WHO = {"red": 0, "green": 1}


@pytest.fixture(scope="module")
def sided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips about left and right with their features, and their mirror images' added afterwards."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("sided")
    paint_split(out, "train", 3)
    records = []
    for record in read_records_of(out):
        number, who = int(str(record.clip)[-5]), {"0": 0, "1": 1, "absent0": 2}[record.person_id]
        records.append(replace(record, sentence=LEFT[number][who]))
    write_records(out / "train.jsonl", records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
        patch.setattr(cache_module, "SHARD", 2)
        folder = build(out, "train", SMALL, workers=1)
        own = {sentence for said in LEFT.values() for sentence in said}
        assert set(json.loads((folder / "minilm" / "sentences.json").read_text())) == own
        assert set(shards_of(folder)) == {"0000", "0001"}
        before = shards_of(folder)
        for _ in range(2):  # the second time there is nothing to do
            build(out, "train", SMALL, mirrored=True, workers=1)
            after = shards_of(folder)
            assert set(after) == {"0000", "0001", "mirrored-weathered/0000", "mirrored-weathered/0001"}
            assert {name: after[name] for name in before} == before
            before = after
        build(out, "train", SMALL, workers=1)  # takes nothing away
        assert shards_of(folder) == before
        said = set(json.loads((folder / "minilm" / "sentences.json").read_text()))
        assert said == own | set(RIGHT.values())
    return out


def mirrored_set(sided: Path, share: float) -> Examples:
    features = FeatureCache(cache_folder(sided, "train", SMALL), SMALL)
    return Examples(sided, "train", features, SMALL, mirror=share)


def test_mirrored_features_are_those_of_mirrored_frames(sided: Path) -> None:
    encoder = CompactEncoder()
    encoder.load_state_dict(encoder_state())
    box = Letterbox.fit(320, 180, canvas_width=160, canvas_height=96)
    batch = mirrored_set(sided, 1.0).batch([0, 1, 2], 2, np.random.default_rng(0))
    for row in range(3):
        images = read_clip(sided / f"clips/train/{row:06d}.mp4")
        if row < 2:  # nothing that is said of the last clip can be mirrored, so it is not
            change = weather(f"clips/train/{row:06d}.mp4#{KEY}")
            images = [change(np.ascontiguousarray(image[:, ::-1]), i) for i, image in enumerate(images)]
        direct = encoder(to_pixels([np.ascontiguousarray(image) for image in images], box))
        for part in ("fine", "middle", "deep"):
            assert torch.equal(getattr(batch.features, part)[row], getattr(direct, part).half().float()), part
        assert torch.equal(batch.features.picture[row, 0], direct.picture[KEY].half().float())


def test_boxes_facings_and_sentences_are_mirrored_with_the_pictures(sided: Path) -> None:
    box = Letterbox.fit(320, 180, canvas_width=160, canvas_height=96)
    batch = mirrored_set(sided, 1.0).batch([0, 1, 2], 3, np.random.default_rng(0))
    plain = mirrored_set(sided, 0.0).batch([0, 1, 2], 3, np.random.default_rng(0))
    facing = list(ATTRIBUTES).index("facing")
    for row in range(3):
        for person in range(2):
            expected = torch.from_numpy(boxes_of(row, person)).float()
            if row < 2:
                expected = torch.stack([1 - expected[:, 2], expected[:, 1], 1 - expected[:, 0], expected[:, 3]], 1)
            if row == 0:
                expected[0] = torch.nan
            found = box.to_frame(batch.people_xyxy[row, person])
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0, equal_nan=True)
        thing = [0.1, 0.8, 0.2, 0.95] if row < 2 else [0.8, 0.8, 0.9, 0.95]
        torch.testing.assert_close(box.to_frame(batch.things_xyxy[row, 0]), torch.tensor(thing), atol=1e-5, rtol=0)
        turned = {ATTRIBUTES["facing"][int(c)] for c in batch.attributes[row, :2, facing]}
        assert turned == {"right" if row < 2 else "left"}
    rest = [column for column in range(len(ATTRIBUTES)) if column != facing]
    assert torch.equal(batch.attributes[..., rest], plain.attributes[..., rest])
    assert torch.equal(batch.actions, plain.actions) and torch.equal(batch.people_real, plain.people_real)
    said = [" ".join(words) for words in batch.text.words]
    for row in range(3):
        possible = {RIGHT[s] for s in LEFT[row] if s in RIGHT} or set(LEFT[row])
        assert set(said[3 * row : 3 * row + 3]) == possible  # what cannot be mirrored is not said
    who = [WHO.get(sentence.split()[1], -1) for sentence in said[:6]]
    assert batch.person[:6].tolist() == who and set(who) == {0, 1, -1}


def test_a_share_of_the_clips_is_mirrored_each_as_a_whole(sided: Path) -> None:
    half = mirrored_set(sided, 0.5)
    plain, turned = (mirrored_set(sided, share).batch([0], 3, np.random.default_rng(0)) for share in (0.0, 1.0))
    kinds = []
    for seed in range(24):
        batch = half.batch([0], 3, np.random.default_rng(seed))
        said = {" ".join(words) for words in batch.text.words}
        kinds.append(said == {RIGHT[sentence] for sentence in LEFT[0]})
        like = turned if kinds[-1] else plain
        assert kinds[-1] or said == set(LEFT[0])
        assert torch.equal(batch.features.deep, like.features.deep)
        assert torch.equal(batch.attributes, like.attributes)
        torch.testing.assert_close(batch.people_xyxy, like.people_xyxy, equal_nan=True)
    assert 6 <= sum(kinds) <= 18
    still = half.batch([0], 3, np.random.default_rng(kinds.index(True)), still=True)
    assert torch.equal(still.features.deep[0], turned.features.deep[0, KEY : KEY + 1])


def test_joints_are_those_that_are_seen_and_change_sides_in_a_mirror(sided: Path) -> None:
    dataset = mirrored_set(sided, 0.0)
    scene = json.loads((sided / "scenes" / "train.jsonl").read_text().splitlines()[0])
    box = Letterbox.fit(130, 98, canvas_width=160, canvas_height=96)
    dataset._cache.letterbox = lambda moment, config: box
    left, right, hidden = (JOINTS.index(name) for name in ("wrist.L", "wrist.R", "head"))
    places = [[0.01 * row, 0.5] for row in range(len(JOINTS))]
    marks = [[0.9, 0.9]] * 3  # what older lines tell besides
    told = {"joints_xy": [places + marks] * FRAMES, "joints_seen": [[1] * len(JOINTS) + [1] * 3] * FRAMES}
    told["joints_xy"][KEY] = [None if row == right else place for row, place in enumerate(places)] + marks
    told["joints_seen"][KEY] = [int(row != hidden) for row in range(len(JOINTS))] + [1] * 3
    scene["people"][1] |= told
    truth = dataset._of_scene("any", scene)
    assert truth["joints"].shape == (MAX_PEOPLE, len(JOINTS), 2) and truth["joints"][[0, 2]].isnan().all()
    seen = ~truth["joints"][1].isnan().any(-1)
    assert seen.sum() == len(JOINTS) - 2 and not seen[hidden] and not seen[right]
    x, y = (truth["joints"][1, left] * torch.tensor([160, 96])).tolist()
    assert x == pytest.approx(box.left + 0.01 * left * box.width, abs=1e-3)
    assert y == pytest.approx(box.top + 0.5 * box.height, abs=1e-3)
    turned = examples._mirrored(truth)["joints"][1]
    assert turned[left].isnan().all() and turned[hidden].isnan().all()
    x, y = (turned[right] * torch.tensor([160, 96])).tolist()
    assert x == pytest.approx(box.left + (1 - 0.01 * left) * box.width, abs=1e-3)
    assert torch.equal(examples._mirrored(examples._mirrored(truth))["joints"][1].isnan(), truth["joints"][1].isnan())


def test_a_picture_that_lies_off_the_middle_is_mirrored_about_its_own(sided: Path) -> None:
    dataset = mirrored_set(sided, 1.0)
    box = Letterbox.fit(130, 98, canvas_width=160, canvas_height=96)
    assert box.left == 16 and box.width == 127  # 17 pixels are left on the other side
    scene = json.loads((sided / "scenes" / "train.jsonl").read_text().splitlines()[0])
    dataset._cache.letterbox = lambda moment, config: box
    truth = examples._mirrored(dataset._of_scene("any", scene))
    x1, y1, x2, y2 = scene["people"][1]["boxes_xyxy"][KEY]
    expected = torch.tensor([1 - x2, y1, 1 - x1, y2])
    torch.testing.assert_close(box.to_frame(truth["people_xyxy"][1, KEY]), expected, atol=1e-5, rtol=0)


# ---- which frames ----------------------------------------------------------------------------------------------
def test_the_frames_lie_around_the_key_frame() -> None:
    def look(key: int, fps: float, count: int = 100) -> list[int]:
        return model_frames(fps, key, count, SMALL)

    assert look(4, 3.0, 8) == [0, 1, 2, 3, 4, 5, 6, 7]  # 8 frames at 3 a second: every one, once
    assert look(9, 6.0, 18) == [1, 3, 5, 7, 9, 11, 13, 15]  # 18 frames at 6 a second
    assert look(50, 30.0) == [10, 20, 30, 40, 50, 60, 70, 80]
    assert look(50, 25.0) == [17, 25, 33, 42, 50, 58, 67, 75]
    assert look(5, 30.0) == [0, 0, 0, 0, 5, 15, 25, 35] and look(98, 30.0)[4:] == [98, 99, 99, 99]
    for fps in (3.0, 6.0, 12.5, 29.97, 60.0):
        assert look(50, fps)[SMALL.key_frame] == 50  # the box belongs to this one
    assert look(50, 1.0) == [49, 49, 49, 50, 50, 50, 51, 51]


def test_features_and_boxes_are_of_the_same_moments_at_six_frames_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A square that jumps from frame to frame, at two sizes: a box is of the picture whose features lie there."""
    monkeypatch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
    scenes, records = [], []
    for number, (width, height) in enumerate(((128, 96), (160, 90))):
        boxes = [[0.05 * i, 0.2, 0.05 * i + 0.1, 0.6] for i in range(18)]
        images = np.full((18, height, width, 3), 110, np.uint8)
        for image, box in zip(images, boxes, strict=True):
            x1, y1, x2, y2 = (np.array(box) * [width, height, width, height]).astype(int)
            image[y1:y2, x1:x2] = (220, 20, 20)
        clip = f"clips/train/{number:06d}.mp4"
        write_clip(tmp_path / clip, images, 6.0)
        person = {"person_id": "0", "boxes_xyxy": boxes, "full_boxes_xyxy": boxes, "visible": [0.0] * 9 + [1.0] * 9}
        person |= {"actions": [12], "look": LOOK | {"top": "hoodie", "pattern": "checked"}, "facing": "away"}
        scene = {"clip": clip, "frames": 18, "key_frame": 9, "fps": 6.0, "people": [person], "things": []}
        scenes.append(scene)
        records.append(Record("v", 902, "0", "train", "the red one", (12,), tuple(boxes[9]), clip, 9, 6.0))
    write_scenes(tmp_path / "scenes/train.jsonl", scenes)
    write_records(tmp_path / "train.jsonl", records)
    features = FeatureCache(build(tmp_path, "train", SMALL, workers=1), SMALL)
    batch = Examples(tmp_path, "train", features, SMALL).batch([0, 1], 1, np.random.default_rng(0))
    encoder = CompactEncoder()
    encoder.load_state_dict(encoder_state())
    places = [1, 3, 5, 7, 9, 11, 13, 15]
    for row, (width, height) in enumerate(((128, 96), (160, 90))):
        box = Letterbox.fit(width, height, canvas_width=160, canvas_height=96)
        images = read_clip(tmp_path / scenes[row]["clip"])
        direct = encoder(to_pixels([images[i] for i in places], box)).deep.half().float()
        assert torch.equal(batch.features.deep[row], direct)
        expected = torch.tensor([scenes[row]["people"][0]["boxes_xyxy"][i] for i in places])
        torch.testing.assert_close(box.to_frame(batch.people_xyxy[row, 0]), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(box.to_frame(batch.key_boxes[row, 0]), torch.tensor(records[row].box_xyxy))
    assert batch.people_real[:, 0].all()  # visible at the key frame is what counts
    for name, value in (("top", "hoodie"), ("pattern", "checked"), ("facing", "away")):
        assert ATTRIBUTES[name][batch.attributes[0, 0, list(ATTRIBUTES).index(name)]] == value
    assert batch.attributes[0, 0, list(ATTRIBUTES).index("sleeves")] == -1  # not told


def test_what_is_known_of_the_parts_of_a_sentence() -> None:
    def known(parts: dict[str, str] | None) -> dict[str, list[int]]:
        extra = {} if parts is None else {"parts": parts}
        box = (0.1, 0.1, 0.5, 0.9)
        row = examples.parts_known(Record("v", 902, "0", "train", "any", (12,), box, "a.mp4", 0, 6.0, extra=extra))
        assert row.shape == (len(PhraseMatch.PARTS), MAX_PEOPLE)
        return dict(zip(PhraseMatch.PARTS, row.tolist(), strict=True))

    assert {value for row in known(None).values() for value in row} == {-1}, "nothing is known"
    told = known({"noun": "110", "left": "1-0", "right": "01-", "hat": "0-1", "tie": "1-1", "top": "1" * 12})
    assert told["noun"][:3] == [1, 1, 0] and told["side"][:3] == [0, -1, 0] and told["worn"][:3] == [0, -1, 1]
    unasked = set(PhraseMatch.PARTS) - {"noun", "side", "worn"}
    assert all(told[part] == [1] * MAX_PEOPLE for part in unasked), "what is not asked fits all"


@pytest.mark.parametrize(
    ("name", "kind"), [("sofa", "sofa"), ("armchair", "chair"), ("tv", "sign"), ("tree", "plant"), ("giraffe", "thing")]
)
def test_objects_go_by_a_broader_name(data: Path, features: FeatureCache, name: str, kind: str) -> None:
    dataset = Examples(data, "train", features, SMALL, limit=1)
    assert SMALL.categories[dataset._kind(name)] == kind
    assert set(BROADER.values()) <= set(SMALL.categories)


# ---- from the folder to a batch -----------------------------------------------------------------------------------
def test_frames_differ_and_the_box_belongs_to_the_key_frame(data: Path) -> None:
    images = read_clip(data / "clips/train/000001.mp4")
    assert len(images) == FRAMES and images[0].shape == (180, 320, 3)
    found = []
    for image in images:
        red = (image[..., 0].astype(int) - image[..., 1]) > 100
        rows, columns = np.nonzero(red)
        found.append([columns.min() / 320, rows.min() / 180, (columns.max() + 1) / 320, (rows.max() + 1) / 180])
    truth = boxes_of(1, 0)
    assert np.abs(np.array(found) - truth).max() < 0.015  # every frame shows its own box
    assert len({round(box[0], 2) for box in found}) == FRAMES
    record = next(r for r in read_records_of(data) if r.clip == "clips/train/000001.mp4" and r.person_id == "0")
    distance = np.abs(np.array(found) - np.array(record.box_xyxy)).max(1)
    assert distance.argmin() == record.key_frame == KEY and np.sort(distance)[1] > 0.04


def read_records_of(data: Path) -> list[Record]:
    from refatomnet.records import read_records

    return read_records(data / "train.jsonl")


def test_a_batch_joins_by_name(data: Path, features: FeatureCache) -> None:
    dataset = Examples(data, "train", features, SMALL)
    assert len(dataset) == 4 and dataset.moments == sorted(dataset.moments)
    batch = dataset.batch([2, 0], 3, np.random.default_rng(0))
    assert batch.people_xyxy.shape == (2, MAX_PEOPLE, FRAMES, 4) and batch.person.shape == (6,)
    assert batch.people_real.tolist() == [[True, True] + [False] * 6] * 2
    box = Letterbox.fit(320, 180, canvas_width=160, canvas_height=96)
    for row, number in enumerate((2, 0)):
        for person in range(2):
            on_frame = box.to_frame(batch.people_xyxy[row, person])
            expected = torch.from_numpy(boxes_of(number, person)).float()
            if number == 0:
                expected[0] = torch.nan
            torch.testing.assert_close(on_frame, expected, atol=1e-5, rtol=0, equal_nan=True)
        assert (batch.actions[row, 0].nonzero().flatten() + 1).tolist() == [8, 11]
        assert (batch.actions[row, 1].nonzero().flatten() + 1).tolist() == [14]
        assert batch.actions[row, 2:].sum() == 0
        stored = features.frames(f"clips/train/{number:06d}.mp4#{KEY}")
        assert torch.equal(batch.features.deep[row], stored["deep"])
        assert torch.equal(batch.features.fine[row], stored["fine"])
    for i, words in enumerate(batch.text.words):
        assert words[-1] == str((2, 0)[i // 3])  # a sentence about its own clip
        assert {"red": 0, "green": 1, "blue": -1}[words[1]] == int(batch.person[i])
    assert {w[1] for w in batch.text.words[:3]} == {"red", "green", "blue"}  # no repetition while they last
    assert [SMALL.categories[k] for k in batch.things_kind[:, 0]] == ["bag", "bag"]
    inside = box.to_frame(batch.things_xyxy[0, 0])
    torch.testing.assert_close(inside, torch.tensor([0.8, 0.8, 0.9, 0.95]), atol=1e-5, rtol=0)
    assert batch.things_xyxy[:, 1:].isnan().all()
    names = list(ATTRIBUTES)
    colour = ATTRIBUTES["top_colour"]
    assert [colour[c] for c in batch.attributes[0, :2, names.index("top_colour")]] == ["red", "green"]
    assert ATTRIBUTES["facing"][batch.attributes[0, 0, names.index("facing")]] == "left"
    assert (batch.attributes[:, 2:] == -1).all()


def test_a_still_batch_is_the_key_frame_of_the_whole_one(data: Path, features: FeatureCache) -> None:
    dataset = Examples(data, "train", features, SMALL)
    whole = dataset.batch([2, 0], 3, np.random.default_rng(0))
    still = dataset.batch([2, 0], 3, np.random.default_rng(0), still=True)
    for part in ("fine", "middle", "deep"):
        assert torch.equal(getattr(still.features, part), getattr(whole.features, part)[:, KEY : KEY + 1])
    torch.testing.assert_close(still.people_xyxy, whole.people_xyxy[:, :, KEY : KEY + 1], equal_nan=True)
    torch.testing.assert_close(still.key_boxes, whole.key_boxes, equal_nan=True)
    torch.testing.assert_close(whole.key_boxes, whole.people_xyxy[:, :, KEY], equal_nan=True)
    assert not torch.equal(whole.people_xyxy[0, 0, KEY], whole.people_xyxy[0, 0, 0])
    assert torch.equal(still.person, whole.person) and still.text.words == whole.text.words


def test_who_is_beyond_the_last_row_is_not_taken_for_nobody(
    data: Path, features: FeatureCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "MAX_PEOPLE", 1)
    batch = Examples(data, "train", features, SMALL, limit=1).batch([0], 4, np.random.default_rng(1))
    assert {(words[1], int(who)) for words, who in zip(batch.text.words, batch.person, strict=True)} == {
        ("red", 0),
        ("blue", -1),
    }


def test_no_more_people_are_taken_than_the_model_keeps(data: Path, features: FeatureCache) -> None:
    batches = [
        Examples(data, "train", features, model, limit=1).batch([0], 4, np.random.default_rng(1))
        for model in (SMALL, replace(SMALL, people=1))
    ]
    assert [int(batch.people_real.sum(1).max()) for batch in batches] == [2, 1]


def test_more_sentences_than_there_are_repeat_evenly(data: Path, features: FeatureCache) -> None:
    dataset = Examples(data, "train", features, SMALL, limit=1)
    assert len(dataset) == 1
    batch = dataset.batch([0], 6, np.random.default_rng(1))
    said = [words[1] for words in batch.text.words]
    assert sorted(said) == ["blue", "blue", "green", "green", "red", "red"]


def test_hardly_visible_people_are_not_real(data: Path, features: FeatureCache) -> None:
    dataset = Examples(data, "train", features, SMALL, limit=1)
    scene = json.loads((data / "scenes" / "train.jsonl").read_text().splitlines()[0])
    scene["people"][0]["visible"][KEY] = 0.1
    scene["people"][1]["boxes_xyxy"][KEY] = None
    truth = dataset._of_scene(dataset.moments[0], scene)
    assert not truth["people_real"].any() and truth["people_xyxy"][1, KEY].isnan().all()
    torch.testing.assert_close(cxcywh_to_xyxy(xyxy_to_cxcywh(truth["people_xyxy"][0])), truth["people_xyxy"][0])


# ---- data without scenes ------------------------------------------------------------------------------------------
def test_records_alone_teach_what_they_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two moments of one clip, and a film's frames: people are known at the key frame alone, and things not at all."""
    monkeypatch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
    box, other = (0.1, 0.2, 0.4, 0.9), (0.5, 0.1, 0.8, 0.9)
    images = np.full((40, 90, 160, 3), 110, np.uint8)
    images[20:] = 200
    write_clip(tmp_path / "clip.mp4", images, 6.0)
    early = Record("v", 902, "0", "train", "the man in red", (12, 80), box, "clip.mp4", 9, 6.0)
    late = replace(early, person_id="1", sentence="a woman", actions=(11,), box_xyxy=other, key_frame=30)
    nobody = replace(late, person_id="x", sentence="a dog", actions=(), box_xyxy=None)
    film = replace(early, video="film", timestamp=905, clip=None, key_frame=45, fps=30.0, sentence="the boy")
    for number in range(90):
        path = film_frame(tmp_path, "film", film_start(905) + number)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((96, 128, 3), number, np.uint8))
    write_records(tmp_path / "train.jsonl", [early, late, nobody, film])
    features = FeatureCache(build(tmp_path, "train", SMALL, workers=1), SMALL)
    dataset = Examples(tmp_path, "train", features, SMALL)
    assert dataset.moments == ["clip.mp4#30", "clip.mp4#9", "film 905#45"] and not dataset.has_scenes
    batch = dataset.batch([0, 1, 2], 2, np.random.default_rng(0))
    assert not torch.equal(batch.features.deep[0], batch.features.deep[1])
    for row, (record, size) in enumerate(((late, (160, 90)), (early, (160, 90)), (film, (128, 96)))):
        fit = Letterbox.fit(*size, canvas_width=160, canvas_height=96)
        torch.testing.assert_close(fit.to_frame(batch.key_boxes[row, 0]), torch.tensor(record.box_xyxy))
        assert (batch.actions[row, 0].nonzero().flatten() + 1).tolist() == list(record.actions)
    known = torch.zeros(FRAMES, dtype=torch.bool)
    known[KEY] = True
    assert torch.equal(~batch.people_xyxy[:, 0].isnan().any(-1), known.expand(3, -1))
    assert batch.people_real.sum() == 3 and not batch.frames_known.any() and not batch.things_known.any()
    assert (batch.attributes == -1).all() and batch.things_xyxy.isnan().all()
    assert sorted(batch.person.tolist()) == [-1, 0, 0, 0, 0, 0]


def test_shards_of_a_larger_set_are_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
    monkeypatch.setattr(cache_module, "SHARD", 1)
    paint_split(tmp_path, "train", 3)
    folder = build(tmp_path, "train", SMALL, mirrored=True, workers=1)
    assert len(shards_of(folder)) == 6
    write_records(tmp_path / "train.jsonl", read_records_of(tmp_path)[:6])  # of the first two clips
    build(tmp_path, "train", SMALL, mirrored=True, workers=1)
    assert set(shards_of(folder)) == {"0000", "0001", "mirrored-weathered/0000", "mirrored-weathered/0001"}


def test_a_sentence_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    paint_split(tmp_path, "train", 1)
    records = read_records_of(tmp_path)
    write_records(tmp_path / "train.jsonl", [*records, replace(records[0], sentence="so " * 200)])
    with pytest.raises(DataError, match=r"train.jsonl: the sentence has \d+ characters"):
        read_sentences(tmp_path)
