"""The generator's bookkeeping, with a studio that paints rectangles; records and scene files."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from refatomnet.config import ModelConfig
from refatomnet.errors import DataError
from refatomnet.records import Record, read_records
from training import benchmark, generate
from training.card import made_by
from training.data.annotation import scene_line, scene_of
from training.data.clips import model_frames
from training.data.records import read_scenes, scenes_path, write_records
from training.data.synthetic.facts import Look, Person, Scene, Thing

LOOK = Look(
    "man", "adult", 1.8, "average", "brown", "short", beard=False, glasses=None, hat=None,
    top="shirt", top_colour="red", bottom="trousers", bottom_colour="blue", shoes="white",
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

    def shoot(self, seed: int, *, size, frames, fps, key_frame, labels="balanced") -> Scene:
        for what in ("FAIL", "DIE", "SLOW", "FULL"):
            if str(seed) in os.environ.get(f"FAKE_{what}", "").split(","):
                if what == "FAIL":
                    raise ValueError("the lamp broke")
                if what == "FULL":
                    raise OSError(errno.ENOSPC, "No space left on device", "film.mp4")
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
            boxes[: frames > 1] = np.nan  # comes into view
            joints = np.tile([[x, 0.2], [1.25, 0.91234567]], (frames, 1, 1))
            joints[0, 1] = np.nan
            hidden = np.tile([0.004, 0.0, 0.25] if k else [0.0, 0.5, 0.0], (frames, 1))
            people.append(
                Person(
                    replace(LOOK, top_colour=colour),
                    boxes,
                    np.tile(box, (frames, 1)),
                    np.ones(frames),
                    3.0 + k,
                    "camera",
                    (12, 80) if labels == "balanced" else (12,),
                    "standing",
                    joints_xy=joints if k else None,
                    joints_seen=np.tile([True, False], (frames, 1)) if k else None,
                    hidden_by=hidden,
                )
            )
        return Scene(images, fps, key_frame, tuple(people), (Thing("sofa", "red", np.tile(box, (frames, 1))),), "room")


def seeds(*indices: int, split: str = "train", seed: int = 5) -> str:
    return ",".join(str(generate.clip_seed(split, seed, i)) for i in indices)


def arguments(out: Path, *, clips: int = 4, split: str = "train") -> list[str]:
    chosen = {"out": out, "split": split, "clips": clips, "seed": 5, "workers": 1, "studio": f"{__name__}:FakeStudio"}
    return [word for name, value in chosen.items() for word in (f"--{name}", str(value))]


def run(out: Path, *more: str, clips: int = 4, split: str = "train") -> int:
    return generate.main([*arguments(out, clips=clips, split=split), *more])


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a data set but the notes of its making."""
    files = (p for p in out.rglob("*") if p.is_file() and ".parts" not in p.parts)
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    assert run(out, clips=4) == 0
    return out


def test_a_data_set_is_complete_and_readable(whole):
    records, scenes = read_records(whole / "train.jsonl"), read_scenes(whole / "scenes" / "train.jsonl", joints=True)
    assert len(scenes) == 4 and {r.clip for r in records} <= set(scenes)
    first = records[0]
    assert (first.video, first.timestamp, first.split) == ("train-5-000000", 902, "train")
    assert (first.key_frame, first.fps) == (9, 6.0)
    assert set(first.extra) == {"kind", "hard", "parts"} and first.actions == (12, 80)
    scene = scenes[first.clip]
    person = scene["people"][int(first.person_id)]
    assert person["boxes_xyxy"][0] is None and tuple(person["boxes_xyxy"][9]) == first.box_xyxy
    assert {"full_boxes_xyxy", "visible", "actions", "look", "facing", "posture", "depth"} <= set(person)
    assert (scene["frames"], scene["key_frame"], scene["fps"], len(person["visible"])) == (18, 9, 6.0, 18)
    assert scene["things"][0]["name"] == "sofa"
    with av.open(str(whole / first.clip)) as container:
        stream = container.streams.video[0]
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(stream)]
        form = (stream.codec_context.name, stream.codec_context.pix_fmt, float(stream.average_rate))
        assert form == ("h264", "yuv420p", 6.0)
    assert len(pictures) == 18 and list(pictures[0].shape[1::-1]) == scene["size"]
    card = (whole / "README.md").read_text()
    assert "CC0" in card and "| 12 | stand | 8 |" in card and "object manipulation 0%" in card
    assert "--split train --clips 4 --seed 5 --labels balanced\n" in card


def test_scenes_tell_joints_and_who_hides_whom(whole):
    scenes = read_scenes(whole / "scenes" / "train.jsonl", joints=True)
    front, back = next(iter(scenes.values()))["people"]
    assert "joints_xy" not in front and "joints_seen" not in front  # of people without them
    assert front["hidden_by"][0] == {"1": 0.5} and back["hidden_by"][0] == {"things": 0.25}
    assert back["joints_xy"][0][1] is None and back["joints_xy"][1][1] == [1.25, 0.9123]
    assert back["joints_seen"][3] == [1, 0] and len(back["joints_seen"]) == 18
    short = next(iter(read_scenes(whole / "scenes" / "train.jsonl").values()))
    assert not {"joints_xy", "joints_seen"} & set(short["people"][1]) and short["people"][1]["hidden_by"]


def test_sizes_are_a_mix_or_as_asked(tmp_path):
    sizes = Counter(generate.Job("", "train", 5).shot(i).size for i in range(200))
    assert set(sizes) == {(320, 240), (424, 240)} and min(sizes.values()) > 70
    asked = generate.Job("", "train", 5, size=(160, 90)).shot(3)
    assert (asked.size, asked.frames, asked.key_frame) == ((160, 90), 18, 9)
    assert run(tmp_path, "--size", "160x90", "--labels", "natural", clips=1) == 0
    assert next(iter(read_scenes(tmp_path / "scenes" / "train.jsonl").values()))["size"] == [160, 90]
    assert {r.actions for r in read_records(tmp_path / "train.jsonl") if r.box_xyxy} == {(12,)}
    assert "--labels natural --size 160x90" in (tmp_path / "README.md").read_text()


def test_the_test_split_is_described_twice(tmp_path):
    assert run(tmp_path, clips=2, split="test") == 0
    records, again = read_records(tmp_path / "test.jsonl"), read_records(tmp_path / "test_paraphrase.jsonl")
    assert (
        again
        and {r.split for r in again} == {"test_paraphrase"}
        and {r.clip for r in again} == {r.clip for r in records}
    )
    boxes = {(r.clip, r.person_id): (r.box_xyxy, r.actions) for r in records if r.box_xyxy}
    assert all(boxes[r.clip, r.person_id] == (r.box_xyxy, r.actions) for r in again if r.box_xyxy)
    assert {r.sentence for r in again} != {r.sentence for r in records}
    assert len(read_scenes(scenes_path(tmp_path, "test_paraphrase"))) == 2
    assert "| test_paraphrase | 2 |" in (tmp_path / "README.md").read_text()


def test_rewording_writes_what_filming_anew_would_and_no_clip(whole, tmp_path, capfd):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    parts = sorted((tmp_path / ".parts/train").glob("0*.json"))
    for path in parts[:3]:  # as an older grammar left them; the last is of this one
        part = json.loads(path.read_text())
        for record in part["records"]:
            record["sentence"] = "somebody or other"
        path.write_text(json.dumps(part | {"wording": 1}))
    kept = parts[3].stat().st_mtime_ns, (tmp_path / "clips/train/000000.mp4").stat().st_mtime_ns
    argued = [word for word in arguments(tmp_path) if word not in ("--clips", "4")]
    assert generate.main([*argued, "--reword"]) == 0
    assert contents(tmp_path) == contents(whole)
    assert kept == (parts[3].stat().st_mtime_ns, (tmp_path / "clips/train/000000.mp4").stat().st_mtime_ns)
    assert generate.main([*argued, "--reword", "--merge"]) == 2
    assert generate.main([*argued, "--reword", "--seed", "6"]) == 2
    assert generate.main([*argued, "--reword", "--split", "val"]) == 2
    assert "nothing to reword" in capfd.readouterr().err
    part = json.loads(parts[1].read_text()) | {"wording": 1}
    del part["scene"][0]["people"][0]["facing"]
    parts[1].write_text(json.dumps(part))
    assert generate.main([*argued, "--reword"]) == 1
    assert "lacks facts that sentences need (KeyError: 'facing')" in capfd.readouterr().err


def test_a_scene_read_back_is_the_scene_that_was_written():
    scene = FakeStudio("train").shoot(7, size=(64, 48), frames=5, fps=6.0, key_frame=2)
    scene = replace(scene, things=(*scene.things, replace(scene.things[0], depth=2.5)))
    line = json.loads(json.dumps(scene_line(scene, "clips/train/000007.mp4")))
    back = scene_of(line)
    assert scene_line(back, line["clip"]) == line
    assert [thing.depth for thing in back.things] == [None, 2.5]
    assert back.frames.shape == scene.frames.shape and back.people[0].look == scene.people[0].look


def test_interrupted_extended_and_failed_runs_end_as_one_whole_run(whole, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("FAKE_FAIL", seeds(1))
    assert run(tmp_path, clips=3) == 1
    errors = capfd.readouterr().err
    assert "the lamp broke" in errors and "clip 1 of train" in errors and "left" in errors
    assert len(read_scenes(tmp_path / "scenes" / "train.jsonl")) == 2
    assert "--split train --clips 3 " in (tmp_path / "README.md").read_text()  # which makes the same two
    (tmp_path / ".parts/train/000002.json").unlink()  # as if killed between the MP4 and its part
    (tmp_path / ".parts/train/000002 (copy).json").touch()
    left = tmp_path / "clips/train/.000002.77.partial.mp4"
    young = left.with_name(".000002.78.partial.mp4")  # another process may be at it
    for path in (left, young):
        path.touch()
    os.utime(left, (0, 0))
    monkeypatch.delenv("FAKE_FAIL")
    before = (tmp_path / "clips/train/000000.mp4").stat().st_mtime_ns
    assert run(tmp_path, clips=4) == 0
    assert (tmp_path / "clips/train/000000.mp4").stat().st_mtime_ns == before
    assert not left.exists()
    young.unlink()
    assert contents(tmp_path) == contents(whole)
    assert not list(tmp_path.rglob("*.partial*"))


def test_files_left_empty_are_made_again(whole, tmp_path):
    assert run(tmp_path) == 0
    (tmp_path / ".parts/train/000001.json").write_bytes(b"")
    (tmp_path / "clips/train/000002.mp4").write_bytes(b"")
    assert run(tmp_path) == 0
    assert contents(tmp_path) == contents(whole)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"records": []}', b"\xff"])
def test_a_damaged_part_is_named(tmp_path, capfd, content):
    assert run(tmp_path, clips=2) == 0
    capfd.readouterr()
    part = tmp_path / ".parts/train/000001.json"
    part.write_bytes(content)
    before = (tmp_path / "scenes/train.jsonl").read_bytes()
    assert run(tmp_path, clips=2) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"error: {part}") and "delete it" in line
    assert (tmp_path / "scenes/train.jsonl").read_bytes() == before
    (tmp_path / ".parts/train/run.json").write_bytes(content)
    assert run(tmp_path, clips=2) == 2 and len(capfd.readouterr().err.splitlines()) == 1


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
    assert contents(tmp_path) == contents(whole)


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
    assert run(whole, "--size", "320x240") == 2 and run(whole, "--labels", "natural") == 2
    assert generate.main(["--out", str(whole), "--split", "val", "--merge"]) == 2
    assert generate.main(["--out", str(whole), "--split", "val"]) == 2


def test_stills_are_the_key_frame_alone(tmp_path, capfd):
    assert run(tmp_path, "--stills", clips=2) == 0
    scenes = read_scenes(tmp_path / "scenes" / "train.jsonl")
    for clip, scene in scenes.items():
        assert (scene["frames"], scene["key_frame"], len(scene["people"][0]["boxes_xyxy"])) == (1, 0, 1)
        with av.open(str(tmp_path / clip)) as container:
            assert len(list(container.decode(video=0))) == 1
    assert {r.key_frame for r in read_records(tmp_path / "train.jsonl")} == {0} and len(scenes) == 2
    assert "--labels balanced --stills\n" in (tmp_path / "README.md").read_text()
    assert run(tmp_path, clips=3) == 2 and "'stills': True" in capfd.readouterr().err
    assert run(tmp_path, "--stills", split="samples") == 2 and "makes no samples" in capfd.readouterr().err


def test_sparse_clips_are_the_frames_that_a_model_reads(tmp_path, capfd):
    assert run(tmp_path, "--sparse", clips=2) == 0
    for clip, scene in read_scenes(tmp_path / "scenes" / "train.jsonl").items():
        read = model_frames(scene["fps"], scene["key_frame"], scene["frames"], ModelConfig())
        assert read == list(range(8)) and scene["frames"] == len(scene["people"][0]["boxes_xyxy"]) == 8
        with av.open(str(tmp_path / clip)) as container:
            assert len(list(container.decode(video=0))) == 8
    assert {(r.key_frame, r.fps) for r in read_records(tmp_path / "train.jsonl")} == {(4, 3.0)}
    assert "--labels balanced --sparse\n" in (tmp_path / "README.md").read_text()
    assert made_by(tmp_path, "train")[0].split(" --split")[0] == "python -m training.generate --out DATA --sparse"
    assert run(tmp_path, clips=3) == 2 and "'fps': 3.0" in capfd.readouterr().err
    assert run(tmp_path, "--sparse", split="samples") == 2 and "--sparse makes no samples" in capfd.readouterr().err
    assert run(tmp_path, "--sparse", "--stills") == 2 and "exclude each other" in capfd.readouterr().err


def test_samples_are_long_and_large(tmp_path):
    job = generate.Job(str(tmp_path), "samples", 5)
    frames = {job.shot(i).frames for i in range(100)}
    assert min(frames) >= 150 and max(frames) <= 250 and len(frames) > 30  # 6 to 10 s
    shot = job.shot(0)
    generate.make_clip(FakeStudio("test"), job, 0)
    with av.open(str(tmp_path / job.clip(0))) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, float(stream.average_rate)) == (640, 360, 25.0)
        assert stream.frames == shot.frames
    part = json.loads(job.part(0).read_text())
    assert part["scene"][0]["key_frame"] == shot.frames // 2
    assert {r["person_id"] for r in part["records"]} >= {"0", "1"}


def test_a_full_disk_ends_the_run_and_loses_nothing(whole, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("FAKE_FULL", seeds(2))
    assert run(tmp_path, clips=4) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if "No space left" in line]
    assert len(lines) == 1 and lines[0].startswith("error: clip 2 of train cannot be written")
    assert not (tmp_path / ".parts/train/000003.json").exists()  # it did not go on
    monkeypatch.delenv("FAKE_FULL")
    assert run(tmp_path, clips=4) == 0
    assert contents(tmp_path) == contents(whole)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--clips", "0"], "--clips must be at least 1"),
        (["--merge", "--clips", "0"], "--clips must be at least 1"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--size", "320"], "no size such as 320x240"),
        (["--size", "321x240"], "even sides"),
        (["--labels", "odd"], "invalid choice: 'odd'"),
        (["--clips", "many"], "invalid int value"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--out", "/proc/nowhere"], "/proc/nowhere: No such file or directory"),
    ],
)
def test_bad_arguments_are_one_line(tmp_path, capfd, more, message):
    assert run(tmp_path, *more) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]


def test_the_benchmark_counts_clips_after_the_warm_up(capfd):
    asked = ["render", "--size", "96x64", "--clips", "3", "--workers", "1", "--studio", f"{__name__}:FakeStudio"]
    assert benchmark.main(asked) == 0
    line = capfd.readouterr().out
    seconds, rate = re.fullmatch(r"3 clips of 96x64 in ([\d.]+) s: ([\d.]+) clips/s with 1 workers.*\n", line).groups()
    assert (
        float(rate) > 1 and float(seconds) < 3 and {"filming", "sentences", "writing"} < set(re.findall(r"\w+", line))
    )


def test_the_benchmark_leaves_the_warm_up_out_of_the_stages(monkeypatch, capsys):
    def crew(prepare, job, indices, workers, progress):
        for index in indices:
            progress.step({"filming": 9.0 if index < 2 else 1.0})
        return {}

    monkeypatch.setattr(benchmark, "run_crew", crew)
    assert benchmark.main(["render", "--clips", "3", "--workers", "1"]) == 0
    assert capsys.readouterr().out.endswith("a clip and worker: filming 1.000\n")


def test_the_same_frames_give_the_same_file_whatever_lies_in_memory(tmp_path):
    rng, files, frames = np.random.default_rng(0), set(), []
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (320, 400, 3)).astype(np.float32), (0, 0), 3)
    wall = (wall - wall.mean()) * 8 + 128
    for k in range(18):
        image = wall[20 + k : 260 + k, 20 + 2 * k : 340 + 2 * k].copy()
        cv2.circle(image, (60 + 9 * k, 120 + int(30 * np.sin(k))), 30, (200, 30, 30), -1)
        cv2.rectangle(image, (200 - 5 * k, 60), (240 - 5 * k, 200), (20, 60, 220), -1)
        frames.append(np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8))
    for _ in range(12):
        junk = [rng.integers(0, 255, n, dtype=np.uint8) for n in rng.integers(1000, 300_000, 40)]
        del junk[::2]  # holes of old bytes for the encoder to use
        generate.write_clip(tmp_path / "clip.mp4", np.stack(frames), 6.0)
        files.add((tmp_path / "clip.mp4").read_bytes())
    assert len(files) == 1


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
        ({"sentence": "the \ud800 man"}, "half of a character"),
        ({"timestamp": 10**400}, "timestamp"),
        ({"video": "../v"}, "not a path"),
        ({"clip": "clips/../../x.mp4"}, "within the data set folder"),
        ({"clip": "/x.mp4"}, "within the data set folder"),
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
    for text, message in (
        ("{", "JSON"),
        ("[]", "object"),
        ('{"video": "v"}', "missing: timestamp"),
        ("9" * 5000, "JSON"),
        ("[" * 100_000, "JSON"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_records(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_records(tmp_path / "none.jsonl")
    path.write_text('{"clip": "a", "key_frame": 0, "people": []}\n' * 2)
    with pytest.raises(DataError, match=":2: clip a"):
        read_scenes(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clip": "../a.mp4"}, "within the folder"),
        ({"key_frame": None}, '"key_frame"'),
        ({"key_frame": 2}, "that one included"),
        ({"people": [{}]}, '"person_id"'),
        ({"people": [{"person_id": "0", "boxes_xyxy": [None, [0, 0, 1]], "visible": [0, 1]}]}, '"boxes_xyxy"'),
        ({"people": [{"person_id": "0", "boxes_xyxy": [None, [0, 0, 1, 1]], "visible": [0, None]}]}, '"visible"'),
    ],
)
def test_a_bad_scene_is_named_with_file_and_line(tmp_path, change, message):
    person = {"person_id": "0", "boxes_xyxy": [None, [0, 0, 1, 1]], "visible": [0, 1.0]}
    good = {"clip": "a.mp4", "key_frame": 1, "people": [person]}
    path = tmp_path / "val.jsonl"
    path.write_text(json.dumps(good) + "\n")
    assert read_scenes(path) == {"a.mp4": good}
    path.write_text(json.dumps(good) + "\n" + json.dumps(good | {"clip": "b.mp4"} | change) + "\n")
    with pytest.raises(DataError, match=message) as error:
        read_scenes(path)
    assert f"{path}:2" in str(error.value)
