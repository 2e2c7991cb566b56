"""The generator's bookkeeping, with a studio that paints rectangles; records and scene files."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from refatomnet.errors import DataError
from training import generate
from training.data.records import Record, read_records, read_scenes, write_records
from training.data.synthetic.facts import Look, Person, Scene

LOOK = Look(
    "man", "adult", 1.8, "average", "brown", "short", beard=False, glasses=False, hat=None,
    top="shirt", top_colour="red", striped=False, bottom="trousers", bottom_colour="blue", shoes="white",
)  # fmt: skip
RECORD = Record(
    "v",
    902,
    "0",
    "train",
    "the man in red",
    (12, 80),
    (0.1, 0.2, 0.4, 0.9),
    "clips/train/000000.mp4",
    4,
    3.0,
    {"kind": "clothes", "hard": False},
)


class FakeStudio:
    """Films two coloured rectangles; fails, dies or stalls on clips named in the environment."""

    def __init__(self, split: str):
        self.split = split

    def shoot(self, seed: int, size=(320, 180), frames=8, fps=3.0, key_frame=4) -> Scene:
        for what in ("FAIL", "DIE", "SLOW"):
            if str(seed) in os.environ.get(f"FAKE_{what}", "").split(","):
                if what == "FAIL":
                    raise ValueError("the lamp broke")
                if what == "DIE":
                    os._exit(9)
                time.sleep(0.2)
        rng = np.random.default_rng(seed)
        images = np.full((frames, size[1], size[0], 3), 90, np.uint8)
        people = []
        for k, colour in enumerate(("red", "green")):
            x = 0.1 + 0.5 * k + 0.2 * rng.random()
            box = np.array([x, 0.2, x + 0.15, 0.9])
            images[:, int(0.2 * size[1]) : int(0.9 * size[1]), int(x * size[0]) : int((x + 0.15) * size[0]), k] = 250
            boxes = np.tile(box, (frames, 1))
            boxes[0] = np.nan
            people.append(
                Person(
                    replace(LOOK, top_colour=colour),
                    boxes,
                    np.tile(box, (frames, 1)),
                    np.ones(frames),
                    3.0 + k,
                    "camera",
                    (12, 80),
                    "standing",
                )
            )
        return Scene(images, fps, key_frame, tuple(people), (), "room")


def seeds(*indices: int, split: str = "train", seed: int = 5) -> str:
    return ",".join(str(generate.clip_seed(split, seed, i)) for i in indices)


def arguments(out: Path, *, clips: int = 4, split: str = "train") -> list[str]:
    chosen = {"out": out, "split": split, "clips": clips, "seed": 5, "workers": 1, "studio": f"{__name__}:FakeStudio"}
    return [word for name, value in chosen.items() for word in (f"--{name}", str(value))]


def run(out: Path, *more: str, clips: int = 4, split: str = "train") -> int:
    return generate.main([*arguments(out, clips=clips, split=split), *more])


def annotation(out: Path, split: str = "train") -> tuple[bytes, bytes]:
    return (out / f"{split}.jsonl").read_bytes(), (out / "scenes" / f"{split}.jsonl").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    assert run(out, clips=4) == 0
    return out


def test_a_data_set_is_complete_and_readable(whole):
    records, scenes = read_records(whole / "train.jsonl"), read_scenes(whole / "scenes" / "train.jsonl")
    assert len(scenes) == 4 and {r.clip for r in records} <= set(scenes)
    first = records[0]
    assert (first.video, first.timestamp, first.key_frame, first.fps, first.split) == (
        "train-5-000000",
        902,
        4,
        3.0,
        "train",
    )
    assert set(first.extra) == {"kind", "hard"} and first.actions == (12, 80)
    person = scenes[first.clip]["people"][int(first.person_id)]
    assert person["boxes_xyxy"][0] is None and tuple(person["boxes_xyxy"][4]) == first.box_xyxy
    assert {"full_boxes_xyxy", "visible", "actions", "look", "facing", "posture", "depth"} <= set(person)
    with av.open(str(whole / first.clip)) as container:
        stream = container.streams.video[0]
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(stream)]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt, float(stream.average_rate)) == (
            "h264",
            "yuv420p",
            3.0,
        )
    assert len(pictures) == 8 and pictures[0].shape == (180, 320, 3)
    card = (whole / "README.md").read_text()
    assert "CC0" in card and "| 12 | stand |" in card and "--seed 5" in card


def test_interrupted_extended_and_failed_runs_end_as_one_whole_run(whole, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("FAKE_FAIL", seeds(1))
    assert run(tmp_path, clips=3) == 1
    errors = capfd.readouterr().err
    assert "the lamp broke" in errors and "clip 1 of train" in errors and "left" in errors
    assert len(read_scenes(tmp_path / "scenes" / "train.jsonl")) == 2
    (tmp_path / ".parts/train/000002.json").unlink()  # as if killed between the MP4 and its part
    monkeypatch.delenv("FAKE_FAIL")
    before = (tmp_path / "clips/train/000000.mp4").stat().st_mtime_ns
    assert run(tmp_path, clips=4) == 0
    assert (tmp_path / "clips/train/000000.mp4").stat().st_mtime_ns == before
    assert annotation(tmp_path) == annotation(whole)
    assert not list(tmp_path.rglob("*.partial*"))


def test_a_killed_run_is_merged_early_and_goes_on(whole, tmp_path):
    folders = [str(Path(__file__).parent), str(Path(generate.__file__).parents[1])]
    code = f"import sys; sys.path[:0] = {folders!r}; from training import generate; "
    code += "sys.exit(generate.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments(tmp_path)]
    process = subprocess.Popen(command, env=os.environ | {"FAKE_SLOW": seeds(1, 2, 3)}, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (tmp_path / ".parts/train/000001.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert generate.main(["--out", str(tmp_path), "--split", "train", "--merge"]) == 0  # while it runs
    assert 2 <= len(read_scenes(tmp_path / "scenes" / "train.jsonl")) < 4
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run(tmp_path, clips=4) == 0
    assert annotation(tmp_path) == annotation(whole)


def test_a_dead_worker_is_noticed_and_replaced(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("FAKE_DIE", seeds(0))
    assert run(tmp_path, clips=2) == 1
    assert "a worker died (exit code 9) at clip 0" in capfd.readouterr().err
    assert list(read_scenes(tmp_path / "scenes" / "train.jsonl")) == ["clips/train/000001.mp4"]


def test_other_settings_for_the_same_clips_are_refused(whole, capfd):
    assert (
        generate.main(
            [
                "--out",
                str(whole),
                "--split",
                "train",
                "--clips",
                "2",
                "--seed",
                "6",
                "--studio",
                f"{__name__}:FakeStudio",
            ]
        )
        == 2
    )
    assert "seed" in capfd.readouterr().err
    assert generate.main(["--out", str(whole), "--split", "val", "--merge"]) == 2
    assert generate.main(["--out", str(whole), "--split", "val"]) == 2


def test_samples_are_long_and_large(tmp_path):
    job = generate.Job(str(tmp_path), "samples", 5, "", generate.SAMPLE)
    generate.make_clip(FakeStudio("test"), job, 0)
    with av.open(str(tmp_path / job.clip(0))) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.frames, float(stream.average_rate)) == (640, 360, 200, 25.0)
    part = json.loads(job.part(0).read_text())
    assert part["scene"]["key_frame"] == 100
    assert {r["person_id"] for r in part["records"]} >= {"0", "1"}


def test_clip_seeds_are_stable_and_distinct():
    assert generate.clip_seed("train", 0, 0) == generate.clip_seed("train", 0, 0)
    assert (
        len({generate.clip_seed(s, seed, i) for s in generate.SPLITS for seed in range(3) for i in range(200)}) == 2400
    )


def test_records_survive_a_round_trip(tmp_path):
    records = [
        RECORD,
        replace(RECORD, person_id="absent0", actions=(), box_xyxy=None),
        replace(RECORD, clip=None, extra={}),
    ]
    write_records(tmp_path / "train.jsonl", records)
    assert read_records(tmp_path / "train.jsonl") == records
    keys = list(json.loads((tmp_path / "train.jsonl").read_text().splitlines()[0]))
    assert keys == [
        "video",
        "timestamp",
        "person_id",
        "split",
        "sentence",
        "actions",
        "box_xyxy",
        "clip",
        "key_frame",
        "fps",
        "kind",
        "hard",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box_xyxy": [0.4, 0.2, 0.1, 0.9]}, "x1 < x2"),
        ({"box_xyxy": [10, 20, 40, 90]}, "fractions"),
        ({"box_xyxy": [0.1, 0.2]}, "four"),
        ({"box_xyxy": None}, "no actions"),
        ({"actions": [81]}, "1 to 80"),
        ({"person_id": 3}, "person_id"),
        ({"sentence": " "}, "sentence"),
        ({"fps": 0}, "fps"),
        ({"key_frame": 1.5}, "key_frame"),
    ],
)
def test_a_bad_record_is_named_with_file_and_line(tmp_path, change, message):
    good = json.dumps(RECORD.to_dict())
    path = tmp_path / "val.jsonl"
    path.write_text(good + "\n" + json.dumps(RECORD.to_dict() | change) + "\n")
    with pytest.raises(DataError, match=message) as error:
        read_records(path)
    assert f"{path}:2" in str(error.value)


def test_files_that_are_not_records_are_refused(tmp_path):
    path = tmp_path / "x.jsonl"
    for text, message in (("{", "JSON"), ("[]", "object"), ('{"video": "v"}', "missing: timestamp")):
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_records(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_records(tmp_path / "none.jsonl")
    path.write_text('{"clip": "a", "people": []}\n{"clip": "a", "people": []}\n')
    with pytest.raises(DataError, match=":2: clip a"):
        read_scenes(path)
