"""Public detectors: what they say is what transformers says, and what cannot be used is refused in a sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_public import save_detector

from refatomnet.detectors import DETECTOR, DETR, Detector
from refatomnet.errors import CheckpointError
from refatomnet.public import PublicModel

KINDS = ("dfine", "rtdetrv2", "detr")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("detectors")
    return {kind: save_detector(root / kind, kind) for kind in KINDS}


def pictures() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (90, 160, 3), dtype=np.uint8) for _ in range(2)]


def detector(folder: Path) -> Detector:
    return Detector(PublicModel("detector", folder))


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_transformers_says(kind: str, folders: dict[str, Path]) -> None:
    import transformers as hf

    found = detector(folders[kind])(pictures(), threshold=0.0)
    processor = {"detr": hf.DetrImageProcessorPil}.get(kind, hf.RTDetrImageProcessorPil).from_pretrained(folders[kind])
    classes = {"dfine": hf.DFineForObjectDetection, "rtdetrv2": hf.RTDetrV2ForObjectDetection}
    model = classes.get(kind, hf.DetrForObjectDetection).from_pretrained(folders[kind]).eval()
    with torch.inference_mode():
        output = model(**processor(images=pictures(), return_tensors="pt"))
    # Both by hand, so that the processor's own arithmetic is checked too: sigmoid with one label a class, or softmax
    # with "nothing" last; boxes are cxcywh in fractions of the picture.
    chances = output.logits.softmax(-1)[..., :-1] if kind == "detr" else output.logits.sigmoid()
    width, height = 160, 90
    for i, one in enumerate(found):
        assert len(one.scores) > 0 and (np.diff(one.scores) <= 0).all()
        for box, score, label in zip(*one, strict=True):
            near = (chances[i, :, label] - score).abs() < 1e-5
            assert near.any(), "some query has this score for this label"
            cx, cy, w, h = output.pred_boxes[i, near].T.double()
            told = torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], dim=1) * torch.tensor(
                [width, height, width, height]
            )
            told = torch.minimum(told.clamp(min=0), torch.tensor([width, height, width, height]))
            assert (told - torch.from_numpy(box)).abs().amax(1).min() < 1e-3


def test_names_are_those_of_coco(folders: dict[str, Path]) -> None:
    loaded = detector(folders["rtdetrv2"])
    assert loaded.names == ("person", "couch", "bench", "dog", "car") and loaded.person == 0


def test_only_what_is_sure_enough_and_inside(folders: dict[str, Path]) -> None:
    loaded = detector(folders["dfine"])
    tall = np.full((200, 50, 3), 90, dtype=np.uint8)
    both = [tall, pictures()[0]]
    every = loaded(both, threshold=0.0)
    level = float(np.median(np.concatenate([one.scores for one in every])))
    some = loaded(both, threshold=level)
    for (height, width), all_of_it, rest in zip(((200, 50), (90, 160)), every, some, strict=True):
        assert (rest.scores == all_of_it.scores[all_of_it.scores > level]).all()
        x1, y1, x2, y2 = all_of_it.boxes_xyxy.T
        assert (x1 >= 0).all() and (y1 >= 0).all() and (x2 <= width).all() and (y2 <= height).all()
        assert (x2 - x1 >= 1).all() and (y2 - y1 >= 1).all()
    assert 0 < sum(len(one.scores) for one in some) < sum(len(one.scores) for one in every)
    assert loaded([]) == []


def test_offline_says_what_is_missing_and_how_large_it_is() -> None:
    for wanted, size in ((DETECTOR, "42 MB"), (DETR, "167 MB")):
        with pytest.raises(CheckpointError, match=f"{wanted.source}.*{size}.*nor reachable on the hub") as caught:
            Detector(wanted)
        assert "\n" not in str(caught.value)
    assert "no_timm" in str(caught.value)


def broken(folder: Path, target: Path, how: str) -> Path:
    shutil.copytree(folder, target)
    weights = target / "model.safetensors"
    config = json.loads((target / "config.json").read_text())
    if how == "cut":
        weights.write_bytes(weights.read_bytes()[:500])
    elif how == "lacking":
        state = load_file(weights)
        del state[next(name for name in state if "class_labels" in name)]
        save_file(state, weights, metadata={"format": "pt"})
    elif how == "pickled":
        torch.save(load_file(weights), target / "pytorch_model.bin")
        weights.unlink()
    elif how == "foreign":
        code = "raise SystemExit('code of the repository was run')"
        (target / "theirs.py").write_text(code)
        config |= {"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.Config"}}
    elif how == "unprepared":
        (target / "preprocessor_config.json").unlink()
    elif how == "nobody":
        config["id2label"] = {label: f"{name} statue" for label, name in config["id2label"].items()}
    elif how == "other":
        config["id2label"] = {"0": "person", "1": "dog"}
    elif how == "timm":  # as DETR's main revision
        config |= {"use_timm_backbone": True, "backbone": "resnet50", "backbone_config": None}
    (target / "config.json").write_text(json.dumps(config))
    return target


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("cut", "cannot be used"),
        ("lacking", "does not fit .* are 1 of its tensors, such as class_labels"),
        ("other", "does not fit .* are 2 of its tensors"),
        ("pickled", "cannot be used"),
        ("foreign", "cannot be used"),
        ("unprepared", "cannot be used"),
        ("nobody", "knows no people"),
        ("timm", r"without another library \(.*timm.*\); install that, or take a detector that needs none"),
    ],
)
def test_what_cannot_be_used_is_refused(how: str, said: str, folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=said) as caught:
        detector(broken(folders["detr"], tmp_path / how, how))
    assert "\n" not in str(caught.value)
