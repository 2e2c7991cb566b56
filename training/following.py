"""How well a described person is followed through twenty seconds of walking, crossing and cutting.

From the command line:

    python -m training.following --data DIR [--clips N] [--seed S] [--checkpoint C] [--json OUT.json] [--draw N]

Makes the clips that DIR lacks (see ``data.synthetic.long_takes``), asks a sentence a described person, and scores the
track of the answer on every frame (see ``tracking``). The rows "given" give the identity away: at every key frame the
person detected nearest to the truth is taken, so that choosing and following can be told apart. The same seed makes
the same clips; what is finished is kept.
"""

import argparse
import dataclasses
import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from refatomnet import Predictor
from refatomnet.boxes import iou
from refatomnet.errors import DataError, OptionError
from refatomnet.predictor import EncodedClip
from refatomnet.tracks import meant_frames
from refatomnet.types import Query
from refatomnet.video import read_frames
from training.arguments import Parser, picture_size, run
from training.crew import Progress, Seconds, run_crew, say
from training.data.annotation import rounded_box
from training.data.records import read_object, sweep, write_json_lines, write_text
from training.data.synthetic.long_takes import KINDS, LongClip, LongStudio
from training.evaluate import without_nan
from training.generate import clip_seed, write_clip
from training.metrics import bootstrap
from training.tracking import Followed, Truth, follow_score

CLIPS, SEED, SIZE = 60, 5, (424, 240)
NEAR = 0.5  # IoU with the truth from which a detected person is them, where the identity is given
AIMS = {"iou": 0.70, "switched": 0.05}  # at least, at most
ROWS = ("asked", "given")
Track = dict[int, np.ndarray]


@dataclass(frozen=True)
class Job:
    """What every worker needs to know: where the clips go, the seed, and their size in pixels."""

    out: str
    seed: int
    size: tuple[int, int]

    def clip(self, index: int) -> Path:
        return Path(self.out) / "clips" / f"{index:06d}.mp4"

    def truth(self, index: int) -> Path:
        return Path(self.out) / "truth" / f"{index:06d}.json"

    def finished(self, index: int) -> bool:
        return all(p.is_file() and p.stat().st_size > 0 for p in (self.clip(index), self.truth(index)))


# ---- clips --------------------------------------------------------------------------------------------------------
def kind_of(index: int) -> str:
    """Kinds take turns."""
    return KINDS[index % len(KINDS)]


def truth_line(clip: LongClip, name: str) -> dict[str, Any]:
    """What is true of every frame of a clip, as plain JSON; boxes are fractions of the frame, null out of view."""
    height, width = clip.frames.shape[1:3]
    people = [
        {
            "person_id": str(i),
            "look": {k: v.item() if isinstance(v, np.generic) else v for k, v in dataclasses.asdict(p.look).items()},
            "holding": p.holding,
            "boxes_xyxy": [rounded_box(b) for b in p.boxes_xyxy],
            "full_boxes_xyxy": [rounded_box(b) for b in p.full_boxes_xyxy],
            "visible": [round(float(v), 3) for v in p.visible],
            "in_view": [bool(v) for v in np.isfinite(p.boxes_xyxy).all(1)],
        }
        for i, p in enumerate(clip.people)
    ]
    return {
        "clip": name,
        "kind": clip.kind,
        "size": [width, height],
        "fps": clip.fps,
        "frames": len(clip.frames),
        "cuts": list(clip.cuts),
        "places": list(clip.places),
        "alike": [str(i) for i in clip.alike],
        "people": people,
        "sentences": [{"person_id": str(i), "sentence": text} for i, text in clip.sentences.items()],
    }


def prepare(job: Job) -> Callable[[int], Seconds]:
    """What a worker does once; returns what makes one clip."""
    studio = LongStudio("test")

    def make(index: int) -> Seconds:
        began = time.perf_counter()
        clip = studio.shoot_long(clip_seed("following", job.seed, index), kind=kind_of(index), size=job.size)
        write_clip(job.clip(index), clip.frames, clip.fps)
        write_json_lines(job.truth(index), [truth_line(clip, f"clips/{job.clip(index).name}")])
        return {"filming": time.perf_counter() - began}

    return make


def make_clips(job: Job, clips: int, workers: int) -> None:
    """Make what is missing of the first ``clips`` clips.

    Raises:
        OptionError: If the folder holds clips of another seed or size.
        DataError: If a clip could not be made.
    """
    note, mine = Path(job.out) / "run.json", {"seed": job.seed, "size": list(job.size)}
    if note.exists() and (theirs := read_object(note)) != mine:
        raise OptionError(
            f"{job.out} holds clips made with {theirs}; this run asks for {mine}: use those settings or another --data"
        )
    write_json_lines(note, [mine])
    for folder in ("clips", "truth"):
        sweep(Path(job.out) / folder)
    todo = [i for i in range(clips) if not job.finished(i)]
    failed = run_crew(prepare, job, todo, workers, Progress("following", len(todo))) if todo else {}
    if failed:
        raise DataError(f"{len(failed)} clips could not be made: {sorted(failed)[:20]}; see above, and run it again")


def read_truth(path: Path) -> tuple[dict[str, Any], Truth]:
    """A clip's line and the arrays of it.

    Raises:
        DataError: If the file is damaged.
    """
    line = read_object(path)
    try:
        people = line["people"]
        boxes, full = (
            np.array([[[np.nan] * 4 if b is None else b for b in p[name]] for p in people], float)
            for name in ("boxes_xyxy", "full_boxes_xyxy")
        )
        visible = np.array([p["visible"] for p in people], float)
        truth = Truth(boxes, full, visible, float(line["fps"]), tuple(line["cuts"]))
        if (
            full.shape != boxes.shape
            or boxes.shape != (len(people), int(line["frames"]), 4)
            or visible.shape != boxes.shape[:2]
        ):
            raise ValueError("not a box and a share a frame")
        if not all(0 <= int(said["person_id"]) < len(people) and said["sentence"] for said in line["sentences"]):
            raise ValueError("a sentence about nobody")
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is damaged ({error!r}); delete it and make it again") from error
    return line, truth


# ---- asking -------------------------------------------------------------------------------------------------------
def track_of(query: Query, size: tuple[int, int]) -> Track:
    """The boxes of an answer by frame, in fractions."""
    scale = np.array([*size, *size], float)
    return {point.frame: np.array(point.box_xyxy) / scale for point in query.track}


def given_track(clip: EncodedClip, boxes_xyxy: np.ndarray) -> Track:
    """The track with the identity given: at each key frame whoever was detected nearest to the truth is meant.

    Where that is nobody, the person before and after is kept if they are on one and the same track.

    Args:
        clip: The encoded clip, with everybody's tracks.
        boxes_xyxy: The truth, in pixels (T, 4); NaN where out of view.
    """
    taken = [_nearest(clip, frame, boxes_xyxy[min(frame, len(boxes_xyxy) - 1)]) for frame in clip.frames]
    for k in range(1, len(taken) - 1):
        if taken[k] is None and taken[k - 1] == taken[k + 1]:
            taken[k] = taken[k - 1]
    boxes = meant_frames(clip.frames, taken, clip.tracks, clip.cuts)
    scale = np.array([clip.video.width, clip.video.height] * 2, float)
    return {n: box / scale for n, box in boxes.items()}


def _nearest(clip: EncodedClip, frame: int, box_xyxy: np.ndarray) -> int | None:
    """The track whose box overlaps a box most on a frame; None where there is no box, or nobody on it."""
    if not np.isfinite(box_xyxy).all():
        return None
    there = {i: box for i, track in enumerate(clip.tracks) for box in track.between(frame, frame).values()}
    overlaps = {i: float(iou(*map(torch.from_numpy, (box, box_xyxy)))) for i, box in there.items()}
    best = max(overlaps, key=overlaps.__getitem__, default=None)
    return best if best is not None and overlaps[best] >= NEAR else None


def measure(
    predictor: Predictor, job: Job, clips: int, *, stride: float, draw: int
) -> dict[str, list[tuple[int, Followed]]]:
    """Ask and score; by row, the clip's number and the score of every sentence."""
    scores: dict[str, list[tuple[int, Followed]]] = {row: [] for row in ROWS}
    progress = Progress("asking", clips)
    for index in range(clips):
        began = time.perf_counter()
        line, truth = read_truth(job.truth(index))
        size = (int(line["size"][0]), int(line["size"][1]))
        clip = predictor.encode(job.clip(index), stride=stride)
        encoded = time.perf_counter()
        result = predictor.ask(clip, *(said["sentence"] for said in line["sentences"]))
        drawn = []
        for said, query in zip(line["sentences"], result.queries, strict=True):
            person = int(said["person_id"])
            track = track_of(query, size)
            pixels = truth.boxes_xyxy[person] * np.array([*size, *size])
            scores["asked"].append((index, follow_score(truth, person, track)))
            given = given_track(clip, pixels)
            scores["given"].append((index, follow_score(truth, person, given)))
            drawn.append((person, said["sentence"], track))
        if index < draw:
            draw_tracks(job.clip(index), Path(job.out) / "drawn" / f"{index:06d}.mp4", truth, drawn)
        progress.step({"encoding": encoded - began, "asking": time.perf_counter() - encoded})
    return scores


def draw_tracks(clip: Path, target: Path, truth: Truth, drawn: list[tuple[int, str, Track]]) -> None:
    """Write a video of two: each sentence's truth, thin and green, and its track, thick and red, one above another."""
    import cv2

    rows = []
    for frame in read_frames(clip):
        height, width = frame.image.shape[:2]
        scale, pictures = np.array([width, height, width, height]), []
        for person, sentence, track in drawn:
            image = np.ascontiguousarray(frame.image)
            for box, colour, thick in ((track.get(frame.index), (230, 40, 40), 2),
                                       (truth.boxes_xyxy[person, frame.index], (40, 230, 40), 1)):  # fmt: skip
                if box is not None and np.isfinite(box).all():
                    x1, y1, x2, y2 = (int(v) for v in np.round(box * scale))
                    cv2.rectangle(image, (x1, y1), (x2, y2), colour, thick)
            said = f"{frame.index} {sentence}"
            cv2.putText(image, said, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.putText(image, said, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
            pictures.append(image)
        rows.append(np.concatenate(pictures))
    write_clip(target, np.stack(rows), truth.fps)


# ---- the report ---------------------------------------------------------------------------------------------------
def summary(scores: list[tuple[int, Followed]]) -> dict[str, Any]:
    """Means over clips, of which each is the mean over its sentences, with 95 % intervals.

    switched: share of clips with any switch; switched_sentences: of sentences.
    """
    groups = np.array([index for index, _ in scores])
    mine = [[s for index, s in scores if index == clip] for clip in np.unique(groups)]
    with np.errstate(invalid="ignore"):
        columns = {
            "iou": np.array([_mean([s.iou for s in own]) for own in mine]),
            "switched": np.array([any(s.switches for s in own) for own in mine], float),
            "switched_sentences": np.array([_mean([s.switches > 0 for s in own]) for own in mine]),
            "recall": np.array([_mean([s.recall for s in own]) for own in mine]),
            "superfluous": np.array([_mean([s.superfluous for s in own]) for own in mine]),
            "fragments": np.array([_mean([s.fragments for s in own]) for own in mine]),
        }

    def means(rows: np.ndarray) -> dict[str, float]:
        return {name: _mean(values[rows]) for name, values in columns.items()}

    rows = np.arange(len(mine))
    ci95 = bootstrap(means, rows, times=1000)
    return {"clips": len(mine), "sentences": len(scores), **means(rows), "ci95": ci95}


def _mean(values: Any) -> float:
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")


def table(report: dict[str, Any]) -> str:
    """The report as lines of text."""
    head = f"{'':24} {'clips':>5}  {'IoU':^19}  {'clips with a switch':^19}  {'recall':>6}  {'superfluous':>11}  breaks"
    lines = [head]
    for row in ROWS:
        for kind in ("all", *KINDS):
            found = report[row].get(kind)
            if found is None:
                continue
            iou, switched = (
                f"{found[name]:.3f} ({found['ci95'][name][0]:.3f}–{found['ci95'][name][1]:.3f})"
                for name in ("iou", "switched")
            )
            lines.append(
                f"{row + ', ' + kind:24} {found['clips']:5d}  {iou:19}  {switched:19}  {found['recall']:6.3f}  "
                f"{found['superfluous']:11.3f}  {found['fragments']:6.2f}"
            )
    return "\n".join(lines)


def following(options: argparse.Namespace) -> int:
    for name in ("clips", "workers"):
        if getattr(options, name) < 1:
            raise OptionError(f"--{name} must be at least 1, got {getattr(options, name)}")
    if options.draw < 0:
        raise OptionError(f"--draw must not be negative, got {options.draw}; give a number of clips")
    job = Job(str(options.data), options.seed, options.size)
    make_clips(job, options.clips, options.workers)
    if options.make_only:
        return 0
    predictor = Predictor.from_pretrained(options.checkpoint)
    scores = measure(predictor, job, options.clips, stride=options.stride, draw=options.draw)
    report: dict[str, Any] = {
        "aims": AIMS,
        "stride": options.stride,
        "seed": options.seed,
        "checkpoint": options.checkpoint or str(predictor.card.get("name", "")),
        "command": shlex.join(["python", "-m", "training.following", *options.given]),
    }
    for row, every in scores.items():
        report[row] = {"all": summary(every)}
        for kind in KINDS:
            own = [(index, score) for index, score in every if kind_of(index) == kind]
            if own:
                report[row][kind] = summary(own)
        report[row]["sentences"] = [{"clip": index, **dataclasses.asdict(score)} for index, score in every]
    if options.json:
        write_text(options.json, json.dumps(without_nan(report), indent=1) + "\n")
    print(table(report))
    found = report["asked"]["all"]
    met = found["iou"] >= AIMS["iou"], found["switched"] <= AIMS["switched"]
    say(f"aims: IoU at least {AIMS['iou']}: {'met' if met[0] else 'missed'}; "
        f"clips with a switch at most {AIMS['switched']}: {'met' if met[1] else 'missed'}")  # fmt: skip
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, whether or not the aims are met; 2 bad arguments or data."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = Parser(
        prog="python -m training.following",
        description="Measure how well a described person is followed; makes the clips where they are missing.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the clips")
    parser.add_argument("--clips", type=int, default=CLIPS, help="number of clips; kinds take turns")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--size", type=picture_size, default=SIZE, help="of the clips, such as 424x240")
    parser.add_argument("--checkpoint", help="the shipped one by default")
    parser.add_argument("--stride", type=float, default=1.0, help="seconds between key frames")
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--draw", type=int, default=0, help="write the first N clips, truth and track drawn, to DATA/drawn"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that make clips")
    parser.add_argument("--make-only", action="store_true", help="make the clips and stop")
    parser.set_defaults(given=given)
    return run(parser, following, arguments)


if __name__ == "__main__":
    sys.exit(main())
