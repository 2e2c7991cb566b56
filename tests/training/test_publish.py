"""What is put on the hub, a fake one on this machine: checkpoints with measured scores, data sets with their card."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_hub import FakeHub, hub_on
from fake_predictor import record
from huggingface_hub import DatasetCard, ModelCard, snapshot_download

from refatomnet.checkpoint import save_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.errors import CheckpointError
from refatomnet.model import RavarModel
from refatomnet.records import record_from_dict
from training.data.card import data_card
from training.data.records import write_records, write_text
from training.publish import main

MODEL, DATA = "someone/model", "someone/data"
EVALUATION = {
    "records": 20, "miou": 0.25, "acc_iou50": 0.5, "map_macro": None, "by_kind": {}, "ci95": {"miou": [0.2, 0.3]},
    "misses": [{"sentence": "the man", "video": "a", "iou": 0.0, "presence": 0.5}],
    "checkpoint": "fresh", "data": "open/test", "command": "python -m training.evaluate --data open --split test",
}  # fmt: skip


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with hub_on(monkeypatch, tmp_path / "cache") as running:
        yield running


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data")
    for split, clips in (("train", 2), ("test", 1), ("test_paraphrase", 1)):
        records = [
            record_from_dict(record(f"clips/{split.split('_')[0]}/{i}.mp4", "the man on the left", [0, 0, 1, 1]))
            for i in range(clips)
        ]
        write_records(out / f"{split}.jsonl", records)
        for one in records:
            (out / str(one.clip)).parent.mkdir(parents=True, exist_ok=True)
            (out / str(one.clip)).write_bytes(b"film of " + one.clip.encode())
    for left_out in (".parts/train/run.json", "features/cache.bin", "refava/train_label.pkl", ".parts/x.jsonl"):
        (out / left_out).parent.mkdir(parents=True, exist_ok=True)
        (out / left_out).write_text('{"seed": 1}')
    write_text(out / "README.md", data_card(out, ("train", "val", "test", "samples")))
    return out


def evaluation(tmp_path: Path, **changes: Any) -> str:
    path = tmp_path / "test.json"
    path.write_text(json.dumps({name: v for name, v in (EVALUATION | changes).items() if v != "absent"}))
    return str(path)


def test_a_checkpoint_goes_up_with_its_scores_and_comes_back(hub: FakeHub, checkpoint: Path, tmp_path: Path) -> None:
    assert main([str(checkpoint), MODEL, "--evaluation", evaluation(tmp_path), "--private"]) == 0
    files = hub.repos[f"models/{MODEL}"]
    assert set(files) == {"README.md", "config.json", "model.safetensors"} and hub.private == [f"models/{MODEL}"]
    assert hub.commits == ["Upload checkpoint"]
    assert files["model.safetensors"] == (checkpoint / "model.safetensors").read_bytes()
    card = ModelCard(files["README.md"].decode())
    assert card.data.model_name == "fresh"
    measured = {(r.dataset_split, r.metric_type): r.metric_value for r in card.data.eval_results}
    assert measured == {("val", "miou"): 0.01, ("test", "miou"): 0.25, ("test", "acc_iou50"): 0.5}
    assert "| mIoU | 0.010 | 0.250" in card.text, card.text
    from refatomnet import Predictor

    loaded = Predictor.from_pretrained(MODEL, device="cpu").card["scores"]["test"]
    assert loaded["ci95"] == {"miou": [0.2, 0.3]} and loaded["command"] == EVALUATION["command"]
    assert "misses" not in loaded, "they are no scores"
    assert "test" not in json.loads((checkpoint / "config.json").read_text())["scores"], "the folder stays as it was"


def test_what_stands_on_folders_of_this_machine_is_not_put_up(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = {"encoder": "blip2", "text": "blip2", "word_width": 32, "query_width": 32, "looks": False}
    small = {"width": 32, "heads": 4, "layers": 1, "state_size": 2, "frame_boxes": False}
    for name, said in ((str(tmp_path / "blip2"), "stands on weights in"), ("someone/blip2", "would get 3 files")):
        model = RavarModel(ModelConfig(**wide, **small, blip2=name, detector="someone/detr"))
        save_checkpoint(model, tmp_path / "one", {"name": "one"})
        code = main([str(tmp_path / "one"), MODEL, "--dry-run"])
        told = capsys.readouterr()
        assert (code, said in told.out + told.err) == (2 if name.startswith("/") else 0, True), told
        if code:
            with pytest.raises(CheckpointError, match="which only this machine has; put the hub's id"):
                model.push_to_hub(MODEL)
    assert hub.asked == []


def test_a_data_set_goes_up_with_its_card_and_can_be_read_again(hub: FakeHub, data: Path) -> None:
    from refatomnet.refava import read_split

    assert main([str(data), DATA]) == 0
    files = hub.repos[f"datasets/{DATA}"]
    kinds = {"README.md", "train.jsonl", "test.jsonl", "test_paraphrase.jsonl"}
    assert kinds < set(files) and sum(name.endswith(".mp4") for name in files) == 3
    assert len(files) == 7, "and nothing else"
    card = DatasetCard(files["README.md"].decode())
    assert (card.data.license, card.data.pretty_name) == ("cc0-1.0", "OpenRAVAR")
    assert card.data.size_categories == ["n<1K"] and card.text.lstrip().startswith("# OpenRAVAR\n")
    (config,) = card.data.to_dict()["configs"]
    assert {entry["path"] for entry in config["data_files"]} == {n for n in files if n.endswith("l") and "/" not in n}
    back = Path(snapshot_download(DATA, repo_type="dataset"))
    assert read_split(back, "train") == read_split(data, "train")


def test_a_dry_run_sends_nothing_and_shows_all(
    hub: FakeHub, checkpoint: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(checkpoint), MODEL, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "model-index:" in said and f"{MODEL} would get 3 files" in said and "model.safetensors" in said
    assert main([str(data), DATA, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "pretty_name: OpenRAVAR" in said and f"{DATA} would get 7 files" in said and "clips/train/" in said
    assert hub.asked == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"checkpoint": "other"}, "was measured on the checkpoint 'other', this one is 'fresh'"),
        ({"command": "python -m training.evaluate --limit 5"}, "is of a part of test or of spoilt clips"),
        ({"command": "python -m training.evaluate --corruption=fog:3"}, "is of a part of test or of spoilt clips"),
        ({"weights": "0" * 64}, "was measured on other weights than those of this 'fresh'"),
        ({"miou": "absent"}, "is not what training.evaluate --json writes"),
    ],
)
def test_scores_of_something_else_are_refused(
    hub: FakeHub, checkpoint: Path, tmp_path: Path, changes: dict[str, Any], says: str, capsys: Any
) -> None:
    assert main([str(checkpoint), MODEL, "--evaluation", evaluation(tmp_path, **changes)]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1 and hub.asked == []


def test_what_may_not_be_passed_on_or_is_not_whole_is_refused(
    hub: FakeHub, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "README.md").write_text("# RefAVA++, converted\n")
    for folder, says in ((tmp_path / "films", "may not be passed on"), (tmp_path / "none", "may not be passed on")):
        assert main([str(folder), DATA]) == 2 and says in capsys.readouterr().err
    assert main([str(data), DATA, "--evaluation", evaluation(tmp_path)]) == 2
    assert "goes with a checkpoint" in capsys.readouterr().err
    clip = next((data / "clips").rglob("*.mp4"))
    kept = clip.read_bytes()
    clip.unlink()
    assert main([str(data), DATA]) == 2
    assert f"lacks 1 of the clips that its records name, such as {clip.relative_to(data)}" in capsys.readouterr().err
    clip.write_bytes(kept)
    assert hub.asked == []


def test_a_hub_that_refuses_is_one_sentence(hub: FakeHub, checkpoint: Path, data: Path, capsys: Any) -> None:
    hub.refuses = 403
    for folder, repo in ((checkpoint, MODEL), (data, DATA)):
        assert main([str(folder), repo]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"error: cannot push to '{repo}' (") and said.count("\n") == 1
