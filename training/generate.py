"""Make the open data set: rendered clips, sentences and records.

Resumable; the same seed gives the same annotation bytes.

A finished clip is its MP4 under clips/{split}/ and its part under .parts/{split}/; parts become {split}.jsonl and
scenes/{split}.jsonl, in index order, at the end of a run or on ``--merge``. The test split is described once more in
words kept out of training: test_paraphrase.jsonl.
"""

import argparse
import hashlib
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from refatomnet.errors import DataError, OptionError
from training.arguments import Parser, picture_size, run
from training.crew import Progress, Seconds, run_crew, say
from training.data.annotation import records_of, scene_line
from training.data.card import data_card
from training.data.records import PARAPHRASE, read_object, sweep, write_json_lines, write_text
from training.data.refava import write_refava

SPLITS = ("train", "val", "test", "samples")
LABELS = ("balanced", "natural")
STUDIO = "training.data.synthetic.render:Studio"
CRF = 22
SIZES = ((320, 240), (424, 240))  # of clips, half each, unless one is asked for
SAMPLE_SIZE, SAMPLE_FPS, SAMPLE_SECONDS = (640, 360), 25.0, (6.4, 9.6)


@dataclass(frozen=True)
class Shot:
    """How a clip is filmed: size (width, height) in pixels, number of frames, frames a second, key frame."""

    size: tuple[int, int]
    frames: int = 18
    fps: float = 6.0
    key_frame: int = 9


@dataclass(frozen=True)
class Job:
    """What every worker needs to know.

    size: Of every clip in pixels, or None for a mix. labels: One of ``LABELS``: actions as uneven as AVA's, or about
    equally frequent. studio: "module:name" of the class that films.
    """

    out: str
    split: str
    seed: int
    size: tuple[int, int] | None = None
    labels: str = "balanced"
    studio: str = STUDIO

    def clip(self, index: int) -> str:
        return f"clips/{self.split}/{index:06d}.mp4"

    @property
    def parts(self) -> Path:
        return Path(self.out) / ".parts" / self.split

    def part(self, index: int) -> Path:
        return self.parts / f"{index:06d}.json"

    def finished(self, index: int) -> bool:
        """Whether part and clip are there, and not empty as a power cut may leave them."""
        paths = self.part(index), Path(self.out) / self.clip(index)
        return all(path.is_file() and path.stat().st_size > 0 for path in paths)

    def shot(self, index: int) -> Shot:
        rng = np.random.default_rng([clip_seed(self.split, self.seed, index), 2])
        if self.split == "samples":
            frames = round(SAMPLE_FPS * rng.uniform(*SAMPLE_SECONDS))
            return Shot(self.size or SAMPLE_SIZE, frames, SAMPLE_FPS, frames // 2)
        return Shot(self.size or SIZES[int(rng.integers(len(SIZES)))])


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
                # without x264's look-ahead, which goes by what lies in memory, the same frames give the same file
                options={
                    "crf": str(CRF),
                    "preset": "veryfast",
                    "threads": "1",
                    "x264-params": "rc-lookahead=0:mbtree=0",
                },
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


def make_clip(studio: Any, job: Job, index: int) -> Seconds:
    """Film one clip and write its MP4, then its part; returns the seconds each stage took."""
    from training.data.synthetic.language.sentences import describe

    seed, shot, clip = clip_seed(job.split, job.seed, index), job.shot(index), job.clip(index)
    began = time.perf_counter()
    scene = studio.shoot(
        seed, size=shot.size, frames=shot.frames, fps=shot.fps, key_frame=shot.key_frame, labels=job.labels
    )
    filmed = time.perf_counter()
    video = f"{job.split}-{job.seed}-{index:06d}"
    described = describe(scene, np.random.default_rng([seed, 1]), split=job.split)
    part: dict[str, Any] = {
        "records": [r.to_dict() for r in records_of(scene, described, video=video, split=job.split, clip=clip)],
        "scene": [scene_line(scene, clip)],
    }
    if job.split == "test":
        described = describe(scene, np.random.default_rng([seed, 3]), split="paraphrase")
        again = records_of(scene, described, video=video, split=job.split + PARAPHRASE, clip=clip)
        part["paraphrase"] = [r.to_dict() for r in again]
    told = time.perf_counter()
    write_clip(Path(job.out) / clip, scene.frames, scene.fps)
    write_json_lines(job.part(index), [part])
    return {"filming": filmed - began, "sentences": told - filmed, "writing": time.perf_counter() - told}


def prepare(job: Job) -> Callable[[int], Seconds]:
    """What a worker does once: open the studio; returns what makes one clip."""
    module, _, name = job.studio.partition(":")
    studio = getattr(importlib.import_module(module), name)("test" if job.split == "samples" else job.split)
    return lambda index: make_clip(studio, job, index)


# ---- the data set folder ------------------------------------------------------------------------------------------
def claim(job: Job) -> None:
    """Note seed and form beside the parts, so that a later run cannot mix two.

    Raises:
        OptionError: If the folder holds this split with another seed or form.
    """
    note = job.parts / "run.json"
    mine: dict[str, Any] = {"seed": job.seed, "labels": job.labels, "size": list(job.size) if job.size else None}
    mine["fps"] = SAMPLE_FPS if job.split == "samples" else Shot.fps
    if not note.exists():
        write_json_lines(note, [mine])
    elif (theirs := read_object(note)) != mine:
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

    Raises:
        DataError: If a part is damaged.
    """
    out = Path(job.out)
    indices = sorted(int(path.stem) for path in job.parts.glob("*.json") if path.stem.isdecimal())
    indices = [i for i in indices if (clips is None or i < clips) and job.finished(i)]
    written = {"records": 0, "scene": 0, "paraphrase": 0}

    def lines(what: str) -> Iterator[dict[str, Any]]:
        for index in indices:
            part = read_object(job.part(index))
            if not isinstance(part.get(what), list):
                raise DataError(f"{job.part(index)} tells no {what}; delete it and make its clip again")
            for line in part[what]:
                written[what] += 1
                yield line

    write_json_lines(out / f"{job.split}.jsonl", lines("records"))
    write_json_lines(out / "scenes" / f"{job.split}.jsonl", lines("scene"))
    if job.split == "test":
        write_json_lines(out / f"test{PARAPHRASE}.jsonl", lines("paraphrase"))
    write_text(out / "README.md", data_card(out, SPLITS))
    return written["scene"], written["records"]


def generate(options: argparse.Namespace) -> int:
    job = Job(options.out, options.split, options.seed, options.size, options.labels, options.studio)
    if not (options.merge if options.clips is None else options.clips >= 1):
        raise OptionError(f"--clips must be at least 1, got {options.clips}; say how many clips to make")
    if options.workers < 1:
        raise OptionError(f"--workers must be at least 1, got {options.workers}")
    if options.merge and not job.parts.exists():
        raise OptionError(f"{job.parts} does not exist; nothing to merge for split {job.split} in {job.out}")
    failed: dict[int, str] = {}
    if not options.merge:
        claim(job)
        for folder in (Path(job.out), job.parts, (Path(job.out) / job.clip(0)).parent):
            sweep(folder)
        todo = [i for i in range(options.clips) if not job.finished(i)]
        failed = run_crew(prepare, job, todo, options.workers, Progress(job.split, len(todo)))
    clips, records = merge(job, options.clips)
    say(f"{job.split}: {clips} clips, {records} records in {job.out}")
    if options.refava:
        for split in [job.split] + ["test" + PARAPHRASE] * (job.split == "test"):
            say(f"{split}: {write_refava(Path(job.out), split)} people in RefAVA++'s form in {job.out}/refava")
    if failed:
        say(f"{len(failed)} clips failed: {sorted(failed)[:20]}; run the same command again to try them once more")
    return 1 if failed else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, 1 some clips failed, 2 bad arguments or data."""
    parser = Parser(
        prog="python -m training.generate",
        description="Make the open data set. Run the same command again to go on; a larger --clips extends.",
    )
    parser.add_argument("--out", required=True, help="data set folder")
    parser.add_argument("--split", required=True, choices=SPLITS)
    parser.add_argument("--clips", type=int, help="number of clips; with --merge, how many to merge at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=picture_size, help="of every clip, such as 320x240; without it, a mix")
    parser.add_argument("--labels", choices=LABELS, default=LABELS[0], help="how frequent actions are; natural: as AVA")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--merge", action="store_true", help="only merge what is finished; safe while another process generates"
    )
    parser.add_argument("--refava", action="store_true", help="also write RefAVA++'s pickles and frames, to OUT/refava")
    parser.add_argument("--studio", default=STUDIO, help=argparse.SUPPRESS)
    return run(parser, generate, arguments)


if __name__ == "__main__":
    sys.exit(main())
