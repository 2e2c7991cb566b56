"""Comparing variants: what each changes, that none is trained twice, and what the table says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_cache import SMALL, painted

from refatomnet.errors import DataError
from refatomnet.records import read_records
from training import ablate, trainer
from training.ablate import read_variants
from training.cache import cache_folder

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "ablation.yaml"


def test_the_shipped_list_has_what_the_papers_compare(tmp_path: Path) -> None:
    configs = read_variants(CONFIG, ["batch_clips=5", "model.width=32"], tmp_path)
    first = next(iter(configs.values()))
    assert first.model == type(first.model)(width=32) and first.batch_clips == 5
    models = {name: config.model for name, config in configs.items()}
    assert {model.architecture for model in models.values()} == {"refatomnetpp", "refatomnet", "plain"}
    assert {model.scan for model in models.values()} == {"mamba", "lstm", "transformer", "none"}
    assert {model.retrieval for model in models.values()} == {"hard", "soft", "random"}
    assert {model.answer for model in models.values()} == {"people", "place", "branches"}
    assert {len(model.levels) for model in models.values()} == {2, 3}
    assert len(set(models.values())) == len(models)  # each is another model
    assert all(model.width == 32 for model in models.values())  # and changes nothing else
    same = {(c.seed, c.batch_clips, c.sentences, c.epochs, c.still_epochs, c.learning_rate) for c in configs.values()}
    assert len(same) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base: {}", "no list of variants"),
        ("base: {}\nvariants: {}", "no list of variants"),
        ("base: {}\nvariants: {a: {modle: {}}}", "unknown keys .'modle'"),
        ("base: {}\nvariants: {a: {model: {scan: gru}}}", "scan is 'gru'"),
        ("base: {}\nvariants: {a b: {}, a-b: {}}", "too alike"),
        ("base: {}\nvariants: {a: {}, b: {precision: bf16}}", "variants differ in precision"),
        ("base: {model: }\nvariants: {a: {}, b: {model: {frames: 6}}}", "variants differ in the frames they read"),
    ],
)
def test_lists_that_make_no_sense_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(text)
    with pytest.raises(DataError, match=said):
        read_variants(tmp_path / "list.yaml", [], tmp_path)


def test_variants_are_trained_once_and_compared_on_the_same_clips(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    torch.set_num_threads(1)
    data = painted(tmp_path_factory.getbasetemp())
    monkeypatch.setattr(ablate, "SPLIT", "val")
    for module in (ablate, trainer):
        monkeypatch.setattr(module, "build", lambda data, split, config, **_: cache_folder(data, split, config))
    sizes = {name: getattr(SMALL, name) for name in ("width", "heads", "layers", "state_size", "image_height")}
    base = {"data": str(data), "batch_clips": 2, "sentences": 2, "epochs": 1, "threads": 1}
    base["model"] = sizes | {"image_width": SMALL.image_width}
    variants = {"RefAtomNet++": {}, "plain": {"model": {"architecture": "plain"}}}
    (tmp_path / "list.yaml").write_text(json.dumps({"base": base, "variants": variants}))
    out = tmp_path / "out"
    arguments = [str(tmp_path / "list.yaml"), "--out", str(out)]
    assert ablate.main([*arguments, "minutes=0"]) == 2  # a stopped variant is none to measure
    assert "RefAtomNet++ stopped at step 1 of 2; run the same command to go on" in capsys.readouterr().err
    assert not (out / "results.json").exists()
    assert ablate.main(arguments) == 0
    found = json.loads((out / "results.json").read_text())["variants"]
    assert list(found) == ["RefAtomNet++", "plain"]
    assert found["RefAtomNet++"]["facts"]["fusion"] > found["plain"]["facts"]["fusion"] > 0
    for name, entry in found.items():
        assert entry["facts"]["steps"] == 2
        for key in ablate.SHOWN:
            value, difference = entry["scores"][key]["value"], entry["scores"][f"{key} difference"]["value"]
            assert difference == pytest.approx(value - found["RefAtomNet++"]["scores"][key]["value"]), (name, key)
    assert found["RefAtomNet++"]["scores"]["miou difference"]["ci95"] == [0, 0]
    table = capsys.readouterr().out
    assert table == (out / "table.md").read_text() and table.count("<br>") == len(ablate.SHOWN)
    assert "Each variant from nothing, 2 steps of 2 clips × 2 sentences, seed 0" in table
    warm = read_variants(tmp_path / "list.yaml", ["start=compact", "anew=fusion branch"], out)["plain"]
    assert "Each variant from compact, its fusion and branch anew, 2 steps" in ablate.table(found, warm)
    monkeypatch.setattr(trainer.Trainer, "fit", None)  # nothing is trained again
    assert ablate.main(arguments) == 0
    assert json.loads((out / "results.json").read_text())["variants"] == found
    assert ablate.main([*arguments, "--only", "Plain", "seed=0"]) == 2  # options and key=value in any order
    assert "there is no variant 'Plain'" in capsys.readouterr().err


def test_boxes_of_every_frame_are_of_the_described_person(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = painted(tmp_path_factory.getbasetemp())
    records = read_records(data / "val.jsonl")
    boxes = ablate.described_boxes(data, records, SMALL, split="val")
    assert boxes.shape == (len(records), SMALL.frames, 4)
    for record, own in zip(records, boxes, strict=True):
        if record.box_xyxy is None:
            assert np.isnan(own).all()
        else:
            np.testing.assert_allclose(own[SMALL.key_frame], record.box_xyxy, atol=1e-5)
            assert (np.diff(own[1:, 0]) > 0).all()  # they walk
