"""The command line: what it writes and where, and one clear line for each kind of bad input."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_video import make_video

import refatomnet
from refatomnet import cli
from refatomnet.bench import _watched
from refatomnet.boxes import iou
from refatomnet.types import Result
from refatomnet.video import probe

ROOT = Path(__file__).parents[1]
SHIPPED_SAMPLE = ("samples-4-000005", "4")  # the video and the person the shipped weights are asked about
GREY, RED = "the man in the grey shirt", "the woman in the red coat"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 15, size=(160, 96), sound="aac")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], checkpoint: Path, monkeypatch: pytest.MonkeyPatch, predictor: Any) -> Run:
    """Run a command in process with the untrained checkpoint; gives the exit code, standard output and error."""
    load = refatomnet.Predictor.from_pretrained

    def loaded(name: Any = None, *, device: str = "auto") -> Any:
        return predictor if name == str(checkpoint) and device != "cuda" else load(name, device=device)

    monkeypatch.setattr(refatomnet.predictor.Predictor, "from_pretrained", loaded)

    def run(*arguments: Any, plain: bool = False) -> tuple[int, str, str]:
        given = [str(argument) for argument in arguments]
        code = cli.main(given if plain else [*given, "--checkpoint", str(checkpoint)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def refused(run: Run, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Run what must fail with exit code 2, one line on standard error and no file more than before; gives the line."""

    def refused(*arguments: Any, **options: Any) -> str:
        before = sorted(tmp_path.rglob("*"))
        code, out, err = run(*arguments, **options)
        assert (code, out) == (2, ""), err
        assert len(err.splitlines()) == 1 and err.startswith("error: ") and "Traceback" not in err, err
        assert sorted(tmp_path.rglob("*")) == before
        return err

    yield refused


def test_everything_is_written_where_asked(run: Run, clip: Path, tmp_path: Path) -> None:
    video, data, table = (tmp_path / name for name in ("out.mp4", "out.json", "out.csv"))
    code, out, err = run("predict", clip, GREY, RED, "--video-out", video, "--json", data, "--csv", table)
    assert (code, out) == (0, "")
    assert "Looking at the video: done" in err and "Writing the annotated video: done" in err
    result = Result.from_dict(json.loads(data.read_text()))
    assert [query.sentence for query in result.queries] == [GREY, RED]
    rows = list(csv.reader(table.open()))
    assert rows[0] == ["video", "time", "x1", "y1", "x2", "y2", "action_id", "score", "sentence"]
    assert len(rows) == 1 + 2 * 2 * 5
    assert all(0 <= float(value) <= 1 for row in rows[1:] for value in row[2:6])
    info = probe(video)
    assert (info.width, info.height, info.frames) == (160, 96, 15)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.json", "out.mp4"]


def test_json_goes_to_standard_output_and_quiet_is_quiet(run: Run, clip: Path) -> None:
    options = ["--quiet", "--stride", 0.5, "--start", 0.5, "--end", 1, "--top-k", 2]
    code, out, err = run("predict", clip, GREY, *options)
    data = json.loads(out)
    assert (code, err) == (0, "")
    assert data["analysed"] == {"start": 0.5, "end": 1.0, "stride": 0.5}
    assert [len(key["actions"]) for key in data["queries"][0]["keyframes"]] == [2]


def test_a_real_process(checkpoint: Path, clip: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "refatomnet", "predict", str(clip), GREY, "--checkpoint", str(checkpoint)]
    command += ["--video-out", str(tmp_path / "out.mp4")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["queries"][0]["sentence"] == GREY
    assert all(line.split(":")[0] in ("Looking at the video", "Reading the sentences", "Writing the annotated video")
               for line in done.stderr.splitlines())  # fmt: skip
    assert probe(tmp_path / "out.mp4").frames == 15


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; from refatomnet.cli import main; assert main(['predict', '--help']) == 0; "
    script += "assert not {'torch', 'av', 'numpy', 'transformers'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    for flag in "video-out json csv checkpoint device stride start end top-k quiet".split():
        assert f"--{flag}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "predict | batch | bench | info"),
        (["fly"], "invalid choice: 'fly'"),
        (["predict", "a.mp4"], "SENTENCE"),
        (["predict", "a.mp4", GREY, "--stride", "often"], "invalid float value: 'often'"),
        (["predict", "a.mp4", GREY, "--device", "tpu"], "invalid choice: 'tpu'"),
        (["predict", "a.mp4", GREY, "--video", "b.mp4"], "unrecognized arguments: --video"),
        (["batch", "t.csv", "--out", "o", "--workers", "0"], "--workers is 0"),
        (["batch", "t.csv", "--out", "o", "--ray", "auto", "--workers", "2"], "not allowed with"),
    ],
)
def test_bad_arguments(refused: Callable[..., str], arguments: list[str], said: str) -> None:
    assert said in refused(*arguments, plain=True)


def test_bad_options(refused: Callable[..., str], clip: Path) -> None:
    given = {
        ("--start", "9"): "the video ends at 1.50 s",
        ("--start", "-1"): "give seconds from 0",
        ("--start", "nan"): "give seconds from 0",
        ("--start", "1", "--end", "0.5"): "is not after the start",
        ("--stride", "0"): "the stride is 0.0 s",
        ("--stride", "nan"): "the stride is nan s",
        ("--top-k", "0"): "top-k is 0",
        ("--top-k", "81"): "top-k is 81",
    }
    for options, said in given.items():
        assert said in refused("predict", clip, GREY, *options)


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w", format="mp4") as file:
        tone = file.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.int16), format="s16", layout="mono")
        frame.rate = 44100
        file.mux(tone.encode(frame))
        file.mux(tone.encode(None))
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


BAD_FILES: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "missing": (lambda folder, clip: folder / "none.mp4", "does not exist"),
    "a folder": (lambda folder, clip: folder, "is a folder"),
    "empty": (lambda folder, clip: written(folder / "empty.mp4", b""), "is empty"),
    "cut off": (lambda folder, clip: written(folder / "cut.mp4", clip.read_bytes()[:1500]), "is cut off"),
    "text": (lambda folder, clip: written(folder / "text.mp4", b"not a video\n" * 99), "is not a video"),
    "noise": (lambda folder, clip: written(folder / "noise.mp4", bytes(range(256)) * 99), "is not a video"),
    "only sound": (lambda folder, clip: sound_only(folder / "sound.mp4"), "holds only sound"),
    "8x8": (lambda folder, clip: make_video(folder / "tiny.avi", 3, size=(8, 8), codec="mpeg4"), "is 8x8 pixels"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files(refused: Callable[..., str], clip: Path, tmp_path: Path, kind: str) -> None:
    make, said = BAD_FILES[kind]
    path = make(tmp_path, clip)
    outputs = ["--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv", "--video-out", tmp_path / "out.mp4"]
    line = refused("predict", path, GREY, *outputs)
    assert said in line and str(path) in line


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("", "the sentence is empty"),
        (" \n ", "the sentence is empty"),
        ("x" * 10_000, "has 10000 characters"),
        ("穿灰色衬衫的男人", "no English words"),
        ("мужчина в серой рубашке", "no English words"),
        ("🙂👍", "has no words"),
        ("...", "has no words"),
    ],
)
def test_bad_sentences(refused: Callable[..., str], clip: Path, tmp_path: Path, sentence: str, said: str) -> None:
    assert said in refused("predict", clip, GREY, sentence, "--json", tmp_path / "out.json")


def test_too_many_sentences(refused: Callable[..., str], clip: Path) -> None:
    assert "17 sentences were given" in refused("predict", clip, *[GREY] * 17)


@pytest.mark.parametrize("kind", ["one frame", "rotated", "cut short", "odd", "bytes in a sentence"])
def test_odd_files_are_answered(run: Run, tmp_path: Path, kind: str) -> None:
    path, size, sentence = tmp_path / "odd.mkv", [64, 48], GREY
    if kind == "one frame":
        make_video(path, 1, size=(64, 48))
    elif kind == "rotated":
        path, size = make_video(tmp_path / "phone.mp4", 3, size=(64, 48), rotation=90), [48, 64]
    elif kind == "cut short":
        whole = make_video(tmp_path / "whole.mkv", 30, size=(64, 48)).read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
    elif kind == "odd":
        path, size = make_video(tmp_path / "odd.avi", 3, size=(65, 49), codec="mpeg4"), [65, 49]
    else:
        make_video(path, 2, size=(64, 48))
        sentence = "the m\udce4n in grey"
    code, _, err = run("predict", path, sentence, "--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv",
                       "--video-out", tmp_path / "out.mp4")  # fmt: skip
    assert code == 0, err
    data = json.loads((tmp_path / "out.json").read_text())
    assert [data["video"]["width"], data["video"]["height"]] == size
    assert (probe(tmp_path / "out.mp4").width, probe(tmp_path / "out.mp4").height) == (size[0] & ~1, size[1] & ~1)
    for key in data["queries"][0]["keyframes"]:
        x1, y1, x2, y2 = key["box_xyxy"]
        assert 0 <= x1 < x2 <= size[0] and 0 <= y1 < y2 <= size[1]


def test_8k_is_answered(run: Run, tmp_path: Path) -> None:
    picture = np.zeros((4320, 7680, 3), np.uint8)
    picture[1000:3000, 3000:4000] = 200
    path = make_video(tmp_path / "8k.avi", [picture], codec="mpeg4")
    code, out, err = run("predict", path, GREY)
    assert code == 0, err
    assert json.loads(out)["video"]["width"] == 7680


def bad_checkpoint(kind: str, checkpoint: Path, folder: Path) -> str:
    made = folder / "bad"
    if kind == "unknown":
        return "enormous"
    if kind == "missing folder":
        return str(folder / "none" / "here")
    shutil.copytree(checkpoint, made)
    weights, config = made / "model.safetensors", made / "config.json"
    if kind == "no config":
        config.unlink()
    elif kind == "no weights":
        weights.unlink()
    elif kind == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif kind == "weights are text":
        weights.write_text("no weights")
    elif kind == "config is text":
        config.write_text("{")
    elif kind == "config is a list":
        config.write_text("[]")
    else:
        data = json.loads(config.read_text())
        if kind == "other sizes":
            data["model"]["width"] = 64
        elif kind == "unknown key":
            data["model"]["depth"] = 3
        elif kind == "no calibration":
            del data["calibration"]
        elif kind == "wrong keys":
            from safetensors.torch import load_file, save_file

            state = load_file(weights)
            save_file({f"old.{name}": value for name, value in state.items()}, weights)
        config.write_text(json.dumps(data))
    return str(made)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("unknown", "there is no checkpoint 'enormous'"),
        ("missing folder", "there is no checkpoint"),
        ("no config", "has no config.json"),
        ("no weights", "has no model.safetensors"),
        ("cut weights", "is damaged"),
        ("weights are text", "is damaged"),
        ("config is text", "is damaged"),
        ("config is a list", "format version"),
        ("other sizes", "does not fit"),
        ("unknown key", "unknown keys ['depth']"),
        ("no calibration", "is damaged"),
        ("wrong keys", "does not fit"),
    ],
)
def test_bad_checkpoints(
    refused: Callable[..., str], clip: Path, tmp_path: Path, checkpoint: Path, kind: str, said: str
) -> None:
    name = bad_checkpoint(kind, checkpoint, tmp_path)
    assert said in refused("predict", clip, GREY, "--checkpoint", name, "--json", tmp_path / "o.json", plain=True)


def test_outputs_are_checked_before_the_work(
    refused: Callable[..., str], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refatomnet.predictor.Predictor, "encode", lambda *_, **__: pytest.fail("worked in vain"))
    (tmp_path / "file").write_text("")
    for flag, name in (("--json", "a.json"), ("--csv", "a.csv"), ("--video-out", "a.mp4")):
        for folder in ("none", "file"):
            path = tmp_path / folder / name
            assert f"cannot write {path}" in refused("predict", clip, GREY, flag, path)
    assert "it is a folder" in refused("predict", clip, GREY, "--json", tmp_path)
    assert "not a regular file" in refused("predict", clip, GREY, "--json", os.devnull)
    assert "ends in .mp4" in refused("predict", clip, GREY, "--video-out", tmp_path / "a.avi")
    assert "the video being read" in refused("predict", clip, GREY, "--video-out", clip)
    both = tmp_path / "both"
    assert "are both" in refused("predict", clip, GREY, "--json", both, "--csv", both)
    if Path("/proc/self").is_dir():
        assert "cannot write /proc/a.json" in refused("predict", clip, GREY, "--json", "/proc/a.json")


def test_our_faults_and_interruptions(run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: BaseException) -> Callable[..., None]:
        def failing(*_: object, **__: object) -> None:
            raise error

        return failing

    monkeypatch.setattr("refatomnet.overlay.write_annotated", fail(ZeroDivisionError("by\nnought")))
    command = ["predict", clip, GREY, "--quiet", "--json", tmp_path / "o.json", "--video-out", tmp_path / "o.mp4"]
    code, out, err = run(*command)
    assert (code, out, list(tmp_path.iterdir())) == (1, "", [])
    assert len(err.splitlines()) == 1
    assert err.startswith("refatomnet failed: ZeroDivisionError: by nought; please report")
    monkeypatch.setenv("REFATOMNET_DEBUG", "1")
    assert "Traceback" in run(*command)[2]
    monkeypatch.setattr("refatomnet.overlay.write_annotated", fail(KeyboardInterrupt()))
    assert run(*command) == (130, "", "")


def summary(out: Path) -> list[dict[str, str]]:
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_batch_reports_bad_files_and_goes_on_where_it_stopped(run: Run, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("one.mp4", "b/one.mp4", "two.mp4"):
        shutil.copy(clip, tmp_path / name)
    (tmp_path / "bad.mp4").write_text("not a video")
    table, out = tmp_path / "table.csv", tmp_path / "out" / "deep"
    rows = [("one.mp4", GREY), ("bad.mp4", GREY), ("b/one.mp4", RED)]
    rows += [("one.mp4", RED), ("two.mp4", ""), ("no.mp4", RED)]
    table.write_text("video,sentence,note\n" + "".join(f"{name},{sentence},x\n" for name, sentence in rows))
    code, text, err = run("batch", table, "--out", out)
    assert (code, text) == (0, ""), err
    found = {(Path(row["video"]).relative_to(tmp_path).as_posix(), row["sentence"]): row for row in summary(out)}
    assert set(found) == set(rows)
    assert {key for key, row in found.items() if row["status"] == "done"} == {rows[0], rows[2], rows[3]}
    assert "is not a video" in found[rows[1]]["error"] and "is empty" in found[rows[4]]["error"]
    answers = {row["json"] for row in found.values() if row["json"]}
    assert len(answers) == 2 and {path.name for path in out.iterdir()} == {*answers, "summary.csv"}
    first = out / found[rows[0]]["json"]
    assert [query.sentence for query in Result.from_dict(json.loads(first.read_text())).queries] == [GREY, RED]
    assert found[rows[0]]["found"] == "true" and found[rows[0]]["first_seen"] == "0.500"

    stamps = {path: path.stat().st_mtime_ns for path in out.glob("*.json")}
    with table.open("a") as file:
        file.write(f"two.mp4,{GREY},\n")
    code, _, err = run("batch", table, "--out", out)
    assert code == 0 and "6 videos" not in err and "5 videos, 2 of them finished already" in err
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert (out / "two.json").is_file()
    run("batch", table, "--out", out, "--top-k", 3)
    assert all(path.stat().st_mtime_ns > stamp for path, stamp in stamps.items()), "other options, other answers"


def test_a_batch_asks_other_weights_anew_whatever_they_are_called(
    run: Run, clip: Path, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "videos").mkdir()
    shutil.copy(clip, tmp_path / "videos" / "one.mp4")
    best = tmp_path / "best"
    shutil.copytree(checkpoint, best)
    command = ("batch", tmp_path / "videos", "--out", tmp_path / "out", "--sentence", GREY, "--checkpoint", best)
    run(*command, plain=True)
    assert "1 of them finished already" in run(*command, plain=True)[2]
    state = load_file(best / "model.safetensors")
    refatomnet.batch._worker_predictor.cache_clear()
    save_file({name: value * 0.5 for name, value in state.items()}, best / "model.safetensors")
    assert "0 of them finished already" in run(*command, plain=True)[2]


def test_a_name_too_long_for_an_answer_is_told_and_the_batch_goes_on(run: Run, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    for name in ("a" * 251, "b" * 249, "c"):
        shutil.copy(clip, tmp_path / "videos" / f"{name}.mp4")
    code, _, err = run("batch", tmp_path / "videos", "--out", tmp_path / "out", "--sentence", GREY)
    assert code == 0 and "Traceback" not in err
    rows = {Path(row["video"]).name[0]: row for row in summary(tmp_path / "out")}
    assert [rows[name]["status"] for name in "abc"] == ["failed", "done", "done"]
    assert "File name too long" in rows["a"]["error"]


def test_a_folder_with_two_workers(run: Run, clip: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "videos", tmp_path / "out"
    folder.mkdir()
    shutil.copy(clip, folder / "a.mp4")
    (folder / "b.mkv").write_text("not a video")
    (folder / "notes.txt").write_text("passed over")
    sentences = [f"the person number {n}" for n in range(18)]
    flags = [part for sentence in sentences for part in ("--sentence", sentence)]
    code, _, err = run("batch", folder, "--out", out, "--workers", 2, "--quiet", *flags)
    assert (code, err) == (0, "")
    assert [row["status"] for row in summary(out)] == ["done"] * 18 + ["failed"] * 18
    result = Result.from_dict(json.loads((out / "a.json").read_text()))
    assert [query.sentence for query in result.queries] == sentences


def test_bad_batches(refused: Callable[..., str], tmp_path: Path, clip: Path, checkpoint: Path) -> None:
    out, table = tmp_path / "out", tmp_path / "table.csv"

    def said(content: bytes, *more: Any) -> str:
        table.write_bytes(content)
        return refused("batch", table, "--out", out, *more)

    assert "has no column 'video'" in said(b"file,sentence\na.mp4,x\n")
    assert "has no column 'video'" in said(b"")
    assert "has no rows" in said(b"video,sentence\n")
    assert "line 3: the column video is empty" in said(b"video,sentence\na.mp4,the man\n,the man\n")
    assert "in UTF-8" in said(b"video,sentence\na.mp4,\xff\xfe\n")
    assert "there is no sentence to ask" in said(b"video\na.mp4\n")
    assert "the stride is 0.0" in said(b"video,sentence\na.mp4,the man\n", "--stride", 0)
    assert "table.csv does not exist" in refused("batch", tmp_path / "no" / "table.csv", "--out", out)
    (tmp_path / "empty").mkdir()
    assert "holds no videos" in refused("batch", tmp_path / "empty", "--out", out, "--sentence", GREY)
    table.write_text(f"video,sentence\n{clip},the man\n")
    assert "cannot make the folder" in refused("batch", table, "--out", table / "out")
    assert "overwritten by the summary" in refused("batch", tmp_path / "summary.csv", "--out", tmp_path)
    (tmp_path / "clip.json").write_text('{"mine": 1}')
    assert "no result of ours" in refused("batch", table, "--out", tmp_path)
    bad = bad_checkpoint("cut weights", checkpoint, tmp_path)
    assert "is damaged" in refused("batch", table, "--out", out, "--checkpoint", bad, "--quiet", plain=True)


def test_bench_gives_seconds_and_ratios(run: Run, clip: Path, tmp_path: Path) -> None:
    code, out, err = run("bench", clip, "--json", tmp_path / "bench.json")
    data = json.loads((tmp_path / "bench.json").read_text())
    assert (code, out) == (0, "") and "annotated_to_decode_encode" in err
    sentences = {"first_sentence", "another_sentence"}
    assert set(data["seconds"]) == {"load", "decode", "decode_encode", "json", "annotated", *sentences}
    assert 0 < data["ratios"]["another_sentence_to_first"] < 1
    assert all(value > 0 for value in data["ratios"].values())
    assert data["seconds"]["annotated"] > data["seconds"]["json"]
    stages = data["stages"]
    assert stages["encoder"] > 0 and stages["fusion"] > 0 and stages["read"] > 0
    assert stages["write"] == pytest.approx(data["seconds"]["annotated"] - data["seconds"]["json"], abs=1e-3)
    sizes = [(row["height"], row["sentences"]) for row in data["growth"]]
    assert sizes == [(96, 1), (96, 1), (96, 1), (96, 4), (96, 16), (360, 1), (720, 1), (1080, 1)]
    assert json.loads(run("bench", clip, "--quiet")[1])["video"]["frames"] == 15


def test_parts_that_call_each_other_are_timed_once() -> None:
    class Patient(torch.nn.Module):
        def forward(self, again: bool) -> None:
            self(False) if again else time.sleep(0.1)

    model = torch.nn.ModuleDict({"encoder": Patient(), "choice": Patient()})
    with _watched(SimpleNamespace(model=model)) as spent:
        model["encoder"](True)
        model["choice"](False)
    assert 0.1 <= spent["encoder"] < 0.2 and 0.1 <= spent["heads"] < 0.2 and len(spent) == 2


def test_info_tells_what_a_checkpoint_is(run: Run, checkpoint: Path) -> None:
    code, out, err = run("info", checkpoint, "--quiet", plain=True)
    data = json.loads(out)
    assert (code, err) == (0, "")
    assert data["name"] == "fresh" and data["trained_on"] == "nothing" and data["scores"]["val"]["miou"] == 0.01
    assert data["model"]["width"] == 32
    parts = data["parameters"]
    assert parts["total"] == parts["trained"] + parts["frozen_visual"] + parts["frozen_text"] > 2e7
    assert parts["total"] == sum(parts["parts"].values()) and all(parts["parts"].values())
    assert (parts["parts"]["encoder"], parts["parts"]["text"]) == (parts["frozen_visual"], parts["frozen_text"])
    stored = load_file(checkpoint / "model.safetensors")
    assert parts["trained"] == sum(value.numel() for value in stored.values())
    assert data["milliseconds"]["clip"] > 0 and data["milliseconds"]["sentence"] > 0


def test_shipped_weights_answer_a_sample(samples: list[dict[str, Any]], tmp_path: Path) -> None:
    record = next(r for r in samples if r["video"] == SHIPPED_SAMPLE[0] and r["person_id"] == SHIPPED_SAMPLE[1])
    out = tmp_path / "out.json"
    asked = [str(record["clip"]), record["sentence"]]
    command = [sys.executable, "-m", "refatomnet", "predict", *asked, "--json", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = Result.from_dict(json.loads(out.read_text()))
    size = [result.video.width, result.video.height] * 2
    truth = torch.tensor([v * s for v, s in zip(record["box_xyxy"], size, strict=True)])
    point = min(result.queries[0].track, key=lambda p: abs(p.frame - record["key_frame"]))
    assert abs(point.frame - record["key_frame"]) <= result.video.fps
    assert iou(torch.tensor(point.box_xyxy), truth) > 0.5
