"""Many videos, many sentences: one answer file a video, a summary of all, and going on where an earlier run stopped."""

import csv
import json
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refatomnet.console import Progress, check_folder, debugging, in_words, load_predictor
from refatomnet.errors import DataError, OptionError, RefAtomNetError, SentenceError
from refatomnet.types import Query, Result, write_whole

if TYPE_CHECKING:
    from refatomnet.predictor import Predictor

VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv"}
SUMMARY = ("video", "sentence", "status", "found", "presence", "first_seen", "last_seen", "actions", "json", "error")


@dataclass(frozen=True)
class Job:
    """A video of a batch: what to ask, what of that cannot be asked and why, and where the answer goes."""

    video: str
    sentences: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    json: Path


@dataclass(frozen=True)
class Settings:
    """What all videos of a batch share; goes to the worker processes."""

    checkpoint: str | None
    device: str
    stride: float
    top_k: int
    threads: int | None = None


def run_batch(
    source: Path,
    out: Path,
    settings: Settings,
    *,
    sentences: Sequence[str],
    workers: int = 1,
    ray: str | None = None,
    progress: Progress,
) -> int:
    """Answer a table or folder of videos into a folder, passing over what an earlier run has answered there.

    Args:
        source: A CSV table with the columns video and sentence, or a folder of videos.
        out: Where the answers and summary.csv go; made if need be.
        settings: The model and how to use it.
        sentences: Asked of every video, besides the table's.
        workers: Processes, each with its own model; 1 is this one.
        ray: The Ray cluster to work on instead: local, auto or an address. Its machines see the videos at the same
            paths as this one, which alone writes.
        progress: Told of each video.

    Returns:
        The exit code: 0, or 1 if a failure was our fault.

    Raises:
        RefAtomNetError: If the source, the options or the checkpoint are bad, or nothing could be answered.
    """
    asked = _read_folder(source) if source.is_dir() else _read_table(source)
    jobs = _plan({video: [*own, *sentences] for video, own in asked.items()}, out)
    from refatomnet.predictor import check_options, named, read_card

    check_options(stride=settings.stride, top_k=settings.top_k)
    weights = named(read_card(settings.checkpoint))
    _make_folder(out)
    if ray is not None:
        settings = replace(settings, threads=1)  # an actor a CPU
    elif workers > 1:
        settings = replace(settings, threads=max(1, (os.cpu_count() or 1) // workers))
    open_jobs = [job for job in jobs if job.sentences and not _finished(job, settings, weights)]
    progress.line(f"{len(jobs)} videos, {len(jobs) - len(open_jobs)} of them finished already")
    errors: dict[str, str] = {}
    ours = False
    try:
        for number, (job, outcome) in enumerate(_answers(open_jobs, settings, workers, ray, progress), start=1):
            if isinstance(outcome, Exception):
                ours = ours or not isinstance(outcome, RefAtomNetError)
                errors[job.video] = in_words(outcome)
            else:
                try:
                    outcome.save_json(job.json)
                except RefAtomNetError as error:  # of this one name; the others can go on
                    errors[job.video] = in_words(error)
            note = f"failed: {errors[job.video]}" if job.video in errors else "done"
            progress.line(f"{number}/{len(open_jobs)} {job.video}: {note}")
    except BaseException:
        with suppress(OSError):
            out.rmdir()  # only when nothing has been written
        raise
    rows = [row for job in jobs for row in _summary_rows(job, errors)]
    write_whole(out / "summary.csv", partial(_write_summary, rows))
    failed = sum(row["status"] == "failed" for row in rows)
    progress.line(f"{len(rows) - failed} of {len(rows)} sentences answered; see {out / 'summary.csv'}")
    if failed == len(rows) and not ours:
        raise DataError(f"nothing could be answered, the first because: {rows[0]['error']}")
    return 1 if ours else 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror}; give --out another path") from error
    check_folder(folder, folder)


def _read_folder(folder: Path) -> dict[str, list[str]]:
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in VIDEO_SUFFIXES]
    videos = [str(path) for path in found if path.is_file() and not path.name.startswith(".")]
    if not videos:
        raise DataError(f"{folder} holds no videos ({', '.join(sorted(VIDEO_SUFFIXES))}); give another folder")
    return {video: [] for video in videos}


def _read_table(table: Path) -> dict[str, list[str]]:
    """The sentences of each video; videos are found from the table's folder."""
    asked: dict[str, list[str]] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if "video" not in (rows.fieldnames or []):
                raise DataError(f"{table} has no column 'video'; its first line must name the columns video, sentence")
            for row in rows:
                name = (row["video"] or "").strip()
                if not name:
                    raise DataError(f"{table}, line {rows.line_num}: the column video is empty; name a video file")
                sentences = asked.setdefault(str(table.parent / name), [])
                sentence = row.get("sentence")
                if sentence is not None and sentence not in sentences:
                    sentences.append(sentence)
    except FileNotFoundError as error:
        raise DataError(f"{table} does not exist; give a table (CSV) or a folder of videos") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} cannot be read as a CSV table in UTF-8 ({error}); save it as such") from error
    if not asked:
        raise DataError(f"{table} has no rows; add a line a video and sentence")
    return asked


def _plan(asked: dict[str, list[str]], out: Path) -> list[Job]:
    """One job a video; answers are named after their video, with a digest where two videos share a name."""
    from refatomnet.text import split_words

    stems = [Path(video).stem.lower() for video in asked]
    jobs = []
    for video, sentences in asked.items():
        if not sentences:
            raise OptionError("there is no sentence to ask; add --sentence 'the man in the grey shirt'")
        good, refused = [], []
        for sentence in dict.fromkeys(sentences):
            try:
                split_words(sentence)
                good.append(sentence)
            except SentenceError as error:
                refused.append((sentence, str(error)))
        stem = Path(video).stem
        if stems.count(stem.lower()) > 1:
            stem += "-" + sha256(os.fsencode(video)).hexdigest()[:8]
        job = Job(video, tuple(good), tuple(refused), out / f"{stem}.json")
        if job.json.exists() and _stored(job) is None:
            raise DataError(f"{job.json} is there already and is no result of ours; give another --out")
        jobs.append(job)
    return jobs


def _finished(job: Job, settings: Settings, weights: dict[str, str]) -> bool:
    """Whether an earlier run has answered just this, with the same options, about the file as it is now."""
    result = _stored(job)
    if result is None:
        return False
    with suppress(OSError):
        if Path(job.video).stat().st_mtime > job.json.stat().st_mtime:
            return False
    keys = [key for query in result.queries for key in query.keyframes if key.found]
    return (
        result.video.path == job.video
        and tuple(query.sentence for query in result.queries) == job.sentences
        and result.stride == settings.stride
        and result.checkpoint == weights
        and all(len(key.actions) == settings.top_k for key in keys)
    )


def _stored(job: Job) -> Result | None:
    """The answer that lies in the output folder, if there is a readable one."""
    try:
        return Result.from_dict(json.loads(job.json.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RefAtomNetError):
        return None


def _answers(
    jobs: Sequence[Job], settings: Settings, workers: int, ray: str | None, progress: Progress
) -> Iterator[tuple[Job, Result | Exception]]:
    """The answer to each job, or why there is none, as they come; a broken checkpoint ends it all."""
    if not jobs:
        return
    if ray is not None:
        from refatomnet.cluster import on_ray

        # Workers elsewhere start in folders of their own.
        settings = replace(settings, checkpoint=_absolute(settings.checkpoint))
        placed = [replace(job, video=os.path.abspath(job.video)) for job in jobs]
        gpu = {"auto": None, "cuda": True}.get(settings.device, False)
        outcomes = on_ray(partial(_answer, settings=settings), placed, ray, gpu=gpu)
    elif workers > 1 and len(jobs) > 1:
        from refatomnet.workers import in_processes

        outcomes = in_processes(partial(_answer, settings=settings), jobs, workers)
    else:
        outcomes = (
            (number, _answer(job, settings, progress.about(f"{number + 1}/{len(jobs)} {Path(job.video).name}")))
            for number, job in enumerate(jobs)
        )
    for done, (number, outcome) in enumerate(outcomes, start=1):
        if isinstance(outcome, Result):
            outcome = replace(outcome, video=replace(outcome.video, path=jobs[number].video))
        yield jobs[number], outcome
        if ray is not None or workers > 1:
            progress("Videos", done / len(jobs))


def _absolute(checkpoint: str | None) -> str | None:
    return os.path.abspath(checkpoint) if checkpoint and Path(checkpoint).is_dir() else checkpoint


def _answer(job: Job, settings: Settings, progress: Callable[[str, float], None] | None = None) -> Any:
    """The Result, or the exception that this one video caused; other errors, such as of the checkpoint, are raised."""
    from refatomnet.video import probe

    try:
        probe(job.video)  # so that no model is loaded for a bad file
    except RefAtomNetError as error:
        return error
    from refatomnet.predictor import MAX_SENTENCES

    predictor = _worker_predictor(settings)
    try:
        clip = predictor.encode(job.video, stride=settings.stride, progress=progress)
        parts = [
            predictor.ask(clip, *job.sentences[i : i + MAX_SENTENCES], top_k=settings.top_k, progress=progress)
            for i in range(0, len(job.sentences), MAX_SENTENCES)
        ]
        return replace(parts[0], queries=tuple(query for part in parts for query in part.queries))
    except Exception as error:
        if debugging():
            traceback.print_exc()
        return error if isinstance(error, RefAtomNetError) else RuntimeError(f"refatomnet failed: {in_words(error)}")


@cache
def _worker_predictor(settings: Settings) -> "Predictor":
    if settings.threads:
        import torch

        torch.set_num_threads(settings.threads)
    return load_predictor(settings.checkpoint, settings.device)


def _summary_rows(job: Job, errors: dict[str, str]) -> Iterator[dict[str, Any]]:
    result = None if job.video in errors else _stored(job)
    answered = {query.sentence: query for query in result.queries} if result else {}
    refused = dict(job.refused)
    for sentence in (*job.sentences, *refused):
        row = {"video": job.video, "sentence": sentence}
        if sentence in answered:
            yield row | _summed_up(answered[sentence]) | {"status": "done", "json": job.json.name}
        else:
            yield row | {"status": "failed", "error": refused.get(sentence) or errors.get(job.video, "not answered")}


def _summed_up(query: Query) -> dict[str, Any]:
    seen = [key.time for key in query.keyframes if key.found]
    names = dict.fromkeys(segment.action.name for segment in sorted(query.segments, key=lambda s: -s.score))
    row = {"found": str(query.found).lower(), "presence": f"{query.presence:.4f}", "actions": "; ".join(names)}
    return row | ({"first_seen": f"{seen[0]:.3f}", "last_seen": f"{seen[-1]:.3f}"} if seen else {})


def _write_summary(rows: Sequence[dict[str, Any]], part: Path) -> None:
    with part.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        table = csv.DictWriter(file, SUMMARY, restval="")
        table.writeheader()
        table.writerows(rows)
