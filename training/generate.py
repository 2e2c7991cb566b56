"""Make the open data set: rendered clips, sentences and records.

Resumable; the same seed gives the same annotation bytes.

A finished clip is its MP4 under clips/{split}/ and its part under .parts/{split}/; parts become {split}.jsonl and
scenes/{split}.jsonl, in index order, at the end of a run or on ``--merge``.
"""

import argparse
import hashlib
import importlib
import json
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter, deque
from dataclasses import asdict, dataclass
from fractions import Fraction
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np

from refatomnet.errors import DataError, OptionError, RefAtomNetError
from training.data.card import data_card
from training.data.records import Record, write_json_lines, write_scenes, write_text
from training.data.synthetic.facts import Scene

SPLITS = ("train", "val", "test", "samples")
STUDIO = "training.data.synthetic.render:Studio"
TIMESTAMP = 902
CRF = 20
MAX_DEATHS = 3  # workers lost in a row, without a clip between, that end the run


@dataclass(frozen=True)
class Shot:
    """How clips of a split are filmed: size (width, height) in pixels, number of frames, frames a second, key frame."""

    size: tuple[int, int] = (320, 180)
    frames: int = 8
    fps: float = 3.0
    key_frame: int = 4


SHORT = Shot()
SAMPLE = Shot(size=(640, 360), frames=200, fps=25.0, key_frame=100)


@dataclass(frozen=True)
class Job:
    """What every worker needs to know. studio: "module:name" of the class that films."""

    out: str
    split: str
    seed: int
    studio: str
    shot: Shot

    def clip(self, index: int) -> str:
        return f"clips/{self.split}/{index:06d}.mp4"

    @property
    def parts(self) -> Path:
        return Path(self.out) / ".parts" / self.split

    def part(self, index: int) -> Path:
        return self.parts / f"{index:06d}.json"

    def finished(self, index: int) -> bool:
        return self.part(index).exists() and (Path(self.out) / self.clip(index)).exists()


def clip_seed(split: str, seed: int, index: int) -> int:
    """A seed of 63 bits for one clip, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{split}/{seed}/{index}".encode()).digest()[:8], "big") >> 1


# ---- one clip -----------------------------------------------------------------------------------------------------
def write_clip(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write frames, uint8 RGB [T, H, W, 3], as H.264 yuv420p MP4; the file appears whole or not at all."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.mp4")
    try:
        with av.open(str(partial), "w", format="mp4", options={"movflags": "faststart"}) as container:
            stream = container.add_stream(
                "libx264",
                rate=Fraction(fps).limit_denominator(1001),
                options={"crf": str(CRF), "preset": "veryfast", "threads": "1"},
            )
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = "yuv420p"
            stream.thread_count = 1
            for image in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
            container.mux(stream.encode())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def rounded_box(box: np.ndarray) -> list[float] | None:
    return [round(min(max(float(v), 0.0), 1.0), 5) for v in box] if np.isfinite(box).all() else None


def scene_line(scene: Scene, clip: str) -> dict:
    """What is true of a clip, as plain JSON: see ``training.data.records.read_scenes``."""
    people = [
        {
            "person_id": str(i),
            "boxes_xyxy": [rounded_box(b) for b in person.boxes_xyxy],
            "full_boxes_xyxy": [rounded_box(b) for b in person.full_boxes_xyxy],
            "visible": [round(float(v), 4) if np.isfinite(v) else 0.0 for v in person.visible],
            "actions": [int(a) for a in person.actions],
            "look": {k: v.item() if isinstance(v, np.generic) else v for k, v in asdict(person.look).items()},
            "facing": person.facing,
            "posture": person.posture,
            "depth": round(float(person.depth), 3),
            "holding": person.holding,
        }
        for i, person in enumerate(scene.people)
    ]
    things = [
        {"name": t.name, "colour": t.colour, "boxes_xyxy": [rounded_box(b) for b in t.boxes_xyxy]} for t in scene.things
    ]
    return {
        "clip": clip,
        "key_frame": int(scene.key_frame),
        "fps": float(scene.fps),
        "people": people,
        "things": things,
        "place": scene.place,
        "tags": list(scene.tags),
    }


def records_of(scene: Scene, job: Job, index: int) -> list[Record]:
    """The records of a scene; sentences that fit nobody get person ids "absent0", "absent1", …"""
    from training.data.synthetic.sentences import describe

    rng = np.random.default_rng([clip_seed(job.split, job.seed, index), 1])
    records, absent = [], 0
    for said in describe(scene, rng, split=job.split):
        person = None if said.person_index is None else scene.people[said.person_index]
        name = f"absent{absent}" if person is None else str(said.person_index)
        absent += person is None
        box = None if person is None else rounded_box(person.boxes_xyxy[scene.key_frame])
        actions = () if person is None else tuple(int(a) for a in person.actions)
        records.append(
            Record(
                f"{job.split}-{job.seed}-{index:06d}",
                TIMESTAMP,
                name,
                job.split,
                said.sentence,
                actions,
                None if box is None else (box[0], box[1], box[2], box[3]),
                job.clip(index),
                int(scene.key_frame),
                float(scene.fps),
                {"kind": said.kind, "hard": bool(said.hard)},
            )
        )
    return records


def make_clip(studio, job: Job, index: int) -> None:
    """Film one clip and write its MP4, then its part."""
    shot = job.shot
    scene = studio.shoot(
        clip_seed(job.split, job.seed, index),
        size=shot.size,
        frames=shot.frames,
        fps=shot.fps,
        key_frame=shot.key_frame,
    )
    part = {
        "records": [r.to_dict() for r in records_of(scene, job, index)],
        "scene": scene_line(scene, job.clip(index)),
    }
    write_clip(Path(job.out) / job.clip(index), scene.frames, scene.fps)
    write_json_lines(job.part(index), [part])


# ---- workers ------------------------------------------------------------------------------------------------------
def load_studio(job: Job):
    module, _, name = job.studio.partition(":")
    return getattr(importlib.import_module(module), name)("test" if job.split == "samples" else job.split)


def work(pipe: Connection, job: Job) -> None:
    """A worker: receive an index, answer (index, None or the error's text), until told None."""
    import cv2

    cv2.setNumThreads(1)
    studio = load_studio(job)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    try:
        while (index := pipe.recv()) is not None:
            try:
                make_clip(studio, job, index)
                pipe.send((index, None))
            except Exception:  # one bad clip is reported, and the run goes on
                pipe.send((index, traceback.format_exc()))
    except (EOFError, KeyboardInterrupt, BrokenPipeError):
        pass


@dataclass
class Worker:
    """A running worker process, our end of its pipe, and the clip it is at."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection
    index: int | None = None

    @classmethod
    def start(cls, job: Job) -> "Worker":
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, job), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours)

    def give(self, todo: deque[int]) -> None:
        self.index = todo.popleft() if todo else None
        try:
            self.pipe.send(self.index)
        except (BrokenPipeError, OSError):
            pass  # it died; its closed pipe is noticed where answers are read


def film(job: Job, indices: list[int], workers: int) -> dict[int, str]:
    """Make the clips of these indices; returns the failed ones with their error.

    A worker that dies is replaced; the clip it was at is tried once more, then counted as failed.

    Raises:
        DataError: If workers keep dying without finishing a clip.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"  # inherited by the workers
    failed: dict[int, str] = {}
    died_at: Counter[int] = Counter()
    todo, deaths = deque(indices), 0
    progress = Progress(job.split, len(indices))
    crew = [Worker.start(job) for _ in range(min(workers, len(indices)))]
    try:
        for worker in crew:
            worker.give(todo)
        while busy := [w for w in crew if w.index is not None]:
            for pipe in wait([w.pipe for w in busy], timeout=30):
                worker = next(w for w in busy if w.pipe is pipe)
                try:
                    index, error = worker.pipe.recv()
                    deaths = 0
                    if error is not None:
                        failed[index] = error
                        say(f"clip {index} of {job.split} failed and is skipped:\n{error}")
                    progress.step()
                except (EOFError, OSError):
                    worker.process.join(timeout=5)
                    assert worker.index is not None  # it was busy
                    index, deaths = worker.index, deaths + 1
                    died_at[index] += 1
                    say(f"a worker died (exit code {worker.process.exitcode}) at clip {index} of {job.split}")
                    if deaths >= MAX_DEATHS:
                        raise DataError(
                            f"{deaths} workers died in a row making {job.split}, last at clip {index}; see above, "
                            "then run the same command again"
                        ) from None
                    if died_at[index] < 2:
                        todo.appendleft(index)
                    else:
                        failed[index] = "its worker died twice"
                        progress.step()
                    crew.remove(worker)
                    if not todo:
                        continue
                    worker = Worker.start(job)
                    crew.append(worker)
                worker.give(todo)
    finally:
        for worker in crew:
            worker.pipe.close()
        for worker in crew:
            worker.process.join(timeout=5)
            if worker.process.is_alive():
                worker.process.terminate()
    return failed


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Progress:
    """Clips done and time left, a line on standard error every few seconds."""

    def __init__(self, split: str, total: int, every: float = 10.0):
        self.split, self.total, self.every = split, total, every
        self.done, self.began, self.said = 0, time.monotonic(), 0.0

    def step(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.said < self.every and self.done < self.total:
            return
        self.said = now
        pace = (now - self.began) / self.done
        left = round(pace * (self.total - self.done))
        clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
        say(f"{self.split}: {self.done}/{self.total} clips, {pace:.2f} s a clip, {clock} left")


# ---- the data set folder ------------------------------------------------------------------------------------------
def claim(job: Job) -> None:
    """Note seed and shot beside the parts, so that a later run cannot mix two.

    Raises:
        OptionError: If the folder holds this split with another seed or shot.
    """
    note = job.parts / "run.json"
    mine = {"seed": job.seed, **asdict(job.shot), "size": list(job.shot.size)}
    if not note.exists():
        write_json_lines(note, [mine])
    elif (theirs := json.loads(note.read_text())) != mine:
        raise OptionError(
            f"{job.out} holds {job.split} clips made with {theirs}; this run asks for {mine}: use those settings or "
            "another --out"
        )


def merge(job: Job, clips: int | None) -> tuple[int, int]:
    """Write {split}.jsonl, scenes/{split}.jsonl and the data card from the finished parts.

    Args:
        job: What was made.
        clips: Take parts below this index only; None takes all.

    Returns:
        Numbers of clips and of records.
    """
    out, records, scenes = Path(job.out), [], []
    for path in sorted(job.parts.glob("[0-9]*.json")):
        index = int(path.stem)
        if (clips is None or index < clips) and job.finished(index):
            part = json.loads(path.read_text(encoding="utf-8"))
            records += part["records"]
            scenes.append(part["scene"])
    write_json_lines(out / f"{job.split}.jsonl", records)
    write_scenes(out / "scenes" / f"{job.split}.jsonl", scenes)
    write_text(out / "README.md", data_card(out, SPLITS))
    return len(scenes), len(records)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, 1 some clips failed, 2 bad arguments or data."""
    parser = argparse.ArgumentParser(
        prog="python -m training.generate",
        description="Make the open data set. Run the same command again to go on; a larger --clips extends.",
    )
    parser.add_argument("--out", required=True, help="data set folder")
    parser.add_argument("--split", required=True, choices=SPLITS)
    parser.add_argument("--clips", type=int, help="number of clips; with --merge, how many to merge at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--merge", action="store_true", help="only merge what is finished; safe while another process generates"
    )
    parser.add_argument("--studio", default=STUDIO, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    job = Job(options.out, options.split, options.seed, options.studio, SAMPLE if options.split == "samples" else SHORT)
    try:
        if not options.merge and (options.clips is None or options.clips < 1):
            raise OptionError(f"--clips must be at least 1, got {options.clips}; say how many clips to make")
        if options.workers < 1:
            raise OptionError(f"--workers must be at least 1, got {options.workers}")
        if options.merge and not job.parts.exists():
            raise OptionError(f"{job.parts} does not exist; nothing to merge for split {job.split} in {job.out}")
        if not options.merge:
            claim(job)
        todo = [] if options.merge else [i for i in range(options.clips) if not job.finished(i)]
        failed = film(job, todo, options.workers) if todo else {}
        clips, records = merge(job, options.clips)
    except KeyboardInterrupt:
        say("stopped; finished clips are kept: run the same command to go on")
        return 130
    except RefAtomNetError as error:
        say(f"error: {error}")
        return 2
    say(
        f"{job.split}: {clips} clips, {records} records in {job.out}"
        + (f"; {len(failed)} clips failed: {sorted(failed)[:20]}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
