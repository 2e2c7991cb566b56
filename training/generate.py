"""Make the open data set: rendered clips, sentences and records.

Resumable; the same seed gives the same annotation bytes. ``--reword`` writes the sentences of finished clips anew.

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

from refatomnet.config import ModelConfig
from refatomnet.errors import DataError, OptionError
from training.arguments import Parser, picture_size, run
from training.crew import Progress, Seconds, run_crew, say
from training.data.annotation import records_of, scene_line, scene_of
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
    equally frequent. studio: "module:name" of the class that films. stills: Clips of their key frame alone.
    sparse: Clips of the frames alone that a model reads.
    """

    out: str
    split: str
    seed: int
    size: tuple[int, int] | None = None
    labels: str = "balanced"
    studio: str = STUDIO
    stills: bool = False
    sparse: bool = False

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
        size = self.size or SIZES[int(rng.integers(len(SIZES)))]
        if self.sparse:
            return Shot(size, ModelConfig.frames, self.fps, ModelConfig.key_frame)
        return Shot(size, frames=1, key_frame=0) if self.stills else Shot(size)

    @property
    def fps(self) -> float:
        """Frames a second of its clips."""
        return SAMPLE_FPS if self.split == "samples" else ModelConfig.frame_rate if self.sparse else Shot.fps


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


def worded(job: Job, index: int, line: dict[str, Any]) -> dict[str, Any]:
    """The part of a clip: its scene line, and records of sentences written from that line alone."""
    from training.data.synthetic.language.sentences import WORDING, describe

    seed, scene = clip_seed(job.split, job.seed, index), scene_of(line)
    video, clip = f"{job.split}-{job.seed}-{index:06d}", job.clip(index)
    described = describe(scene, np.random.default_rng([seed, 1]), split=job.split)
    part: dict[str, Any] = {
        "wording": WORDING,
        "records": [r.to_dict() for r in records_of(scene, described, video=video, split=job.split, clip=clip)],
        "scene": [line],
    }
    if job.split == "test":
        described = describe(scene, np.random.default_rng([seed, 3]), split="paraphrase")
        again = records_of(scene, described, video=video, split=job.split + PARAPHRASE, clip=clip)
        part["paraphrase"] = [r.to_dict() for r in again]
    return part


def reword(job: Job, index: int) -> Seconds:
    """Write the sentences of a finished clip anew, unless they are of this wording already."""
    from training.data.synthetic.language.sentences import WORDING

    began = time.perf_counter()
    part = read_object(job.part(index))
    if part.get("wording") != WORDING:
        if not isinstance(part.get("scene"), list) or len(part["scene"]) != 1:
            raise DataError(f"{job.part(index)} tells no scene; delete it and make its clip again")
        write_json_lines(job.part(index), [worded(job, index, part["scene"][0])])
    return {"sentences": time.perf_counter() - began}


def make_clip(studio: Any, job: Job, index: int) -> Seconds:
    """Film one clip and write its MP4, then its part; returns the seconds each stage took."""
    seed, shot, clip = clip_seed(job.split, job.seed, index), job.shot(index), job.clip(index)
    began = time.perf_counter()
    scene = studio.shoot(
        seed, size=shot.size, frames=shot.frames, fps=shot.fps, key_frame=shot.key_frame, labels=job.labels
    )
    filmed = time.perf_counter()
    part = worded(job, index, scene_line(scene, clip))
    told = time.perf_counter()
    write_clip(Path(job.out) / clip, scene.frames, scene.fps)
    write_json_lines(job.part(index), [part])
    return {"filming": filmed - began, "sentences": told - filmed, "writing": time.perf_counter() - told}


def prepare_rewording(job: Job) -> Callable[[int], Seconds]:
    """What a worker does once where only sentences are written."""
    return lambda index: reword(job, index)


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
    mine["fps"] = job.fps
    if job.stills:
        mine["stills"] = True
    if not note.exists():
        write_json_lines(note, [mine])
    elif (theirs := read_object(note)) != mine:
        raise OptionError(
            f"{job.out} holds {job.split} clips made with {theirs}; this run asks for {mine}: use those settings or "
            "another --out"
        )


def finished_clips(job: Job, clips: int | None) -> list[int]:
    """Indices of the clips that are whole, below ``clips`` where that is given."""
    indices = sorted(int(path.stem) for path in job.parts.glob("*.json") if path.stem.isdecimal())
    return [i for i in indices if (clips is None or i < clips) and job.finished(i)]


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
    indices = finished_clips(job, clips)
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
    form = options.size, options.labels, options.studio, options.stills, options.sparse
    job = Job(options.out, options.split, options.seed, *form)
    if (options.stills or options.sparse) and options.split == "samples":
        which = "stills" if options.stills else "sparse"
        raise OptionError(f"--{which} makes no samples, which are to be played; make another split so")
    if options.stills and options.sparse:
        raise OptionError("--stills and --sparse exclude each other; a still has one frame")
    if options.merge and options.reword:
        raise OptionError("--merge and --reword exclude each other; --reword merges what it has written")
    made = options.merge or options.reword
    if not (made if options.clips is None else options.clips >= 1):
        raise OptionError(f"--clips must be at least 1, got {options.clips}; say how many clips to make")
    if options.workers < 1:
        raise OptionError(f"--workers must be at least 1, got {options.workers}")
    if made and not job.parts.exists():
        what = "merge" if options.merge else "reword"
        raise OptionError(f"{job.parts} does not exist; nothing to {what} for split {job.split} in {job.out}")
    failed: dict[int, str] = {}
    if not options.merge:
        claim(job)
        for folder in (Path(job.out), job.parts, (Path(job.out) / job.clip(0)).parent):
            sweep(folder)
        if options.reword:
            todo = finished_clips(job, options.clips)
        else:
            todo = [i for i in range(options.clips) if not job.finished(i)]
        step = prepare_rewording if options.reword else prepare
        failed = run_crew(step, job, todo, options.workers, Progress(job.split, len(todo)))
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
    parser.add_argument("--clips", type=int, help="number of clips; with --merge or --reword, how many at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=picture_size, help="of every clip, such as 320x240; without it, a mix")
    parser.add_argument("--labels", choices=LABELS, default=LABELS[0], help="how frequent actions are; natural: as AVA")
    parser.add_argument(
        "--stills",
        action="store_true",
        help="clips of their key frame alone, at a quarter of the work: for training's still_epochs",
    )
    parser.add_argument(
        "--sparse",
        action="store_true",
        help=f"clips of the {ModelConfig.frames} frames alone that a model reads, {ModelConfig.frame_rate:g} a second, "
        "at two thirds of the work: for training",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--merge", action="store_true", help="only merge what is finished; safe while another process generates"
    )
    parser.add_argument(
        "--reword",
        action="store_true",
        help="film nothing: write the sentences of the finished clips anew, as the clips would have them if made now; "
        "--clips says how many at most; give the split's own --seed, --size, --labels, --stills and --sparse",
    )
    parser.add_argument("--refava", action="store_true", help="also write RefAVA++'s pickles and frames, to OUT/refava")
    parser.add_argument("--studio", default=STUDIO, help=argparse.SUPPRESS)
    return run(parser, generate, arguments)


if __name__ == "__main__":
    sys.exit(main())
