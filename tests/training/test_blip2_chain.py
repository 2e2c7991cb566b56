"""The BLIP-2 tier from RefAVA++'s form to an answer: convert, cache, train by its config, evaluate, load, ask."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from tiny_blip2 import save_blip2, save_tier

from refatomnet import Predictor, cli
from refatomnet.checkpoint import load_checkpoint
from refatomnet.console import hush
from refatomnet.detectors import Detector, Objects
from refatomnet.downloads import weights_sha256
from refatomnet.encoders import pretrained as tier_module
from refatomnet.encoders.pretrained import ClipFeatures
from refatomnet.errors import CheckpointError
from refatomnet.records import Record
from training import cache as cache_module
from training import convert, evaluate, train
from training.cache import FeatureCache, build
from training.config import read_train_config
from training.data.records import write_records
from training.data.refava import write_refava
from training.generate import write_clip
from training.trainer import Trainer

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "refavapp_blip2.yaml"
SENTENCES = ("the man in red on the left", "the woman in green")


def paint(folder: Path) -> Path:
    """Four clips to learn from and two to look at, of two people who walk, in RefAVA++'s form."""
    for split, count in (("train", 4), ("val", 2)):
        records = []
        for number in range(count):
            images = np.full((12, 60, 90, 3), 90 + 20 * number, np.uint8)
            for i, image in enumerate(images):
                image[20:50, 10 + i : 22 + i] = (220, 20, 20)
                image[25:55, 60 - i : 72 - i] = (20, 180, 20)
            clip = f"clips/{split}/{number}.mp4"
            write_clip(folder / clip, images, 6.0)
            boxes = (0.18, 0.33, 0.31, 0.83), (0.6, 0.42, 0.73, 0.92)
            for person, (sentence, box) in enumerate(zip(SENTENCES, boxes, strict=True)):
                about = Record(f"{split}-{number}", 902, str(person), split, sentence, (12, 80), box, clip, 6, 6.0)
                records.append(about)
        write_records(folder / f"{split}.jsonl", records)
        write_refava(folder, split)
    return folder / "refava"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    hush()
    folder = tmp_path_factory.mktemp("refavapp")
    source = paint(folder / "films")
    assert convert.main([str(source), "--out", str(folder / "data")]) == 0
    return folder / "data"


@pytest.fixture(scope="module")
def overrides(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Over the config: the paths to fill in, tiny public models, and sizes to go with them."""
    tier = save_tier(tmp_path_factory.mktemp("tier"))
    small = {"width": 32, "fused_width": 16, "heads": 4, "layers": 1, "state_size": 2, "image_height": 64}
    model = tier | small | {"image_width": 96, "people": 3, "things": 2}
    run = {"data": data, "run": data.parent / "run", "batch_clips": 4, "epochs": 3, "warmup_steps": 1, "threads": 1}
    run |= {"evaluate_every": 1000, "learning_rate": 0.003}
    given = {**run, **{f"model.{name}": value for name, value in model.items()}}
    return [f"{name}={json.dumps(value, default=str)}" for name, value in given.items()]


def see_colours(detector: Detector, pictures: list[np.ndarray], *, threshold: float) -> list[Objects]:
    """What a detector with real weights would find; random ones find nobody, and nothing is learnt of people then."""
    found = []
    for picture, own in zip(pictures, LOOK(detector, pictures, threshold=threshold), strict=True):
        boxes = []
        for colour in (0, 1):
            rows, columns = np.nonzero(picture[..., colour].astype(int) - picture[..., 1 - colour] > 60)
            boxes.append([columns.min(), rows.min(), columns.max() + 1.0, rows.max() + 1.0])
        people = np.full(2, detector.person)
        found.append(Objects(*(np.concatenate(p) for p in zip((boxes, [0.9, 0.8], people), own, strict=True))))
    return found


LOOK = Detector.__call__


@pytest.fixture(scope="module", autouse=True)
def sees_people() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Detector, "__call__", see_colours)
        yield


@pytest.fixture(scope="module")
def losses() -> list[dict[str, float]]:
    """Of every step, once the run is over."""
    return []


@pytest.fixture(scope="module")
def trained(data: Path, overrides: list[str], losses: list[dict[str, float]]) -> Path:
    """The checkpoint of a run of three steps by the config."""
    step = Trainer._train_step

    def record(trainer: Trainer, batches: list[Any]) -> dict[str, float]:
        losses.append(step(trainer, batches))
        return losses[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_train_step", record)
        patch.setenv("ACCELERATE_USE_CPU", "1")
        AcceleratorState._reset_state(True)
        assert train.main([str(CONFIG), *overrides]) == 0
        AcceleratorState._reset_state(True)
    return data.parent / "run" / "best"


def test_what_is_cached_is_what_the_encoders_say(trained: Path, overrides: list[str], data: Path) -> None:
    config = read_train_config(CONFIG, overrides).model
    cache = FeatureCache(cache_module.cache_folder(data, "val", config), config)
    assert cache.stands_on["visual"] == {"name": config.blip2, "sha256": weights_sha256(Path(config.blip2))}
    model, _ = load_checkpoint(trained)
    moments = sorted(cache._places[False])
    assert len(moments) == 2
    stored = cache.features(moments[0])
    assert isinstance(stored, ClipFeatures) and stored.tokens.shape == (8, 6, 24) and stored.regions.shape == (8, 5, 32)
    records = {r.moment: r for r in evaluate.read_split(data, "val")}
    question = evaluate.questions_from_videos(model, data, [records[moments[0]]], {"own": [SENTENCES[0]]})[0]
    (direct,), _ = question.load()
    direct = direct.around(config.key_frame)
    for name in ("tokens", "regions", "scores", "names"):
        torch.testing.assert_close(getattr(stored, name), getattr(direct, name)[0], atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(stored.boxes_cxcywh, direct.boxes_cxcywh[0])
    still = cache.features(moments[0], slice(config.key_frame, config.key_frame + 1))
    assert still.tokens.shape == (1, 6, 24) and torch.equal(still.tokens[0], stored.tokens[config.key_frame])


def test_what_is_there_is_not_computed_again_nor_read_for_other_weights(
    trained: Path, overrides: list[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read_train_config(CONFIG, overrides).model
    monkeypatch.setattr(tier_module, "frozen_weights", None)  # a machine without the weights can go on training
    folder = build(data, "val", config)
    monkeypatch.undo()
    monkeypatch.setattr(tier_module, "weights_sha256", lambda folder: "f" * 64)
    (next(folder.glob("[0-9]*")) / "moments.json").unlink()
    with pytest.raises(CheckpointError, match="has features of other weights: the visual weights .* move the folder"):
        build(data, "val", config)
    monkeypatch.undo()
    build(data, "val", config)
    grid = replace(config, tokens="grid")
    assert cache_module.cache_folder(data, "val", grid) != folder


def test_the_run_learns_and_is_evaluated(trained: Path, data: Path, losses: list[dict[str, float]]) -> None:
    assert len(losses) == 3
    told = "person_action person_real refine choose action rank branch_box total grad_norm"
    assert set(losses[0]) == {*told.split(), "part"} and losses[0]["part"] == 0, "nothing is known of parts here"
    assert all(losses[0][name] > 0 for name in told.split()), "described people are among the detected ones"
    assert losses[-1]["branch_box"] < losses[0]["branch_box"]
    found = json.loads((trained.parent / "evaluation.json").read_text())
    assert found["records"] == 4 and 0 <= found["miou"] <= 1 and found["data"] == "data/val"
    config = json.loads((trained / "config.json").read_text())
    assert config["training"]["steps"] == 3 and config["encoders"]["detector"]["sha256"]
    assert config["trained_on"] == "data, 4 clips" and config["model"]["fused_width"] == 16
    state = load_file(trained / "model.safetensors")
    assert not [name for name in state if name.startswith("encoder")]
    assert {"neck.proj.1.weight", "found.look.2.weight", "fusion.narrow.visual.weight"} <= state.keys()


def test_a_video_is_answered_by_the_command(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = data.parent / "films" / "clips" / "val" / "0.mp4"
    arguments = ["predict", str(video), *SENTENCES, "--checkpoint", str(trained), "--device", "cpu", "--quiet"]
    assert cli.main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert [query["sentence"] for query in said["queries"]] == list(SENTENCES)
    assert said["checkpoint"]["name"] == "refavapp-blip2" and len(said["queries"][0]["keyframes"]) == 2
    predictor = Predictor.from_pretrained(trained, device="cpu")
    clip = predictor.encode(video)
    result = predictor.ask(clip, *SENTENCES, threshold=0.0)
    for key in result.queries[0].keyframes:
        x1, y1, x2, y2 = key.box_xyxy  # type: ignore[misc]
        assert 0 <= x1 < x2 <= 90 and 0 <= y1 < y2 <= 60
        assert len(key.candidates) >= 2  # both people, to choose among
    assert predictor.explain(clip, SENTENCES[0]) == ((), ())  # what a word followed has no place


def test_a_damaged_or_other_encoder_is_one_line(
    trained: Path, data: Path, overrides: list[str], capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    video = data.parent / "films" / "clips" / "val" / "0.mp4"
    config = json.loads((trained / "config.json").read_text())
    config["model"]["blip2"] = "someone/blip2-not-here"
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "config.json").write_text(json.dumps(config))
    (tmp_path / "away" / "model.safetensors").write_bytes((trained / "model.safetensors").read_bytes())
    assert cli.main(["predict", str(video), SENTENCES[0], "--checkpoint", str(tmp_path / "away"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "the BLIP-2 'someone/blip2-not-here' is neither on this machine" in said
    torch.manual_seed(5)
    save_blip2(tmp_path / "away" / "blip2")
    network = load_file(tmp_path / "away" / "blip2" / "model.safetensors")
    network["query_tokens"] += 1
    from safetensors.torch import save_file

    save_file(network, tmp_path / "away" / "blip2" / "model.safetensors", metadata={"format": "pt"})
    config["model"]["blip2"] = str(tmp_path / "away" / "blip2")
    (tmp_path / "away" / "config.json").write_text(json.dumps(config))
    assert cli.main(["predict", str(video), SENTENCES[0], "--checkpoint", str(tmp_path / "away"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "the visual weights" in said and "are not those it was made with" in said


def test_the_cache_command_takes_a_config(
    trained: Path, data: Path, overrides: list[str], capsys: pytest.CaptureFixture
) -> None:
    given = ["--data", str(data), "--split", "val"]
    model = [o for o in overrides if o.startswith("model.")]
    assert cache_module.main([*given, "--config", str(CONFIG), *model]) == 0
    assert cache_module.main([*given, *model]) == 2
    assert "give --config CONFIG.yaml too" in capsys.readouterr().err
