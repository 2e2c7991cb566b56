"""The card of a trained checkpoint, from what was measured of it; and the one command that makes a checkpoint."""

import importlib
import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from refatomnet.checkpoint import DATA, load_checkpoint
from refatomnet.errors import DataError
from refatomnet.records import Record
from training import card
from training.config import TrainConfig, read_train_config
from training.generate import write_clip

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "training" / "runs" / "compact.sh"
README = f"# Name\n\n## Scores\n{card.BEGIN}\nold figures\n{card.END}\n\n**Speed.** Kept.\n"
STAND_IN = """#!/usr/bin/env bash
printf "%q " "$@" >>"$LOG"; echo >>"$LOG"
for word; do
    [[ ${last-} == --json ]] && echo "{}" >"$word"
    last=$word
done
exit 0
"""
MISS = Record(
    "v0", 902, "0", "test", "the man in the very long coat who is left of everybody else and of whom more is said",
    (12,), (0.1, 0.2, 0.3, 0.9), "clips/a.mp4", 1, 6.0,
)  # fmt: skip


def evaluation(data: Path, split: str, **more: Any) -> dict[str, Any]:
    """As ``training.evaluate`` writes it, made up."""
    named = {"12": {"name": "stand", "ap": 0.123456, "auroc": 0.9, "support": 40}}
    miss = MISS.to_dict() | {"answered_xyxy": [0.6, 0.1, 1.0, 0.8], "iou": 0.0, "presence": 0.98765}
    command = f"python -m training.evaluate --data {data} --split {split} --checkpoint {data}/best --json {data}/x.json"
    return {
        "records": 10, "present": 8, "miou": 0.54321, "ci95": {"miou": [0.5, 0.6]}, "per_class": named,
        "misses": [miss], "data": f"data/{split}", "command": command, "controls": {"prior_only": {"miou": 0.1}},
        "look_alikes": [{"actions": [11, 12], "names": ["sit", "stand"], "told_apart": 0.61239, "records": [20, 21]}],
        **more,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Path) -> Path:
    """A run that began with another one, and a data set of one clip."""
    data, first, second = tmp_path / "data", tmp_path / "first", tmp_path / "second"
    write_clip(data / "clips" / "a.mp4", np.full((3, 96, 128, 3), (40, 90, 160), np.uint8), 6.0)
    (data / ".parts" / "test").mkdir(parents=True)
    (data / "scenes").mkdir()
    (data / ".parts" / "test" / "run.json").write_text(json.dumps({"seed": 3, "size": [64, 64], "labels": "natural"}))
    (data / "scenes" / "test.jsonl").write_text("{}\n{}\n")
    for run, start, hours in ((first, None, 0.5), (second, str(first / "best"), 1.0)):
        shutil.copytree(checkpoint, run / "best")
        (run / "config.json").write_text(json.dumps(TrainConfig(data=str(data), start=start, seed=7).to_dict()))
        writer = SummaryWriter(str(run / "events"))
        began = next(iter((run / "events").iterdir())).stat().st_mtime
        writer.add_scalar("loss", 1.0, 1, walltime=began + 3600 * hours)
        writer.close()
    (second / "test.json").write_text(json.dumps(evaluation(data, "test")))
    return second


def config_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "best" / "config.json").read_text())


def said(capsys: pytest.CaptureFixture) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_figures_picture_and_page_come_to_the_checkpoint(folder: Path, tmp_path: Path) -> None:
    weights = (folder / "best" / "model.safetensors").read_bytes()
    readme = tmp_path / "README.md"
    readme.write_text(README)
    assert card.main([str(folder), "--readme", str(readme)]) == 0
    found = config_of(folder)
    assert (folder / "best" / "model.safetensors").read_bytes() == weights
    test = found["scores"]["test"]
    assert test["miou"] == 0.5432 and test["per_class"] == {"12": {"ap": 0.1235, "auroc": 0.9, "support": 40}}
    assert test["commands"] == [
        "python -m training.generate --out DATA --split test --clips 2 --seed 3 --size 64x64 --labels natural",
        "python -m training.evaluate --data DATA --split test --checkpoint CHECKPOINT",
    ]
    assert found["scores"]["val"] == {"miou": 0.01}, "what training measured stays where there is nothing newer"
    assert found["misses"] == [{"sentence": MISS.sentence, "presence": 0.9877, "iou": 0.0}]
    assert found["look_alikes"][0]["told_apart"] == 0.6124
    first, second = found["training"]["runs"]
    assert (first["began_with"], second["began_with"], first["seed"]) == ("nothing", "run 1", 7)
    assert (first["hours"], second["hours"], found["training"]["hours"]) == pytest.approx((0.5, 1.0, 1.5), abs=0.01)
    model, loaded = load_checkpoint(folder / "best")
    page = (folder / "best" / "README.md").read_text()
    assert loaded == found and str(model.generate_model_card()) == page
    for words in (
        "](misses.webp)",
        "| mIoU | 0.010 | 0.543 (0.500–0.600) | 0.100 |",
        "| begins with | nothing | run 1 |",
    ):
        assert words in page, words
    assert str(tmp_path) not in page + json.dumps(found) + readme.read_text(), "no path of this machine"
    written = readme.read_text()
    assert written.startswith(README.split("old")[0]) and written.endswith(README.split("figures")[1])
    assert "| mIoU | 0.543 (0.500–0.600) | 0.100 |" in written and "old figures" not in written
    assert "took 1.5 hours" in written

    assert card.main([str(folder), "--readme", str(readme)]) == 0
    again = (folder / "best" / "README.md").read_text(), config_of(folder), readme.read_text()
    assert again == (page, found, written), "the same once more"


def test_a_checkpoint_tells_of_runs_whose_folders_are_gone(folder: Path) -> None:
    assert card.main([str(folder)]) == 0
    third = folder.parent / "third"
    shutil.copytree(folder, third)
    kept = folder.parent / "kept"  # the checkpoint alone, as it is shipped
    (folder / "best").rename(kept)
    for run in (folder, folder.parent / "first"):
        shutil.rmtree(run)
    settings = json.loads((third / "config.json").read_text())
    (third / "config.json").write_text(json.dumps(settings | {"start": str(kept), "average": f"{kept} {kept}"}))
    assert card.main([str(third)]) == 0
    training = config_of(third)["training"]
    assert [run["began_with"] for run in training["runs"]] == ["nothing", "run 1", "run 2"]
    assert [run.get("averaged") for run in training["runs"]] == [None, None, 3]
    assert training["hours"] == pytest.approx(2.5, abs=0.02)


def test_everything_measured_is_taken_and_what_is_gone_is_dropped(folder: Path) -> None:
    row = {"acc_iou50": 0.5, "miou": 0.4, "map_macro": 0.3, "presence_auroc": 0.2}
    spoilt = {"name": "fog:3", "records": 10, **row, "drop": row, "drop_ci95": [0.0, 0.1]}
    followed = {"all": {"clips": 6, "iou": 0.4, "switched": 0.5, "recall": 1.0}, "sentences": [1] * 99}
    rows = [{"clip": c, "in_view": c < 2, "best_box_iou": c / 2, "found": c == 0} for c in range(3)]
    left = {
        "evaluation.json": evaluation(folder.parent / "data", "val", miou=0.25),
        "test_paraphrase.json": evaluation(folder.parent / "data", "test_paraphrase", miou=0.125),
        "robustness.json": {
            "clips": 5,
            "rows": [spoilt],
            "command": "python -m training.robustness --data=/a/b --json x",
        },
        "following.json": {"asked": followed, "given": followed, "command": "python -m training.following --data x"},
        "references.json": rows,
    }
    for name, told in left.items():
        (folder / name).write_text(json.dumps(told))
    assert card.main([str(folder)]) == 0
    found = config_of(folder)
    assert [found["scores"][split]["miou"] for split in ("val", "test_paraphrase")] == [0.25, 0.125]
    assert "per_class" not in found["scores"]["val"], "told once, of test"
    assert found["robustness"]["commands"] == ["python -m training.robustness --data DATA"]
    assert found["robustness"]["rows"] == [{key: value for key, value in spoilt.items() if key != "drop"}]
    assert found["following"]["asked"] == {"clips": 6, "iou": 0.4, "switched": 0.5}
    names = ("clips", "in_view", "right", "announced", "absent", "silent")
    assert [found["references"][name] for name in names] == [3, 2, 1, 0, 1, 1]
    page = (folder / "best" / "README.md").read_text()
    assert "1 of 2 boxes of people in view reach IoU 0.5 (0 of these people are found), and 1 of 1 absent" in page
    for name in ("robustness.json", "following.json", "references.json"):
        (folder / name).unlink()
    (folder / "test.json").write_text(json.dumps(evaluation(folder.parent / "data", "test", misses=[])))
    assert card.main([str(folder)]) == 0
    assert not config_of(folder).keys() & {"robustness", "following", "references"}
    assert not (folder / "best" / "misses.webp").exists()


def test_the_picture_shows_both_boxes_and_keeps_its_size(folder: Path) -> None:
    data = folder.parent / "data"
    misses = evaluation(data, "test")["misses"] * 4
    file = folder / "sheet.webp"
    file.write_bytes(card.sheet(data, misses))
    page = np.asarray(Image.open(file).convert("RGB")).astype(int)
    width, height = card.CELL
    assert page.shape == (2 * (height + 2 * card.LINE + 4) + 3 * card.GAP, 3 * width + 4 * card.GAP, 3)
    assert file.stat().st_size < card.MOST_BYTES
    frame = page[card.GAP : card.GAP + height, card.GAP : card.GAP + width]
    white, orange = (frame.min(-1) > 200), (frame[..., 0] > 200) & (frame[..., 2] < 120)
    for colour, (x1, y1, x2, y2) in ((white, MISS.box_xyxy), (orange, misses[0]["answered_xyxy"])):
        rows, columns = np.flatnonzero(colour.any(1)), np.flatnonzero(colour.any(0))
        assert abs(columns[0] - x1 * width) < 5 and abs(columns[-1] - max(x2 * width, x1 * width + 45)) < 5
        assert rows[0] <= y1 * height + 2 and rows[-1] >= min(y2 * height, height - 1) - 2


def test_a_noisy_picture_is_made_small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = folder.parent / "data"
    write_clip(data / "clips/a.mp4", np.random.default_rng(0).integers(0, 255, (3, 240, 320, 3), np.uint8), 6.0)
    misses = evaluation(data, "test")["misses"]
    full = len(card.sheet(data, misses))
    monkeypatch.setattr(card, "MOST_BYTES", full // 2)
    assert full // 8 < len(card.sheet(data, misses)) <= full // 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("test.json", None, "has no test.json; make it by python -m training.evaluate --data DATA --split test"),
        ("test.json", "{", "test.json is damaged"),
        ("test.json", '{"weights": "other", "command": "x"}', "measured on other weights"),
        ("test.json", '{"command": "python -m training.evaluate"}', "names no --data"),
        ("following.json", "[]", "following.json is damaged"),
        ("robustness.json", "{", "robustness.json is damaged"),
        ("best/config.json", "{", "config.json is damaged"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture, name: str, text: str | None, message: str
) -> None:
    before = (folder / "best" / "config.json").read_text()
    (folder / name).unlink(missing_ok=True)
    if text is not None:
        (folder / name).write_text(text)
    assert card.main([str(folder)]) == 2
    assert message in said(capsys)
    assert name.startswith("best") or (folder / "best" / "config.json").read_text() == before


def test_a_clip_that_is_gone_and_a_page_without_marks_change_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    before, readme = (folder / "best" / "config.json").read_text(), tmp_path / "README.md"
    for page in ("no marks", README.replace(card.END, ""), README * 2, f"{card.END}{README}"):
        readme.write_text(page)
        assert card.main([str(folder), "--readme", str(readme)]) == 2
        assert "needs two lines" in said(capsys) and readme.read_text() == page
    (tmp_path / "data" / "clips" / "a.mp4").unlink()
    assert card.main([str(folder)]) == 2
    assert "a.mp4 cannot be read" in said(capsys)
    assert (folder / "best" / "config.json").read_text() == before


def test_the_readme_and_the_shipped_card_say_what_the_shipped_config_says() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    model, shipped = load_checkpoint("compact")
    assert card.rewritten(page, shipped) == page
    assert str(model.generate_model_card()) == (DATA / "compact" / "README.md").read_text(encoding="utf-8")


def test_other_tells_of_commands_hide_paths() -> None:
    told = "python -m training.references /home/me/real --checkpoint=/x/y --json=/out/a.json --device cpu"
    assert card.plain(told) == "python -m training.references FOLDER --checkpoint CHECKPOINT --device cpu"


# ---- the one command ----------------------------------------------------------------------------------------------
@pytest.fixture
def called(tmp_path: Path) -> list[list[str]]:
    """Every command of the script with its arguments; Python itself is stood in for."""
    stand_in, log = tmp_path / "bin" / "python", tmp_path / "log"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN)
    stand_in.chmod(stat.S_IRWXU)
    run = tmp_path / "run"
    (run / "best").mkdir(parents=True)
    (run / "best" / "model.safetensors").write_bytes(b"")
    os.utime(run / "best" / "model.safetensors", (1, 1))
    where = {"PATH": f"{stand_in.parent}:{os.environ['PATH']}", "LOG": str(log), "RUN": str(run), "HOME": str(tmp_path)}
    for _ in range(2):
        subprocess.run([SCRIPT, "epochs=1"], env=where, check=True, timeout=60, capture_output=True)
    return [shlex.split(line) for line in log.read_text().splitlines()]


def test_the_one_command_knows_every_option_and_measures_once(
    called: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = [words[1] for words in called]
    data = ["training.generate"] * 4
    measured = ["training.evaluate", "training.evaluate", "training.robustness"]
    assert names == [*data, "training.train", *measured, "training.card", *data, "training.train", "training.card"]
    parsed: list[Any] = []

    def parse(parser: Any, command: Any, arguments: list[str] | None) -> int:
        given = sys.argv[1:] if arguments is None else arguments
        known = (
            parser.parse_args(given)
            if parser.prog != "python -m training.train"
            else parser.parse_intermixed_args(given)
        )
        parsed.append(known)
        return 0

    for flag, name, *arguments in called[:9]:
        module = importlib.import_module(name)
        monkeypatch.setattr(module, "run", parse)
        monkeypatch.setattr("sys.argv", [name, *arguments])
        assert flag == "-m" and module.main() == 0
    monkeypatch.chdir(ROOT)
    train = read_train_config(parsed[4].config, parsed[4].overrides)
    assert parsed[4].resume and train.epochs == 1 and train.stills == f"{tmp_path}/.cache/refatomnet/openravar-stills"
    assert [(made.split, made.stills) for made in parsed[:4]] == [
        ("train", True), ("train", False), ("val", False), ("test", False)
    ]  # fmt: skip
    assert [asked.split for asked in parsed[5:8]] == ["test", "test_paraphrase", "test"] and parsed[5].controls
    assert parsed[8].run == tmp_path / "run"
    left = sorted(path.name for path in (tmp_path / "run").glob("*.json*"))
    assert left == ["robustness.json", "test.json", "test_paraphrase.json"], "under the names the card reads"


def test_the_marks_are_needed_in_order() -> None:
    with pytest.raises(DataError, match="needs two lines"):
        card.rewritten("", {})
